//! Tokens that the authorization endpoint gives itself: the implicit and hybrid flows (OpenID Connect Core §3.2.2.5,
//! §3.3.2.5).
//!
//! Their grant is written before they leave, so that userinfo, revocation and logout find it, and in the unit that answers the
//! application ([`crate::interaction::answered`]): of several answers to one request one wins, and what the others would have
//! given is nothing that the client had. Beside a code it is a grant of its own: the code's is written by its redemption, which is
//! how a second use is known. No refresh token comes of it.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::Client;
use anteroom_domain::grant::{EffectiveGrant, Grant, GrantState};
use anteroom_domain::ids::GrantId;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::authorization::Ask;
use anteroom_oidc::{ResponseType, Scope, ScopeSet};
use anteroom_storage::{InsertGrantResult, Tx};
use jiff::Timestamp;

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

/// The grant of tokens that were minted and have not left yet, with what the trail says of them.
#[derive(Debug)]
pub(crate) struct HybridGrant {
    grant: Grant,
    expires_at: Timestamp,
    entry: AuditEntry,
}

/// `None`: the account has changed in between, and the person who signed in has to do so again.
pub(crate) async fn issue(
    visit: &Visit,
    client: &Client,
    ask: &Ask,
    kind: ResponseType,
    person: SignedIn<'_>,
    code: Option<&str>,
) -> Result<Option<(HybridTokens, Option<HybridGrant>)>, FlowError> {
    if !kind.has_token() && !kind.has_id_token() {
        return Ok(Some((HybridTokens::default(), None)));
    }
    let exchange = TokenRequestContext { call: visit, client };
    let Some((grant, worth)) = granted(visit, client, ask, person).await? else {
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
    // With `code id_token` and no access token, the ID token belongs to the grant that the code's redemption writes. So no
    // grant is written here.
    let told = code.is_some() && tokens.access_token.is_none();
    Ok(Some((tokens, (!told).then(|| HybridGrant::prepare(visit, grant)))))
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
    client: &Client,
    ask: &Ask,
    SignedIn { live, agrees_to }: SignedIn<'_>,
) -> Result<Option<(Grant, EffectiveGrant)>, FlowError> {
    let grant = grant_of(visit, client, ask, live);
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

fn grant_of(visit: &Visit, client: &Client, ask: &Ask, live: &ActiveSession) -> Grant {
    // The authorization endpoint issues no refresh token, so `offline_access` is dropped from the grant.
    let scope: ScopeSet = ask.scope.iter().filter(|scope| **scope != Scope::OfflineAccess).cloned().collect();
    Grant {
        id: GrantId(visit.new_id()),
        client: ask.client_id.clone(),
        account: live.account.id,
        session: live.session.id,
        epoch: live.account.epoch,
        scope,
        claims: ask.claims.clone(),
        resources: ask.resource.clone(),
        nonce: ask.nonce.clone(),
        auth_time: live.session.auth_time,
        acr: live.session.acr,
        amr: live.session.amr.clone(),
        subjects: Some(SubjectNamespace::of(client)),
        sid_by_sector: live.session.pairwise_sid,
        created_at: visit.now,
        revoked_at: None,
    }
}

impl HybridGrant {
    fn prepare(visit: &Visit, grant: Grant) -> Self {
        // As long as the session may last in any case: its end is announced to the clients of its grants.
        let keep = visit.snapshot().policy.session.absolute;
        let expires_at = grant.created_at.checked_add(keep).unwrap_or(Timestamp::MAX);
        let event = Event::TokensReleased { grant: grant.id, scope: grant.scope.clone() };
        let entry = visit.entry(Actor::Account(grant.account), event);
        let entry = entry.by_client(&grant.client).in_session(grant.session);
        Self { grant, expires_at, entry }
    }

    /// Before anything else is locked: units of the account lock its row first.
    pub(crate) async fn lock_account(&self, tx: &Tx) -> Result<(), FlowError> {
        tx.lock_account(self.grant.account).await?;
        Ok(())
    }

    /// `false`: the account has changed since, or the session has ended, and nothing was written.
    pub(crate) async fn keep(&self, tx: &Tx) -> Result<bool, FlowError> {
        let inserted = tx.insert_grant(&self.grant, self.expires_at).await?;
        if inserted == InsertGrantResult::Yes {
            tx.append(&self.entry).await?;
        }
        Ok(inserted == InsertGrantResult::Yes)
    }
}
