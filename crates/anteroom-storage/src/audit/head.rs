//! The head of the audit trail's chain: the number and digest of the entry that was linked last, stored beside the entries, so
//! that it is noticed if entries are cut off at the end.

use crate::engine::Conn;
use crate::entity::audit_head;
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::Queries;
use anteroom_domain::audit_trail::chain::{ChainHead, ChainLink};
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, Set};

/// The advisory lock, on PostgreSQL, of the node that changes the chain: it links entries, or prunes them.
pub(crate) const CHAIN_LOCK: i64 = 0x616e_7465_6368_6169;

/// The table of the head has one row.
const ONLY: i32 = 1;

impl Queries {
    /// None where nothing was ever linked.
    pub async fn chain_head(&self) -> Result<Option<ChainHead>, StoreError> {
        let row = audit_head::Entity::find_by_id(ONLY).one(&self.conn).await?;
        let Some(row) = row else { return Ok(None) };
        let place = RowRef { table: "audit_head", id: &row.id };
        let link =
            ChainLink { seq: place.number("seq", row.seq)?, digest: place.digest("digest", &row.digest)? };
        Ok(Some(ChainHead { link, mac: place.digest("mac", &row.mac)? }))
    }
}

pub(crate) async fn put_head(conn: &Conn, head: &ChainHead) -> Result<(), StoreError> {
    let row = audit_head::ActiveModel {
        id: Set(ONLY),
        seq: Set(seq_column(head.link.seq)),
        digest: Set(head.link.digest.as_bytes().to_vec()),
        mac: Set(head.mac.as_bytes().to_vec()),
    };
    let rest = [audit_head::Column::Seq, audit_head::Column::Digest, audit_head::Column::Mac];
    let replace = OnConflict::column(audit_head::Column::Id).update_columns(rest).to_owned();
    audit_head::Entity::insert(row).on_conflict(replace).exec_without_returning(conn).await?;
    Ok(())
}

/// No chain will ever be longer.
pub(crate) fn seq_column(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
