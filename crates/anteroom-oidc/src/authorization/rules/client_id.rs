//! RFC 6749 §4.1.1 and §4.1.2.1: `client_id` is required and must be known, else the person is told and the browser
//! is not redirected.

use crate::{
    authorization::{Parameter, Parameters, error::RuleViolation},
    client::ClientMetadata,
    errors::AuthorizationErrorCode,
    protocol_values::ClientId,
};

pub(in crate::authorization) fn check<'c>(
    parameters: &Parameters,
    find: impl FnOnce(&ClientId) -> Option<&'c ClientMetadata>,
) -> Result<&'c ClientMetadata, RuleViolation> {
    let refuse = |description| RuleViolation::invalid_request(Parameter::ClientId, description);
    if parameters.is_repeated(Parameter::ClientId) {
        return Err(refuse("client_id is given more than once"));
    }
    let text = parameters.get(Parameter::ClientId).ok_or_else(|| refuse("client_id is missing"))?;
    let unknown = || {
        let description = "the client is not known";
        RuleViolation::new(AuthorizationErrorCode::UnauthorizedClient, Parameter::ClientId, description)
            .received(text)
    };
    let id: ClientId = text.parse().map_err(|_| unknown())?;
    find(&id).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use crate::{
        authorization::{ErrorDestination, Parameter, testing},
        errors::AuthorizationErrorCode::{InvalidRequest, UnauthorizedClient},
    };

    #[test]
    fn rfc6749_4_1_2_1_unknown_client_is_told_on_a_page() {
        for (pairs, code) in [
            (testing::request_without("client_id"), InvalidRequest),
            (testing::request_with(&[("client_id", "app")]), InvalidRequest),
            (testing::request_changed("client_id", "stranger"), UnauthorizedClient),
            (testing::request_changed("client_id", "\u{1}"), UnauthorizedClient),
        ] {
            let error = testing::refused(&pairs);
            assert_eq!(error.code, code);
            assert_eq!(error.parameter, Parameter::ClientId);
            assert_eq!(error.destination, ErrorDestination::Page);
        }
    }
}
