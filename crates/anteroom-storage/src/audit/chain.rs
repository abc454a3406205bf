//! The chain of the audit trail: entries that were committed are linked, by one node at a time.
//!
//! A unit of work must not wait for the chain, so it only inserts its entry into `audit_waiting` and commits. Linking moves
//! committed entries to `audit_entries`, in the order of (time, id), behind those that are linked already. An entry that
//! commits late, with an earlier time, gets the next number: inserting it at its time would change links that exist, which the
//! chain is there to make detectable.

use crate::audit::entries::{record, unlinked};
use crate::audit::head::{CHAIN_LOCK, put_head, seq_column};
use crate::engine::Conn;
use crate::engine::advisory_lock::try_lock;
use crate::entity::{audit_checkpoints, audit_entries, audit_waiting};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Store, Tx};
use crate::unit::Unit;
use anteroom_domain::audit_trail::chain::{ChainHead, ChainLink, ChainedEntry, Checkpoint};
use anteroom_domain::audit_trail::record::AuditRecord;
use anteroom_domain::ids::AuditId;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, EntityTrait, IntoActiveModel as _, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use std::collections::HashSet;
use uuid::Uuid;

/// One statement inserts at most so many rows: each has 15 values, and SQLite takes 32,766 in a statement.
const ROWS: usize = 1_000;

/// Another program may have written entries that cannot be linked. A round reads up to this many pages, so that a batch of such
/// entries does not stop it.
const PAGES: u32 = 100;
/// Of the entries that are left out, in what a round says.
const MOST_NAMED: usize = 10;

/// What one round of linking has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkingResult {
    pub entries: u64,
    /// The batch was full: there is more to link.
    pub more: bool,
    /// The first entries that wait and cannot be linked: their identifier is in `audit_entries` already, or the row cannot be
    /// read. Anteroom writes none of those.
    pub left_out: Vec<AuditId>,
}

/// Entries that are not linked yet.
#[derive(Clone, Debug, Default)]
pub struct WaitingEntries {
    pub records: Vec<AuditRecord>,
    /// Rows that cannot be read.
    pub unreadable: Vec<AuditId>,
}

/// An entry that is to be linked.
struct UnlinkedEntry {
    row: audit_entries::Model,
    /// Release 0.1.0 wrote it to the table of those that are linked, and it has its place put in there.
    is_among_linked: bool,
}

impl UnlinkedEntry {
    fn of_this_release(row: audit_waiting::Model) -> Self {
        Self { row: unlinked(row), is_among_linked: false }
    }

    const fn of_an_earlier_one(row: audit_entries::Model) -> Self {
        Self { row, is_among_linked: true }
    }

    fn is_readable(&self) -> bool {
        record(self.row.clone()).is_ok()
    }
}

impl Store {
    /// Links up to `batch` entries. Links none while another node is at it.
    pub async fn link_entries(&self, batch: u32) -> Result<LinkingResult, StoreError> {
        let (_, linking) = self.run(LinkEntriesUnit { batch }).await;
        linking
    }
}

/// Links the entries that wait, in their order.
struct LinkEntriesUnit {
    batch: u32,
}

impl Unit for LinkEntriesUnit {
    type Output = LinkingResult;
    type Error = StoreError;

    const NAME: &'static str = "link_entries";

    async fn run(&self, tx: &Tx) -> Result<LinkingResult, StoreError> {
        if !try_lock(&tx.conn, CHAIN_LOCK).await? {
            return Ok(LinkingResult::default());
        }
        let (waiting, left_out) = tx.linkable(u64::from(self.batch)).await?;
        let entries = waiting.len() as u64;
        if entries > 0 {
            // Read after the lock: the one before may have been moved by the node that held it until now.
            let last = tx.last_link().await?;
            let last = link(&tx.conn, waiting, last).await?;
            put_head(&tx.conn, &ChainHead::of(last, &tx.keys.keyring.load())).await?;
        }
        Ok(LinkingResult { entries, more: entries >= u64::from(self.batch), left_out })
    }
}

/// Links them behind `last`, in their order, and returns the last link.
async fn link(
    conn: &Conn,
    waiting: Vec<UnlinkedEntry>,
    mut last: ChainLink,
) -> Result<ChainLink, StoreError> {
    let mut moved = Vec::with_capacity(waiting.len());
    for UnlinkedEntry { mut row, is_among_linked } in waiting {
        last = last.next(&record(row.clone())?);
        if is_among_linked {
            set_chain_link(conn, row.id, &last).await?;
        } else {
            row.chain_seq = Some(seq_column(last.seq));
            row.chain_digest = Some(last.digest.as_bytes().to_vec());
            moved.push(row);
        }
    }
    let mut moved = moved.into_iter();
    loop {
        let rows: Vec<_> = moved.by_ref().take(ROWS).collect();
        if rows.is_empty() {
            return Ok(last);
        }
        move_to_entries(conn, rows).await?;
    }
}

/// From the table of those that wait, which are found by their times first.
async fn move_to_entries(conn: &Conn, rows: Vec<audit_entries::Model>) -> Result<(), StoreError> {
    let Some((first, last)) = rows.first().zip(rows.last()) else { return Ok(()) };
    let removed = audit_waiting::Entity::delete_many()
        .filter(audit_waiting::Column::At.between(first.at, last.at))
        .filter(audit_waiting::Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(conn)
        .await?;
    if removed.rows_affected != rows.len() as u64 {
        return Err(removed_meanwhile());
    }
    let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
    audit_entries::Entity::insert_many(rows).exec_without_returning(conn).await?;
    Ok(())
}

async fn set_chain_link(conn: &Conn, entry: Uuid, link: &ChainLink) -> Result<(), StoreError> {
    let done = audit_entries::Entity::update_many()
        .col_expr(audit_entries::Column::ChainSeq, Expr::value(seq_column(link.seq)))
        .col_expr(audit_entries::Column::ChainDigest, Expr::value(link.digest.as_bytes().to_vec()))
        .filter(audit_entries::Column::Id.eq(entry))
        .filter(audit_entries::Column::ChainSeq.is_null())
        .exec(conn)
        .await?;
    if done.rows_affected == 1 { Ok(()) } else { Err(removed_meanwhile()) }
}

/// Nodes remove entries only under the lock, so another program did. The next round starts from what is there.
fn removed_meanwhile() -> StoreError {
    StoreError::Statement("an entry was removed meanwhile".to_owned())
}

impl Queries {
    /// The last link.
    pub async fn chain_end(&self) -> Result<ChainLink, StoreError> {
        // The other columns are not read, so that a row made unreadable does not stop linking; verifying finds it.
        let row = audit_entries::Entity::find()
            .select_only()
            .columns([
                audit_entries::Column::Id,
                audit_entries::Column::ChainSeq,
                audit_entries::Column::ChainDigest,
            ])
            .filter(audit_entries::Column::ChainSeq.is_not_null())
            .order_by_desc(audit_entries::Column::ChainSeq)
            .into_tuple::<(Uuid, i64, Option<Vec<u8>>)>()
            .one(&self.conn)
            .await?;
        let Some((id, seq, digest)) = row else { return Ok(ChainLink::beginning()) };
        read_link(&RowRef { table: "audit_entries", id: &id }, seq, digest.as_deref())
    }

    /// Entries that are not linked yet, in the order in which they will be.
    pub async fn unlinked_entries(&self, limit: u64) -> Result<WaitingEntries, StoreError> {
        let own = self
            .unlinked_entries_page(None, limit)
            .await?
            .into_iter()
            .map(UnlinkedEntry::of_this_release)
            .collect();
        let mut waiting = WaitingEntries::default();
        for UnlinkedEntry { row, .. } in in_order(own, self.unlinked_entries_of_0_1_0(limit).await?, limit) {
            let id = AuditId(row.id);
            match record(row) {
                Ok(record) => waiting.records.push(record),
                Err(_) => waiting.unreadable.push(id),
            }
        }
        Ok(waiting)
    }

    /// Whether there is anything to link, if it can be.
    pub async fn is_any_entry_waiting(&self) -> Result<bool, StoreError> {
        Ok(!self.unlinked_entries_page(None, 1).await?.is_empty()
            || !self.unlinked_entries_of_0_1_0(1).await?.is_empty())
    }

    /// Entries that wait under the identifier of one that is linked. One statement, so that none is linked between two.
    pub async fn linked_and_waiting(&self, limit: u64) -> Result<Vec<AuditId>, StoreError> {
        let linked = Query::select()
            .column(audit_entries::Column::Id)
            .from(audit_entries::Entity)
            .and_where(audit_entries::Column::ChainSeq.is_not_null())
            .to_owned();
        let ids = audit_waiting::Entity::find()
            .select_only()
            .column(audit_waiting::Column::Id)
            .filter(audit_waiting::Column::Id.in_subquery(linked))
            .limit(limit)
            .into_tuple::<Uuid>()
            .all(&self.conn)
            .await?;
        Ok(ids.into_iter().map(AuditId).collect())
    }

    /// The next entries that can be linked, and some of those before and among them that cannot.
    async fn linkable(&self, limit: u64) -> Result<(Vec<UnlinkedEntry>, Vec<AuditId>), StoreError> {
        let (mut own, mut left_out, mut seen, mut after) = (Vec::new(), Vec::new(), HashSet::new(), None);
        for _ in 0..PAGES {
            let page = self.unlinked_entries_page(after, limit).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.at, last.id));
            let is_last = (page.len() as u64) < limit;
            let there = self.ids_among_entries(page.iter().map(|row| row.id).collect()).await?;
            for row in page {
                let id = row.id;
                let waiting = UnlinkedEntry::of_this_release(row);
                if !there.contains(&id) && waiting.is_readable() && seen.insert(id) {
                    own.push(waiting);
                } else {
                    left_out.push(AuditId(id));
                }
            }
            if is_last || own.len() as u64 >= limit {
                break;
            }
        }
        let (earlier, unreadable): (Vec<_>, Vec<_>) =
            self.unlinked_entries_of_0_1_0(limit).await?.into_iter().partition(UnlinkedEntry::is_readable);
        left_out.extend(unreadable.iter().map(|waiting| AuditId(waiting.row.id)));
        left_out.truncate(MOST_NAMED);
        Ok((in_order(own, earlier, limit), left_out))
    }

    async fn unlinked_entries_page(
        &self,
        after: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<audit_waiting::Model>, StoreError> {
        let mut found = audit_waiting::Entity::find();
        if let Some((at, id)) = after {
            let column = audit_waiting::Column::At;
            let behind = column.gt(at).or(column.eq(at).and(audit_waiting::Column::Id.gt(id)));
            found = found.filter(column.gte(at)).filter(behind);
        }
        let rows = found
            .order_by_asc(audit_waiting::Column::At)
            .order_by_asc(audit_waiting::Column::Id)
            .limit(limit)
            .all(&self.conn)
            .await?;
        Ok(rows)
    }

    /// Those of release 0.1.0.
    async fn unlinked_entries_of_0_1_0(&self, limit: u64) -> Result<Vec<UnlinkedEntry>, StoreError> {
        let rows = audit_entries::Entity::find()
            .filter(audit_entries::Column::ChainSeq.is_null())
            .order_by_asc(audit_entries::Column::At)
            .order_by_asc(audit_entries::Column::Id)
            .limit(limit)
            .all(&self.conn)
            .await?;
        Ok(rows.into_iter().map(UnlinkedEntry::of_an_earlier_one).collect())
    }

    async fn ids_among_entries(&self, ids: Vec<Uuid>) -> Result<HashSet<Uuid>, StoreError> {
        let there = audit_entries::Entity::find()
            .select_only()
            .column(audit_entries::Column::Id)
            .filter(audit_entries::Column::Id.is_in(ids))
            .into_tuple::<Uuid>()
            .all(&self.conn)
            .await?;
        Ok(there.into_iter().collect())
    }

    /// The next entries of the chain behind number `after`.
    pub async fn linked_entries(&self, after: u64, limit: u64) -> Result<Vec<ChainedEntry>, StoreError> {
        let rows = audit_entries::Entity::find()
            .filter(audit_entries::Column::ChainSeq.gt(seq_column(after)))
            .order_by_asc(audit_entries::Column::ChainSeq)
            .limit(limit)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(linked).collect()
    }

    pub async fn last_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        let row = audit_checkpoints::Entity::find()
            .order_by_desc(audit_checkpoints::Column::Seq)
            .one(&self.conn)
            .await?;
        row.map(checkpoint).transpose()
    }

    /// The next checkpoints behind number `after`, up to number `until`.
    pub async fn checkpoints(
        &self,
        after: u64,
        until: u64,
        limit: u64,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        let rows = audit_checkpoints::Entity::find()
            .filter(audit_checkpoints::Column::Seq.gt(seq_column(after)))
            .filter(audit_checkpoints::Column::Seq.lte(seq_column(until)))
            .order_by_asc(audit_checkpoints::Column::Seq)
            .limit(limit)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(checkpoint).collect()
    }
}

impl Tx {
    /// The end of the chain; or the head that was noted, where the entries up to there were cut off. Linking continues behind
    /// the noted head, so that verification still finds the gap.
    async fn last_link(&self) -> Result<ChainLink, StoreError> {
        let end = self.chain_end().await?;
        let noted = match self.chain_head().await {
            Ok(head) => head.filter(|head| head.is_authentic(&self.keys.keyring.load())),
            Err(StoreError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(noted.map(|head| head.link).filter(|noted| noted.seq > end.seq).unwrap_or(end))
    }

    /// False where there is a checkpoint of this entry already: another node was faster.
    pub async fn insert_checkpoint(&self, checkpoint: &Checkpoint) -> Result<bool, StoreError> {
        let row = audit_checkpoints::ActiveModel {
            seq: Set(seq_column(checkpoint.link.seq)),
            digest: Set(checkpoint.link.digest.as_bytes().to_vec()),
            signature: Set(checkpoint.signature.clone()),
            at: Set(checkpoint.at.as_millisecond()),
        };
        let inserted = audit_checkpoints::Entity::insert(row).on_conflict_do_nothing();
        let inserted = inserted.exec_without_returning(&self.conn).await?;
        Ok(matches!(inserted, sea_orm::TryInsertResult::Inserted(rows) if rows > 0))
    }
}

fn in_order(own: Vec<UnlinkedEntry>, earlier: Vec<UnlinkedEntry>, limit: u64) -> Vec<UnlinkedEntry> {
    let mut all: Vec<_> = own.into_iter().chain(earlier).collect();
    all.sort_by_key(|waiting| (waiting.row.at, waiting.row.id));
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    all
}

fn linked(row: audit_entries::Model) -> Result<ChainedEntry, StoreError> {
    let place = RowRef { table: "audit_entries", id: &row.id };
    let seq = row.chain_seq.ok_or_else(|| place.corrupt("chain_seq"))?;
    let link = read_link(&place, seq, row.chain_digest.as_deref())?;
    Ok(ChainedEntry { link, record: record(row)? })
}

fn read_link(place: &RowRef<'_>, seq: i64, digest: Option<&[u8]>) -> Result<ChainLink, StoreError> {
    let digest = digest.ok_or_else(|| place.corrupt("chain_digest"))?;
    Ok(ChainLink { seq: place.number("chain_seq", seq)?, digest: place.digest("chain_digest", digest)? })
}

fn checkpoint(row: audit_checkpoints::Model) -> Result<Checkpoint, StoreError> {
    let place = RowRef { table: "audit_checkpoints", id: &row.seq };
    let link = ChainLink { seq: place.number("seq", row.seq)?, digest: place.digest("digest", &row.digest)? };
    Ok(Checkpoint { link, at: place.time("at", row.at)?, signature: row.signature })
}
