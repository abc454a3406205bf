//! Authenticators: the second factors of an account, of every kind, in one table.
//!
//! A node of release 0.1.0 on the same database writes only `phones` and `totp_factors`. So this table is derived from those
//! two and not read by this release, and once an hour it gets the rows that such a node has written.
//!
//! Invariants:
//! - A row has the identifier of its phone or app, and is there once possession was proven: the number verified, the app
//!   confirmed.
//! - `removed_at` is set when the phone or app goes; the row is swept a while later.

#[cfg(test)]
mod tests;

use crate::error::StoreError;
use crate::store::{Queries, Store, Tx};
use crate::unit::Unit;
use anteroom_domain::ids::AccountId;
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

/// Accounts that one transaction brings in line at most.
const BATCH: u64 = 200;

/// The phones and apps that are authenticators. Each text that names it says `SELECT … FROM (this) AS proven`.
macro_rules! proven {
    () => {
        "SELECT id, account_id, 'phone' AS kind, verified_at AS added_at, usable_from FROM phones \
         WHERE verified_at IS NOT NULL \
         UNION ALL \
         SELECT id, account_id, 'app', confirmed_at, usable_from FROM totp_factors WHERE confirmed_at IS NOT NULL"
    };
}

/// `$1` is the account.
const ENTER: &str = concat!(
    "INSERT INTO authenticators (id, account_id, kind, added_at, usable_from) \
     SELECT id, account_id, kind, added_at, usable_from FROM (",
    proven!(),
    ") AS proven WHERE account_id = $1 \
     ON CONFLICT (id) DO UPDATE SET usable_from = excluded.usable_from, removed_at = NULL \
     WHERE authenticators.usable_from <> excluded.usable_from OR authenticators.removed_at IS NOT NULL"
);

/// `$1` is the account, `$2` the time.
const REMOVE: &str = concat!(
    "UPDATE authenticators SET removed_at = $2 WHERE account_id = $1 AND removed_at IS NULL \
     AND id NOT IN (SELECT id FROM (",
    proven!(),
    ") AS proven WHERE account_id = $1)"
);

/// Accounts whose rows are not in line, `$1` at most.
const DIFFERING: &str = concat!(
    "SELECT account_id FROM (SELECT proven.account_id FROM (",
    proven!(),
    ") AS proven LEFT JOIN authenticators AS entered ON entered.id = proven.id AND entered.removed_at IS NULL \
     AND entered.usable_from = proven.usable_from WHERE entered.id IS NULL \
     UNION \
     SELECT entered.account_id FROM authenticators AS entered WHERE entered.removed_at IS NULL \
     AND NOT EXISTS (SELECT 1 FROM (",
    proven!(),
    ") AS proven WHERE proven.id = entered.id)) AS differing ORDER BY account_id LIMIT $1"
);

const USED: &str = "UPDATE authenticators SET last_used_at = $2 WHERE id = $1";

impl Store {
    /// Enters what nodes of release 0.1.0 have written, and says of how many accounts. One read where there is nothing.
    pub async fn backfill_authenticators(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut all = 0;
        loop {
            let accounts = self.differing_authenticators().await?;
            if accounts.is_empty() {
                return Ok(all);
            }
            let (synced, result) = self.run(SyncAuthenticatorsUnit { accounts, now }).await;
            result?;
            all += synced.accounts.len();
        }
    }
}

/// Brings the rows of each of these accounts in line with its phones and apps.
struct SyncAuthenticatorsUnit {
    accounts: Vec<AccountId>,
    now: Timestamp,
}

impl Unit for SyncAuthenticatorsUnit {
    type Output = ();
    type Error = StoreError;

    const NAME: &'static str = "sync_authenticators";

    async fn run(&self, tx: &Tx) -> Result<(), StoreError> {
        for account in self.accounts.iter().copied() {
            tx.lock_account(account).await?;
            tx.sync_authenticators(account, self.now).await?;
        }
        Ok(())
    }
}

impl Queries {
    async fn differing_authenticators(&self) -> Result<Vec<AccountId>, StoreError> {
        let backend = self.conn.get_database_backend();
        let most = Value::from(i64::try_from(BATCH).unwrap_or(i64::MAX));
        let statement = Statement::from_sql_and_values(backend, DIFFERING, [most]);
        let rows = self.conn.query_all_raw(statement).await?;
        let ids: Result<Vec<AccountId>, _> =
            rows.iter().map(|row| row.try_get_by_index(0).map(AccountId)).collect();
        Ok(ids?)
    }
}

impl Tx {
    /// Brings the rows of an account in line with its phones and apps, after one of those was changed.
    pub(crate) async fn sync_authenticators(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(ENTER, [account.0.into()]).await?;
        self.run(REMOVE, [account.0.into(), now.as_millisecond().into()]).await
    }

    pub(crate) async fn note_use_of(&self, authenticator: Uuid, now: Timestamp) -> Result<(), StoreError> {
        self.run(USED, [authenticator.into(), now.as_millisecond().into()]).await
    }

    async fn run<const N: usize>(&self, sql: &str, values: [Value; N]) -> Result<(), StoreError> {
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), sql, values);
        self.conn.execute_raw(statement).await?;
        Ok(())
    }
}
