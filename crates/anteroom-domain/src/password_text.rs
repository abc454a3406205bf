//! A password as text: people type the same characters on keyboards and systems that write them as other code points.
//! RFC 8265 §4.2 (`OpaqueString`) gives one form: spaces that are not ASCII become the ASCII space, then Unicode
//! Normalization Form C; letters keep their case and width. ASCII stays what it is.
//!
//! Release 0.1.0 hashed passwords as they were typed. So where something else than ASCII is typed, three forms are tried
//! against every hash, whatever the hash is of and whether there is one: the time says nothing.

use anteroom_oidc::display_text::is_hidden;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, HangulSyllableType};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// What a stored hash is of. None is stored beside hashes of release 0.1.0: they are of the text as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordForm {
    OpaqueString,
}

impl PasswordForm {
    /// The number that is stored.
    pub const fn number(self) -> i32 {
        match self {
            Self::OpaqueString => 1,
        }
    }

    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            1 => Some(Self::OpaqueString),
            _ => None,
        }
    }
}

/// The form in which a password is checked, hashed and remembered.
pub fn normalized(typed: &SecretString) -> SecretString {
    let typed = typed.expose_secret();
    if typed.is_ascii() {
        return typed.into();
    }
    let is_space = |c| CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::SpaceSeparator;
    let spaced: Zeroizing<String> =
        Zeroizing::new(typed.chars().map(|c| if is_space(c) { ' ' } else { c }).collect());
    let normalized = ComposingNormalizerBorrowed::new_nfc().normalize(&spaced).into_owned();
    normalized.into()
}

/// What a typed password may be a hash of: first its normalized form. One where it is ASCII, else three, also where some of
/// them are equal.
pub fn candidates(typed: &SecretString) -> Vec<SecretString> {
    let text = typed.expose_secret();
    if text.is_ascii() {
        return vec![typed.clone()];
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text).into_owned();
    vec![normalized(typed), typed.clone(), decomposed.into()]
}

/// The code points that RFC 8264 §4.3.2 (`FreeformClass`) has no place for: controls, what is not seen, private use, what
/// Unicode has not assigned, old Hangul jamo, and the exceptions of §9.6. Its rules about context are left out: they are
/// about names that look alike.
pub fn has_disallowed(normalized: &SecretString) -> bool {
    const EXCEPTIONS: [char; 7] =
        ['\u{640}', '\u{7fa}', '\u{302e}', '\u{302f}', '\u{303b}', '\u{3031}', '\u{3032}'];
    let valid = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Mark)
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Punctuation)
        .union(GeneralCategoryGroup::Symbol)
        .union(GeneralCategoryGroup::SpaceSeparator);
    let (categories, syllables) =
        (CodePointMapData::<GeneralCategory>::new(), CodePointMapData::<HangulSyllableType>::new());
    let old_jamo = |c| {
        let jamo = [
            HangulSyllableType::LeadingJamo,
            HangulSyllableType::VowelJamo,
            HangulSyllableType::TrailingJamo,
        ];
        jamo.contains(&syllables.get(c))
    };
    let disallowed = |c: char| {
        is_hidden(c)
            || !valid.contains(categories.get(c))
            || EXCEPTIONS.contains(&c)
            || matches!(c, '\u{3033}'..='\u{3035}')
            || old_jamo(c)
    };
    normalized.expose_secret().contains(disallowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(typed: &str) -> Vec<String> {
        candidates(&typed.into()).iter().map(|form| form.expose_secret().to_owned()).collect()
    }

    fn normal(typed: &str) -> String {
        normalized(&typed.into()).expose_secret().to_owned()
    }

    #[test]
    fn rfc8265_4_2_the_same_characters_are_the_same_password() {
        for (typed, expected) in [
            ("Zürich", "Zürich"),
            ("Zu\u{308}rich", "Zürich"),
            ("correct\u{a0}horse\u{3000}Z\u{fc}", "correct horse Zü"),
            // RFC 8265 §4.3: case, width and compatibility characters stay.
            ("Correct Horse", "Correct Horse"),
            ("Ｃｏｒｒｅｃｔ", "Ｃｏｒｒｅｃｔ"),
            ("ﬁsh", "ﬁsh"),
            ("π\u{df}å", "π\u{df}å"),
            ("a\u{30a}", "å"),
        ] {
            assert_eq!(normal(typed), expected, "{typed:?}");
            assert_eq!(normal(&normal(typed)), expected, "{typed:?}");
        }
    }

    #[test]
    fn ascii_is_tried_once_and_anything_else_three_times() {
        assert_eq!(forms("correct horse\u{7f}"), ["correct horse\u{7f}"]);
        assert_eq!(forms("Zürich"), ["Zürich", "Zürich", "Zu\u{308}rich"]);
        assert_eq!(forms("Zu\u{308}rich"), ["Zürich", "Zu\u{308}rich", "Zu\u{308}rich"]);
        assert_eq!(forms("日本"), ["日本"; 3]);
    }

    #[test]
    fn rfc8264_4_3_2_what_is_no_text_is_disallowed() {
        for text in ["Correct horse!", "Zürich 8001 €", "パスワード", "пароль", "♥ 😀 ½", "कुंजी"]
        {
            assert!(!has_disallowed(&text.into()), "{text:?}");
        }
        for text in [
            "a\tb",
            "a\u{7f}",
            "a\u{200b}",
            "a\u{fe0f}",
            "a\u{e000}",
            "a\u{378}",
            "\u{1100}",
            "\u{640}",
            "a\u{202e}",
        ] {
            assert!(has_disallowed(&text.into()), "{text:?}");
        }
    }

    #[test]
    fn the_form_that_is_stored_is_read_back() {
        assert_eq!(
            PasswordForm::from_number(PasswordForm::OpaqueString.number()),
            Some(PasswordForm::OpaqueString)
        );
        assert_eq!(PasswordForm::from_number(0), None);
    }
}
