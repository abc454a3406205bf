//! OpenID Connect Core §3.1.2.1 `id_token_hint`: a token of ours. Only its form is looked at here; whether it is ours
//! and whose is decided where the keys and the session are.

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    jwt::UnverifiedHint,
};

pub(in crate::authorization) fn check(
    context: &Context<'_>,
) -> Result<Option<UnverifiedHint>, RuleViolation> {
    let Some(text) = context.parameters.get(Parameter::IdTokenHint) else { return Ok(None) };
    // What was received stays out of the log: it may be a person's token with a slip in it.
    let refuse =
        |_| RuleViolation::invalid_request(Parameter::IdTokenHint, "id_token_hint is not an ID token");
    text.parse().map(Some).map_err(refuse)
}

#[cfg(test)]
mod tests {
    use crate::authorization::testing;

    #[test]
    fn core_3_1_2_1_id_token_hint_has_the_form_of_a_jwt() {
        let error = testing::refused(&testing::request_with(&[("id_token_hint", "alice")]));
        assert_eq!(error.received, None);
        let request = testing::accepted(&testing::request_with(&[("id_token_hint", "e30.e30.c2ln")]));
        assert!(request.ask.id_token_hint.is_some());
        assert!(!format!("{request:?}").contains("c2ln"));
    }
}
