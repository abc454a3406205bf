//! RFC 6749 §3.1.1, OpenID Connect Core §3: `response_type` is required, offered here and registered by the client.

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    errors::AuthorizationErrorCode,
    protocol_values::ResponseType,
};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<ResponseType, RuleViolation> {
    const PARAMETER: Parameter = Parameter::ResponseType;
    let Some(text) = context.parameters.get(PARAMETER) else {
        return Err(RuleViolation::invalid_request(PARAMETER, "response_type is missing"));
    };
    let offered = &context.capabilities.response_types;
    let unsupported = || {
        let description = "the response type is not supported";
        RuleViolation::new(AuthorizationErrorCode::UnsupportedResponseType, PARAMETER, description)
            .received(text)
            .registered(&context.client.response_types)
    };
    let response_type: ResponseType = text.parse().map_err(|_| unsupported())?;
    if !offered.contains(&response_type) {
        return Err(unsupported());
    }
    if !context.client.response_types.contains(&response_type) {
        let description = if response_type.has_id_token() {
            "the client is not registered for this response type: it must be in its response_types, and implicit in its grant_types"
        } else {
            "the client is not registered for this response type: it must be in its response_types"
        };
        return Err(RuleViolation::new(AuthorizationErrorCode::UnauthorizedClient, PARAMETER, description)
            .received(text)
            .registered(&context.client.response_types));
    }
    Ok(response_type)
}

#[cfg(test)]
mod tests {
    use crate::{
        authorization::testing,
        client::ClientMetadataInput,
        errors::AuthorizationErrorCode::{InvalidRequest, UnauthorizedClient, UnsupportedResponseType},
    };

    #[test]
    fn rfc6749_3_1_1_response_type_is_required_and_known() {
        assert_eq!(testing::refused(&testing::request_without("response_type")).code, InvalidRequest);
        for unknown in ["none", "token", "code code", "foo"] {
            let error = testing::refused(&testing::request_changed("response_type", unknown));
            assert_eq!(error.code, UnsupportedResponseType);
        }
    }

    #[test]
    fn registration_2_response_type_must_be_registered() {
        let client = testing::client_from(&ClientMetadataInput { response_types: None, ..testing::input() });
        let pairs = testing::request_changed("response_type", "code id_token");
        let error = testing::checked(&client, &pairs).unwrap_err();
        assert_eq!(error.code, UnauthorizedClient);
        for name in ["response_types", "implicit", "grant_types"] {
            assert!(error.description.contains(name), "{}", error.description);
        }
        assert_eq!(error.registered.as_deref(), Some("code"));
    }
}
