//! Tokens that the authorization endpoint gives itself: the implicit and hybrid flows (OpenID Connect Core §3.2.2.5,
//! §3.3.2.5).
//!
//! Their grant is written before they leave, so that userinfo, revocation and logout find it. Beside a code it is a grant of
//! its own: the code's is written by its redemption, which is how a second use is known. No refresh token comes of it.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::grant::{EffectiveGrant, Grant, GrantState};
use anteroom_domain::ids::GrantId;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::authorization::AuthorizationRequest;
use anteroom_oidc::{Scope, ScopeSet};
use anteroom_storage::InsertGrantResult;
use jiff::Timestamp;
use std::sync::Arc;

use crate::context::call::Visit;
use crate::context::live::ActiveSession;
use crate::error::FlowError;
use crate::protocol::token::mint::{self, HybridTokens};
use crate::protocol::token::{TokenError, TokenRequestContext};

/// The person who is answered for.
#[derive(Clone, Copy)]
pub(crate) struct SignedIn<'a> {
    pub(crate) live: &'a ActiveSession,
    /// With this very answer, which keeps it; what was agreed to before is in the database.
    pub(crate) agrees_to: Option<&'a ScopeSet>,
}

/// `None`: the account has changed in between, and the person who signed in has to do so again.
pub(crate) async fn issue(
    visit: &Visit,
    (client, request): (&Client, &AuthorizationRequest),
    person: SignedIn<'_>,
    code: Option<&str>,
) -> Result<Option<HybridTokens>, FlowError> {
    let kind = request.response_type;
    if !kind.has_token() && !kind.has_id_token() {
        return Ok(Some(HybridTokens::default()));
    }
    let exchange = TokenRequestContext { call: visit, client };
    let Some((grant, worth)) = granted(visit, (client, request), person).await? else {
        return Ok(None);
    };
    let recipient = mint::recipient(&exchange, kind.has_id_token()).await?;
    let narrowed = Grant { scope: worth.scope, resources: worth.resources, ..grant.clone() };
    let minted = mint::TokenSubject {
        grant: &narrowed,
        account: &person.live.account,
        claims_within: &worth.claims_within,
        with_nonce: true,
        recipient: recipient.as_ref(),
    };
    let tokens = mint::for_authorization_response(&exchange, minted, kind, code).map_err(not_minted)?;
    // An ID token beside a code is the code's own grant told early.
    let told = code.is_some() && tokens.access_token.is_none();
    Ok(if told || write(&exchange, grant).await? { Some(tokens) } else { None })
}

fn not_minted(error: TokenError) -> FlowError {
    match error {
        TokenError::Flow(error) => error,
        _ => FlowError::Broken("tokens could not be made at the authorization endpoint"),
    }
}

/// The grant with what it is worth; `None`: nothing any more, because the client has changed since it asked.
async fn granted(
    visit: &Visit,
    (client, request): (&Client, &AuthorizationRequest),
    SignedIn { live, agrees_to }: SignedIn<'_>,
) -> Result<Option<(Grant, EffectiveGrant)>, FlowError> {
    let grant = grant_of(visit, (client, request), live);
    let before = visit.store().consent(live.account.id, client.id()).await?.unwrap_or_default();
    let agreed = agrees_to.map_or(before.clone(), |scope| before.union(scope));
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

fn grant_of(
    visit: &Visit,
    (client, request): (&Client, &AuthorizationRequest),
    live: &ActiveSession,
) -> Grant {
    // Nothing can be refreshed, so nothing outlives the session.
    let scope: ScopeSet =
        request.scope.iter().filter(|scope| **scope != Scope::OfflineAccess).cloned().collect();
    Grant {
        id: GrantId(visit.new_id()),
        client: request.client_id.clone(),
        account: live.account.id,
        session: live.session.id,
        epoch: live.account.epoch,
        scope,
        claims: request.claims.clone(),
        resources: request.resource.clone(),
        nonce: request.nonce.clone(),
        auth_time: live.session.auth_time,
        acr: live.session.acr,
        amr: live.session.amr.clone(),
        subjects: Some(SubjectNamespace::of(client)),
        sid_by_sector: live.session.pairwise_sid,
        created_at: visit.now,
        revoked_at: None,
    }
}

async fn write(exchange: &TokenRequestContext<'_>, grant: Grant) -> Result<bool, FlowError> {
    // As long as the session may last in any case: its end is announced to the clients of its grants.
    let keep = exchange.call.snapshot().policy.session.absolute;
    let expires_at = grant.created_at.checked_add(keep).unwrap_or(Timestamp::MAX);
    let event = Event::TokensReleased { grant: grant.id, scope: grant.scope.clone() };
    let entry = exchange.call.entry(Actor::Account(grant.account), event);
    let entry = entry.by_client(&grant.client).in_session(grant.session);
    let grant = Arc::new(grant);
    let write = exchange.call.store().write(move |tx| {
        let (grant, entry) = (Arc::clone(&grant), entry.clone());
        async move {
            let inserted = tx.insert_grant(&grant, expires_at).await?;
            if inserted == InsertGrantResult::Yes {
                tx.append(&entry).await?;
            }
            Ok::<_, FlowError>(inserted == InsertGrantResult::Yes)
        }
    });
    write.await
}
