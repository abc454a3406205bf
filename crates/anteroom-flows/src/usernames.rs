//! Names that release 0.1.0 gave to accounts without holding them against those of others.

use anteroom_storage::{Store, StoreError};

/// Done by every process when it starts and by nodes each minute, for nodes and commands of 0.1.0 may run beside.
pub async fn enter(store: &Store) -> Result<(), StoreError> {
    let done = store.enter_usernames().await?;
    if done.entered > 0 {
        tracing::info!(count = done.entered, "`preferred_username` of accounts is theirs alone now");
    }
    for account in done.taken {
        tracing::warn!(
            %account,
            "its `preferred_username` is another account's name or address too: applications that go by it take the two for one. \
             `anteroom user set-claims` gives it another"
        );
    }
    Ok(())
}
