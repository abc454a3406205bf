//! Grants: what an account has given a client, from the redeemed code to the last refresh token.
//!
//! Every use of a token asks the grant again: is it revoked, is the account still of its epoch, does the client still
//! admit the person, is the session alive that it hangs on.

use crate::account::{Account, AccountStatus, Epoch};
use crate::client::Client;
use crate::ids::{AccountId, GrantId, SessionId};
use crate::session::{Session, SessionPolicy, SessionStanding};
use anteroom_oidc::authorization::ClaimsRequest;
use anteroom_oidc::{Acr, AmrSet, ClientId, Nonce, Scope, ScopeSet};
use jiff::Timestamp;

#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    pub id: GrantId,
    pub client: ClientId,
    pub account: AccountId,
    /// The session it came from.
    pub session: SessionId,
    pub epoch: Epoch,
    pub scope: ScopeSet,
    pub claims: Option<ClaimsRequest>,
    pub resources: Vec<String>,
    pub nonce: Option<Nonce>,
    pub auth_time: Timestamp,
    pub acr: Acr,
    pub amr: AmrSet,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantEnd {
    /// The code was redeemed twice.
    CodeReplayed,
    /// A refresh token was used again after its successor.
    RefreshReplayed,
    /// A refresh token was presented that the database has not handed out: commits were lost.
    CommitsLost,
    /// An operator accepted a database that had gone back.
    DatabaseAccepted,
    /// The client revoked it (RFC 7009).
    ClientRevoked,
    SessionEnded,
    /// The account's password was reset or changed.
    PasswordChanged,
    /// The person left the groups that the client admits.
    NotAdmitted,
    /// The client is registered no more (RFC 7592 §2.3).
    ClientDeleted,
    /// The client changed its registration so that it would know people by another `sub` (OpenID Connect Core §8.1).
    SubjectsChanged,
}

impl GrantEnd {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeReplayed => "code_replayed",
            Self::RefreshReplayed => "refresh_replayed",
            Self::CommitsLost => "commits_lost",
            Self::DatabaseAccepted => "database_accepted",
            Self::ClientRevoked => "client_revoked",
            Self::SessionEnded => "session_ended",
            Self::PasswordChanged => "password_changed",
            Self::NotAdmitted => "not_admitted",
            Self::ClientDeleted => "client_deleted",
            Self::SubjectsChanged => "subjects_changed",
        }
    }
}

/// Why a token of a grant is worth nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantDead {
    #[error("the grant was revoked")]
    Revoked,
    #[error("the account is not active, or its password has changed since")]
    Account,
    #[error("the application no longer admits the person")]
    NotAdmitted,
    #[error("the session has ended")]
    SessionEnded,
}

impl Grant {
    /// Whether the grant outlives the session it came from (OpenID Connect Core §11).
    pub fn is_offline(&self) -> bool {
        self.scope.contains(&Scope::OfflineAccess)
    }

    pub fn check(&self, world: GrantWorld<'_>) -> Result<(), GrantDead> {
        if self.revoked_at.is_some() {
            return Err(GrantDead::Revoked);
        }
        if world.account.status != AccountStatus::Active || world.account.epoch != self.epoch {
            return Err(GrantDead::Account);
        }
        if !world.client.admits(world.account) {
            return Err(GrantDead::NotAdmitted);
        }
        let session_lives = || {
            let standing = world.session.map(|s| s.standing(world.account, world.session_policy, world.now));
            standing == Some(SessionStanding::Live)
        };
        if !self.is_offline() && !session_lives() {
            return Err(GrantDead::SessionEnded);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
pub struct GrantWorld<'a> {
    pub client: &'a Client,
    pub account: &'a Account,
    /// `None` when it was swept away.
    pub session: Option<&'a Session>,
    pub session_policy: SessionPolicy,
    pub now: Timestamp,
}
