//! RFC 8707 §2 `resource`: the APIs that the access token is for, each one of the client's registered audience.

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    errors::AuthorizationErrorCode,
};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<Vec<String>, RuleViolation> {
    let asked = context.parameters.all(Parameter::Resource).iter().map(String::as_str);
    context.client.permitted_resources(asked).map_err(|error| {
        let code = AuthorizationErrorCode::InvalidTarget;
        RuleViolation::new(code, Parameter::Resource, error.description)
            .received(&error.received)
            .registered(&context.client.audience)
    })
}

#[cfg(test)]
mod tests {
    use crate::{authorization::testing, errors::AuthorizationErrorCode};

    #[test]
    fn rfc8707_2_resource_is_absolute_without_fragment_and_registered() {
        for bad in ["api", "/api", "https://api.example/#x", "https://other.example/", "https://api.example"]
        {
            let error = testing::refused(&testing::request_with(&[("resource", bad)]));
            assert_eq!(error.code, AuthorizationErrorCode::InvalidTarget);
            assert_eq!(error.registered.as_deref(), Some("https://api.example/"));
        }
        let request = testing::accepted(&testing::request_with(&[("resource", "https://api.example/")]));
        assert_eq!(request.ask.resource, ["https://api.example/"]);
    }
}
