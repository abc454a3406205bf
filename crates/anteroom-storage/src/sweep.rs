//! Sweeping: what is over is deleted in small batches, by one node at a time.
//!
//! Nearly everything is kept for a while beyond its end: markers of spent things must outlive the things, also under clocks
//! that are a little apart, and an operator may still ask what happened.

use crate::StoreError;
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

const KEPT_AFTER_END: SignedDuration = SignedDuration::from_hours(24);
/// Counters have only a beginning; no window is longer than a day, and the one before it still counts.
const COUNTERS_KEPT: SignedDuration = SignedDuration::from_hours(72);

/// Whoever holds this lock on a PostgreSQL server is the one that sweeps.
const SWEEP_LOCK: i64 = 0x616e_7465_7377_7065;

/// `$1` is the time before which a row must have ended, `$2` the size of the batch.
macro_rules! delete {
    ($table:literal, $key:literal, $ended:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $ended,
            " < $1 LIMIT $2)"
        )
    };
}

/// Grants go with their families, sessions leave their grants behind.
const ENDED: [&str; 11] = [
    delete!("interactions", "id", "expires_at"),
    delete!("one_time_codes", "id", "expires_at"),
    delete!("links", "id", "expires_at"),
    delete!("revoked_jti", "jti", "expires_at"),
    delete!("assertion_jti", "client_id, jti", "expires_at"),
    delete!("grants", "id", "expires_at"),
    delete!("grants", "id", "revoked_at"),
    delete!("sessions", "id", "ended_at"),
    delete!("registered_clients", "client_id", "deleted_at"),
    delete!("messages", "id", "expires_at"),
    delete!("logout_deliveries", "id", "expires_at"),
];
/// Gone at their end: what was written for an address that no account has is of no further use, and that a pushed request is
/// not there any more says as much as that it was taken.
const AT_THEIR_END: [&str; 3] = [
    delete!("links", "id", "account_id IS NULL AND expires_at"),
    delete!("messages", "id", "account_id IS NULL AND expires_at"),
    delete!("pushed_requests", "digest", "expires_at"),
];
const COUNTERS: [&str; 3] = [
    delete!("rate_counters", "scope, subject, window_start", "window_start"),
    delete!("code_attempts", "account_id, purpose, at, id", "at"),
    delete!("nodes", "id", "seen_at"),
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub rows: u64,
    /// Some table had a full batch: there is more to sweep.
    pub more: bool,
}

impl Store {
    /// Deletes up to `batch` rows of each table. Deletes nothing while another node is at it.
    pub async fn sweep(&self, now: Timestamp, batch: u32) -> Result<Swept, StoreError> {
        let before = |kept| now.checked_sub(kept).unwrap_or(Timestamp::MIN).as_millisecond();
        let (ended, counters) = (before(KEPT_AFTER_END), before(COUNTERS_KEPT));
        let at_end = before(SignedDuration::ZERO);
        self.write(move |tx| async move {
            let mut swept = Swept::default();
            if !try_lock(&tx.conn, SWEEP_LOCK).await? {
                return Ok(swept);
            }
            let statements = ENDED.map(|sql| (sql, ended)).into_iter();
            let statements = statements.chain(AT_THEIR_END.map(|sql| (sql, at_end)));
            let statements = statements.chain(COUNTERS.map(|sql| (sql, counters)));
            for (sql, before) in statements {
                let values = [before.into(), i64::from(batch).into()];
                let statement = Statement::from_sql_and_values(tx.conn.get_database_backend(), sql, values);
                let rows = tx.conn.execute_raw(statement).await?.rows_affected();
                swept.rows += rows;
                swept.more |= rows >= u64::from(batch);
            }
            Ok(swept)
        })
        .await
    }
}

/// Until the end of the transaction. An embedded database has one writer anyway.
pub(crate) async fn try_lock(conn: &impl ConnectionTrait, lock: i64) -> Result<bool, StoreError> {
    if conn.get_database_backend() != DbBackend::Postgres {
        return Ok(true);
    }
    let sql = "SELECT pg_try_advisory_xact_lock($1)";
    let row =
        conn.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [lock.into()])).await?;
    Ok(row.is_some_and(|row| row.try_get_by_index(0).unwrap_or(false)))
}
