//! Emailed links. Only digests of their secrets are kept. Columns keep the names of release 0.1.0: `typed_*` is the mailed code,
//! `pressed_in` is `followed_in`, `asked_*` is the mail request.

use crate::entity::links;
use crate::error::StoreError;
use crate::row::{RowRef, count_column};
use crate::sessions::FormWindow;
use crate::store::{Queries, Tx};
use anteroom_crypto::KeyedDigest;
use anteroom_domain::ids::{AccountId, BrowserId, InteractionId, LinkId};
use anteroom_domain::link::{EmailedLink, LinkKind};
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

impl Queries {
    /// By any of its token's digests: one for each version of the hashing key.
    pub async fn link(&self, token: &[KeyedDigest]) -> Result<Option<EmailedLink>, StoreError> {
        let tokens = token.iter().map(|digest| digest.as_bytes().to_vec());
        let row =
            links::Entity::find().filter(links::Column::TokenDigest.is_in(tokens)).one(&self.conn).await?;
        row.as_ref().map(link).transpose()
    }

    /// The newest links that were requested in an interaction, at most `most`.
    pub async fn newest_links_of(
        &self,
        id: InteractionId,
        most: u32,
    ) -> Result<Vec<EmailedLink>, StoreError> {
        let rows = links::Entity::find()
            .filter(links::Column::InteractionId.eq(id.0))
            .order_by_desc(links::Column::CreatedAt)
            .limit(u64::from(most))
            .all(&self.conn)
            .await?;
        rows.iter().map(link).collect()
    }

    /// Whether one of an interaction's links was completed since the last one was requested: the password is reset, or the account
    /// registered.
    pub async fn is_link_completed_in(&self, id: InteractionId) -> Result<bool, StoreError> {
        let of_interaction =
            || links::Entity::find().select_only().filter(links::Column::InteractionId.eq(id.0));
        let completed_at: Option<i64> = of_interaction()
            .column(links::Column::CompletedAt)
            // Said so that the index of completed links is the one that is used.
            .filter(links::Column::CompletedAt.gt(i64::MIN))
            .order_by_desc(links::Column::CompletedAt)
            .into_tuple()
            .one(&self.conn)
            .await?;
        let Some(completed_at) = completed_at else { return Ok(false) };
        let newest: Option<i64> = of_interaction()
            .column(links::Column::CreatedAt)
            .order_by_desc(links::Column::CreatedAt)
            .into_tuple()
            .one(&self.conn)
            .await?;
        Ok(newest.is_some_and(|created_at| completed_at >= created_at))
    }
}

impl Tx {
    pub async fn insert_link(&self, link: &EmailedLink) -> Result<(), StoreError> {
        links::Entity::insert(new_row(link)).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// Records that a browser followed the link. The time of the first is kept, and the same browser may follow it again.
    /// `false`: another browser was first, or the link has ended.
    pub async fn record_link_followed(
        &self,
        id: LinkId,
        browser: BrowserId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let first = links::Column::UsedAt.is_null();
        let again = links::Column::PressedIn.eq(browser.0);
        let pressed = links::Entity::update_many()
            .col_expr(links::Column::UsedAt, Expr::col(links::Column::UsedAt).if_null(now.as_millisecond()))
            .col_expr(links::Column::PressedIn, Expr::value(browser.0))
            .filter(links::Column::Id.eq(id.0))
            .filter(links::Column::EndedAt.is_null())
            .filter(first.or(again))
            .exec(&self.conn)
            .await?;
        Ok(pressed.rows_affected == 1)
    }

    /// Those of these links for which this entry of a form was counted a moment ago. They are locked, so that of two submissions of
    /// one form at once the second sees what the first has counted.
    pub async fn links_counted_by_form(
        &self,
        ids: &[LinkId],
        FormWindow { form, since }: FormWindow<'_>,
    ) -> Result<Vec<LinkId>, StoreError> {
        let found: Vec<(Uuid, Option<Vec<u8>>, Option<i64>)> = links::Entity::find()
            .select_only()
            .columns([links::Column::Id, links::Column::CountedForm, links::Column::CountedAt])
            .filter(links::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .order_by_asc(links::Column::Id)
            .lock_exclusive()
            .into_tuple()
            .all(&self.conn)
            .await?;
        let counted = found.into_iter().filter(|(_, counted_form, counted_at)| {
            counted_form.as_deref() == Some(form.as_bytes())
                && counted_at.is_some_and(|at| at > since.as_millisecond())
        });
        Ok(counted.map(|(id, ..)| LinkId(id)).collect())
    }

    /// Counts an attempt at the typed code on each of these links that has one left, and returns those. It is counted before
    /// the code is compared, so that codes which are sent at the same moment are compared no more often than that. What the
    /// same form entered a moment ago (`entry`) is no further attempt.
    pub async fn count_link_code_attempt(
        &self,
        ids: &[LinkId],
        most: u32,
        entry: Option<FormWindow<'_>>,
        now: Timestamp,
    ) -> Result<Vec<LinkId>, StoreError> {
        let tries = Expr::col(links::Column::TypedTries);
        let has_one_left = links::Column::TypedTries.lt(count_column(most));
        let counting =
            links::Entity::update_many().filter(links::Column::Id.is_in(ids.iter().map(|id| id.0)));
        let counting = match entry {
            Some(FormWindow { form, since }) => {
                let form = form.as_bytes().to_vec();
                let counted = links::Column::CountedForm
                    .eq(form.clone())
                    .and(links::Column::CountedAt.gt(since.as_millisecond()));
                let more: Expr = Expr::case(counted.clone(), 0).finally(1).into();
                counting
                    .col_expr(links::Column::TypedTries, tries.add(more))
                    .col_expr(links::Column::CountedForm, Expr::value(form))
                    .col_expr(links::Column::CountedAt, Expr::value(now.as_millisecond()))
                    .filter(has_one_left.or(counted))
            }
            None => counting.col_expr(links::Column::TypedTries, tries.add(1)).filter(has_one_left),
        };
        let taken = counting.exec_with_returning(&self.conn).await?;
        Ok(taken.iter().map(|row| LinkId(row.id)).collect())
    }

    /// Completes the link: it and all others of the account and kind have ended, and none of them counts any more for the
    /// address that it was requested by.
    pub async fn complete_link(
        &self,
        account: AccountId,
        kind: LinkKind,
        completed: Option<LinkId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        links::Entity::update_many()
            .col_expr(links::Column::EndedAt, Expr::value(now.as_millisecond()))
            .col_expr(links::Column::AskedUntil, Expr::value(now.as_millisecond()))
            .filter(links::Column::AccountId.eq(account.0))
            .filter(links::Column::Kind.eq(kind.as_str()))
            .filter(links::Column::EndedAt.is_null())
            .exec(&self.conn)
            .await?;
        if let Some(id) = completed {
            links::Entity::update_many()
                .col_expr(links::Column::CompletedAt, Expr::value(now.as_millisecond()))
                .filter(links::Column::Id.eq(id.0))
                .exec(&self.conn)
                .await?;
        }
        Ok(())
    }
}

/// The columns of a link that was not asked for by an address.
pub(crate) fn new_row(link: &EmailedLink) -> links::ActiveModel {
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    links::ActiveModel {
        id: Set(link.id.0),
        kind: Set(link.kind.as_str().to_owned()),
        account_id: Set(link.account.map(|account| account.0)),
        token_digest: Set(link.token.as_bytes().to_vec()),
        typed_digest: Set(link.mailed_code.map(|typed| typed.as_bytes().to_vec())),
        browser_id: Set(link.browser.map(|browser| browser.0)),
        interaction_id: Set(link.interaction.map(|interaction| interaction.0)),
        typed_tries: Set(count_column(link.mailed_code_attempts)),
        created_at: Set(link.created_at.as_millisecond()),
        expires_at: Set(link.expires_at.as_millisecond()),
        used_at: Set(millis(link.used_at)),
        pressed_in: Set(link.followed_in.map(|browser| browser.0)),
        ended_at: Set(millis(link.ended_at)),
        completed_at: Set(millis(link.completed_at)),
        asked_address: Set(None),
        asked_until: Set(None),
        asked_sealed: Set(None),
        counted_form: Set(None),
        counted_at: Set(None),
    }
}

fn link(row: &links::Model) -> Result<EmailedLink, StoreError> {
    let place = RowRef { table: "links", id: &row.id };
    let typed = row.typed_digest.as_deref();
    Ok(EmailedLink {
        id: LinkId(row.id),
        kind: LinkKind::parse(&row.kind).ok_or_else(|| place.corrupt("kind"))?,
        account: row.account_id.map(AccountId),
        token: place.digest("token_digest", &row.token_digest)?,
        mailed_code: typed.map(|typed| place.digest("typed_digest", typed)).transpose()?,
        browser: row.browser_id.map(BrowserId),
        interaction: row.interaction_id.map(InteractionId),
        mailed_code_attempts: place.number("typed_tries", row.typed_tries)?,
        created_at: place.time("created_at", row.created_at)?,
        expires_at: place.time("expires_at", row.expires_at)?,
        used_at: place.optional_time("used_at", row.used_at)?,
        followed_in: row.pressed_in.map(BrowserId),
        ended_at: place.optional_time("ended_at", row.ended_at)?,
        completed_at: place.optional_time("completed_at", row.completed_at)?,
    })
}
