//! The installation as a whole, and the nodes that serve it.

use crate::engine::Conn;
use crate::entity::{instance, nodes};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, StoreWithoutKeys, Tx};
use anteroom_domain::ids::NodeId;
use jiff::Timestamp;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

/// The table has one row.
const SINGLE_ROW_ID: i32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    pub kind: InstanceKind,
    /// Raised when an operator accepts a database that went back: what was issued before is invalid.
    pub epoch: i64,
    pub created_at: Timestamp,
}

/// Made by `demo` or for production; neither runs on the other's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceKind {
    Production,
    Demo,
}

impl InstanceKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Demo => "demo",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Production, Self::Demo].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The release of this process.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// A process that serves, as last heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub id: NodeId,
    pub config_digest: String,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
    /// Of which release it is. `None`: 0.1.0.
    pub release: Option<String>,
}

impl StoreWithoutKeys {
    /// `None`: nothing has been made in this database yet.
    pub async fn instance(&self) -> Result<Option<Instance>, StoreError> {
        read(&self.engine.reader()).await
    }

    /// Records what this database is for, unless that is recorded already. Returns the record.
    pub async fn init_instance(&self, kind: InstanceKind, now: Timestamp) -> Result<Instance, StoreError> {
        self.engine
            .write(move |conn| async move {
                let row = instance::ActiveModel {
                    id: Set(SINGLE_ROW_ID),
                    epoch: Set(0),
                    kind: Set(kind.as_str().to_owned()),
                    created_at: Set(now.as_millisecond()),
                    keys_version: Set(1),
                    clients_revision: Set(0),
                    went_back_at: Set(None),
                    went_back_seq: Set(None),
                };
                instance::Entity::insert(row).on_conflict_do_nothing().exec_without_returning(&conn).await?;
                read(&conn).await?.ok_or_else(|| StoreError::Statement("instance has no row".to_owned()))
            })
            .await
    }
}

impl Queries {
    pub async fn instance(&self) -> Result<Option<Instance>, StoreError> {
        read(&self.conn).await
    }

    /// Those heard of since then.
    pub async fn nodes(&self, since: Timestamp) -> Result<Vec<Node>, StoreError> {
        let rows = nodes::Entity::find()
            .filter(nodes::Column::SeenAt.gte(since.as_millisecond()))
            .all(&self.conn)
            .await?;
        rows.into_iter().map(node).collect()
    }
}

impl Tx {
    /// Records that a node of this release is alive.
    pub async fn heartbeat(&self, id: NodeId, config_digest: &str, now: Timestamp) -> Result<(), StoreError> {
        let row = nodes::ActiveModel {
            id: Set(id.0),
            config_digest: Set(config_digest.to_owned()),
            started_at: Set(now.as_millisecond()),
            seen_at: Set(now.as_millisecond()),
            release: Set(Some(RELEASE.to_owned())),
        };
        let known = OnConflict::column(nodes::Column::Id)
            .update_columns([nodes::Column::ConfigDigest, nodes::Column::SeenAt])
            .to_owned();
        nodes::Entity::insert(row).on_conflict(known).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// Removes a node that has stopped.
    pub async fn delete_node(&self, id: NodeId) -> Result<(), StoreError> {
        nodes::Entity::delete_by_id(id.0).exec(&self.conn).await?;
        Ok(())
    }
}

async fn read(conn: &Conn) -> Result<Option<Instance>, StoreError> {
    let Some(row) = instance::Entity::find_by_id(SINGLE_ROW_ID).one(conn).await? else { return Ok(None) };
    let place = RowRef { table: "instance", id: &row.id };
    Ok(Some(Instance {
        kind: InstanceKind::parse(&row.kind).ok_or_else(|| place.corrupt("kind"))?,
        epoch: row.epoch,
        created_at: place.time("created_at", row.created_at)?,
    }))
}

fn node(row: nodes::Model) -> Result<Node, StoreError> {
    let place = RowRef { table: "nodes", id: &row.id };
    Ok(Node {
        id: NodeId(row.id),
        started_at: place.time("started_at", row.started_at)?,
        seen_at: place.time("seen_at", row.seen_at)?,
        config_digest: row.config_digest,
        release: row.release,
    })
}
