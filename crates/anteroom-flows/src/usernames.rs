//! Names that release 0.1.0 gave to accounts without holding them against those of others.

use anteroom_domain::ids::AccountId;
use anteroom_storage::{Store, StoreError};
use std::collections::HashSet;

/// Accounts that the log was told of.
#[derive(Debug, Default)]
pub struct Told(HashSet<AccountId>);

/// Done by every process when it starts and by nodes each minute, for nodes and commands of 0.1.0 may run beside. What was
/// told of before is not told of again.
pub async fn enter(store: &Store, told: &mut Told) -> Result<(), StoreError> {
    let done = store.enter_usernames().await?;
    if done.entered > 0 {
        tracing::info!(count = done.entered, "`preferred_username` of accounts is theirs alone now");
    }
    for account in done.taken {
        if told.0.insert(account) {
            tracing::warn!(
                %account,
                "its `preferred_username` is another account's name or address too: applications that go by it take the two for \
                 one. `anteroom user set-claims` gives it another"
            );
        }
    }
    Ok(())
}
