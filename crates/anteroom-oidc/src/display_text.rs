//! Text that people read, in logs and on pages. Some characters are not seen, or change how the others are seen: control
//! characters, separators of lines, those that turn the direction of text, and those that fonts leave out. A log writes
//! them as escapes, and a name that has one is refused: else one name looks like another, or like none.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};

/// How much of what was received an error or a log entry repeats, in characters.
const MAX_RECEIVED_CHARS: usize = 200;

/// U+2800 BRAILLE PATTERN BLANK: Unicode classes it as a symbol, but it is drawn as a space.
const BRAILLE_BLANK: char = '\u{2800}';

/// Whether the character is not seen, or moves or hides the characters around it: Unicode's categories Cc, Cf, Zl and
/// Zp, and its property `Default_Ignorable_Code_Point`.
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let hides = matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    );
    hides || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether the text has a visible character: a letter, digit, punctuation mark or symbol.
pub fn is_visible(text: &str) -> bool {
    let seen = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Punctuation)
        .union(GeneralCategoryGroup::Symbol);
    let categories = CodePointMapData::<GeneralCategory>::new();
    text.chars().any(|c| !is_hidden(c) && c != BRAILLE_BLANK && seen.contains(categories.get(c)))
}

/// Whether the text can stand as a name on a page: no hidden characters, and something that is seen.
pub fn is_displayable_name(text: &str) -> bool {
    !text.contains(is_hidden) && is_visible(text)
}

/// What was received, cut to a length that fits a log line.
pub fn shorten(received: &str) -> String {
    let mut shown: String = received.chars().take(MAX_RECEIVED_CHARS).collect();
    if shown.len() < received.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_hidden() {
        let hidden = [
            '\0',
            '\n',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{e0041}',
        ];
        for c in hidden {
            assert!(is_hidden(c), "{}", c.escape_unicode());
        }
        for c in "aZ9 ~é\u{301}ßñ漢字한글עברית😀\u{a0}\u{3000}".chars() {
            assert!(!is_hidden(c), "{}", c.escape_unicode());
        }
    }

    #[test]
    fn a_name_has_something_to_see() {
        for name in ["Ana", "O’Neill-Ñandú", "이영희", "עדה", "7", "♥", "Jose\u{301}"] {
            assert!(is_displayable_name(name), "{name:?}");
        }
        let unseen = [
            "",
            " ",
            "\u{a0}",
            "\u{301}",
            "\u{2800}",
            "\u{feff}",
            "\u{3164}",
            "A\u{202e}B",
            "A\u{200b}",
            "A\nB",
        ];
        for name in unseen {
            assert!(!is_displayable_name(name), "{name:?}");
        }
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        assert_eq!(shorten(&"é".repeat(MAX_RECEIVED_CHARS)), "é".repeat(MAX_RECEIVED_CHARS));
        assert_eq!(
            shorten(&"é".repeat(MAX_RECEIVED_CHARS + 1)),
            format!("{}…", "é".repeat(MAX_RECEIVED_CHARS))
        );
    }
}
