//! Sweeping: rows that have ended or expired are deleted in small batches, by one node at a time.
//!
//! Rows that an index finds are deleted each minute. A table that must be read as a whole is read once a day: it is read inside
//! of a write, and SQLite has one writer.
//!
//! Nearly everything is kept for a while beyond its end: a row that marks a code, link or token as used must outlive it, even
//! if the clocks of two nodes differ, and an operator may still ask what happened.

use crate::engine::advisory_lock::try_lock;
use crate::error::StoreError;
use crate::store::{Store, Tx};
use crate::unit::Unit;
use anteroom_domain::device::COOKIE_LIFE;
use jiff::{SignedDuration, Timestamp};
use sea_orm::{ConnectionTrait, Statement};

const KEPT_AFTER_END: SignedDuration = SignedDuration::from_hours(24);
/// Counters have only a beginning; no window is longer than a day, and the one before it still counts.
const COUNTERS_KEPT: SignedDuration = SignedDuration::from_hours(72);

/// The lock, on PostgreSQL, of the node that sweeps.
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

/// Deleting a grant also deletes its refresh tokens (foreign key); deleting a session keeps its grants.
const ENDED: [&str; 13] = [
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
    // One of a session that still runs can become known by a second factor.
    delete!(
        "known_devices",
        "id",
        "NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.device_id = known_devices.id AND sessions.ended_at IS NULL) \
         AND revoked_at"
    ),
    delete!("authenticators", "id", "removed_at"),
];
/// Deleted when they end: a row for an address that no account has is of no further use, and a pushed request that is missing
/// is answered as one that was used. So are effects of forms, and interactions in which nothing was proven, answered or sent, because
/// strangers can make many of them.
const WITHOUT_RETENTION: [&str; 5] = [
    delete!("links", "id", "account_id IS NULL AND expires_at"),
    delete!("messages", "id", "account_id IS NULL AND expires_at"),
    delete!("pushed_requests", "digest", "expires_at"),
    delete!("form_effects", "name", "ends_at"),
    delete!(
        "interactions",
        "id",
        "proof IS NULL AND finished_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM one_time_codes WHERE one_time_codes.interaction_id = interactions.id) \
         AND NOT EXISTS (SELECT 1 FROM links WHERE links.interaction_id = interactions.id) AND expires_at"
    ),
];
/// Devices whose cookie has expired, unless a session still runs on them. `created_at` has the index, since it does not change
/// at each sign-in.
const UNUSED_DEVICES: &str = delete!(
    "known_devices",
    "id",
    "NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.device_id = known_devices.id AND sessions.ended_at IS NULL) \
     AND created_at < $1 AND last_seen_at"
);
/// Those of an account beyond the newest `$1`; `$2` is the size of the batch.
const OLD_PASSWORDS: &str = "DELETE FROM password_history WHERE id IN (SELECT id FROM (\
    SELECT id, row_number() OVER (PARTITION BY account_id ORDER BY retired_at DESC, id DESC) AS place \
    FROM password_history WHERE account_id IN (\
        SELECT account_id FROM password_history GROUP BY account_id HAVING count(*) > $1)) AS placed \
    WHERE place > $1 LIMIT $2)";
const COUNTERS: [&str; 3] = [
    delete!("rate_counters", "scope, subject, window_start", "window_start"),
    delete!("code_attempts", "account_id, purpose, at, id", "at"),
    delete!("nodes", "id", "seen_at"),
];

/// A set of the statements that sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweeps(u32);

impl Sweeps {
    const COUNT: usize = ENDED.len() + WITHOUT_RETENTION.len() + COUNTERS.len() + 1;
    pub const ALL: Self = Self((1 << Self::COUNT) - 1);
    /// All sweeps except the last one ([`UNUSED_DEVICES`]), which reads its whole table.
    pub const FREQUENT: Self = Self((1 << (Self::COUNT - 1)) - 1);

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn has(self, place: usize) -> bool {
        self.0 & (1 << place) != 0
    }

    const fn put(&mut self, place: usize) {
        self.0 |= 1 << place;
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub rows: u64,
    /// Those whose batch was full: there is more to sweep.
    pub unfinished: Sweeps,
}

impl Store {
    /// Deletes up to `batch` rows with each of these. Deletes nothing while another node is at it.
    pub async fn sweep(&self, now: Timestamp, batch: u32, sweeps: Sweeps) -> Result<Swept, StoreError> {
        let (_, swept) = self.run(SweepUnit { now, batch, sweeps }).await;
        swept
    }

    /// Deletes up to `batch` of the passwords that new ones are not compared with any more, since `remembered` newer ones were
    /// replaced after them, and says how many there were. A new password does so for its own account, so these are of accounts
    /// from before `remembered` was lowered, or of release 0.1.0. Deletes nothing while another node is at it.
    pub async fn sweep_old_passwords(&self, remembered: u16, batch: u32) -> Result<u64, StoreError> {
        let (_, rows) = self.run(SweepOldPasswordsUnit { remembered, batch }).await;
        rows
    }
}

/// Deletes rows of the tables that `sweeps` names.
struct SweepUnit {
    now: Timestamp,
    batch: u32,
    sweeps: Sweeps,
}

impl SweepUnit {
    /// The statements in the order of [`Sweeps`], each with the time before which its rows must have ended.
    fn statements(&self) -> impl Iterator<Item = (&'static str, i64)> {
        let before = |kept| self.now.checked_sub(kept).unwrap_or(Timestamp::MIN).as_millisecond();
        let (ended, counters) = (before(KEPT_AFTER_END), before(COUNTERS_KEPT));
        let at_end = before(SignedDuration::ZERO);
        let unseen = before(COOKIE_LIFE.saturating_add(KEPT_AFTER_END));
        let statements = ENDED.map(|sql| (sql, ended)).into_iter();
        let statements = statements.chain(WITHOUT_RETENTION.map(|sql| (sql, at_end)));
        let statements = statements.chain(COUNTERS.map(|sql| (sql, counters)));
        statements.chain([(UNUSED_DEVICES, unseen)])
    }
}

impl Unit for SweepUnit {
    type Output = Swept;
    type Error = StoreError;

    const NAME: &'static str = "sweep";

    async fn run(&self, tx: &Tx) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        if !try_lock(&tx.conn, SWEEP_LOCK).await? {
            return Ok(swept);
        }
        for (place, (sql, before)) in self.statements().enumerate() {
            if !self.sweeps.has(place) {
                continue;
            }
            let rows = delete(&tx.conn, sql, before, self.batch).await?;
            swept.rows += rows;
            if rows >= u64::from(self.batch) {
                swept.unfinished.put(place);
            }
        }
        Ok(swept)
    }
}

/// Deletes passwords that are not remembered any more.
struct SweepOldPasswordsUnit {
    remembered: u16,
    batch: u32,
}

impl Unit for SweepOldPasswordsUnit {
    /// How many.
    type Output = u64;
    type Error = StoreError;

    const NAME: &'static str = "sweep_old_passwords";

    async fn run(&self, tx: &Tx) -> Result<u64, StoreError> {
        if !try_lock(&tx.conn, SWEEP_LOCK).await? {
            return Ok(0);
        }
        delete(&tx.conn, OLD_PASSWORDS, i64::from(self.remembered), self.batch).await
    }
}

async fn delete(conn: &impl ConnectionTrait, sql: &str, first: i64, batch: u32) -> Result<u64, StoreError> {
    let values = [first.into(), i64::from(batch).into()];
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    Ok(conn.execute_raw(statement).await?.rows_affected())
}
