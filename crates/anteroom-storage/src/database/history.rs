//! The state by which a node notices that the database went back to an earlier one, and the report of the node that noticed;
//! see `anteroom_domain::database_rollback`.

use crate::audit::head::seq_column;
use crate::entity::{audit_entries, instance};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_domain::audit_trail::chain::ChainLink;
use anteroom_domain::database_rollback::{DatabasePosition, DatabaseReading, next_database_epoch};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Statement};

/// The first eight digits of the name of the file that the server writes to. In recovery there is none.
const TIMELINE: &str = "SELECT CASE WHEN pg_is_in_recovery() THEN NULL \
     ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END";

/// The lost commits may have raised epochs, and tokens with those epochs may exist. So every new epoch is raised by more than
/// any account can have been raised there.
const ACCOUNT_EPOCHS: i64 = 1_000;

/// What was issued under the database before is invalid under the accepted one. Sessions and proofs carry the epoch of their
/// account, so that raising it ends them; the other tables are named here. `$1` is the time.
const END_ALL: [&str; 5] = [
    "UPDATE known_devices SET revoked_at = $1 WHERE revoked_at IS NULL",
    "UPDATE links SET ended_at = $1 WHERE ended_at IS NULL AND completed_at IS NULL",
    "UPDATE one_time_codes SET superseded_at = $1 WHERE superseded_at IS NULL",
    "UPDATE pushed_requests SET expires_at = $1 WHERE expires_at > $1",
    // They carry the links and codes that were just ended, and most were sent in what was lost.
    "UPDATE messages SET expires_at = $1 WHERE done_at IS NULL AND kind IN ('invitation', 'recovery', 'code')",
];

/// What an accepted database has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptResult {
    pub epoch: i64,
    /// The number of the chain that a node had seen, if one has reported that the database went back.
    pub reported: Option<u64>,
    pub sessions: u64,
}

impl Queries {
    /// The state of the database, with the digest of the entry that the node remembers. The timeline is read apart: `timeline`.
    pub async fn database_reading(&self, remembered: u64) -> Result<DatabaseReading, StoreError> {
        let row = instance::Entity::find().one(&self.conn).await?;
        let row = row.ok_or_else(|| StoreError::Statement("instance has no row".to_owned()))?;
        let at_remembered = self.digest_at(remembered).await?;
        let end = self.chain_end().await?;
        let reported = if row.went_back_at.is_some() { reported(&row)? } else { None };
        Ok(DatabaseReading {
            now: DatabasePosition {
                database_epoch: row.epoch,
                end,
                keys_version: row.keys_version,
                clients_revision: row.clients_revision,
                timeline: None,
            },
            at_remembered: at_remembered.map(|link| link.digest),
            // Last: what was there a moment ago may have been pruned since.
            pruned: self.pruned().await?.map_or(0, |pruned| pruned.link.seq),
            reported,
        })
    }

    async fn digest_at(&self, seq: u64) -> Result<Option<ChainLink>, StoreError> {
        let row = audit_entries::Entity::find()
            .select_only()
            .columns([audit_entries::Column::ChainSeq, audit_entries::Column::ChainDigest])
            .filter(audit_entries::Column::ChainSeq.eq(seq_column(seq)))
            .into_tuple::<(i64, Option<Vec<u8>>)>()
            .one(&self.conn)
            .await?;
        let Some((_, digest)) = row else { return Ok(None) };
        let place = RowRef { table: "audit_entries", id: &seq };
        let digest = digest.ok_or_else(|| place.corrupt("chain_digest"))?;
        Ok(Some(ChainLink { seq, digest: place.digest("chain_digest", &digest)? }))
    }

    /// The timeline that a PostgreSQL server writes on. `None` on SQLite and on a standby.
    pub async fn timeline(&self) -> Result<Option<u32>, StoreError> {
        if self.conn.get_database_backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let row = self.conn.query_one_raw(Statement::from_string(DbBackend::Postgres, TIMELINE)).await?;
        let text: Option<String> = row.ok_or(StoreError::Closed)?.try_get_by_index(0)?;
        let parse = |text: String| u32::from_str_radix(&text, 16);
        text.map(parse).transpose().map_err(|_| StoreError::Statement("a timeline is no number".to_owned()))
    }
}

fn reported(row: &instance::Model) -> Result<Option<u64>, StoreError> {
    let place = RowRef { table: "instance", id: &row.id };
    row.went_back_seq.map(|seq| place.number("went_back_seq", seq)).transpose()
}

impl Tx {
    /// Records that the database went back behind this number of the chain, so that no node serves requests. The first record
    /// stays.
    pub async fn report_rollback(&self, seen: u64, now: Timestamp) -> Result<(), StoreError> {
        instance::Entity::update_many()
            .col_expr(instance::Column::WentBackAt, Expr::value(now.as_millisecond()))
            .col_expr(instance::Column::WentBackSeq, Expr::value(seq_column(seen)))
            .filter(instance::Column::WentBackAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Raises the epoch of the instance and of every account, and ends what was made before, except for grants: those have
    /// their own statement. Nodes go on when they see the new epoch.
    pub async fn accept_database(&self, now: Timestamp) -> Result<AcceptResult, StoreError> {
        // The write locks the row, so that of two at once each raises it.
        instance::Entity::update_many()
            .col_expr(instance::Column::WentBackAt, Expr::value(Option::<i64>::None))
            .exec(&self.conn)
            .await?;
        let row = instance::Entity::find().one(&self.conn).await?;
        let row = row.ok_or_else(|| StoreError::Statement("instance has no row".to_owned()))?;
        let reported = reported(&row)?;
        let epoch = next_database_epoch(row.epoch, now);
        instance::Entity::update_many()
            .col_expr(instance::Column::Epoch, Expr::value(epoch))
            .col_expr(instance::Column::WentBackSeq, Expr::value(Option::<i64>::None))
            .exec(&self.conn)
            .await?;
        let backend = self.conn.get_database_backend();
        let raise = "UPDATE accounts SET epoch = epoch + $1";
        let raise = Statement::from_sql_and_values(backend, raise, [ACCOUNT_EPOCHS.into()]);
        self.conn.execute_raw(raise).await?;
        for sql in END_ALL {
            let statement = Statement::from_sql_and_values(backend, sql, [now.as_millisecond().into()]);
            self.conn.execute_raw(statement).await?;
        }
        Ok(AcceptResult { epoch, reported, sessions: self.running_sessions().await? })
    }
}
