//! Names that release 0.1.0 gave to accounts without comparing them with those of other accounts.

use anteroom_domain::ids::AccountId;
use anteroom_storage::{Store, StoreError};
use std::collections::HashSet;

/// Accounts that one round names in the log. The next round names further ones.
const MOST_NAMED: usize = 20;

/// Accounts that the log has named.
#[derive(Debug, Default)]
pub struct ReportedAccounts(HashSet<AccountId>);

impl ReportedAccounts {
    /// Those of `accounts` that have not been named, and are from now on.
    fn report(&mut self, accounts: Vec<AccountId>) -> Vec<AccountId> {
        let new = accounts.into_iter().filter(|account| !self.0.contains(account));
        let new: Vec<AccountId> = new.take(MOST_NAMED).collect();
        self.0.extend(&new);
        new
    }
}

/// Reserves names that are only in profiles. Every process does it when it starts, and nodes do it once an hour, because nodes
/// and commands of 0.1.0 may run at the same time. Returns the accounts whose name belongs to another account.
pub async fn reserve(store: &Store) -> Result<Vec<AccountId>, StoreError> {
    let done = store.backfill_usernames().await?;
    if done.entered > 0 {
        tracing::info!(
            count = done.entered,
            "`preferred_username` of these accounts is now reserved for them"
        );
    }
    Ok(done.taken)
}

/// The same, and writes those accounts to the log.
pub async fn reserve_and_report(store: &Store, reported: &mut ReportedAccounts) -> Result<(), StoreError> {
    for account in reported.report(reserve(store).await?) {
        tracing::warn!(
            %account,
            "its `preferred_username` is another account's name or address too: applications that go by it take the two for \
             one. `anteroom user show {account}` says whose it is, and `anteroom user set-claims` gives it another"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_account_is_named_once_and_no_more_than_a_screenful_at_a_time() {
        let accounts: Vec<AccountId> = (0..25).map(|number| AccountId(Uuid::from_u128(number))).collect();
        let mut reported = ReportedAccounts::default();
        let counts = [(); 3].map(|()| reported.report(accounts.clone()).len());
        assert_eq!(counts, [20, 5, 0]);
    }
}
