//! Seals and opens authorization codes. A code is self-contained, so that single sign-on writes nothing before its redemption.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::authorization_code::AuthorizationCode;
use anteroom_domain::client::Client;
use anteroom_oidc::{ClientId, Issuer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::context::call::Call;
use crate::error::FlowError;

/// Purpose, issuer and client are part of the seal: another client's code does not open.
fn associated_data(issuer: &Issuer, client: &ClientId) -> Vec<u8> {
    format!("authorization_code\n{}\n{}", issuer.as_str(), client.as_str()).into_bytes()
}

pub(crate) fn seal(call: &Call, issuer: &Issuer, code: &AuthorizationCode<'_>) -> Result<String, FlowError> {
    let plain = serde_json::to_vec(code).map_err(|_| FlowError::Inconsistent("authorization code"))?;
    let sealer = call.keyring().sealer(KeyPurpose::CodeSeal);
    let sealed = sealer.seal(call.random(), &associated_data(issuer, &code.client), &plain);
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens a code presented by `client`. `None`: this provider made no such code for this client.
pub(crate) fn open(call: &Call, client: &Client, code: &str) -> Option<AuthorizationCode<'static>> {
    let sealed = URL_SAFE_NO_PAD.decode(code).ok()?;
    let aad = associated_data(&call.snapshot().issuer, client.id());
    let plain = call.keyring().sealer(KeyPurpose::CodeSeal).open(&aad, &sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}
