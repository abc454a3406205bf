//! The authorization code grant (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3).
//!
//! A code is spent by inserting the grant that it names: the second use finds it there, is refused, and revokes what the
//! first one gave (RFC 6749 §4.1.2). Whatever is wrong with the request itself is found before that, so that a wrong
//! verifier or redirect URI spends nothing.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::code::{CodeContext, CodeRedemption, CodeRefusal};
use anteroom_domain::grant::{Grant, GrantEnd};
use anteroom_domain::ids::{AccountId, GrantId};
use anteroom_domain::refresh::RefreshFamily;
use anteroom_oidc::token::{AuthorizationCodeGrant, TokenResponse};
use anteroom_oidc::{GrantType, Scope};
use anteroom_storage::{CodeRecord, InsertGrantResult, Tx};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use std::sync::Arc;

use super::{TokenError, TokenRequestContext, mint, refresh};
use crate::audit::context::AuditContext;
use crate::error::FlowError;
use crate::protocol::authorization_code;

pub(super) async fn redeem(
    exchange: &TokenRequestContext<'_>,
    request: AuthorizationCodeGrant,
) -> Result<TokenResponse, TokenError> {
    let call = exchange.call;
    let code = authorization_code::open(call, exchange.client, request.code.expose_secret())
        .ok_or(TokenError::UnknownCode)?;
    code.check_presented(CodeRedemption {
        redirect_uri: request.redirect_uri.as_deref(),
        verifier: request.code_verifier.as_ref(),
    })?;
    let record = call.store().code_with_context(code.account, code.session, exchange.client.id()).await?;
    let Some(CodeRecord { account, session, agreed }) = record else {
        return Err(CodeRefusal::Account.into());
    };
    let snapshot = call.snapshot();
    let session = session.ok_or(CodeRefusal::Session)?;
    let world = CodeContext {
        client: exchange.client,
        account: &account,
        session: &session,
        agreed: &agreed,
        session_policy: snapshot.policy.session,
        now: exchange.call.now,
    };
    let (id, person) = (code.grant, code.account);
    let (grant, worth) = match code.into_grant(world) {
        Ok(granted) => granted,
        // A code that has expired or whose session has ended may also have been redeemed before. Then its grant is revoked (RFC
        // 6749 §4.1.2).
        Err(refusal) => {
            let spent = end_if_redeemed(exchange, id, person).await?;
            return Err(if spent { TokenError::CodeReplayed } else { refusal.into() });
        }
    };
    // Whatever could go wrong in minting must do so before the code is spent.
    mint::check_signers(exchange)?;
    let recipient = mint::recipient(exchange, worth.scope.contains(&Scope::OpenId)).await?;
    let resources = mint::narrowed_resources(exchange.client, &worth.resources, &request.resource)?;
    let family = exchange
        .client
        .metadata
        .allows_grant(GrantType::RefreshToken)
        .then(|| RefreshFamily::begin(grant.id, &snapshot.policy.tokens, exchange.call.now));
    match write(exchange, &grant, family).await? {
        InsertGrantResult::Yes => {}
        InsertGrantResult::AlreadyThere => return Err(TokenError::CodeReplayed),
        InsertGrantResult::AccountOrSessionChanged => return Err(CodeRefusal::Account.into()),
    }
    let refresh_token = family.map(|family| refresh::token(call.keyring(), &family));
    let grant = Grant { scope: worth.scope, resources, ..grant };
    let person = mint::TokenSubject {
        grant: &grant,
        account: &account,
        claims_within: &worth.claims_within,
        with_nonce: true,
        recipient: recipient.as_ref(),
    };
    mint::for_person(exchange, person, refresh_token)
}

/// Whether the code was used before; if so, ends what it gave.
async fn end_if_redeemed(
    exchange: &TokenRequestContext<'_>,
    id: GrantId,
    account: AccountId,
) -> Result<bool, TokenError> {
    if exchange.call.store().grant_with_context(id).await?.is_none() {
        return Ok(false);
    }
    let (audit, client) = (exchange.call.audit().clone(), exchange.client.id().clone());
    let write = exchange.call.store().write(move |tx| {
        let (audit, client) = (audit.clone(), client.clone());
        async move {
            // A replay that finds nothing to end is a refused request, which is counted as such.
            if tx.revoke_grant(id, GrantEnd::CodeReplayed, audit.now).await? {
                let event = Event::CodeReplayed { grant: id };
                tx.append(&audit.entry(Actor::Client, event).about(account).by_client(&client)).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await?;
    Ok(true)
}

async fn write(
    exchange: &TokenRequestContext<'_>,
    grant: &Grant,
    family: Option<RefreshFamily>,
) -> Result<InsertGrantResult, TokenError> {
    let tokens = exchange.call.snapshot().policy.tokens;
    // As long as the session may last in any case: its end is announced to the clients of its grants.
    let session = exchange.call.snapshot().policy.session.absolute;
    let keep = if family.is_some() { tokens.refresh_absolute.max(session) } else { session };
    let expires_at = grant.created_at.checked_add(keep).unwrap_or(Timestamp::MAX);
    let (grant, audit) = (Arc::new(grant.clone()), exchange.call.audit().clone());
    let write = exchange.call.store().write(move |tx| {
        let (grant, audit) = (Arc::clone(&grant), audit.clone());
        async move { insert(&tx, &audit, &grant, (family, expires_at)).await }
    });
    Ok(write.await?)
}

async fn insert(
    tx: &Tx,
    audit: &AuditContext,
    grant: &Grant,
    (family, expires_at): (Option<RefreshFamily>, Timestamp),
) -> Result<InsertGrantResult, FlowError> {
    let entry = |event| {
        audit
            .entry(Actor::Client, event)
            .about(grant.account)
            .by_client(&grant.client)
            .in_session(grant.session)
    };
    let inserted = tx.insert_grant(grant, expires_at).await?;
    match inserted {
        InsertGrantResult::Yes => {
            if let Some(family) = &family {
                tx.insert_family(family).await?;
            }
            tx.append(&entry(Event::CodeRedeemed { grant: grant.id, scope: grant.scope.clone() })).await?;
        }
        InsertGrantResult::AlreadyThere => {
            if tx.revoke_grant(grant.id, GrantEnd::CodeReplayed, audit.now).await? {
                tx.append(&entry(Event::CodeReplayed { grant: grant.id })).await?;
            }
        }
        InsertGrantResult::AccountOrSessionChanged => {}
    }
    Ok(inserted)
}
