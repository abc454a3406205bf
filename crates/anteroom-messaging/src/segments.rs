//! How many text messages a text is billed and sent as (3GPP TS 23.038, 23.040).
//!
//! A text whose characters are all of the GSM 7-bit alphabet has room for 160 in one message and 153 in each of several; a
//! single character beyond it (`ó`, `•`, a typographic apostrophe) turns all of it into UCS-2, with room for 70 and 67.

use anteroom_pages::{Locale, RenderError, Theme};

use anteroom_domain::message::{Notice, OneTimeCodeText};

use crate::branding::Branding;
use crate::text;

/// The default alphabet of 3GPP TS 23.038, §6.2.1, without its escape.
const GSM_7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
    abcdefghijklmnopqrstuvwxyzäöñüà";
/// Reached by the escape, so they count twice (§6.2.1.1).
const GSM_7_EXTENSION: &str = "\u{c}^{}\\[~]|€";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    pub count: usize,
    /// The first character that is not of the GSM 7-bit alphabet, where there is one.
    pub beyond_gsm_7: Option<char>,
}

impl Segments {
    pub fn of(text: &str) -> Self {
        let beyond_gsm_7 = text.chars().find(|c| !GSM_7.contains(*c) && !GSM_7_EXTENSION.contains(*c));
        let (units, one, several) = match beyond_gsm_7 {
            None => (text.chars().map(septets).sum::<usize>(), 160, 153),
            Some(_) => (text.encode_utf16().count(), 70, 67),
        };
        let count = if units <= one { 1 } else { units.div_ceil(several) };
        Self { count, beyond_gsm_7 }
    }
}

fn septets(c: char) -> usize {
    if GSM_7_EXTENSION.contains(c) { 2 } else { 1 }
}

/// A text as this practice sends it, with the length of any other of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleText {
    /// "code" or "phone_added".
    pub kind: &'static str,
    pub locale: Locale,
    pub segments: Segments,
}

/// Each text in each language, with the practice's own name, host and addresses.
pub fn sample_texts(
    theme: &Theme,
    branding: &Branding,
    minutes: u16,
    link: &str,
) -> Result<Vec<SampleText>, RenderError> {
    let code = OneTimeCodeText { digits: "000000".to_owned(), minutes };
    let notice = Notice::PhoneAdded { phone: "00".to_owned(), link: link.to_owned() };
    let mut samples = Vec::new();
    for locale in branding.locales.iter().copied() {
        let written = [
            (anteroom_domain::message::KIND_OF_CODE, text::write(theme, branding, locale, &code)?),
            (notice.kind().as_str(), text::notice(theme, branding, locale, &notice)?),
        ];
        let sample = |(kind, text): (_, String)| SampleText { kind, locale, segments: Segments::of(&text) };
        samples.extend(written.map(sample));
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_character_beyond_the_alphabet_more_than_halves_the_room() {
        for (text, count, beyond) in [
            (String::new(), 1, None),
            ("x".repeat(160), 1, None),
            ("x".repeat(161), 2, None),
            ("x".repeat(306), 2, None),
            ("x".repeat(307), 3, None),
            // Each takes an escape and itself.
            ("€".repeat(80), 1, None),
            ("[".repeat(81), 2, None),
            ("ñé¿¡üÑàò@_&".to_owned(), 1, None),
            (format!("{}ó", "x".repeat(69)), 1, Some('ó')),
            (format!("{}ó", "x".repeat(70)), 2, Some('ó')),
            ("•".repeat(134), 2, Some('•')),
            ("•".repeat(135), 3, Some('•')),
            // A surrogate pair takes two.
            ("😀".repeat(36), 2, Some('😀')),
        ] {
            let expected = Segments { count, beyond_gsm_7: beyond };
            assert_eq!(Segments::of(&text), expected, "{text}");
        }
    }
}
