//! OpenID Connect Core §5.5 `claims`: a JSON object. Bounded, because it goes into the authorization code.

use crate::authorization::{ClaimsRequest, Parameter, context::Context, error::RuleViolation};

const MAX_BYTES: usize = 2 * 1024;

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<Option<ClaimsRequest>, RuleViolation> {
    let Some(text) = context.parameters.get(Parameter::Claims) else { return Ok(None) };
    let refuse = |description| RuleViolation::invalid_request(Parameter::Claims, description).received(text);
    if text.len() > MAX_BYTES {
        return Err(refuse("claims is too long"));
    }
    let request: ClaimsRequest =
        serde_json::from_str(text).map_err(|_| refuse("claims is not a claims request of OpenID Connect"))?;
    Ok((request != ClaimsRequest::default()).then_some(request))
}

#[cfg(test)]
mod tests {
    use crate::authorization::testing;

    #[test]
    fn core_5_5_claims_is_a_json_object_of_bounded_size() {
        let deep = "[".repeat(1_000);
        let long = format!(r#"{{"userinfo":{{"a":{{"value":"{}"}}}}}}"#, "x".repeat(super::MAX_BYTES));
        for bad in ["{", "null", "[]", r#"{"userinfo":1}"#, &deep, &long] {
            let error = testing::refused(&testing::request_with(&[("claims", bad)]));
            assert!(error.description.starts_with("claims"));
        }
        let asked = testing::request_with(&[("claims", r#"{"userinfo":{"name":{"essential":true}}}"#)]);
        assert!(testing::accepted(&asked).ask.claims.unwrap().userinfo["name"].essential);
        assert_eq!(testing::accepted(&testing::request_with(&[("claims", "{}")])).ask.claims, None);
    }
}
