//! How far the beginning of the audit trail was pruned, and pruning it.

use crate::audit::head::{CHAIN_LOCK, seq_column};
use crate::engine::Conn;
use crate::engine::advisory_lock::try_lock;
use crate::entity::{audit_checkpoints, audit_entries, audit_pruned};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Store, Tx};
use crate::unit::Unit;
use anteroom_domain::audit::AuditEntry;
use anteroom_domain::audit_trail::chain::{ChainLink, PruningRecord};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

impl Queries {
    /// None where nothing was ever pruned.
    pub async fn pruned(&self) -> Result<Option<PruningRecord>, StoreError> {
        let newest = audit_pruned::Entity::find().order_by_desc(audit_pruned::Column::Seq);
        let Some(row) = newest.one(&self.conn).await? else { return Ok(None) };
        let place = RowRef { table: "audit_pruned", id: &row.seq };
        Ok(Some(PruningRecord {
            link: ChainLink {
                seq: place.number("seq", row.seq)?,
                digest: place.digest("digest", &row.digest)?,
            },
            at: place.time("at", row.at)?,
            older_than: place.time("older_than", row.older_than)?,
            signature: row.signature,
        }))
    }
}

impl Store {
    /// Removes the entries behind number `from` up to the link of `pruned`, with the checkpoints before that, and appends
    /// `entry`. `false`: another node is changing the chain, or the audit trail does not begin at `from` any more. If an entry
    /// in the range is missing, nothing is removed: pruning must not hide that it was removed in another way.
    pub async fn prune_entries(
        &self,
        from: u64,
        pruned: PruningRecord,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let (_, was_pruned) = self.run(PruneEntriesUnit { from, pruned, entry }).await;
        was_pruned
    }
}

/// Removes the beginning of the audit trail, up to the link of `pruned`.
struct PruneEntriesUnit {
    from: u64,
    pruned: PruningRecord,
    entry: AuditEntry,
}

impl Unit for PruneEntriesUnit {
    /// Whether the entries were removed.
    type Output = bool;
    type Error = StoreError;

    const NAME: &'static str = "prune_entries";

    async fn run(&self, tx: &Tx) -> Result<bool, StoreError> {
        let begins = tx.pruned().await?.map_or(0, |pruned| pruned.link.seq);
        if begins != self.from || !try_lock(&tx.conn, CHAIN_LOCK).await? {
            return Ok(false);
        }
        let up_to = seq_column(self.pruned.link.seq);
        let removed = audit_entries::Entity::delete_many()
            .filter(audit_entries::Column::ChainSeq.lte(up_to))
            .exec(&tx.conn)
            .await?;
        if removed.rows_affected != self.pruned.link.seq.saturating_sub(self.from) {
            return Err(StoreError::Statement("entries that were to be pruned are missing".to_owned()));
        }
        let before = audit_checkpoints::Column::Seq.lt(up_to);
        audit_checkpoints::Entity::delete_many().filter(before).exec(&tx.conn).await?;
        replace_pruned(&tx.conn, &self.pruned).await?;
        tx.append(&self.entry).await?;
        Ok(true)
    }
}

async fn replace_pruned(conn: &Conn, pruned: &PruningRecord) -> Result<(), StoreError> {
    audit_pruned::Entity::delete_many().exec(conn).await?;
    let row = audit_pruned::ActiveModel {
        seq: Set(seq_column(pruned.link.seq)),
        digest: Set(pruned.link.digest.as_bytes().to_vec()),
        signature: Set(pruned.signature.clone()),
        at: Set(pruned.at.as_millisecond()),
        older_than: Set(pruned.older_than.as_millisecond()),
    };
    audit_pruned::Entity::insert(row).exec_without_returning(conn).await?;
    Ok(())
}
