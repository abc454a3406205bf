//! Finds the keys of a client, in its registration or at its `jwks_uri`, for verifying what it signed and for encryption to it.

use anteroom_domain::client::Client;
use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::ClientMetadata;
use anteroom_oidc::jwt::ClientVerificationKeys;

use crate::context::call::Call;
use crate::context::client_jwks::{self, FetchError, JwksUri, SignatureContext};
use crate::context::outgoing::{Outgoing, OutgoingError};
use crate::error::KeysLater;

#[derive(Debug)]
pub(crate) enum KeysError<E> {
    /// The check's own error.
    Refused(E),
    /// There are no keys, for this reason.
    Unavailable(String),
    /// The keys cannot be fetched now, which is no fault of the client. Where older keys are there, with the error of the check
    /// under those.
    Later(KeysLater, Option<E>),
}

/// Fetches the keys at a client's `jwks_uri`, to show an operator whether that is possible.
pub async fn check_published(outgoing: &Outgoing, metadata: &ClientMetadata) -> Result<(), FetchError> {
    let Some(url) = &metadata.jwks_uri else { return Ok(()) };
    client_jwks::fetch(outgoing, url, Vec::new()).await.map(drop)
}

/// Runs `check` with the client's keys. Where the check finds no matching key, the JWKS is fetched again and the check runs once
/// more. A fetch is counted for the network of the call.
pub(crate) async fn with_keys_of<T, E>(
    call: &Call,
    client: &Client,
    signature: SignatureContext,
    check: impl Fn(ClientVerificationKeys<'_>) -> Result<T, E>,
    misses_a_key: fn(&E) -> bool,
) -> Result<T, KeysError<E>> {
    if let Some(keys) = &client.metadata.jwks {
        return check(ClientVerificationKeys::Keys(keys)).map_err(KeysError::Refused);
    }
    let Some(url) = &client.metadata.jwks_uri else {
        return Err(KeysError::Unavailable("none is registered".to_owned()));
    };
    let (fetched, outgoing) = (&call.provider().client_jwks, call.outgoing_for(client.id()));
    let asked_by = call.address().map(AddressPrefix::network);
    let at = JwksUri { client: client.id(), url, outgoing, asked_by };
    let keys = fetched.get(at, signature.now).await;
    let later = |error: &FetchError| match error {
        FetchError::Outgoing(OutgoingError::Busy) => Some(KeysLater::Busy),
        FetchError::TooSoon { wait } => {
            fetched.has_signed_from(at, signature.from).then_some(KeysLater::TooSoon(*wait))
        }
        _ => None,
    };
    let keys = keys.map_err(|error| match later(&error) {
        Some(later) => KeysError::Later(later, None),
        None => KeysError::Unavailable(format!("{url}: {error}")),
    })?;
    let result = match check(ClientVerificationKeys::Keys(&keys)) {
        Err(error) if misses_a_key(&error) => match fetched.newer(at, &keys, signature).await {
            Ok(newer) => check(ClientVerificationKeys::Keys(&newer)),
            Err(unknown) => match later(&unknown) {
                Some(later) => return Err(KeysError::Later(later, Some(error))),
                None => Err(error),
            },
        },
        result => result,
    };
    if result.is_ok() {
        fetched.note_signature(at, signature.from);
    }
    result.map_err(KeysError::Refused)
}
