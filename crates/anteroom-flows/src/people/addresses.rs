//! Addresses that release 0.1.0 stored with a domain in another form than they are looked up in.

use anteroom_storage::{Store, StoreError};

/// Done by every process when it starts and by nodes each minute, for nodes of 0.1.0 may run beside.
pub async fn renew_domains(store: &Store) -> Result<(), StoreError> {
    let done = store.normalize_domains().await?;
    if done.renewed > 0 {
        tracing::info!(count = done.renewed, "addresses have their domain in ASCII now, as browsers send it");
    }
    for account in done.conflicts {
        tracing::warn!(%account, "its address is another account's in the form that browsers send: nobody signs in to it");
    }
    Ok(())
}
