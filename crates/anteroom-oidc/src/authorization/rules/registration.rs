//! OpenID Connect Core §7.2.1 `registration`: for self-issued providers only (Core §3.1.2.6).

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    errors::AuthorizationErrorCode,
};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<(), RuleViolation> {
    match context.parameters.get(Parameter::Registration) {
        None => Ok(()),
        Some(_) => Err(RuleViolation::new(
            AuthorizationErrorCode::RegistrationNotSupported,
            Parameter::Registration,
            "registration within a request is not supported",
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::{authorization::testing, errors::AuthorizationErrorCode};

    #[test]
    fn core_3_1_2_6_registration_is_not_supported() {
        let error = testing::refused(&testing::request_with(&[("registration", "{}")]));
        assert_eq!(error.code, AuthorizationErrorCode::RegistrationNotSupported);
    }
}
