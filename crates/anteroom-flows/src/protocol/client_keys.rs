//! Verifies what a client signed, with the keys in its registration or at its `jwks_uri`.

use anteroom_domain::client::Client;
use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::ClientMetadata;
use anteroom_oidc::jwt::ClientVerificationKeys;

use crate::context::call::Call;
use crate::context::fetched_keys::{self, FetchError, JwksUri, SignatureContext};
use crate::context::outgoing::{Outgoing, OutgoingError};
use crate::error::KeysLater;

#[derive(Debug)]
pub(crate) enum KeysError<E> {
    /// What the check said.
    Refused(E),
    /// There are no keys, and why.
    Unavailable(String),
    /// They are not looked at now. Nothing is wrong with the client, as far as anything is known of it. Where there are keys of a
    /// while ago, what the check said of those.
    Later(KeysLater, Option<E>),
}

/// Whether the keys of a client can be had where it publishes them, for an operator who asks.
pub async fn check_published(outgoing: &Outgoing, metadata: &ClientMetadata) -> Result<(), FetchError> {
    let Some(url) = &metadata.jwks_uri else { return Ok(()) };
    fetched_keys::fetch(outgoing, url, &[]).await.map(drop)
}

/// What `check` makes of the client's keys. If the check finds no matching key, the JWKS is fetched again and the check runs
/// once more. `asked_by`: the network of the request that needs the keys, for the fetch limits.
pub(crate) async fn with_keys_of<T, E>(
    call: &Call,
    client: &Client,
    (presented, asked_by): (SignatureContext, Option<AddressPrefix>),
    check: impl Fn(ClientVerificationKeys<'_>) -> Result<T, E>,
    misses_a_key: fn(&E) -> bool,
) -> Result<T, KeysError<E>> {
    if let Some(keys) = &client.metadata.jwks {
        return check(ClientVerificationKeys::Keys(keys)).map_err(KeysError::Refused);
    }
    let Some(url) = &client.metadata.jwks_uri else {
        return Err(KeysError::Unavailable("none is registered".to_owned()));
    };
    let (fetched, outgoing) = (&call.provider().fetched_keys, &call.outgoing_for(client.id()));
    let at = JwksUri { client: client.id(), url, outgoing, asked_by };
    let keys = fetched.get(at, presented.now).await;
    let later = |error: &FetchError| match error {
        FetchError::Outgoing(OutgoingError::Busy) => Some(KeysLater::Busy),
        FetchError::TooSoon { wait } => {
            fetched.has_signed_from(at, presented.from).then_some(KeysLater::TooSoon(*wait))
        }
        _ => None,
    };
    let keys = keys.map_err(|error| match later(&error) {
        Some(later) => KeysError::Later(later, None),
        None => KeysError::Unavailable(format!("{url}: {error}")),
    })?;
    let verdict = match check(ClientVerificationKeys::Keys(&keys)) {
        Err(error) if misses_a_key(&error) => match fetched.newer(at, &keys, presented).await {
            Ok(newer) => check(ClientVerificationKeys::Keys(&newer)),
            Err(unknown) => match later(&unknown) {
                Some(later) => return Err(KeysError::Later(later, Some(error))),
                None => Err(error),
            },
        },
        verdict => verdict,
    };
    if verdict.is_ok() {
        fetched.note_signature(at, presented.from);
    }
    verdict.map_err(KeysError::Refused)
}
