//! From a queued code, or word of something, to a text message.

use anteroom_domain::message::{Notice, SecretCode};
use anteroom_pages::{CodeText, Locale, PhoneAddedText, RenderError, Theme};

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

pub(crate) fn notice(
    theme: &Theme,
    letterhead: &Letterhead,
    locale: Locale,
    notice: &Notice,
) -> Result<String, RenderError> {
    let Notice::PhoneAdded { phone, link } = notice.clone();
    theme.render_notice(locale, &PhoneAddedText { practice: letterhead.practice.clone(), phone, link })
}
