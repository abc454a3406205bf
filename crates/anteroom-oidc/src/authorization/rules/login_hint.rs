//! OpenID Connect Core §3.1.2.1 `login_hint`: fills in the sign-in form. A hint is never an error: one that is empty, too long or
//! has control characters is dropped.

use crate::authorization::{Parameter, context::Context};

/// The longest address that mail knows (RFC 5321 §4.5.3.1).
const MAX_BYTES: usize = 320;

pub(in crate::authorization) fn check(context: &Context<'_>) -> Option<String> {
    let hint = context.parameters.get(Parameter::LoginHint)?.trim();
    let usable = !hint.is_empty() && hint.len() <= MAX_BYTES && !hint.chars().any(char::is_control);
    usable.then(|| hint.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::authorization::testing;

    #[test]
    fn core_3_1_2_1_login_hint_is_never_an_error() {
        let long = "x".repeat(400);
        for (hint, kept) in [
            ("alice@demo.example", Some("alice@demo.example")),
            (" alice@demo.example ", Some("alice@demo.example")),
            ("a\nb", None),
            (" ", None),
            (&long, None),
        ] {
            let request = testing::accepted(&testing::request_with(&[("login_hint", hint)]));
            assert_eq!(request.ask.login_hint.as_deref(), kept);
        }
    }
}
