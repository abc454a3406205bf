//! RFC 6749 §4.1.1 `state`: returned byte for byte, in errors as well.

use crate::{
    authorization::{Parameter, Parameters, context::Context, error::RuleViolation},
    protocol_values::State,
};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<Option<State>, RuleViolation> {
    let Some(text) = context.parameters.get(Parameter::State) else { return Ok(None) };
    let refuse =
        |_| RuleViolation::invalid_request(Parameter::State, "state is too long or has control characters");
    text.parse().map(Some).map_err(refuse)
}

/// The state that an error can carry: the one that was given, if it was one and can be returned unchanged.
pub(in crate::authorization) fn usable(parameters: &Parameters) -> Option<State> {
    if parameters.is_repeated(Parameter::State) {
        return None;
    }
    parameters.get(Parameter::State)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::authorization::{ErrorDestination, testing};

    #[test]
    fn rfc6749_4_1_2_state_is_kept_byte_for_byte() {
        let state = "~!@#$%^&*()_+`-={}|[]\\:\";'<>?,./ ".repeat(4);
        let request = testing::accepted(&testing::request_with(&[("state", &state)]));
        assert_eq!(request.redirect().state.as_ref().unwrap().as_str(), state);
    }

    #[test]
    fn rfc6749_appendix_a_5_state_without_control_characters() {
        let error = testing::refused(&testing::request_with(&[("state", "a\r\nb")]));
        let ErrorDestination::Redirect(target) = error.destination else { panic!() };
        assert_eq!(target.state, None);
    }
}
