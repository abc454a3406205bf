//! RFC 6749 §3.1.2, RFC 9700 §4.1.3, RFC 8252 §7.3, OpenID Connect Core §3.1.2.1: the redirect URI is one that the
//! client registered. OpenID Connect requires it always, OAuth where more than one is registered.

use crate::{
    authorization::{Parameter, Parameters, error::RuleViolation},
    client::ClientMetadata,
    protocol_values::RedirectUri,
};

#[derive(Debug)]
pub(in crate::authorization) struct Requested {
    pub(in crate::authorization) uri: RedirectUri,
    pub(in crate::authorization) given: bool,
}

pub(in crate::authorization) fn check(
    parameters: &Parameters,
    client: &ClientMetadata,
) -> Result<Requested, RuleViolation> {
    let refuse = |description| {
        RuleViolation::invalid_request(Parameter::RedirectUri, description).registered(&client.redirect_uris)
    };
    if parameters.is_repeated(Parameter::RedirectUri) {
        return Err(refuse("redirect_uri is given more than once"));
    }
    let Some(text) = parameters.get(Parameter::RedirectUri) else {
        let is_openid = parameters
            .get(Parameter::Scope)
            .is_some_and(|scope| scope.split(' ').any(|word| word == "openid"));
        return match client.redirect_uris.as_slice() {
            [only] if !is_openid => Ok(Requested { uri: only.clone(), given: false }),
            _ => Err(refuse("redirect_uri is missing")),
        };
    };
    let unregistered = || refuse("redirect_uri is not one that the client registered").received(text);
    let uri = client.find_redirect_uri(text).ok_or_else(unregistered)?;
    Ok(Requested { uri, given: true })
}

#[cfg(test)]
mod tests {
    use crate::{
        authorization::{ErrorDestination, testing},
        client::ClientMetadataInput,
    };

    #[test]
    fn rfc9700_4_1_3_unregistered_redirect_uri_is_told_on_a_page() {
        for uri in [
            "https://app.example/cb?x=y",
            "https://app.example/cb/",
            "https://app.example/cb#f",
            "https://app.example:444/cb",
            "javascript:alert(1)",
        ] {
            let error = testing::refused(&testing::request_changed("redirect_uri", uri));
            assert_eq!(error.destination, ErrorDestination::Page);
            assert_eq!(error.received.as_deref(), Some(uri));
            assert_eq!(error.registered.as_deref(), Some(testing::REDIRECT_URI));
        }
        let twice = testing::request_with(&[("redirect_uri", testing::REDIRECT_URI)]);
        assert_eq!(testing::refused(&twice).destination, ErrorDestination::Page);
    }

    #[test]
    fn core_3_1_2_1_redirect_uri_is_required() {
        let error = testing::refused(&testing::request_without("redirect_uri"));
        assert_eq!(error.description, "redirect_uri is missing");
    }

    #[test]
    fn rfc6749_3_1_2_3_plain_oauth_may_leave_out_the_only_one() {
        let mut pairs = testing::request_without("redirect_uri");
        pairs.retain(|(name, _)| *name != "scope");
        pairs.push(("scope", "profile"));
        let request = testing::accepted(&pairs);
        assert_eq!(request.redirect().redirect_uri.as_str(), testing::REDIRECT_URI);
        assert!(!request.redirect().redirect_uri_given);

        let two = ["https://app.example/cb", "https://app.example/other"].map(str::to_owned).to_vec();
        let client = testing::client_from(&ClientMetadataInput { redirect_uris: two, ..testing::input() });
        assert!(testing::checked(&client, &pairs).is_err());
    }

    #[test]
    fn rfc8252_7_3_native_client_gets_its_own_port_back() {
        let input = |kind: &str| ClientMetadataInput {
            application_type: Some(kind.to_owned()),
            redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
            ..testing::input()
        };
        let pairs = testing::request_changed("redirect_uri", "http://127.0.0.1:51004/callback");
        let request = testing::checked(&testing::client_from(&input("native")), &pairs).unwrap();
        assert_eq!(request.redirect().redirect_uri.as_str(), "http://127.0.0.1:51004/callback");
        assert!(testing::checked(&testing::client_from(&input("web")), &pairs).is_err());
    }
}
