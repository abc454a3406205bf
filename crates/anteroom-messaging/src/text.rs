//! Renders a queued one-time code or notice as a text message.

use anteroom_domain::message::{Notice, OneTimeCodeText};
use anteroom_pages::{CodeText, Locale, PhoneAddedText, RenderError, Theme};

use crate::branding::Branding;

pub(crate) fn write(
    theme: &Theme,
    branding: &Branding,
    locale: Locale,
    code: &OneTimeCodeText,
) -> Result<String, RenderError> {
    let view = CodeText {
        practice: branding.practice.clone(),
        code: code.digits.clone(),
        minutes: code.minutes.into(),
        host: branding.host.clone(),
    };
    theme.render_text(locale, &view)
}

pub(crate) fn notice(
    theme: &Theme,
    branding: &Branding,
    locale: Locale,
    notice: &Notice,
) -> Result<String, RenderError> {
    let Notice::PhoneAdded { phone, link } = notice.clone();
    let phone = masked_in_gsm_7(&phone);
    theme.render_notice(locale, &PhoneAddedText { practice: branding.practice.clone(), phone, link })
}

/// The mask of pages and mails has bullets, and one of them would more than halve what a text message has room for.
fn masked_in_gsm_7(masked: &str) -> String {
    let digits: String = masked.chars().filter(char::is_ascii_digit).collect();
    format!("***{digits}")
}
