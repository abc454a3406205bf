//! Requests for mailed links: an address was entered on a public page, and whether an account has it is looked up later.
//!
//! Invariants:
//! - a row is the same whether an account has the address or not, and so is what is read and written to answer it;
//! - the number of rows of an address is read by an index and bounded, however often the address was entered;
//! - the address that is still to be looked up is sealed, and is erased in the transaction that answers.

use crate::accounts::links::new_row;
use crate::entity::links;
use crate::error::StoreError;
use crate::row::{RowRef, json_text};
use crate::store::{Queries, Tx};
use anteroom_crypto::{KeyPurpose, KeyedDigest};
use anteroom_domain::ids::{AccountId, BrowserId, InteractionId, LinkId};
use anteroom_domain::link::{EmailedLink, LinkKind};
use anteroom_domain::mail_request::MailRequest;
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    Statement,
};
use uuid::Uuid;

/// A link with the request for it.
#[derive(Clone, Debug)]
pub struct MailRequestRow {
    pub link: EmailedLink,
    /// Of the address.
    pub address_digest: KeyedDigest,
    pub until: Timestamp,
    pub request: MailRequest,
}

/// A request that was not looked up yet.
#[derive(Clone, Debug)]
pub struct PendingMailRequest {
    pub link: LinkId,
    pub kind: LinkKind,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// `None`: the sealed value cannot be opened any more.
    pub ask: Option<MailRequest>,
}

/// What the look-up does with the link of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailRequestResult {
    /// `None`: no account has the address, or none that gets such a mail.
    pub account: Option<AccountId>,
    pub kind: LinkKind,
    pub expires_at: Timestamp,
}

impl Queries {
    /// The browsers in which an address was entered, one for each row that still counts for it, looked up or not. At most
    /// `most`.
    pub async fn requesting_browsers(
        &self,
        address: &KeyedDigest,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Option<BrowserId>>, StoreError> {
        let found: Vec<Option<Uuid>> = links::Entity::find()
            .select_only()
            .column(links::Column::BrowserId)
            .filter(links::Column::AskedAddress.eq(address.as_bytes().to_vec()))
            .filter(links::Column::AskedUntil.gt(now.as_millisecond()))
            .limit(u64::from(most))
            .into_tuple()
            .all(&self.conn)
            .await?;
        Ok(found.into_iter().map(|browser| browser.map(BrowserId)).collect())
    }

    /// The requests that were not looked up yet, the oldest first.
    pub async fn pending_mail_requests(
        &self,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<PendingMailRequest>, StoreError> {
        let rows = links::Entity::find()
            .filter(links::Column::AskedSealed.is_not_null())
            .filter(links::Column::ExpiresAt.gt(now.as_millisecond()))
            .order_by_asc(links::Column::CreatedAt)
            .limit(u64::from(most))
            .all(&self.conn)
            .await?;
        rows.iter().map(|row| self.waiting_ask(row)).collect()
    }

    fn waiting_ask(&self, row: &links::Model) -> Result<PendingMailRequest, StoreError> {
        let place = RowRef { table: "links", id: &row.id };
        let ring = self.keys.keyring.load();
        let sealed = row.asked_sealed.as_deref().unwrap_or_default();
        let plain = ring.sealer(KeyPurpose::OutboxSeal).open(&associated_data(row.id), sealed).ok();
        Ok(PendingMailRequest {
            link: LinkId(row.id),
            kind: LinkKind::parse(&row.kind).ok_or_else(|| place.corrupt("kind"))?,
            created_at: place.time("created_at", row.created_at)?,
            expires_at: place.time("expires_at", row.expires_at)?,
            ask: plain.and_then(|plain| serde_json::from_slice(&plain).ok()),
        })
    }
}

impl Tx {
    /// Lets one transaction at a time count and add rows for an address. An embedded database has one writer anyway.
    pub async fn lock_requested_address(&self, address: &KeyedDigest) -> Result<(), StoreError> {
        if self.conn.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let key = address.as_bytes().iter().take(8).fold(0_i64, |key, byte| (key << 8) | i64::from(*byte));
        let sql = "SELECT pg_advisory_xact_lock($1)";
        self.conn.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [key.into()])).await?;
        Ok(())
    }

    /// `interaction`: in which the link was requested.
    pub async fn insert_mail_request(
        &self,
        asked: &MailRequestRow,
        interaction: Option<InteractionId>,
    ) -> Result<(), StoreError> {
        let plain = json_text(&asked.request)?;
        let ring = self.keys.keyring.load();
        let sealer = ring.sealer(KeyPurpose::OutboxSeal);
        let sealed = sealer.seal(&self.keys.random, &associated_data(asked.link.id.0), plain.as_bytes());
        let row = links::ActiveModel {
            asked_address: Set(Some(asked.address_digest.as_bytes().to_vec())),
            asked_until: Set(Some(asked.until.as_millisecond())),
            asked_sealed: Set(Some(sealed)),
            interaction_id: Set(interaction.map(|interaction| interaction.0)),
            ..new_row(&asked.link)
        };
        links::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// `false`: another node has answered meanwhile.
    pub async fn complete_mail_request(
        &self,
        link: LinkId,
        answer: MailRequestResult,
    ) -> Result<bool, StoreError> {
        let answered = links::Entity::update_many()
            .col_expr(links::Column::AskedSealed, Expr::value(None::<Vec<u8>>))
            .col_expr(links::Column::AccountId, Expr::value(answer.account.map(|account| account.0)))
            .col_expr(links::Column::Kind, Expr::value(answer.kind.as_str()))
            .col_expr(links::Column::ExpiresAt, Expr::value(answer.expires_at.as_millisecond()))
            .filter(links::Column::Id.eq(link.0))
            .filter(links::Column::AskedSealed.is_not_null())
            .exec(&self.conn)
            .await?;
        Ok(answered.rows_affected == 1)
    }
}

fn associated_data(link: Uuid) -> Vec<u8> {
    format!("links\nasked_sealed\n{link}").into_bytes()
}
