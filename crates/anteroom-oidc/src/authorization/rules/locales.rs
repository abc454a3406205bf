//! OpenID Connect Core §3.1.2.1 and §5.2 `ui_locales`, `claims_locales`: languages in order of preference, never
//! an error.

use crate::authorization::{Parameter, order::Context};

const MAX_TAGS: usize = 10;
/// RFC 5646 §4.4.1 asks for at least 35.
const MAX_TAG_BYTES: usize = 35;

pub(in crate::authorization) fn check(context: &Context<'_>, parameter: Parameter) -> Vec<String> {
    let is_tag = |tag: &&str| {
        !tag.is_empty()
            && tag.len() <= MAX_TAG_BYTES
            && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let text = context.parameters.get(parameter).unwrap_or_default();
    text.split(' ').filter(is_tag).take(MAX_TAGS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use crate::authorization::testing;

    #[test]
    fn core_3_1_2_1_locales_are_never_an_error() {
        let many = "en ".repeat(100);
        for (text, kept) in
            [("es-MX  en", vec!["es-MX", "en"]), ("<script> ü", vec![]), (&many, vec!["en"; super::MAX_TAGS])]
        {
            let pairs = testing::request_with(&[("ui_locales", text), ("claims_locales", text)]);
            let request = testing::accepted(&pairs);
            assert_eq!(request.ui_locales, kept);
            assert_eq!(request.claims_locales, kept);
        }
    }
}
