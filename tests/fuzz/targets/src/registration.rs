//! Registration documents (RFC 7591 §2, OpenID Connect Registration §2).
//!
//! A client that is registered has only redirect URIs that may be, and can send what it reads of itself back as an update
//! that changes nothing (RFC 7592 §2.2). A refusal is in the characters of RFC 6749 §5.2.

use anteroom_oidc::protocol_values::RedirectUriKind;
use anteroom_oidc::{
    ApplicationType, ClientMetadata, GrantType, MetadataRules, RegistrationRefusal, RegistrationRequest,
    ScopeSet,
};

use crate::Verdict;
use crate::authorization::CAPABILITIES;
use crate::keys::{CLIENT, issuer};

pub(crate) fn registration(input: &[u8]) -> Verdict {
    match register(input) {
        Ok(client) => {
            check(&client);
            let again = register(&serde_json::to_vec(&client).unwrap());
            assert_eq!(again.as_ref(), Ok(&client), "what it reads of itself it cannot send back");
            Verdict::Accepted
        }
        Err(refusal) => {
            let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
            assert!(refusal.description.chars().all(allowed), "{refusal}");
            Verdict::Refused
        }
    }
}

fn register(body: &[u8]) -> Result<ClientMetadata, RegistrationRefusal> {
    let request = RegistrationRequest::from_json(body)?;
    let (issuer, scope) = (issuer(), ScopeSet::standard());
    let rules =
        MetadataRules { issuer: &issuer, capabilities: &CAPABILITIES, require_pkce: false, scope: &scope };
    Ok(ClientMetadata::parse(CLIENT.parse().unwrap(), &request.metadata, rules)?)
}

fn check(client: &ClientMetadata) {
    for uri in client.redirect_uris.iter().chain(&client.post_logout_redirect_uris) {
        crate::names::check_redirect_uri(uri);
        let is_private = uri.kind() == RedirectUriKind::PrivateUse;
        assert!(!is_private || client.application_type == ApplicationType::Native, "{uri}");
    }
    let redirects =
        client.allows_grant(GrantType::AuthorizationCode) || client.allows_grant(GrantType::Implicit);
    assert!(!redirects || !client.redirect_uris.is_empty());
    assert!(!client.is_public() || client.require_pkce);
    assert!(!client.is_public() || !client.allows_grant(GrantType::ClientCredentials));
    assert!(client.jwks.is_none() || client.jwks_uri.is_none());
    let uris =
        [&client.jwks_uri, &client.initiate_login_uri, &client.backchannel_logout_uri, &client.logo_uri];
    for uri in uris.into_iter().flatten() {
        assert!(uri.scheme() == "https" && uri.fragment().is_none(), "{uri}");
    }
}
