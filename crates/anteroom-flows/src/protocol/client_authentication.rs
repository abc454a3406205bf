//! Client authentication at the token, introspection, revocation and push endpoints (RFC 6749 §2.3, OpenID Connect Core §9).
//!
//! Only the method that the client is registered with is accepted: a right secret that is sent by another method is refused. A
//! client whose configuration names no method may send its secret in the header or in the form.

use anteroom_crypto::{KeyPurpose, sha256};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::rate::{AddressPrefix, Wait};
use anteroom_oidc::discovery::paths;
use anteroom_oidc::jwt::ClientVerificationKeys;
use anteroom_oidc::token::{AssertionError, AssertionRules, ClientAssertion, PresentedCredentials};
use anteroom_oidc::{ClientId, Issuer, TokenEndpointAuthMethod};
use anteroom_storage::{RateLimitResult, Tx, Unit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

use crate::context::authenticated_client::AuthenticatedClient;
use crate::context::call::Call;
use crate::context::client_jwks::SignatureContext;
use crate::context::limits::{of_address, of_one, refused};
use crate::context::provider::Snapshot;
use crate::context::refusals::record_refusal;
use crate::error::FlowError;
use crate::protocol::client_keys::{KeysError, with_keys_of};

/// The endpoint at which a client authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEndpoint {
    Token,
    Revocation,
    Introspection,
    PushedAuthorization,
}

impl ClientEndpoint {
    /// The audiences that an assertion may have here: the issuer, or the token endpoint (OpenID Connect Core §9, RFC 9126 §2).
    /// Some clients name the pushed authorization request endpoint. Such an assertion is accepted at that endpoint alone: at
    /// another one, another party may have forwarded it.
    fn audiences(self, issuer: &Issuer) -> Vec<String> {
        let own = match self {
            Self::PushedAuthorization => Some(paths::PUSHED_AUTHORIZATION),
            Self::Token | Self::Revocation | Self::Introspection => None,
        };
        let endpoints = [Some(paths::TOKEN), own].into_iter().flatten();
        let endpoints = endpoints.map(|path| issuer.endpoint(path).to_string());
        std::iter::once(issuer.as_str().to_owned()).chain(endpoints).collect()
    }
}

/// Why client authentication failed. The client gets `invalid_client` for each of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthError {
    #[error("no client credentials were sent")]
    Missing,
    #[error("client {0:?} is not registered")]
    Unknown(String),
    #[error("client {client:?} is registered for {offered} and used {received}")]
    Method { client: String, offered: String, received: &'static str },
    #[error("client {0:?} sent a wrong secret")]
    Secret(String),
    #[error("client {client:?} sent an assertion that was not accepted: {error}")]
    Assertion { client: String, error: AssertionError },
    #[error("client {0:?} sent an assertion for the second time")]
    AssertionReplayed(String),
    #[error("the keys of client {client:?} could not be obtained: {reason}")]
    Keys { client: String, reason: String },
    #[error("client {0:?} was changed or taken away while its request waited")]
    Changed(String),
}

const SECRET_CONTEXT: &str = "client_secret";

/// The digest of a client's secret that is kept in its place.
pub fn secret_digest(
    keyring: &anteroom_crypto::Keyring,
    secret: &SecretString,
) -> anteroom_crypto::KeyedDigest {
    keyring.mac(KeyPurpose::ClientSecret).digest(SECRET_CONTEXT, secret.expose_secret().as_bytes())
}

/// Authenticates the client, and checks after a fetch of its keys that its registration is still the same. A failure gets an
/// audit entry.
#[tracing::instrument(name = "authenticate_client", skip_all)]
pub async fn authenticate(
    call: &Call,
    endpoint: ClientEndpoint,
    presented: &PresentedCredentials,
) -> Result<Result<AuthenticatedClient, ClientAuthError>, FlowError> {
    call.refresh_for(presented.client_id()).await?;
    let result = match check_client_credentials(call, call.snapshot(), endpoint, presented).await? {
        Ok(client) if !call.is_unchanged(client.client()).await? => {
            Err(ClientAuthError::Changed(client.client().id().as_str().to_owned()))
        }
        result => result,
    };
    match &result {
        Ok(client) => log_method(call, client.client(), presented.method()),
        Err(error) => note_failure(call, presented.client_id(), error).await?,
    }
    Ok(result)
}

async fn note_failure(call: &Call, client: &ClientId, error: &ClientAuthError) -> Result<(), FlowError> {
    let event = Event::ClientAuthenticationFailed { reason: error.to_string() };
    record_refusal(call, call.entry(Actor::Anonymous, event).by_client(client)).await
}

/// Logs the method of a client that may use several, so that an operator can name it in the configuration.
fn log_method(call: &Call, client: &Client, method: TokenEndpointAuthMethod) {
    if call.provider().seen_methods.is_new(client, method) {
        tracing::info!(
            reference = call.reference().map(tracing::field::display),
            client = client.id().as_str(),
            "the client sends its secret by {}, and no `token_endpoint_auth_method` is configured for it",
            method.as_str()
        );
    }
}

async fn check_client_credentials(
    call: &Call,
    snapshot: &Snapshot,
    endpoint: ClientEndpoint,
    presented: &PresentedCredentials,
) -> Result<Result<AuthenticatedClient, ClientAuthError>, FlowError> {
    let id = presented.client_id();
    let Some(client) = snapshot.clients.get(id) else {
        return Ok(Err(ClientAuthError::Unknown(id.as_str().to_owned())));
    };
    let accepted = client.accepted_methods();
    if !accepted.contains(&presented.method()) {
        let names: Vec<&str> = accepted.iter().map(|method| method.as_str()).collect();
        return Ok(Err(ClientAuthError::Method {
            client: id.as_str().to_owned(),
            offered: names.join(" or "),
            received: match presented {
                PresentedCredentials::Public { .. } => "none (no secret, or an empty one)",
                _ => presented.method().as_str(),
            },
        }));
    }
    let client = Arc::clone(client);
    let authenticated = match presented {
        PresentedCredentials::Assertion(assertion) => {
            let audiences = endpoint.audiences(&snapshot.issuer);
            check_assertion(call, client, assertion, &audiences).await?
        }
        _ => check_secret(call, &client, presented).map(|()| client),
    };
    Ok(authenticated.map(AuthenticatedClient))
}

fn check_secret(
    call: &Call,
    client: &Client,
    presented: &PresentedCredentials,
) -> Result<(), ClientAuthError> {
    if client.metadata.token_endpoint_auth_method == TokenEndpointAuthMethod::None {
        return Ok(());
    }
    let secret = presented.secret().ok_or(ClientAuthError::Missing)?;
    let digest = secret_digest(call.keyring(), secret);
    // Digests are compared in constant time, and each of them is, so that the time shows only their number.
    let matches = client.secrets.0.iter().filter(|known| **known == digest).count();
    if matches == 0 {
        return Err(ClientAuthError::Secret(client.id().as_str().to_owned()));
    }
    Ok(())
}

/// OpenID Connect Core §9 `client_secret_jwt` and `private_key_jwt`.
async fn check_assertion(
    call: &Call,
    client: Arc<Client>,
    assertion: &ClientAssertion,
    audiences: &[String],
) -> Result<Result<Arc<Client>, ClientAuthError>, FlowError> {
    let rules = AssertionRules {
        registered: client.metadata.token_endpoint_auth_signing_alg,
        audiences,
        now: call.now,
        replays_known_since: call.provider().history.accepted_at(),
    };
    let verify = |keys: ClientVerificationKeys<'_>| assertion.verify(keys, rules);
    let verified = if assertion.algorithm().is_symmetric() {
        verify(ClientVerificationKeys::Secrets(&client.signing_secrets)).map_err(KeysError::Refused)
    } else {
        let signature = SignatureContext { now: call.now, from: call.address().map(AddressPrefix::of) };
        with_keys_of(call, &client, signature, verify, AssertionError::needs_key_refresh).await
    };
    match verified {
        Ok(verified) => use_once(call, client, verified.jti, verified.expires_at).await,
        Err(error) => Ok(Err(assertion_refused(call, client.id(), error).await?)),
    }
}

async fn assertion_refused(
    call: &Call,
    client: &ClientId,
    error: KeysError<AssertionError>,
) -> Result<ClientAuthError, FlowError> {
    let name = client.as_str().to_owned();
    match error {
        KeysError::Refused(error) => Ok(ClientAuthError::Assertion { client: name, error }),
        KeysError::Unavailable(reason) => Ok(ClientAuthError::Keys { client: name, reason }),
        // The key may be a new one of the client, which shall repeat the request. It may also be a forgery, so there is an entry.
        KeysError::Later(why, refused) => {
            if let Some(error) = refused {
                note_failure(call, client, &ClientAuthError::Assertion { client: name, error }).await?;
            }
            Err(FlowError::ClientKeysNotFetched { client: client.clone(), why })
        }
    }
}

/// RFC 7523 §3, rule 7: an assertion is accepted once.
async fn use_once(
    call: &Call,
    client: Arc<Client>,
    jti: String,
    expires_at: Timestamp,
) -> Result<Result<Arc<Client>, ClientAuthError>, FlowError> {
    let mut checks = of_address(call, Limit::AssertionOfAddress);
    checks.push(of_one(call, Limit::AssertionOfClient, &client.id().as_str()));
    let unit = UseAssertion { checks, client, jti: jti_key(jti), expires_at, now: call.now };
    let (UseAssertion { client, .. }, used) = call.store().run(unit).await;
    match used? {
        AssertionUse::First => Ok(Ok(client)),
        AssertionUse::Replayed => {
            Ok(Err(ClientAuthError::AssertionReplayed(client.id().as_str().to_owned())))
        }
        AssertionUse::Limited(limit, wait) => Err(refused(call, limit, wait)),
    }
}

struct UseAssertion {
    checks: Vec<RateLimitCheck>,
    client: Arc<Client>,
    jti: String,
    expires_at: Timestamp,
    now: Timestamp,
}

enum AssertionUse {
    First,
    Replayed,
    Limited(Limit, Wait),
}

impl Unit for UseAssertion {
    type Output = AssertionUse;
    type Error = FlowError;

    const NAME: &'static str = "use_assertion";

    async fn run(&self, tx: &Tx) -> Result<AssertionUse, FlowError> {
        if let RateLimitResult::Refused { limit, wait } = tx.spend(&self.checks, self.now).await? {
            return Ok(AssertionUse::Limited(limit, wait));
        }
        let is_first = tx.use_assertion(self.client.id(), &self.jti, self.expires_at).await?;
        Ok(if is_first { AssertionUse::First } else { AssertionUse::Replayed })
    }
}

/// Identifiers that libraries make (a UUID, 256 bits in base64url) are stored as they are, as in release 0.1.0. The client
/// chooses the length of a `jti`, so a longer one is stored as a digest.
fn jti_key(jti: String) -> String {
    const LONGEST: usize = 64;
    if jti.len() <= LONGEST {
        return jti;
    }
    URL_SAFE_NO_PAD.encode(sha256("jti of an assertion", jti.as_bytes()).as_bytes())
}
