//! From a queued code to the words of a call.

use anteroom_domain::message::OneTimeCodeText;
use anteroom_pages::{CallScript, CodeCall, Locale, RenderError, Theme};

use crate::branding::Branding;

pub(crate) fn write(
    theme: &Theme,
    branding: &Branding,
    locale: Locale,
    code: &OneTimeCodeText,
) -> Result<CallScript, RenderError> {
    theme.render_call(locale, &CodeCall::new(branding.practice.clone(), &code.digits))
}

/// How a call goes when its person presses a key once.
pub(crate) fn transcript(script: &CallScript) -> String {
    [&*script.prompt, "[key]", &*script.code_spoken, &*script.again, &*script.goodbye].join("\n")
}
