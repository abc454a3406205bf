//! The authorization code grant (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3).
//!
//! A code is redeemed by inserting the grant that it names: a second use finds that grant, is refused, and revokes it
//! (RFC 6749 §4.1.2). The request itself is checked before that, so that a wrong verifier or redirect URI does not use up the
//! code.

use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::authorization_code::{AuthorizationCode, CodeContext, CodeRedemption, CodeRefusal};
use anteroom_domain::client::{Client, Entitlement};
use anteroom_domain::grant::{EffectiveGrant, Grant, GrantEnd};
use anteroom_domain::ids::{AccountId, GrantId};
use anteroom_domain::refresh::RefreshFamily;
use anteroom_oidc::token::{AuthorizationCodeGrant, TokenResponse};
use anteroom_oidc::{GrantType, Scope};
use anteroom_storage::{CodeRecord, InsertGrantResult, Tx, Unit};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::end_grant::EndGrant;
use super::{TokenRequestContext, TokenRequestError, mint, refresh};
use crate::error::FlowError;
use crate::protocol::authorization_code;

pub(super) async fn redeem(
    exchange: &TokenRequestContext<'_>,
    request: AuthorizationCodeGrant,
) -> Result<TokenResponse, TokenRequestError> {
    let call = exchange.call;
    let received_at = call.now;
    let mut granted = checked(exchange, &request, received_at).await?;
    // Everything that can fail in minting must fail before the code is redeemed.
    mint::check_signers(exchange)?;
    let recipient = mint::recipient(exchange, granted.worth.scope.contains(&Scope::OpenId)).await?;
    let exchange = &TokenRequestContext { call: &call.at_present(), client: exchange.client };
    if recipient.is_some() {
        // The client's keys may have been fetched. Meanwhile the person can have lost the right to use the client. The code is as
        // old as it was when it came.
        granted = checked(exchange, &request, received_at).await?;
    }
    let GrantedByCode { grant, worth, account } = granted;
    let grant = Grant { created_at: exchange.call.now, ..grant };
    let resources = mint::narrowed_resources(exchange.client, &worth.resources, &request.resource)?;
    let (unit, inserted) = exchange.call.store().run(RedeemCode::new(exchange, grant)).await;
    match inserted? {
        InsertGrantResult::Inserted => {}
        InsertGrantResult::AlreadyThere => return Err(TokenRequestError::CodeReplayed),
        InsertGrantResult::AccountOrSessionChanged => return Err(CodeRefusal::Account.into()),
    }
    let refresh_token = unit.family.map(|family| refresh::token(call.keyring(), &family));
    let grant = Grant { scope: worth.scope, resources, ..unit.grant };
    let person = mint::TokenSubject {
        grant: &grant,
        account: &account,
        claims_within: &worth.claims_scope,
        with_nonce: true,
        recipient: recipient.as_ref(),
    };
    mint::for_person(exchange, person, refresh_token)
}

struct GrantedByCode {
    grant: Grant,
    worth: EffectiveGrant,
    account: Account,
}

/// What the code grants to the client as account, session and consent are now. `now`: for the age of the code.
async fn checked(
    exchange: &TokenRequestContext<'_>,
    request: &AuthorizationCodeGrant,
    now: Timestamp,
) -> Result<GrantedByCode, TokenRequestError> {
    let call = exchange.call;
    let code = read_code(exchange, request)?;
    let record = call.store().code_with_context(code.account, code.session, exchange.client.id()).await?;
    let CodeRecord { account, session, agreed } = record.ok_or(CodeRefusal::Account)?;
    let context = CodeContext {
        client: exchange.client,
        account: &account,
        session: &session.ok_or(CodeRefusal::Session)?,
        agreed: &agreed,
        session_policy: call.snapshot().policy.session,
        now,
    };
    let id = code.grant;
    match code.into_grant(context) {
        Ok((grant, worth)) => Ok(GrantedByCode { grant, worth, account }),
        // A code that has expired or whose session has ended may also have been redeemed before. Then its grant is revoked (RFC
        // 6749 §4.1.2).
        Err(refusal) => {
            let spent = end_if_redeemed(exchange, id, account.id).await?;
            Err(if spent { TokenRequestError::CodeReplayed } else { refusal.into() })
        }
    }
}

/// Opens the code, if it is this client's and the request fits it.
fn read_code(
    exchange: &TokenRequestContext<'_>,
    request: &AuthorizationCodeGrant,
) -> Result<AuthorizationCode<'static>, TokenRequestError> {
    let code = authorization_code::open(exchange.call, exchange.client, request.code.expose_secret())
        .ok_or(TokenRequestError::UnknownCode)?;
    code.check_presented(CodeRedemption {
        redirect_uri: request.redirect_uri.as_deref(),
        verifier: request.code_verifier.as_ref(),
    })?;
    Ok(code)
}

/// Whether the code was redeemed before; if so, its grant ends.
async fn end_if_redeemed(
    exchange: &TokenRequestContext<'_>,
    grant: GrantId,
    account: AccountId,
) -> Result<bool, TokenRequestError> {
    let call = exchange.call;
    if call.store().grant_with_context(grant).await?.is_none() {
        return Ok(false);
    }
    let entry = call.entry(Actor::Client, Event::CodeReplayed { grant });
    let entry = entry.about(account).by_client(exchange.client.id());
    // A replay after the grant has ended is counted as a refused request.
    call.store().run(EndGrant { grant, why: GrantEnd::CodeReplayed, entry }).await.1?;
    Ok(true)
}

/// Redeems a code: inserts its grant, with a refresh token family where the client may have one.
struct RedeemCode {
    /// Of a client that is for some groups alone. The account's groups can have changed since they were read, so they are read again
    /// under its lock.
    client: Option<Client>,
    grant: Grant,
    family: Option<RefreshFamily>,
    expires_at: Timestamp,
    redeemed: AuditEntry,
    replayed: AuditEntry,
}

impl RedeemCode {
    fn new(exchange: &TokenRequestContext<'_>, grant: Grant) -> Self {
        let (call, policy) = (exchange.call, &exchange.call.snapshot().policy);
        let may_refresh = exchange.client.metadata.allows_grant(GrantType::RefreshToken);
        let family = may_refresh.then(|| RefreshFamily::begin(grant.id, &policy.tokens, call.now));
        // At least as long as the session may last, because its end is announced to the clients of its grants.
        let session = policy.session.absolute;
        let keep = if may_refresh { policy.tokens.refresh_absolute.max(session) } else { session };
        let expires_at = grant.created_at.checked_add(keep).unwrap_or(Timestamp::MAX);
        let entry = |event| {
            let entry = call.entry(Actor::Client, event).about(grant.account);
            entry.by_client(&grant.client).in_session(grant.session)
        };
        let redeemed =
            entry(Event::AuthorizationCodeRedeemed { grant: grant.id, scope: grant.scope.clone() });
        let replayed = entry(Event::CodeReplayed { grant: grant.id });
        let is_for_everyone = exchange.client.policy.entitlement == Entitlement::Everyone;
        let client = (!is_for_everyone).then(|| exchange.client.clone());
        Self { client, grant, family, expires_at, redeemed, replayed }
    }
}

impl Unit for RedeemCode {
    type Output = InsertGrantResult;
    type Error = FlowError;

    const NAME: &'static str = "redeem_code";

    async fn run(&self, tx: &Tx) -> Result<InsertGrantResult, FlowError> {
        let Self { client, grant, family, expires_at, redeemed, replayed } = self;
        if let Some(client) = client {
            let locked = tx.lock_account(grant.account).await?;
            if !locked.is_some_and(|locked| client.is_entitled(&locked.account)) {
                return Ok(InsertGrantResult::AccountOrSessionChanged);
            }
        }
        let inserted = tx.insert_grant(grant, *expires_at).await?;
        match inserted {
            InsertGrantResult::Inserted => {
                if let Some(family) = family {
                    tx.insert_family(family).await?;
                }
                tx.append(redeemed).await?;
            }
            InsertGrantResult::AlreadyThere => {
                if tx.revoke_grant(grant.id, GrantEnd::CodeReplayed, replayed.at).await? {
                    tx.append(replayed).await?;
                }
            }
            InsertGrantResult::AccountOrSessionChanged => {}
        }
        Ok(inserted)
    }
}
