//! Grants: what an account has given a client, from the redeemed code to the last refresh token.
//!
//! Every use of a token evaluates [`Grant::effective`] again. The stored scope and resources are upper bounds: the client's
//! registration and the account's access as they are now can only reduce them.

use crate::account::{Account, AccountEpoch, AccountStatus};
use crate::client::Client;
use crate::ids::{AccountId, GrantId, SessionId};
use crate::session::{Session, SessionPolicy, SessionStatus};
use crate::subject::{SessionSid, SubjectNamespace};
use anteroom_oidc::authorization::ClaimsRequest;
use anteroom_oidc::{Acr, AmrSet, ClientId, Issuer, Nonce, Scope, ScopeSet};
use jiff::Timestamp;

#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    pub id: GrantId,
    pub client: ClientId,
    pub account: AccountId,
    /// The session it came from.
    pub session: SessionId,
    pub epoch: AccountEpoch,
    pub scope: ScopeSet,
    pub claims: Option<ClaimsRequest>,
    pub resources: Vec<String>,
    pub nonce: Option<Nonce>,
    pub auth_time: Timestamp,
    pub acr: Acr,
    pub amr: AmrSet,
    /// By which kind of `sub` the client knew the person; `None` of a grant that release 0.1.0 wrote.
    pub subjects: Option<SubjectNamespace>,
    /// [`Session::sid_by_sector`], kept here because a grant may outlive the session's row.
    pub sid_by_sector: bool,
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
    NotEntitled,
    /// The client is registered no more (RFC 7592 §2.3).
    ClientDeleted,
    /// The client knows people by another `sub` since its registration changed (OpenID Connect Core §8.1).
    SubjectsChanged,
    /// A self-registered client changed its logout URIs to another host than people had consented to.
    SignOutHostChanged,
    /// The client was absent from the configuration of all nodes for long enough.
    ClientRemoved,
    /// An operator ended all of the client's grants.
    OperatorEnded,
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
            Self::NotEntitled => "not_admitted",
            Self::ClientDeleted => "client_deleted",
            Self::SubjectsChanged => "subjects_changed",
            Self::SignOutHostChanged => "sign_out_host_changed",
            Self::ClientRemoved => "client_removed",
            Self::OperatorEnded => "operator_ended",
        }
    }
}

/// Why a token of a grant is worth nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGrantReason {
    #[error("the grant was revoked")]
    Revoked,
    #[error("the account is not active, or its password has changed since")]
    Account,
    #[error("the application knows people by another `sub` now")]
    SubjectsChanged,
    #[error("the application is not registered any more for a flow in which people sign in")]
    NoFlow,
    #[error("the application no longer admits the person")]
    NotAdmitted,
    #[error("the application demands more now than was proven at sign-in")]
    Acr,
    #[error(
        "the application may have none of the scopes any more, as it is registered now and as the person agreed"
    )]
    Scope,
    #[error("the application may have tokens for none of the APIs any more")]
    Audience,
    #[error("the session has ended")]
    SessionEnded,
}

/// What a grant is worth at this moment, under the client as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveGrant {
    /// Granted, and still the client's to have.
    pub scope: ScopeSet,
    /// The APIs that were named, without those that the client may have no tokens for any more.
    pub resources: Vec<String>,
    /// The scopes whose claims the client may be told where it asked for them one by one.
    pub claims_scope: ScopeSet,
}

/// The present state of client, account, session and consent, against which a grant is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct GrantState<'a> {
    pub client: &'a Client,
    pub account: &'a Account,
    /// `None` when it was swept away.
    pub session: Option<&'a Session>,
    /// What the person has agreed to that the client has.
    pub agreed: &'a ScopeSet,
    pub session_policy: SessionPolicy,
    pub now: Timestamp,
}

impl Grant {
    /// Whether the grant was to outlive the session it came from (OpenID Connect Core §11). Whether it still does is
    /// for [`Self::effective`] to say.
    pub fn is_offline(&self) -> bool {
        self.scope.contains(&Scope::OfflineAccess)
    }

    pub fn session(&self) -> SessionSid {
        SessionSid { id: self.session, by_sector: self.sid_by_sector }
    }

    /// What the grant is worth now. Codes, refresh tokens, userinfo and introspection ask here and nowhere else.
    pub fn effective(&self, context: GrantState<'_>) -> Result<EffectiveGrant, InvalidGrantReason> {
        let (client, account) = (context.client, context.account);
        if self.revoked_at.is_some() {
            return Err(InvalidGrantReason::Revoked);
        }
        if account.status != AccountStatus::Active || account.epoch != self.epoch {
            return Err(InvalidGrantReason::Account);
        }
        if self.subjects.as_ref().is_some_and(|subjects| *subjects != SubjectNamespace::of(client)) {
            return Err(InvalidGrantReason::SubjectsChanged);
        }
        if !client.signs_people_in() {
            return Err(InvalidGrantReason::NoFlow);
        }
        if !client.is_entitled(account) {
            return Err(InvalidGrantReason::NotAdmitted);
        }
        if client.policy.min_acr.is_some_and(|least| self.acr < least) {
            return Err(InvalidGrantReason::Acr);
        }
        let worth = self.restricted_to(client, context.agreed)?;
        let lives = |session: &Session| {
            session.current_status(account, context.session_policy, context.now) == SessionStatus::Live
        };
        if !worth.scope.contains(&Scope::OfflineAccess) && !context.session.is_some_and(lives) {
            return Err(InvalidGrantReason::SessionEnded);
        }
        Ok(worth)
    }

    fn restricted_to(
        &self,
        client: &Client,
        agreed: &ScopeSet,
    ) -> Result<EffectiveGrant, InvalidGrantReason> {
        let claims_within = client.scope_for(agreed);
        let scope = narrowed_scope(&self.scope, &claims_within)?;
        let audience = &client.metadata.audience;
        let resources: Vec<String> =
            self.resources.iter().filter(|resource| audience.contains(resource)).cloned().collect();
        if resources.is_empty() && !self.resources.is_empty() {
            return Err(InvalidGrantReason::Audience);
        }
        Ok(EffectiveGrant { scope, resources, claims_scope: claims_within })
    }
}

fn narrowed_scope(granted: &ScopeSet, allowed: &ScopeSet) -> Result<ScopeSet, InvalidGrantReason> {
    let scope = granted.intersection(allowed);
    if scope.is_empty() && !granted.is_empty() { Err(InvalidGrantReason::Scope) } else { Ok(scope) }
}

/// What an access token says that it is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPermissions {
    pub scope: ScopeSet,
    pub audience: Vec<String>,
}

impl TokenPermissions {
    /// What is left of it. `allowed` is what its grant is worth, or what a client may have for itself.
    pub fn narrowed(
        self,
        allowed: &ScopeSet,
        client: &Client,
        issuer: &Issuer,
    ) -> Result<Self, InvalidGrantReason> {
        let scope = narrowed_scope(&self.scope, allowed)?;
        let still =
            |audience: &String| audience == issuer.as_str() || client.metadata.audience.contains(audience);
        let audience: Vec<String> = self.audience.into_iter().filter(still).collect();
        if audience.is_empty() { Err(InvalidGrantReason::Audience) } else { Ok(Self { scope, audience }) }
    }

    /// RFC 9068 §4: a token for an API alone opens nothing at the issuer.
    pub fn is_for(&self, issuer: &Issuer) -> bool {
        self.audience.iter().any(|audience| audience == issuer.as_str())
    }
}
