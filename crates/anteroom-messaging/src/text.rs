//! From a queued code to a text message.

use anteroom_domain::message::SecretCode;
use anteroom_pages::{CodeText, Locale, RenderError, Theme};

use crate::letterhead::Letterhead;

pub(crate) fn write(
    theme: &Theme,
    letterhead: &Letterhead,
    locale: Locale,
    code: &SecretCode,
) -> Result<String, RenderError> {
    let view = CodeText {
        practice: letterhead.practice.clone(),
        code: code.digits.clone(),
        minutes: code.minutes.into(),
        host: letterhead.host.clone(),
    };
    theme.render_text(locale, &view)
}
