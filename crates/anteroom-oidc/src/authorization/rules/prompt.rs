//! OpenID Connect Core §3.1.2.1 `prompt`: known values only, `none` alone.

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    protocol_values::{PromptSet, PromptSetError},
};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Result<PromptSet, RuleViolation> {
    let Some(text) = context.parameters.get(Parameter::Prompt) else { return Ok(PromptSet::default()) };
    text.parse().map_err(|error| {
        let description = match error {
            PromptSetError::NoneWithOthers => "prompt none cannot be combined with another",
            PromptSetError::Unknown(_) => {
                "the prompt is not supported: none, login, consent and select_account are, separated by spaces"
            }
        };
        RuleViolation::invalid_request(Parameter::Prompt, description).received(text)
    })
}

#[cfg(test)]
mod tests {
    use crate::{authorization::testing, protocol_values::Prompt};

    #[test]
    fn core_3_1_2_1_prompt_none_is_alone_and_unknown_ones_are_refused() {
        for bad in ["none login", "login none", "create", "NONE"] {
            let error = testing::refused(&testing::request_with(&[("prompt", bad)]));
            assert_eq!(error.received.as_deref(), Some(bad));
        }
        let request = testing::accepted(&testing::request_with(&[("prompt", "login select_account")]));
        assert!(request.ask.prompt.contains(Prompt::SelectAccount));
    }
}
