//! OpenID Connect Core §3.1.2.1 `max_age`: seconds since the person last signed in; Registration §2
//! `default_max_age` where the request has none.

use crate::authorization::{Parameter, context::Context, error::RuleViolation};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<Option<u32>, RuleViolation> {
    let Some(text) = context.parameters.get(Parameter::MaxAge) else {
        return Ok(context.client.default_max_age);
    };
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        let description = "max_age is not a number of seconds";
        return Err(RuleViolation::invalid_request(Parameter::MaxAge, description).received(text));
    }
    // More than the type holds is more than anyone's session lasts.
    Ok(Some(text.parse().unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use crate::{authorization::testing, client::ClientMetadataInput};

    #[test]
    fn core_3_1_2_1_max_age_is_a_number_of_seconds() {
        for (text, seconds) in [("0", 0), ("10000", 10_000), ("99999999999999999999999", u32::MAX)] {
            let request = testing::accepted(&testing::request_with(&[("max_age", text)]));
            assert_eq!(request.ask.max_age, Some(seconds));
        }
        for bad in ["-1", "+1", "1.5", "soon", " 1", "١"] {
            testing::refused(&testing::request_with(&[("max_age", bad)]));
        }
    }

    #[test]
    fn registration_2_default_max_age_stands_in() {
        let client =
            testing::client_from(&ClientMetadataInput { default_max_age: Some(600), ..testing::input() });
        let request = testing::checked(&client, &testing::request_with(&[])).unwrap();
        assert_eq!(request.ask.max_age, Some(600));
        let request = testing::checked(&client, &testing::request_with(&[("max_age", "5")])).unwrap();
        assert_eq!(request.ask.max_age, Some(5));
    }
}
