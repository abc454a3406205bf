//! RFC 6749 §3.1: a parameter must not be given more than once. RFC 8707 §2 excepts `resource`.

use crate::authorization::{Parameter, context::Context, error::RuleViolation};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<(), RuleViolation> {
    let repeated = Parameter::ALL
        .iter()
        .find(|name| **name != Parameter::Resource && context.parameters.is_repeated(**name));
    match repeated {
        Some(name) => Err(RuleViolation::invalid_request(*name, "a parameter is given more than once")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::authorization::{ErrorDestination, Parameter, testing};

    #[test]
    fn rfc6749_3_1_parameter_given_twice_is_refused() {
        for name in Parameter::ALL.iter().filter(|name| **name != Parameter::Resource) {
            let error =
                testing::refused(&testing::request_with(&[(name.as_str(), "a"), (name.as_str(), "a")]));
            assert_eq!(error.parameter, *name);
        }
    }

    #[test]
    fn rfc6749_3_1_state_given_twice_is_not_echoed() {
        let error = testing::refused(&testing::request_with(&[("state", "a"), ("state", "a")]));
        let ErrorDestination::Redirect(target) = error.destination else { panic!() };
        assert_eq!(target.state, None);
    }

    #[test]
    fn rfc8707_2_resource_may_be_repeated() {
        let api = "https://api.example/";
        let request = testing::accepted(&testing::request_with(&[("resource", api), ("resource", api)]));
        assert_eq!(request.ask.resource, [api]);
    }
}
