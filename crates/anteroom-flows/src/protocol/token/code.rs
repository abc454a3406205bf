//! The authorization code grant (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3).
//!
//! A code is spent by inserting the grant that it names: the second use finds it there, is refused, and revokes what the
//! first one gave (RFC 6749 §4.1.2). Whatever is wrong with the request itself is found before that, so that a wrong
//! verifier or redirect URI spends nothing.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::code::{AuthorizationCode, CodeContext, CodeRedemption, CodeRefusal};
use anteroom_domain::grant::{Grant, GrantEnd};
use anteroom_domain::ids::{AccountId, GrantId};
use anteroom_domain::refresh::RefreshFamily;
use anteroom_oidc::token::{AuthorizationCodeGrant, TokenResponse};
use anteroom_oidc::{GrantType, Scope};
use anteroom_storage::{CodeRecord, InsertGrantResult, Tx, Unit};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::end_grant::EndGrant;
use super::{TokenError, TokenRequestContext, mint, refresh};
use crate::context::call::Call;
use crate::error::FlowError;
use crate::protocol::authorization_code;

pub(super) async fn redeem(
    exchange: &TokenRequestContext<'_>,
    request: AuthorizationCodeGrant,
) -> Result<TokenResponse, TokenError> {
    let call = exchange.call;
    let code = read_code(exchange, &request)?;
    let record = call.store().code_with_context(code.account, code.session, exchange.client.id()).await?;
    let CodeRecord { account, session, agreed } = record.ok_or(CodeRefusal::Account)?;
    let world = CodeContext {
        client: exchange.client,
        account: &account,
        session: &session.ok_or(CodeRefusal::Session)?,
        agreed: &agreed,
        session_policy: call.snapshot().policy.session,
        now: call.now,
    };
    let id = code.grant;
    let (grant, worth) = match code.into_grant(world) {
        Ok(granted) => granted,
        // A code that has expired or whose session has ended may also have been redeemed before. Then its grant is revoked (RFC
        // 6749 §4.1.2).
        Err(refusal) => {
            let spent = end_if_redeemed(exchange, id, account.id).await?;
            return Err(if spent { TokenError::CodeReplayed } else { refusal.into() });
        }
    };
    // Whatever could go wrong in minting must do so before the code is spent.
    mint::check_signers(exchange)?;
    let recipient = mint::recipient(exchange, worth.scope.contains(&Scope::OpenId)).await?;
    let resources = mint::narrowed_resources(exchange.client, &worth.resources, &request.resource)?;
    let (unit, inserted) = call.store().run(RedeemCode::new(exchange, grant)).await;
    match inserted? {
        InsertGrantResult::Yes => {}
        InsertGrantResult::AlreadyThere => return Err(TokenError::CodeReplayed),
        InsertGrantResult::AccountOrSessionChanged => return Err(CodeRefusal::Account.into()),
    }
    let refresh_token = unit.family.map(|family| refresh::token(call.keyring(), &family));
    let grant = Grant { scope: worth.scope, resources, ..unit.grant };
    let person = mint::TokenSubject {
        grant: &grant,
        account: &account,
        claims_within: &worth.claims_within,
        with_nonce: true,
        recipient: recipient.as_ref(),
    };
    mint::for_person(exchange, person, refresh_token)
}

/// What the code says, if it is this client's and presented as it was asked for.
fn read_code(
    exchange: &TokenRequestContext<'_>,
    request: &AuthorizationCodeGrant,
) -> Result<AuthorizationCode, TokenError> {
    let code = authorization_code::open(exchange.call, exchange.client, request.code.expose_secret())
        .ok_or(TokenError::UnknownCode)?;
    code.check_presented(CodeRedemption {
        redirect_uri: request.redirect_uri.as_deref(),
        verifier: request.code_verifier.as_ref(),
    })?;
    Ok(code)
}

/// Whether the code was used before; if so, ends what it gave.
async fn end_if_redeemed(
    exchange: &TokenRequestContext<'_>,
    grant: GrantId,
    account: AccountId,
) -> Result<bool, TokenError> {
    let call = exchange.call;
    if call.store().grant_with_context(grant).await?.is_none() {
        return Ok(false);
    }
    let entry = call.entry(Actor::Client, Event::CodeReplayed { grant });
    let entry = entry.about(account).by_client(exchange.client.id());
    // A replay that finds nothing to end is a refused request, which is counted as such.
    call.store().run(EndGrant { grant, why: GrantEnd::CodeReplayed, entry }).await.1?;
    Ok(true)
}

/// Spends a code: its grant, with refresh tokens where the client may have some.
struct RedeemCode {
    call: Call,
    grant: Grant,
    family: Option<RefreshFamily>,
    expires_at: Timestamp,
}

impl RedeemCode {
    fn new(exchange: &TokenRequestContext<'_>, grant: Grant) -> Self {
        let (call, policy) = (exchange.call, &exchange.call.snapshot().policy);
        let may_refresh = exchange.client.metadata.allows_grant(GrantType::RefreshToken);
        let family = may_refresh.then(|| RefreshFamily::begin(grant.id, &policy.tokens, call.now));
        // As long as the session may last in any case: its end is announced to the clients of its grants.
        let session = policy.session.absolute;
        let keep = if may_refresh { policy.tokens.refresh_absolute.max(session) } else { session };
        let expires_at = grant.created_at.checked_add(keep).unwrap_or(Timestamp::MAX);
        Self { call: call.clone(), grant, family, expires_at }
    }
}

impl Unit for RedeemCode {
    type Output = InsertGrantResult;
    type Error = FlowError;

    const NAME: &'static str = "redeem_code";

    async fn run(&self, tx: &Tx) -> Result<InsertGrantResult, FlowError> {
        let Self { call, grant, family, expires_at } = self;
        let entry = |event| {
            let entry = call.entry(Actor::Client, event).about(grant.account);
            entry.by_client(&grant.client).in_session(grant.session)
        };
        let inserted = tx.insert_grant(grant, *expires_at).await?;
        match inserted {
            InsertGrantResult::Yes => {
                if let Some(family) = family {
                    tx.insert_family(family).await?;
                }
                let event = Event::CodeRedeemed { grant: grant.id, scope: grant.scope.clone() };
                tx.append(&entry(event)).await?;
            }
            InsertGrantResult::AlreadyThere => {
                if tx.revoke_grant(grant.id, GrantEnd::CodeReplayed, call.now).await? {
                    tx.append(&entry(Event::CodeReplayed { grant: grant.id })).await?;
                }
            }
            InsertGrantResult::AccountOrSessionChanged => {}
        }
        Ok(inserted)
    }
}
