//! Authorization requests (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1), as query and as form alike.
//!
//! What is accepted goes to a registered redirect URI and asks for no more than what is registered, and survives being
//! carried in a page. What is refused goes there or on a page, in a location that is one line of ASCII. A request that is
//! led from POST to GET is the same request.

use anteroom_oidc::authorization::{
    AuthorizationRequest, ClaimsRequest, ErrorDestination, Parameter, Parameters, ResponseDelivery,
};
use anteroom_oidc::form::UrlEncodedForm;
use anteroom_oidc::response::AuthorizationResponse;
use anteroom_oidc::{
    Capabilities, ClientMetadata, ClientMetadataInput, GrantType, MetadataRules, ResponseMode, ResponseType,
    ScopeSet, State,
};
use std::sync::LazyLock;

use crate::Verdict;
use crate::keys::{CLIENT, issuer};

pub(crate) static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(|| Capabilities {
    response_types: ResponseType::ALL.to_vec(),
    grant_types: GrantType::ALL.to_vec(),
    ..Capabilities::of_this_release(vec!["en".to_owned(), "es".to_owned()])
});

/// A native client, so that loopback ports come into it, with every response type.
pub(crate) fn client() -> &'static ClientMetadata {
    static CLIENT_METADATA: LazyLock<ClientMetadata> = LazyLock::new(|| {
        let input = ClientMetadataInput {
            application_type: Some("native".to_owned()),
            redirect_uris: ["https://app.example/cb?a=b", "http://127.0.0.1/cb", "com.example.app:/cb"]
                .map(str::to_owned)
                .to_vec(),
            grant_types: Some(
                ["authorization_code", "implicit", "refresh_token"].map(str::to_owned).to_vec(),
            ),
            response_types: Some(ResponseType::ALL.iter().map(ToString::to_string).collect()),
            audience: vec!["https://api.example/".to_owned()],
            ..ClientMetadataInput::default()
        };
        let issuer = issuer();
        let rules = MetadataRules {
            issuer: &issuer,
            capabilities: &CAPABILITIES,
            require_pkce: false,
            scope: &ScopeSet::standard(),
        };
        ClientMetadata::parse(CLIENT.parse().unwrap(), &input, rules).unwrap()
    });
    &CLIENT_METADATA
}

pub(crate) fn request(input: &[u8]) -> Verdict {
    let Ok(form) = UrlEncodedForm::decode(input) else { return Verdict::Refused };
    let parameters = Parameters::from(&form);
    let again = UrlEncodedForm::decode(parameters.to_query().as_bytes());
    // Encoding can only make it longer than a form may be.
    if let Ok(again) = again {
        assert!(Parameters::from(&again) == parameters, "led by GET it is another request");
    }
    Verdict::of(check(&parameters))
}

/// Holds parameters against the rules, and what comes of it against what is promised.
pub(crate) fn check(parameters: &Parameters) -> bool {
    let client = client();
    let known = parameters.client_id();
    let found = anteroom_oidc::authorization::check(parameters, &CAPABILITIES, |id| {
        (*id == client.client_id).then_some(client)
    });
    match found {
        Ok(accepted) => {
            let request = accepted.request;
            assert_eq!(known.as_ref(), Some(&client.client_id));
            let AuthorizationRequest { ask, reply: ResponseDelivery::Redirect(reply) } = &request;
            assert_eq!(
                client.find_redirect_uri(reply.redirect_uri.as_str()),
                Some(reply.redirect_uri.clone())
            );
            assert!(ask.scope.is_subset(&client.scope));
            let kind = reply.response_type;
            assert!(client.response_types.contains(&kind));
            // Multiple Response Types §2.1: no token in a query. Core §3.2.2.1: an ID token from here has a nonce.
            assert!(reply.response_mode != ResponseMode::Query || kind == ResponseType::Code);
            assert!(ask.nonce.is_some() || !kind.has_id_token());
            assert!(ask.resource.iter().all(|resource| client.audience.contains(resource)));
            assert_eq!(reply.state.as_ref().map(State::as_str), parameters.get(Parameter::State));
            let carried = serde_json::to_string(&request).unwrap();
            let back: AuthorizationRequest = serde_json::from_str(&carried).unwrap();
            assert!(back == request, "{carried}");
            let _ = (ask.acr_requirement(), ask.required_subjects(), reply.target());
            true
        }
        Err(error) => {
            assert!(!error.to_string().contains(['\r', '\n']) || error.received.is_some());
            if let ErrorDestination::Redirect(target) = &error.destination {
                let uri = target.redirect_uri.as_str();
                assert!(client.find_redirect_uri(uri).is_some(), "{uri}");
                match error.response(&issuer()).unwrap() {
                    AuthorizationResponse::Redirect(location) => {
                        assert!(location.starts_with(uri) && location.bytes().all(|b| b.is_ascii_graphic()));
                    }
                    AuthorizationResponse::FormPost { action, .. } => assert_eq!(action, uri),
                }
            } else {
                assert!(error.response(&issuer()).is_none());
            }
            false
        }
    }
}

/// OpenID Connect Core §5.5. What is read is written and read again as the same.
pub(crate) fn claims(input: &[u8]) -> Verdict {
    let Ok(claims) = serde_json::from_slice::<ClaimsRequest>(input) else { return Verdict::Refused };
    let written = serde_json::to_vec(&claims).unwrap();
    let again: ClaimsRequest = serde_json::from_slice(&written).unwrap();
    assert!(again == claims, "{claims:?} {again:?}");
    Verdict::Accepted
}
