//! Consents: the scopes that an account has agreed to give a client.

use crate::entity::{consents, offline_consents};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::store::{Queries, Tx};
use anteroom_domain::ids::{AccountId, DeviceId};
use anteroom_oidc::{ClientId, ScopeSet};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set};

impl Queries {
    pub async fn consent(
        &self,
        account: AccountId,
        client: &ClientId,
    ) -> Result<Option<ScopeSet>, StoreError> {
        let row = consents::Entity::find_by_id(key(account, client)).one(&self.conn).await?;
        row.map(|row| scopes(&row)).transpose()
    }

    /// Whether any account has consented to this client as it is now. Such a row is written only when a signed-in person
    /// chooses "Allow".
    pub async fn is_agreed_to(&self, client: &ClientId) -> Result<bool, StoreError> {
        let any = consents::Entity::find().filter(consents::Column::ClientId.eq(client.as_str())).limit(1);
        Ok(any.one(&self.conn).await?.is_some())
    }

    /// Whether the person of this device has agreed in it that the client stays signed in.
    pub async fn offline_consent(&self, device: DeviceId, client: &ClientId) -> Result<bool, StoreError> {
        let key = (device.0, client.as_str().to_owned());
        Ok(offline_consents::Entity::find_by_id(key).one(&self.conn).await?.is_some())
    }
}

impl Tx {
    /// Adds to what was agreed to before.
    pub async fn save_consent(
        &self,
        account: AccountId,
        client: &ClientId,
        agreed: &ScopeSet,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = consents::ActiveModel {
            account_id: Set(account.0),
            client_id: Set(client.as_str().to_owned()),
            scopes: Set(agreed.to_string()),
            granted_at: Set(now.as_millisecond()),
        };
        consents::Entity::insert(row).on_conflict_do_nothing().exec_without_returning(&self.conn).await?;
        // Two consents can be saved at once. The row is locked, so that neither overwrites the scopes of the other.
        let before =
            consents::Entity::find_by_id(key(account, client)).lock_exclusive().one(&self.conn).await?;
        let Some(before) = before else { return Ok(()) };
        consents::Entity::update_many()
            .col_expr(consents::Column::Scopes, Expr::value(scopes(&before)?.union(agreed).to_string()))
            .col_expr(consents::Column::GrantedAt, Expr::value(now.as_millisecond()))
            .filter(consents::Column::AccountId.eq(account.0))
            .filter(consents::Column::ClientId.eq(client.as_str()))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    pub async fn save_offline_consent(
        &self,
        device: DeviceId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = offline_consents::ActiveModel {
            device_id: Set(device.0),
            client_id: Set(client.as_str().to_owned()),
            granted_at: Set(now.as_millisecond()),
        };
        offline_consents::Entity::insert(row)
            .on_conflict_do_nothing()
            .exec_without_returning(&self.conn)
            .await?;
        Ok(())
    }

    /// Of all accounts, to a client that is registered no more.
    pub async fn delete_consents(&self, client: &ClientId) -> Result<(), StoreError> {
        let theirs = consents::Entity::delete_many().filter(consents::Column::ClientId.eq(client.as_str()));
        theirs.exec(&self.conn).await?;
        let browsers = offline_consents::Entity::delete_many()
            .filter(offline_consents::Column::ClientId.eq(client.as_str()));
        browsers.exec(&self.conn).await?;
        Ok(())
    }
}

fn key(account: AccountId, client: &ClientId) -> (uuid::Uuid, String) {
    (account.0, client.as_str().to_owned())
}

fn scopes(row: &consents::Model) -> Result<ScopeSet, StoreError> {
    RowRef { table: "consents", id: &row.account_id }.parsed("scopes", &row.scopes)
}
