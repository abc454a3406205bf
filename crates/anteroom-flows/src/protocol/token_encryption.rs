//! Encrypts tokens and answers for clients that are registered for that, to a key of the client (OpenID Connect Core §10.2).
//!
//! The key is found before anything is spent or written, because it may have to be fetched, and may be missing. The caller goes
//! on with [`Call::at_present`].

use anteroom_domain::client::Client;
use anteroom_oidc::Encryption;
use anteroom_oidc::jwe::{self, EncryptionKey, Entropy, Payload};
use anteroom_oidc::jwt::ClientVerificationKeys;

use crate::context::call::Call;
use crate::context::client_jwks::SignatureContext;
use crate::error::FlowError;
use crate::protocol::client_keys::{KeysError, with_keys_of};

/// The key of a client, and how to encrypt to it.
pub(crate) struct Recipient {
    key: EncryptionKey,
    encryption: Encryption,
}

/// The client has no key for the algorithm.
struct NoKey;

impl Recipient {
    /// `None` where the client is registered for no encryption.
    pub(crate) async fn find(
        call: &Call,
        client: &Client,
        encryption: Option<Encryption>,
    ) -> Result<Option<Self>, FlowError> {
        let Some(encryption) = encryption else { return Ok(None) };
        let find = |keys: ClientVerificationKeys<'_>| match keys {
            ClientVerificationKeys::Keys(keys) => keys.encryption_key(encryption.alg).cloned().ok_or(NoKey),
            ClientVerificationKeys::Secrets(_) => Err(NoKey),
        };
        let context = SignatureContext { now: call.now, from: None };
        let found = with_keys_of(call, client, context, find, |NoKey| true).await;
        let id = || client.id().clone();
        let key = found.map_err(|error| match error {
            KeysError::Refused(NoKey) => FlowError::ClientHasNoKey {
                client: id(),
                reason: format!("none of its keys is for {}", encryption.alg),
            },
            KeysError::Unavailable(reason) => FlowError::ClientHasNoKey {
                client: id(),
                reason: format!("its keys cannot be had: {reason}"),
            },
            KeysError::Later(why, _) => FlowError::ClientKeysNotFetched { client: id(), why },
        })?;
        if !call.is_unchanged(client).await? {
            return Err(FlowError::ClientChanged);
        }
        Ok(Some(Self { key, encryption }))
    }

    pub(crate) fn encrypt(&self, call: &Call, payload: Payload<'_>) -> Result<String, FlowError> {
        jwe::encrypt(&self.key, self.encryption, payload, &entropy(call))
            .map_err(|_| FlowError::Inconsistent("a token could not be encrypted"))
    }
}

/// New random bytes, for one message.
pub(crate) fn entropy(call: &Call) -> Entropy {
    Entropy::new(call.random().bytes())
}
