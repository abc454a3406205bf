//! Addresses whose domain release 0.1.0 stored in another form than the one in which addresses are looked up.

use anteroom_storage::{Store, StoreError};

/// Every process does this when it starts, and nodes do it each minute, because nodes of 0.1.0 may run at the same time.
pub async fn normalize_domains(store: &Store) -> Result<(), StoreError> {
    let done = store.normalize_domains().await?;
    if done.normalized > 0 {
        tracing::info!(
            count = done.normalized,
            "addresses have their domain in ASCII now, as browsers send it"
        );
    }
    for account in done.conflicts {
        tracing::warn!(%account, "its address in ASCII form belongs to another account too, so sign-in to this \
                                  account is refused");
    }
    Ok(())
}
