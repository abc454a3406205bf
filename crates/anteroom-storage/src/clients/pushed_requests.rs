//! Requests that clients pushed (RFC 9126), until an authorization request names them.

use crate::entity::pushed_requests::{ActiveModel, Column, Entity, Model};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_crypto::KeyedDigest;
use anteroom_domain::ids::BrowserId;
use anteroom_domain::interaction::TIME_TO_ANSWER;
use anteroom_domain::pushed_request::{PushedRequest, RetrievedRequest};
use anteroom_oidc::ClientId;
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

/// Replaces the parameters of a request that was answered; a request that was not has at least one.
const ANSWERED: &str = "";

impl Queries {
    /// Whether it was answered in this browser, as long as its row is there.
    pub async fn answered_pushed_request(
        &self,
        digests: &[KeyedDigest],
        client: &ClientId,
        browser: BrowserId,
    ) -> Result<bool, StoreError> {
        let digests = digests.iter().map(|digest| digest.as_bytes().to_vec());
        let row = Entity::find()
            .filter(Column::Digest.is_in(digests))
            .filter(Column::ClientId.eq(client.as_str()))
            .filter(Column::BrowserId.eq(browser.0))
            .filter(Column::Parameters.eq(ANSWERED))
            .one(&self.conn)
            .await?;
        Ok(row.is_some())
    }
}

impl Tx {
    pub async fn insert_pushed_request(
        &self,
        request: &PushedRequest,
        digest: &KeyedDigest,
    ) -> Result<(), StoreError> {
        let row = ActiveModel {
            digest: Set(digest.as_bytes().to_vec()),
            client_id: Set(request.client.as_str().to_owned()),
            parameters: Set(request.parameters.clone()),
            browser_id: Set(None),
            expires_at: Set(request.expires_at.as_millisecond()),
        };
        Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// Takes the request for the first browser that names it, and for no other. By any of the digests: one for each version of
    /// the hashing key.
    pub async fn take_pushed_request(
        &self,
        digests: &[KeyedDigest],
        client: &ClientId,
        browser: BrowserId,
        now: Timestamp,
    ) -> Result<Option<RetrievedRequest>, StoreError> {
        let digests = || digests.iter().map(|digest| digest.as_bytes().to_vec());
        let until = now.checked_add(TIME_TO_ANSWER).unwrap_or(Timestamp::MAX).as_millisecond();
        Entity::update_many()
            .col_expr(Column::BrowserId, Expr::value(Some(browser.0)))
            .col_expr(Column::ExpiresAt, Expr::value(until))
            .filter(Column::Digest.is_in(digests()))
            .filter(Column::ClientId.eq(client.as_str()))
            .filter(Column::BrowserId.is_null())
            .filter(Column::ExpiresAt.gt(now.as_millisecond()))
            .exec(&self.conn)
            .await?;
        let row = Entity::find()
            .filter(Column::Digest.is_in(digests()))
            .filter(Column::ClientId.eq(client.as_str()))
            .filter(Column::BrowserId.eq(browser.0))
            .filter(Column::ExpiresAt.gt(now.as_millisecond()))
            .one(&self.conn)
            .await?;
        let taken = |row: Model| {
            let place = RowRef { table: "pushed_requests", id: &row.client_id };
            Ok(RetrievedRequest {
                digest: place.digest("digest", &row.digest)?,
                ends_at: place.time("expires_at", row.expires_at)?,
                parameters: row.parameters,
            })
        };
        row.map(taken).transpose()
    }

    /// Ends a request that was answered: it cannot be used any more, and its parameters are erased. `false`: it had ended
    /// before.
    pub async fn end_pushed_request(&self, digest: &KeyedDigest, now: Timestamp) -> Result<bool, StoreError> {
        let ended = Entity::update_many()
            .col_expr(Column::ExpiresAt, Expr::value(now.as_millisecond()))
            .col_expr(Column::Parameters, Expr::value(ANSWERED))
            .filter(Column::Digest.eq(digest.as_bytes().to_vec()))
            .filter(Column::ExpiresAt.gt(now.as_millisecond()))
            .exec(&self.conn)
            .await?;
        Ok(ended.rows_affected == 1)
    }
}
