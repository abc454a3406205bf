//! Authorization codes (RFC 6749 §4.1.2): sealed, self-contained, written down only when redeemed.
//!
//! A code carries the identifier of the grant it will become. Redeeming inserts that grant, and its primary key makes a second
//! redemption fail. The client's registration, the account, its session and its consent may have changed since the code was
//! issued, so each is checked again at redemption.

use crate::account::{Account, AccountEpoch};
use crate::client::{Client, ClientVersion};
use crate::grant::{EffectiveGrant, Grant, GrantState, InvalidGrantReason};
use crate::ids::{AccountId, GrantId, SessionId};
use crate::session::{Session, SessionPolicy, SessionStatus};
use crate::subject::SubjectNamespace;
use anteroom_oidc::authorization::ClaimsRequest;
use anteroom_oidc::{Acr, AmrSet, ClientId, CodeChallenge, CodeVerifier, Nonce, ScopeSet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a code seals. Sealing borrows what is the request's; a code that was opened owns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationCode<'a> {
    pub grant: GrantId,
    pub client: Cow<'a, ClientId>,
    pub client_version: ClientVersion,
    pub account: AccountId,
    pub epoch: AccountEpoch,
    pub session: SessionId,
    pub scope: Cow<'a, ScopeSet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Cow<'a, ClaimsRequest>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub resources: Cow<'a, [String]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Cow<'a, Nonce>>,
    /// As the request gave it; `None` where it relied on the only registered one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<CodeChallenge>,
    pub auth_time: Timestamp,
    pub acr: Acr,
    pub amr: AmrSet,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What the token request presents with the code.
#[derive(Clone, Copy, Debug)]
pub struct CodeRedemption<'a> {
    pub redirect_uri: Option<&'a str>,
    pub verifier: Option<&'a CodeVerifier>,
}

/// Why a code gives nothing. On the wire all are `invalid_grant`; the operator's log tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    #[error("redirect_uri is not the one of the authorization request")]
    RedirectUri,
    #[error("code_verifier is missing")]
    VerifierMissing,
    #[error("code_verifier does not match the code_challenge")]
    VerifierWrong,
    #[error("code_verifier was sent although the authorization request had no code_challenge")]
    VerifierUnexpected,
    #[error("the client's registration has changed since the code was issued")]
    ClientChanged,
    #[error("the code has expired")]
    Expired,
    #[error("the account is gone or disabled, or its password has changed")]
    Account,
    #[error("the session has ended")]
    Session,
    /// The grant would be invalid.
    #[error(transparent)]
    Grant(#[from] InvalidGrantReason),
}

impl AuthorizationCode<'_> {
    /// What the request itself must get right (RFC 6749 §4.1.3, RFC 7636 §4.6), before anything is spent.
    pub fn check_presented(&self, presented: CodeRedemption<'_>) -> Result<(), CodeRefusal> {
        if self.redirect_uri.as_deref() != presented.redirect_uri
            && (self.redirect_uri.is_some() || presented.redirect_uri.is_some())
        {
            return Err(CodeRefusal::RedirectUri);
        }
        match (&self.challenge, presented.verifier) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(CodeRefusal::VerifierUnexpected),
            (Some(_), None) => Err(CodeRefusal::VerifierMissing),
            (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
            (Some(_), Some(_)) => Err(CodeRefusal::VerifierWrong),
        }
    }

    /// Turns the code into its grant and evaluates that. Checks, in this order: the client is unchanged, the code has not
    /// expired, [`Grant::effective`] succeeds, and the session is live (also for an offline grant).
    pub fn into_grant(self, context: CodeContext<'_>) -> Result<(Grant, EffectiveGrant), CodeRefusal> {
        if self.client_version != context.client.version {
            return Err(CodeRefusal::ClientChanged);
        }
        if context.now >= self.expires_at {
            return Err(CodeRefusal::Expired);
        }
        let grant = self.grant(context);
        let effective = grant.effective(GrantState {
            client: context.client,
            account: context.account,
            session: Some(context.session),
            agreed: context.agreed,
            session_policy: context.session_policy,
            now: context.now,
        })?;
        if context.session.current_status(context.account, context.session_policy, context.now)
            != SessionStatus::Live
        {
            return Err(CodeRefusal::Session);
        }
        Ok((grant, effective))
    }

    fn grant(self, world: CodeContext<'_>) -> Grant {
        Grant {
            id: self.grant,
            client: self.client.into_owned(),
            account: self.account,
            session: self.session,
            epoch: self.epoch,
            scope: self.scope.into_owned(),
            claims: self.claims.map(Cow::into_owned),
            resources: self.resources.into_owned(),
            nonce: self.nonce.map(Cow::into_owned),
            auth_time: self.auth_time,
            acr: self.acr,
            amr: self.amr,
            subjects: Some(SubjectNamespace::of(world.client)),
            sid_by_sector: world.session.sid_by_sector,
            created_at: world.now,
            revoked_at: None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct CodeContext<'a> {
    pub client: &'a Client,
    pub account: &'a Account,
    pub session: &'a Session,
    /// The scopes that the person has consented to for this client.
    pub agreed: &'a ScopeSet,
    pub session_policy: SessionPolicy,
    pub now: Timestamp,
}
