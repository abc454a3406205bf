//! The refresh token grant (RFC 6749 §6): rotation that tolerates a lost answer and refuses a replay.
//!
//! A token is base64url of the grant (16 bytes), the generation (4) and a MAC (32): the MAC shows that this provider made it
//! before any row is read, and the same next token can be derived again for a client that has lost an answer.

use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring};
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::grant::{EffectiveGrant, Grant, GrantEnd};
use anteroom_domain::ids::{GrantId, SessionId};
use anteroom_domain::limits::Limit;
use anteroom_domain::refresh::{PresentedRefreshToken, RefreshDecision, RefreshFamily};
use anteroom_oidc::token::{RefreshTokenGrant, TokenResponse};
use anteroom_oidc::{Scope, TokenEndpointAuthMethod};
use anteroom_storage::{GrantRecord, Tx, Unit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::end_grant::EndGrant;
use super::{TokenRequestContext, TokenRequestError, mint, repeat};
use crate::context::limits::{of_one, spend_in_memory};
use crate::error::FlowError;
use crate::protocol::access_token::effective_grant;

const CONTEXT: &str = "refresh_token";
const GRANT_LEN: usize = 16;
const GENERATION_LEN: usize = 4;
const MAC_LEN: usize = 32;

/// The token of a family's newest generation.
pub(crate) fn token(keyring: &Keyring, family: &RefreshFamily) -> String {
    let mut bytes = Vec::with_capacity(GRANT_LEN + GENERATION_LEN + MAC_LEN);
    bytes.extend_from_slice(family.grant.0.as_bytes());
    bytes.extend_from_slice(&family.generation.to_be_bytes());
    let mac = keyring.mac(KeyPurpose::RefreshMac).digest(CONTEXT, &bytes);
    bytes.extend_from_slice(mac.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A refresh token of this provider: the grant and the generation that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub grant: GrantId,
    pub generation: u32,
}

impl RefreshToken {
    pub(crate) fn parse(keyring: &Keyring, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, mac) = bytes.split_at_checked(GRANT_LEN + GENERATION_LEN)?;
        let mac = KeyedDigest::from_slice(mac)?;
        if !keyring.mac(KeyPurpose::RefreshMac).verify(CONTEXT, body, &mac) {
            return None;
        }
        let (grant, generation) = body.split_at_checked(GRANT_LEN)?;
        Some(Self {
            grant: GrantId(Uuid::from_slice(grant).ok()?),
            generation: u32::from_be_bytes(generation.try_into().ok()?),
        })
    }
}

pub(super) async fn refresh(
    exchange: &TokenRequestContext<'_>,
    request: RefreshTokenGrant,
) -> Result<TokenResponse, TokenRequestError> {
    let call = exchange.call;
    let presented = RefreshToken::parse(call.keyring(), request.refresh_token.expose_secret())
        .ok_or(TokenRequestError::UnknownRefreshToken)?;
    // A parallel refresh may change the row between the read and the write. Then the row is read again, up to three times in all.
    for _ in 0..3 {
        let record = call
            .store()
            .grant_with_context(presented.grant)
            .await?
            .ok_or(TokenRequestError::UnknownRefreshToken)?;
        let (family, worth) = check(exchange, &record)?;
        let budget = of_one(call, Limit::Refresh, &record.grant.id.0);
        spend_in_memory(call, &[budget])?;
        // All refusals come before the rotation.
        let scope = mint::narrowed(&record.grant.scope, request.scope.as_ref())?;
        let scope = mint::remaining_scope(scope, &worth)?;
        let resources = mint::narrowed_resources(exchange.client, &worth.resources, &request.resource)?;
        let recipient = mint::recipient(exchange, scope.contains(&Scope::OpenId)).await?;
        // The client's keys may have been fetched.
        let exchange = &TokenRequestContext { call: &call.at_present(), client: exchange.client };
        let Some(next) = next_family_state(exchange, &record, family, presented.generation).await? else {
            continue;
        };
        let grant = Grant { scope, resources, ..record.grant };
        let person = mint::TokenSubject {
            grant: &grant,
            account: &record.account,
            claims_within: &worth.claims_scope,
            with_nonce: false,
            recipient: recipient.as_ref(),
        };
        return mint::for_person(exchange, person, Some(token(call.keyring(), &next)));
    }
    Err(TokenRequestError::RefreshReplayed)
}

/// The state of the family whose token is issued. `None`: a parallel request has changed the row, which has to be read again.
async fn next_family_state(
    exchange: &TokenRequestContext<'_>,
    record: &GrantRecord,
    family: RefreshFamily,
    generation: u32,
) -> Result<Option<RefreshFamily>, TokenRequestError> {
    let presented = PresentedRefreshToken {
        generation,
        from: exchange.call.address(),
        authenticated: is_authenticated(exchange),
        now: exchange.call.now,
    };
    let snapshot = exchange.call.snapshot();
    Ok(match family.decide(presented, &snapshot.policy.tokens) {
        RefreshDecision::Rotate(next) => {
            rotate(exchange, &record.grant, &family, next).await?.then_some(next)
        }
        RefreshDecision::Repeat { family, from_other_network } => {
            repeat::repeat(exchange, record, family, from_other_network).await?.then_some(family)
        }
        RefreshDecision::Replay => return Err(replayed(exchange, &record.grant, generation).await?),
        RefreshDecision::UnknownGeneration => {
            return Err(end_unknown_generation(exchange, &record.grant, &family, generation).await?);
        }
        RefreshDecision::Expired => return Err(TokenRequestError::RefreshExpired),
    })
}

/// Whether the client is a confidential one, which has authenticated.
fn is_authenticated(exchange: &TokenRequestContext<'_>) -> bool {
    exchange.client.metadata.token_endpoint_auth_method != TokenEndpointAuthMethod::None
}

/// Checks that the token is this client's, and that its grant is still worth something.
fn check(
    exchange: &TokenRequestContext<'_>,
    record: &GrantRecord,
) -> Result<(RefreshFamily, EffectiveGrant), TokenRequestError> {
    if record.grant.client != *exchange.client.id() {
        return Err(TokenRequestError::UnknownRefreshToken);
    }
    let worth = effective_grant(exchange.call, exchange.client, record)?;
    Ok((record.family.ok_or(TokenRequestError::UnknownRefreshToken)?, worth))
}

/// Replaces the generation, in one conditional write; `false`: a parallel request was first.
async fn rotate(
    exchange: &TokenRequestContext<'_>,
    grant: &Grant,
    family: &RefreshFamily,
    next: RefreshFamily,
) -> Result<bool, TokenRequestError> {
    let (from, before) = (family.generation, family.counted_before(next.generation));
    let any_address = before.is_some() && is_authenticated(exchange);
    let event = Event::TokenRefreshed { grant: grant.id, generation: next.generation, before, any_address };
    let unit = RotateFamily {
        next,
        from,
        active: exchange.client.policy.refresh_is_activity.then_some(grant.session),
        entry: entry(exchange, grant, event),
    };
    Ok(exchange.call.store().run(unit).await.1?)
}

/// Replaces the generation `from` by `next`.
struct RotateFamily {
    next: RefreshFamily,
    from: u32,
    /// The session that a refresh keeps alive.
    active: Option<SessionId>,
    entry: AuditEntry,
}

impl Unit for RotateFamily {
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "rotate_family";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Self { next, from, active, entry } = self;
        if !tx.rotate_family(next, *from).await? {
            return Ok(false);
        }
        if let Some(session) = active {
            tx.touch_session(*session, entry.at).await?;
        }
        if next.has_entry() {
            tx.append(entry).await?;
        }
        Ok(true)
    }
}

/// An audit entry about the grant, with its account, client and session.
fn entry(exchange: &TokenRequestContext<'_>, grant: &Grant, event: Event) -> AuditEntry {
    let entry = exchange.call.entry(Actor::Client, event).about(grant.account);
    entry.by_client(&grant.client).in_session(grant.session)
}

/// RFC 9700 §4.14.2: it is not known whether the replay or the first use was legitimate, so the family ends.
async fn replayed(
    exchange: &TokenRequestContext<'_>,
    grant: &Grant,
    generation: u32,
) -> Result<TokenRequestError, TokenRequestError> {
    let entry = entry(exchange, grant, Event::RefreshReplayed { grant: grant.id, generation });
    // Of several replays at once, one ends the family; the others are counted as refused requests.
    let unit = EndGrant { grant: grant.id, why: GrantEnd::RefreshReplayed, entry };
    exchange.call.store().run(unit).await.1?;
    Ok(TokenRequestError::RefreshReplayed)
}

/// The token has a valid MAC, and the database does not know its generation: the database went back to an earlier state. The lost
/// commits may have revoked the grant. So the grant is revoked now, and no generation can be used.
async fn end_unknown_generation(
    exchange: &TokenRequestContext<'_>,
    grant: &Grant,
    family: &RefreshFamily,
    generation: u32,
) -> Result<TokenRequestError, TokenRequestError> {
    let id = grant.id;
    let event = Event::RefreshUnknownGeneration { grant: id, generation, known: family.generation };
    let unit = EndGrant { grant: id, why: GrantEnd::CommitsLost, entry: entry(exchange, grant, event) };
    if !exchange.call.store().run(unit).await.1? {
        return Ok(TokenRequestError::UnknownGeneration);
    }
    tracing::error!(
        grant = %id,
        "a refresh token of generation {generation} was presented, and the database has handed out {} at most: commits were \
         lost. The tokens of this sign-in have ended. Look whether the database was restored or another server took over, \
         and run `anteroom audit verify`",
        family.generation
    );
    Ok(TokenRequestError::UnknownGeneration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn family(generation: u32) -> RefreshFamily {
        let now = Timestamp::UNIX_EPOCH;
        RefreshFamily {
            grant: GrantId(Uuid::from_u128(7)),
            generation,
            rotated_at: now,
            idle_expires_at: now,
            expires_at: now,
            rotated_from: None,
            repeats: 0,
            last_audited: None,
        }
    }

    #[test]
    fn a_token_names_its_grant_and_generation_and_is_derived_again_the_same() {
        let keyring = Keyring::for_tests(1);
        let first = token(&keyring, &family(3));
        assert_eq!(first, token(&keyring, &family(3)));
        let parsed = RefreshToken::parse(&keyring, &first);
        assert_eq!(parsed, Some(RefreshToken { grant: GrantId(Uuid::from_u128(7)), generation: 3 }));
    }

    #[test]
    fn nothing_but_our_own_tokens_parses() {
        let keyring = Keyring::for_tests(1);
        let good = token(&keyring, &family(3));
        assert_eq!(RefreshToken::parse(&Keyring::for_tests(2), &good), None);
        let mut bytes = URL_SAFE_NO_PAD.decode(&good).unwrap();
        for place in 0..bytes.len() {
            bytes[place] ^= 1;
            assert_eq!(RefreshToken::parse(&keyring, &URL_SAFE_NO_PAD.encode(&bytes)), None, "byte {place}");
            bytes[place] ^= 1;
        }
        for text in ["", "x", "AAAA"] {
            assert_eq!(RefreshToken::parse(&keyring, text), None);
        }
    }
}
