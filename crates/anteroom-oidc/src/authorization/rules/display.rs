//! OpenID Connect Core §3.1.2.1 `display`: how the client would like the page shown; an unknown value is no error.

use crate::{
    authorization::{Parameter, context::Context},
    protocol_values::Display,
};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Option<Display> {
    context.parameters.get(Parameter::Display)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::{authorization::testing, protocol_values::Display};

    #[test]
    fn core_3_1_2_1_display_is_never_an_error() {
        for (text, display) in [("popup", Some(Display::Popup)), ("hologram", None)] {
            let request = testing::accepted(&testing::request_with(&[("display", text)]));
            assert_eq!(request.ask.display, display);
        }
    }
}
