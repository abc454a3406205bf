//! Opaque access tokens: the same claims, sealed, so that nobody but us can read them and no row is needed to know them.

use anteroom_crypto::KeyPurpose;
use anteroom_oidc::jwt::AccessTokenClaims;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::FlowError;
use crate::provider::Provider;

fn associated_data(provider: &Provider) -> Vec<u8> {
    format!("access_token\n{}", provider.snapshot().issuer).into_bytes()
}

pub(super) fn seal(provider: &Provider, claims: &AccessTokenClaims) -> Result<String, FlowError> {
    let plain = serde_json::to_vec(claims).map_err(|_| FlowError::Broken("access token"))?;
    let sealer = provider.keyring.sealer(KeyPurpose::CodeSeal);
    Ok(URL_SAFE_NO_PAD.encode(sealer.seal(&provider.random, &associated_data(provider), &plain)))
}

/// `None` where it is not one of ours; its times are for the caller to look at.
pub(crate) fn open(provider: &Provider, token: &str) -> Option<AccessTokenClaims> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    let plain =
        provider.keyring.sealer(KeyPurpose::CodeSeal).open(&associated_data(provider), &sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}
