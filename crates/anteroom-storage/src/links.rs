//! Links that mails carry. Only digests of their secrets are kept.

use crate::StoreError;
use crate::entity::links;
use crate::store::Tx;
use anteroom_crypto::Digest;
use anteroom_domain::ids::{AccountId, LinkId};
use jiff::Timestamp;
use sea_orm::{EntityTrait, Set};

/// The link by which an invited person completes their registration.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub id: LinkId,
    pub account: AccountId,
    pub token: Digest,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Tx {
    pub async fn insert_invitation(&self, invitation: &Invitation) -> Result<(), StoreError> {
        let row = links::ActiveModel {
            id: Set(invitation.id.0),
            kind: Set("invitation".to_owned()),
            account_id: Set(Some(invitation.account.0)),
            token_digest: Set(invitation.token.as_bytes().to_vec()),
            created_at: Set(invitation.created_at.as_millisecond()),
            expires_at: Set(invitation.expires_at.as_millisecond()),
        };
        links::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }
}
