//! A client and a request that keep every rule, for tests that break one.

use super::{
    AuthorizationError, AuthorizationRequest, Parameters, RedirectDelivery, ResponseDelivery, check,
};
use crate::{
    capabilities::Capabilities,
    client::{ClientMetadata, ClientMetadataInput, MetadataRules},
    protocol_values::{Issuer, ResponseType, ScopeSet},
};

pub(crate) const REDIRECT_URI: &str = "https://app.example/cb";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const REQUEST: [(&str, &str); 6] = [
    ("client_id", "app"),
    ("redirect_uri", REDIRECT_URI),
    ("response_type", "code"),
    ("scope", "openid"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

pub(crate) type Pairs<'a> = Vec<(&'a str, &'a str)>;

pub(crate) fn request_with<'a>(extra: &[(&'a str, &'a str)]) -> Pairs<'a> {
    REQUEST.iter().chain(extra).copied().collect()
}

pub(crate) fn request_without(name: &str) -> Pairs<'static> {
    REQUEST.iter().filter(|(n, _)| *n != name).copied().collect()
}

pub(crate) fn request_changed<'a>(name: &'a str, value: &'a str) -> Pairs<'a> {
    let mut pairs: Pairs<'a> = request_without(name);
    pairs.push((name, value));
    pairs
}

/// Everything that the types know, so that rules for response types to come are tested today.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        response_types: ResponseType::ALL.to_vec(),
        grant_types: crate::protocol_values::GrantType::ALL.to_vec(),
        ..Capabilities::of_this_release(vec!["en".to_owned()])
    }
}

pub(crate) fn client_from(input: &ClientMetadataInput) -> ClientMetadata {
    let issuer = Issuer::parse("https://id.example").unwrap();
    let capabilities = capabilities();
    let rules = MetadataRules {
        issuer: &issuer,
        capabilities: &capabilities,
        require_pkce: true,
        scope: &ScopeSet::standard(),
    };
    ClientMetadata::parse("app".parse().unwrap(), input, rules).unwrap()
}

pub(crate) fn input() -> ClientMetadataInput {
    ClientMetadataInput {
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        grant_types: Some(["authorization_code", "implicit", "refresh_token"].map(str::to_owned).to_vec()),
        response_types: Some(ResponseType::ALL.iter().map(ToString::to_string).collect()),
        audience: vec!["https://api.example/".to_owned()],
        ..ClientMetadataInput::default()
    }
}

pub(crate) fn client() -> ClientMetadata {
    client_from(&input())
}

pub(crate) fn checked(
    client: &ClientMetadata,
    pairs: &[(&str, &str)],
) -> Result<AuthorizationRequest, AuthorizationError> {
    let parameters = Parameters::from_pairs(pairs.iter().copied());
    let find = |id: &crate::protocol_values::ClientId| (*id == client.client_id).then_some(client);
    check(&parameters, &capabilities(), find).map(|accepted| accepted.request)
}

pub(crate) fn accepted(pairs: &[(&str, &str)]) -> AuthorizationRequest {
    checked(&client(), pairs).unwrap()
}

impl AuthorizationRequest {
    pub(crate) fn redirect(&self) -> &RedirectDelivery {
        let ResponseDelivery::Redirect(reply) = &self.reply;
        reply
    }
}

pub(crate) fn refused(pairs: &[(&str, &str)]) -> AuthorizationError {
    checked(&client(), pairs).unwrap_err()
}
