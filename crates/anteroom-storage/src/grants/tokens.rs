//! Identifiers of tokens that must not be used (again).

use crate::entity::{assertion_jti, revoked_jti};
use crate::error::StoreError;
use crate::store::Tx;
use anteroom_oidc::ClientId;
use jiff::Timestamp;
use sea_orm::{EntityTrait, Set, TryInsertResult};

impl Tx {
    /// `false`: it was revoked before.
    pub async fn revoke_jti(&self, jti: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        let row = revoked_jti::ActiveModel {
            jti: Set(jti.to_owned()),
            expires_at: Set(expires_at.as_millisecond()),
        };
        let inserted = revoked_jti::Entity::insert(row)
            .on_conflict_do_nothing()
            .exec_without_returning(&self.conn)
            .await?;
        Ok(matches!(inserted, TryInsertResult::Inserted(1)))
    }

    /// RFC 7523 §3: an assertion counts once. `false`: it was used before.
    pub async fn use_assertion(
        &self,
        client: &ClientId,
        jti: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = assertion_jti::ActiveModel {
            client_id: Set(client.as_str().to_owned()),
            jti: Set(jti.to_owned()),
            expires_at: Set(expires_at.as_millisecond()),
        };
        let inserted = assertion_jti::Entity::insert(row)
            .on_conflict_do_nothing()
            .exec_without_returning(&self.conn)
            .await?;
        Ok(matches!(inserted, TryInsertResult::Inserted(1)))
    }
}
