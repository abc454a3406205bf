//! OpenID Connect Core §3.2.2.1 and §3.3.2.11: `nonce` is required where the authorization endpoint returns an ID
//! token, since it is then all that ties the token to the request.

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    protocol_values::{Nonce, ResponseType},
};

pub(in crate::authorization) fn check(
    context: &Context<'_>,
    response_type: ResponseType,
) -> Result<Option<Nonce>, RuleViolation> {
    let refuse = |description| RuleViolation::invalid_request(Parameter::Nonce, description);
    match context.parameters.get(Parameter::Nonce) {
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| refuse("nonce is too long or has control characters").received(text)),
        None if response_type.has_id_token() => Err(refuse("nonce is required for this response type")),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        authorization::{Parameter, testing},
        protocol_values::ResponseType,
    };

    #[test]
    fn core_3_2_2_1_nonce_is_required_with_an_id_token_from_the_authorization_endpoint() {
        for kind in ResponseType::ALL {
            let pairs = testing::request_changed("response_type", kind.as_str());
            let result = testing::checked(&testing::client(), &pairs);
            assert_eq!(result.is_err(), kind.has_id_token(), "{kind}");
            if let Err(error) = result {
                assert_eq!(error.parameter, Parameter::Nonce);
            }
        }
    }

    #[test]
    fn core_3_1_2_1_nonce_is_kept() {
        let request = testing::accepted(&testing::request_with(&[("nonce", "n-0S6_WzA2Mj")]));
        assert_eq!(request.ask.nonce.unwrap().as_str(), "n-0S6_WzA2Mj");
    }
}
