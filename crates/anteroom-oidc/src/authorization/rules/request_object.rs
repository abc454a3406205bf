//! OpenID Connect Core §6, RFC 9101: request objects. Not accepted so far, and said so with the codes of
//! Core §3.1.2.6 rather than ignored, since a client that sends one relies on its protection.

use crate::{
    authorization::{Parameter, error::Refusal, order::Context},
    errors::AuthorizationErrorCode,
};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<(), Refusal> {
    if context.parameters.get(Parameter::Request).is_some() {
        let description = "request objects are not accepted";
        return Err(Refusal::new(
            AuthorizationErrorCode::RequestNotSupported,
            Parameter::Request,
            description,
        ));
    }
    if let Some(uri) = context.parameters.get(Parameter::RequestUri) {
        let description = "request objects by reference are not accepted";
        let code = AuthorizationErrorCode::RequestUriNotSupported;
        return Err(Refusal::new(code, Parameter::RequestUri, description).received(uri));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{authorization::testing, errors::AuthorizationErrorCode};

    #[test]
    fn core_3_1_2_6_request_objects_are_not_supported() {
        let error = testing::refused(&testing::request_with(&[("request", "e30.e30.")]));
        assert_eq!(error.code, AuthorizationErrorCode::RequestNotSupported);
        let error = testing::refused(&testing::request_with(&[("request_uri", "https://app.example/r")]));
        assert_eq!(error.code, AuthorizationErrorCode::RequestUriNotSupported);
    }
}
