//! Authenticator apps. Their secrets come and go sealed.

use crate::entity::totp_factors;
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_domain::ids::{AccountId, AuthenticatorAppId};
use anteroom_domain::totp::{AuthenticatorApp, TimeStep};
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

/// The first code of an authenticator app, as it was entered.
#[derive(Clone, Copy, Debug)]
pub struct FirstCode {
    pub step: TimeStep,
    pub at: Timestamp,
    /// From when on the app can be used.
    pub usable_from: Timestamp,
}

impl Queries {
    /// In the order in which they were added; also those whose first code was not entered yet.
    pub async fn apps_of(&self, account: AccountId) -> Result<Vec<AuthenticatorApp>, StoreError> {
        let rows = totp_factors::Entity::find()
            .filter(totp_factors::Column::AccountId.eq(account.0))
            .order_by_asc(totp_factors::Column::CreatedAt)
            .all(&self.conn)
            .await?;
        rows.iter().map(app).collect()
    }

    pub async fn app(&self, id: AuthenticatorAppId) -> Result<Option<AuthenticatorApp>, StoreError> {
        let row = totp_factors::Entity::find_by_id(id.0).one(&self.conn).await?;
        row.as_ref().map(app).transpose()
    }
}

impl Tx {
    /// Inserts an unconfirmed app, and deletes the account's other unconfirmed one.
    pub async fn begin_app(&self, new: &AuthenticatorApp) -> Result<(), StoreError> {
        totp_factors::Entity::delete_many()
            .filter(totp_factors::Column::AccountId.eq(new.account.0))
            .filter(totp_factors::Column::ConfirmedAt.is_null())
            .exec(&self.conn)
            .await?;
        let row = totp_factors::ActiveModel {
            id: Set(new.id.0),
            account_id: Set(new.account.0),
            secret_sealed: Set(new.secret_sealed.clone()),
            confirmed_at: Set(new.confirmed_at.map(Timestamp::as_millisecond)),
            usable_from: Set(new.usable_from.as_millisecond()),
            last_step: Set(new.last_step.map(|step| step.0)),
            created_at: Set(new.created_at.as_millisecond()),
        };
        totp_factors::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// Its first code, which is spent by that. `false`: it was confirmed or given up meanwhile.
    pub async fn confirm_app(
        &self,
        account: AccountId,
        id: AuthenticatorAppId,
        FirstCode { step, at: now, usable_from }: FirstCode,
    ) -> Result<bool, StoreError> {
        let confirmed = totp_factors::Entity::update_many()
            .col_expr(totp_factors::Column::ConfirmedAt, Expr::value(now.as_millisecond()))
            .col_expr(totp_factors::Column::UsableFrom, Expr::value(usable_from.as_millisecond()))
            .col_expr(totp_factors::Column::LastStep, Expr::value(step.0))
            .filter(totp_factors::Column::Id.eq(id.0))
            .filter(totp_factors::Column::ConfirmedAt.is_null())
            .exec(&self.conn)
            .await?;
        let is_confirmed = confirmed.rows_affected == 1;
        if is_confirmed {
            self.sync_authenticators(account, now).await?;
            self.note_use_of(id.0, now).await?;
        }
        Ok(is_confirmed)
    }

    /// `false`: a code of this step or a later one was used already.
    pub async fn use_step(
        &self,
        id: AuthenticatorAppId,
        step: TimeStep,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let last = Expr::col(totp_factors::Column::LastStep);
        let used = totp_factors::Entity::update_many()
            .col_expr(totp_factors::Column::LastStep, Expr::value(step.0))
            .filter(totp_factors::Column::Id.eq(id.0))
            .filter(totp_factors::Column::ConfirmedAt.is_not_null())
            .filter(last.clone().is_null().or(last.lt(step.0)))
            .exec(&self.conn)
            .await?;
        let is_new = used.rows_affected == 1;
        if is_new {
            self.note_use_of(id.0, now).await?;
        }
        Ok(is_new)
    }

    /// `false`: it was removed already, or is another account's.
    pub async fn remove_app(
        &self,
        account: AccountId,
        id: AuthenticatorAppId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let removed = totp_factors::Entity::delete_many()
            .filter(totp_factors::Column::Id.eq(id.0))
            .filter(totp_factors::Column::AccountId.eq(account.0))
            .exec(&self.conn)
            .await?;
        self.sync_authenticators(account, now).await?;
        Ok(removed.rows_affected == 1)
    }

    /// Removes apps that cannot be used yet: the person who resets the password did not add them, or adds them again.
    pub async fn remove_waiting_apps(&self, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
        let waits = totp_factors::Column::UsableFrom.gt(now.as_millisecond());
        totp_factors::Entity::delete_many()
            .filter(totp_factors::Column::AccountId.eq(account.0))
            .filter(waits.or(totp_factors::Column::ConfirmedAt.is_null()))
            .exec(&self.conn)
            .await?;
        self.sync_authenticators(account, now).await
    }
}

fn app(row: &totp_factors::Model) -> Result<AuthenticatorApp, StoreError> {
    let place = RowRef { table: "totp_factors", id: &row.id };
    Ok(AuthenticatorApp {
        id: AuthenticatorAppId(row.id),
        account: AccountId(row.account_id),
        secret_sealed: row.secret_sealed.clone(),
        confirmed_at: place.optional_time("confirmed_at", row.confirmed_at)?,
        usable_from: place.time("usable_from", row.usable_from)?,
        last_step: row.last_step.map(TimeStep),
        created_at: place.time("created_at", row.created_at)?,
    })
}
