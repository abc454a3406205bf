//! OpenID Connect Core §3.1.2.1 and §5.2 `ui_locales`, `claims_locales`: languages in order of preference, never
//! an error.

use crate::authorization::{Parameter, context::Context};
use crate::protocol_values::language_tags;

pub(in crate::authorization) fn check(context: &Context<'_>, parameter: Parameter) -> Vec<String> {
    language_tags(context.parameters.get(parameter).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::authorization::testing;

    #[test]
    fn core_3_1_2_1_locales_are_never_an_error() {
        for (text, kept) in
            [("es-MX  en", vec!["es-MX", "en"]), ("es_MX", vec!["es-MX"]), ("<script> ü", vec![])]
        {
            let pairs = testing::request_with(&[("ui_locales", text), ("claims_locales", text)]);
            let request = testing::accepted(&pairs);
            assert_eq!(request.ask.ui_locales, kept);
            assert_eq!(request.ask.claims_locales, kept);
        }
    }
}
