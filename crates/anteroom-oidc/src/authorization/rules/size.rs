//! A request has a bounded size: it is carried in pages and stored.

use crate::authorization::{Parameters, error::RuleViolation};

const MAX_VALUE_BYTES: usize = 8 * 1024;
const MAX_TOTAL_BYTES: usize = 16 * 1024;

pub(in crate::authorization) fn check(parameters: &Parameters) -> Result<(), RuleViolation> {
    let mut total = 0;
    for (name, value) in parameters.iter() {
        total += value.len();
        if value.len() > MAX_VALUE_BYTES || total > MAX_TOTAL_BYTES {
            // What was received stays out of the log: it may be a token.
            return Err(RuleViolation::invalid_request(name, "the request is too long"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::authorization::{ErrorDestination, Parameter, testing};

    #[test]
    fn an_oversized_request_is_refused_on_a_page() {
        let long = "x".repeat(super::MAX_VALUE_BYTES + 1);
        let error = testing::refused(&testing::request_with(&[("login_hint", &long)]));
        assert_eq!((error.parameter, &error.destination), (Parameter::LoginHint, &ErrorDestination::Page));
        assert_eq!(error.received, None);
        let many = "x".repeat(super::MAX_TOTAL_BYTES / 3);
        let pairs = [("resource", many.as_str()); 3];
        assert_eq!(testing::refused(&testing::request_with(&pairs)).destination, ErrorDestination::Page);
    }
}
