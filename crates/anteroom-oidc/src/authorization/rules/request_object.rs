//! OpenID Connect Core §6, RFC 9101: what a request object says is among the parameters by now, and the object gone. One
//! that is still there was not read, and is refused rather than ignored: a client that sends one relies on its protection.

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    errors::AuthorizationErrorCode,
};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<(), RuleViolation> {
    let both = [Parameter::Request, Parameter::RequestUri];
    if both.iter().all(|name| context.parameters.get(*name).is_some()) {
        let description = "request and request_uri exclude each other";
        return Err(RuleViolation::invalid_request(Parameter::RequestUri, description));
    }
    if context.parameters.get(Parameter::Request).is_some() {
        let description = "the request object was not read";
        return Err(RuleViolation::new(
            AuthorizationErrorCode::RequestNotSupported,
            Parameter::Request,
            description,
        ));
    }
    if let Some(uri) = context.parameters.get(Parameter::RequestUri) {
        let description = "the request_uri was not followed";
        let code = AuthorizationErrorCode::RequestUriNotSupported;
        return Err(RuleViolation::new(code, Parameter::RequestUri, description).received(uri));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{authorization::testing, errors::AuthorizationErrorCode};

    #[test]
    fn core_6_1_what_was_not_read_is_not_ignored() {
        let error = testing::refused(&testing::request_with(&[("request", "e30.e30.")]));
        assert_eq!(error.code, AuthorizationErrorCode::RequestNotSupported);
        let error = testing::refused(&testing::request_with(&[("request_uri", "https://app.example/r")]));
        assert_eq!(error.code, AuthorizationErrorCode::RequestUriNotSupported);
        let both = [("request", "e30.e30."), ("request_uri", "https://app.example/r")];
        assert_eq!(
            testing::refused(&testing::request_with(&both)).code,
            AuthorizationErrorCode::InvalidRequest
        );
    }
}
