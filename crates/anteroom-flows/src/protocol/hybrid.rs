//! Tokens that the authorization endpoint issues itself: the implicit and hybrid flows (OpenID Connect Core §3.2.2.5,
//! §3.3.2.5).
//!
//! Their grant is written before they are sent, so that userinfo, revocation and logout find it. It is written by the unit that
//! answers the request ([`crate::interaction::answered`]): of several answers to one request only the first is sent, and the
//! grants of the others are not written. Beside a code it is a grant of its own, also where the response has an ID token alone, so
//! that a sign-out is announced to the client although it may never redeem the code: the code's grant is written by its redemption,
//! which is how a second use of the code is found. These grants have no refresh token.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::Client;
use anteroom_domain::grant::{EffectiveGrant, Grant, GrantState};
use anteroom_domain::ids::GrantId;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::authorization::RequestContent;
use anteroom_oidc::{ResponseType, Scope, ScopeSet};
use anteroom_storage::{InsertGrantResult, Tx};
use jiff::Timestamp;

use crate::context::active_session::ActiveSession;
use crate::context::call::Visit;
use crate::error::FlowError;
use crate::protocol::token::mint::{self, HybridTokens};
use crate::protocol::token::{TokenRequestContext, TokenRequestError};
use crate::protocol::token_encryption::Recipient;

/// The person for whom the request is answered.
#[derive(Clone, Copy)]
pub(crate) struct SignedIn<'a> {
    pub(crate) live: &'a ActiveSession,
    /// The scope of the consent that is written with this answer. Earlier consent is in the database.
    pub(crate) agrees_to: Option<&'a ScopeSet>,
}

/// The grant of tokens that were minted and are not sent yet, with its audit entry.
#[derive(Debug)]
pub(crate) struct HybridGrant {
    grant: Grant,
    expires_at: Timestamp,
    entry: AuditEntry,
}

/// What an authorization response has, and whom its ID token is encrypted for.
#[derive(Clone, Copy)]
pub(crate) struct ResponseParts<'a> {
    pub(crate) kind: ResponseType,
    pub(crate) code: Option<&'a str>,
    pub(crate) recipient: Option<&'a Recipient>,
}

/// Whom an ID token of this response type is encrypted for. The client's keys may have to be fetched for it.
pub(crate) async fn recipient(
    visit: &Visit,
    client: &Client,
    kind: ResponseType,
) -> Result<Option<Recipient>, FlowError> {
    mint::recipient(&TokenRequestContext { call: visit, client }, kind.has_id_token()).await
}

/// `None`: the account has changed in between, and the person has to sign in again.
pub(crate) async fn issue(
    visit: &Visit,
    client: &Client,
    ask: &RequestContent,
    person: SignedIn<'_>,
    ResponseParts { kind, code, recipient }: ResponseParts<'_>,
) -> Result<Option<(HybridTokens, Option<HybridGrant>)>, FlowError> {
    if !kind.has_token() && !kind.has_id_token() {
        return Ok(Some((HybridTokens::default(), None)));
    }
    let exchange = TokenRequestContext { call: visit, client };
    let Some((grant, worth)) = granted(visit, client, ask.clone(), person).await? else {
        return Ok(None);
    };
    // The tokens have what the grant is worth now. The grant is written as it was asked for.
    let Grant { scope, resources, .. } = grant;
    let narrowed = Grant { scope: worth.scope, resources: worth.resources, ..grant };
    let minted = mint::TokenSubject {
        grant: &narrowed,
        account: &person.live.account,
        claims_within: &worth.claims_scope,
        with_nonce: true,
        recipient,
    };
    let tokens = mint::for_authorization_response(&exchange, minted, kind, code).map_err(not_minted)?;
    let grant = Grant { scope, resources, ..narrowed };
    Ok(Some((tokens, Some(HybridGrant::prepare(visit, grant)))))
}

fn not_minted(error: TokenRequestError) -> FlowError {
    match error {
        TokenRequestError::Flow(error) => error,
        _ => FlowError::Inconsistent("tokens could not be made at the authorization endpoint"),
    }
}

/// The grant with what it is worth; `None`: it is worth nothing any more, because the client has changed since its request.
async fn granted(
    visit: &Visit,
    client: &Client,
    ask: RequestContent,
    SignedIn { live, agrees_to }: SignedIn<'_>,
) -> Result<Option<(Grant, EffectiveGrant)>, FlowError> {
    let grant = grant_of(visit, client, ask, live);
    let before = visit.store().consent(live.account.id, client.id()).await?.unwrap_or_default();
    let agreed = match agrees_to {
        Some(scope) => before.union(scope),
        None => before,
    };
    let context = GrantState {
        client,
        account: &live.account,
        session: Some(&live.session),
        agreed: &agreed,
        session_policy: visit.snapshot().policy.session,
        now: visit.now,
    };
    Ok(grant.effective(context).ok().map(|worth| (grant, worth)))
}

fn grant_of(visit: &Visit, client: &Client, ask: RequestContent, live: &ActiveSession) -> Grant {
    // The authorization endpoint issues no refresh token, so `offline_access` is dropped from the grant.
    let mut scope = ask.scope;
    scope.remove(&Scope::OfflineAccess);
    Grant {
        id: GrantId(visit.new_id()),
        client: ask.client_id,
        account: live.account.id,
        session: live.session.id,
        epoch: live.account.epoch,
        scope,
        claims: ask.claims,
        resources: ask.resource,
        nonce: ask.nonce,
        auth_time: live.session.auth_time,
        acr: live.session.acr,
        amr: live.session.amr,
        subjects: Some(SubjectNamespace::of(client)),
        sid_by_sector: live.session.sid_by_sector,
        created_at: visit.now,
        revoked_at: None,
    }
}

impl HybridGrant {
    fn prepare(visit: &Visit, grant: Grant) -> Self {
        // At least as long as the session may last, because its end is announced to the clients of its grants.
        let keep = visit.snapshot().policy.session.absolute;
        let expires_at = grant.created_at.checked_add(keep).unwrap_or(Timestamp::MAX);
        let event = Event::TokensReleased { grant: grant.id, scope: grant.scope.clone() };
        let entry = visit.entry(Actor::Account(grant.account), event);
        let entry = entry.by_client(&grant.client).in_session(grant.session);
        Self { grant, expires_at, entry }
    }

    /// Writes the grant. `false`: the account has changed, or the session has ended, and nothing was written.
    pub(crate) async fn keep(&self, tx: &Tx) -> Result<bool, FlowError> {
        let inserted = tx.insert_grant(&self.grant, self.expires_at).await?;
        if inserted == InsertGrantResult::Inserted {
            tx.append(&self.entry).await?;
        }
        Ok(inserted == InsertGrantResult::Inserted)
    }
}
