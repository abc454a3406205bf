//! RFC 7636 §4.3 and §4.4.1, RFC 9700 §2.1.1: a code challenge with `S256`, required of public clients and of those
//! that are registered so. `plain`, also by leaving the method out, is refused.

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    client::ClientMetadata,
    pkce::CodeChallenge,
    protocol_values::ResponseType,
};

pub(in crate::authorization) fn check(
    context: &Context<'_>,
    response_type: ResponseType,
) -> Result<Option<CodeChallenge>, RuleViolation> {
    let method = context.parameters.get(Parameter::CodeChallengeMethod);
    let Some(text) = context.parameters.get(Parameter::CodeChallenge) else {
        let refuse = |description| RuleViolation::invalid_request(Parameter::CodeChallenge, description);
        if context.client.require_pkce && response_type.has_code() {
            return Err(refuse(required_of(context.client)));
        }
        if method.is_some() {
            return Err(refuse("code_challenge_method is given without code_challenge"));
        }
        return Ok(None);
    };
    if method != Some("S256") {
        let description = "code_challenge_method must be S256";
        return Err(RuleViolation::invalid_request(Parameter::CodeChallengeMethod, description)
            .received(method.unwrap_or_default())
            .registered(["S256"]));
    }
    let description = "code_challenge must have 43 characters of base64url";
    let refuse = |_| RuleViolation::invalid_request(Parameter::CodeChallenge, description).received(text);
    text.parse().map(Some).map_err(refuse)
}

/// What the application's developer does about it, in one line: many libraries leave PKCE out where there is a secret.
fn required_of(client: &ClientMetadata) -> &'static str {
    if client.is_public() {
        "code_challenge is required: switch on PKCE with S256 in the client (RFC 7636)"
    } else {
        "code_challenge is required: switch on PKCE with S256 in the client (RFC 7636), or register it with require_pkce = false"
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        authorization::{Parameter, testing},
        client::ClientMetadataInput,
    };

    #[test]
    fn rfc7636_4_4_1_challenge_is_required_where_registered_so() {
        let mut pairs = testing::request_without("code_challenge");
        pairs.retain(|(name, _)| *name != "code_challenge_method");
        let refused = testing::refused(&pairs);
        assert_eq!(refused.parameter, Parameter::CodeChallenge);
        assert!(refused.description.ends_with("or register it with require_pkce = false"), "{refused}");
        let lenient =
            testing::client_from(&ClientMetadataInput { require_pkce: Some(false), ..testing::input() });
        assert_eq!(testing::checked(&lenient, &pairs).unwrap().redirect().code_challenge, None);
        pairs.push(("code_challenge_method", "S256"));
        assert!(testing::checked(&lenient, &pairs).is_err());
    }

    #[test]
    fn rfc7636_4_4_1_a_public_client_is_not_told_to_do_without() {
        let public =
            ClientMetadataInput { token_endpoint_auth_method: Some("none".to_owned()), ..testing::input() };
        let mut pairs = testing::request_without("code_challenge");
        pairs.retain(|(name, _)| *name != "code_challenge_method");
        let refused = testing::checked(&testing::client_from(&public), &pairs).unwrap_err();
        assert!(refused.description.starts_with("code_challenge is required"), "{refused}");
        assert!(!refused.description.contains("require_pkce"), "{refused}");
    }

    #[test]
    fn rfc7636_4_3_plain_is_refused_also_as_the_default() {
        for pairs in [
            testing::request_changed("code_challenge_method", "plain"),
            testing::request_changed("code_challenge_method", "s256"),
            testing::request_without("code_challenge_method"),
        ] {
            assert_eq!(testing::refused(&pairs).parameter, Parameter::CodeChallengeMethod);
        }
    }

    #[test]
    fn rfc7636_4_2_malformed_challenge_is_refused() {
        let error = testing::refused(&testing::request_changed("code_challenge", "short"));
        assert_eq!(error.parameter, Parameter::CodeChallenge);
        let kept = testing::accepted(&testing::request_with(&[])).redirect().code_challenge.unwrap();
        assert_eq!(kept.to_string(), testing::CHALLENGE);
    }

    #[test]
    fn rfc7636_4_no_challenge_is_needed_without_a_code() {
        let mut pairs = testing::request_changed("response_type", "id_token");
        pairs.retain(|(name, _)| !name.starts_with("code_challenge"));
        pairs.push(("nonce", "n"));
        assert_eq!(testing::accepted(&pairs).redirect().code_challenge, None);
    }
}
