//! Client authentication at the token, introspection, revocation and push endpoints (RFC 6749 §2.3, OpenID Connect Core §9).
//!
//! Only a method that the client is registered with is accepted: another that happens to carry a right secret is refused all
//! the same. A client whose configuration names none may send its secret in the header or in the form.

use anteroom_crypto::{KeyPurpose, sha256};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::discovery::paths;
use anteroom_oidc::jwt::ClientVerificationKeys;
use anteroom_oidc::token::{AssertionError, AssertionRules, ClientAssertion, PresentedCredentials};
use anteroom_oidc::{ClientId, Issuer, TokenEndpointAuthMethod};
use anteroom_storage::RateLimitResult;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

use crate::context::authenticated_client::AuthenticatedClient;
use crate::context::call::Call;
use crate::context::fetched_keys::SignatureContext;
use crate::context::limits::{of_address, of_one, refused};
use crate::context::provider::Snapshot;
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::protocol::client_keys::{KeysError, with_keys_of};

/// Where a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEndpoint {
    Token,
    Revocation,
    Introspection,
    PushedAuthorization,
}

impl ClientEndpoint {
    /// To whom an assertion may be addressed here: the issuer, or the token endpoint (OpenID Connect Core §9, RFC 9126 §2).
    /// Some clients name the endpoint that they push to. A client that addresses its assertion to that endpoint must use it
    /// there: at another endpoint it has been forwarded by another party, and is refused.
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
    #[error("client {client:?} sent an assertion that does not count: {error}")]
    Assertion { client: String, error: AssertionError },
    #[error("client {0:?} sent an assertion for the second time")]
    AssertionReplayed(String),
    #[error("the keys of client {client:?} cannot be had: {reason}")]
    Keys { client: String, reason: String },
    #[error("client {0:?} was changed or taken away while its request waited")]
    Changed(String),
}

const SECRET_CONTEXT: &str = "client_secret";

/// What the configuration keeps of a client's secret.
pub fn secret_digest(
    keyring: &anteroom_crypto::Keyring,
    secret: &SecretString,
) -> anteroom_crypto::KeyedDigest {
    keyring.mac(KeyPurpose::ClientSecret).digest(SECRET_CONTEXT, secret.expose_secret().as_bytes())
}

/// Who the client is, as it is registered when that is known: its keys may have had to be fetched. A failure is written down.
#[tracing::instrument(name = "authenticate_client", skip_all)]
pub async fn authenticate(
    call: &Call,
    (endpoint, presented): (ClientEndpoint, &PresentedCredentials),
) -> Result<Result<AuthenticatedClient, ClientAuthError>, FlowError> {
    call.refresh_for(presented.client_id()).await?;
    let verdict = match check_client_credentials(call, call.snapshot(), (endpoint, presented)).await? {
        Ok(client) if !call.is_unchanged(client.client()).await? => {
            Err(ClientAuthError::Changed(client.client().id().as_str().to_owned()))
        }
        verdict => verdict,
    };
    match &verdict {
        Ok(client) => note_method(call, (client.client(), presented.method())),
        Err(error) => note_failure(call, presented.client_id(), error).await?,
    }
    Ok(verdict)
}

async fn note_failure(call: &Call, client: &ClientId, error: &ClientAuthError) -> Result<(), FlowError> {
    let event = Event::ClientAuthenticationFailed { reason: error.to_string() };
    note_refusal(call, call.entry(Actor::Anonymous, event).by_client(client)).await
}

/// An operator who names the method in the configuration reads here which one it is.
fn note_method(call: &Call, (client, method): (&Client, TokenEndpointAuthMethod)) {
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
    (endpoint, presented): (ClientEndpoint, &PresentedCredentials),
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
    let proven = match presented {
        PresentedCredentials::Assertion(assertion) => {
            let audiences = endpoint.audiences(&snapshot.issuer);
            check_assertion(call, client, (assertion, &audiences)).await?
        }
        _ => check_secret(call, client, presented),
    };
    Ok(proven.map(|()| AuthenticatedClient(Arc::clone(client))))
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
    // Digests compare in constant time; all are looked at, so that their number decides the time.
    let matches = client.secrets.0.iter().filter(|known| **known == digest).count();
    if matches == 0 {
        return Err(ClientAuthError::Secret(client.id().as_str().to_owned()));
    }
    Ok(())
}

/// OpenID Connect Core §9 `client_secret_jwt` and `private_key_jwt`.
async fn check_assertion(
    call: &Call,
    client: &Client,
    (assertion, audiences): (&ClientAssertion, &[String]),
) -> Result<Result<(), ClientAuthError>, FlowError> {
    let registered = client.metadata.token_endpoint_auth_signing_alg;
    let uses_known_from = call.provider().history.accepted_at();
    let rules = AssertionRules { registered, audiences, now: call.now, replays_known_since: uses_known_from };
    let name = || client.id().as_str().to_owned();
    let verify = |proof: ClientVerificationKeys<'_>| assertion.verify(proof, rules);
    let proven = if assertion.algorithm().is_symmetric() {
        verify(ClientVerificationKeys::Secrets(&client.signing_secrets)).map_err(KeysError::Refused)
    } else {
        let presented = SignatureContext { now: call.now, from: call.address().map(AddressPrefix::of) };
        let asked_by = call.address().map(AddressPrefix::network);
        with_keys_of(call, client, (presented, asked_by), verify, AssertionError::needs_key_refresh).await
    };
    let proven = match proven {
        Ok(proven) => proven,
        Err(KeysError::Refused(error)) => {
            return Ok(Err(ClientAuthError::Assertion { client: name(), error }));
        }
        Err(KeysError::Unavailable(reason)) => {
            return Ok(Err(ClientAuthError::Keys { client: name(), reason }));
        }
        // The client is told to come again, as its key may be a new one. It may also be a stranger's, of which there is a trace.
        Err(KeysError::Later(why, Some(error))) => {
            note_failure(call, client.id(), &ClientAuthError::Assertion { client: name(), error }).await?;
            return Err(FlowError::KeysLater { client: client.id().clone(), why });
        }
        Err(KeysError::Later(why, None)) => {
            return Err(FlowError::KeysLater { client: client.id().clone(), why });
        }
    };
    let first = use_once(call, client.id(), proven.jti, proven.expires_at).await?;
    Ok(if first { Ok(()) } else { Err(ClientAuthError::AssertionReplayed(name())) })
}

/// RFC 7523 §3, rule 7: whether it is the first time.
async fn use_once(
    call: &Call,
    client: &ClientId,
    jti: String,
    expires_at: Timestamp,
) -> Result<bool, FlowError> {
    let of_address = of_address(call, Limit::AssertionOfAddress);
    let of_client = of_one(call, Limit::AssertionOfClient, &client.as_str());
    let budgets: Arc<[RateLimitCheck]> = std::iter::once(of_client).chain(of_address).collect();
    let (client, jti): (Arc<ClientId>, Arc<str>) = (Arc::new(client.clone()), jti_key(jti).into());
    let now = call.now;
    let write = call.store().write(move |tx| {
        let (budgets, client, jti) = (Arc::clone(&budgets), Arc::clone(&client), Arc::clone(&jti));
        async move {
            match tx.spend(&budgets, now).await? {
                RateLimitResult::Counted => Ok(Ok(tx.use_assertion(&client, &jti, expires_at).await?)),
                RateLimitResult::Refused { limit, wait } => Ok::<_, FlowError>(Err((limit, wait))),
            }
        }
    });
    write.await?.map_err(|(limit, wait)| refused(call, limit, wait))
}

/// The identifiers that libraries make (a UUID, 256 bits in base64url) are kept as they are, which release 0.1.0 does as well.
/// The client chooses the length of a `jti`, so a long one is stored as a digest.
fn jti_key(jti: String) -> String {
    const LONGEST: usize = 64;
    if jti.len() <= LONGEST {
        return jti;
    }
    URL_SAFE_NO_PAD.encode(sha256("jti of an assertion", jti.as_bytes()).as_bytes())
}
