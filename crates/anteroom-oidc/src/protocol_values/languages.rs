//! Lists of BCP 47 language tags.

const MAX_TAGS: usize = 10;
/// RFC 5646 §4.4.1 asks for at least 35.
const MAX_TAG_BYTES: usize = 35;

/// The tags of a list that spaces separate, such as `ui_locales`. What is no tag is passed over. An underscore stands for a
/// hyphen: platforms write `es_MX` (Java, PHP, POSIX), and clients pass that on.
pub fn language_tags(text: &str) -> Vec<String> {
    let is_tag = |tag: &&str| {
        !tag.is_empty()
            && tag.len() <= MAX_TAG_BYTES
            && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.split(' ').filter(is_tag).take(MAX_TAGS).map(|tag| tag.replace('_', "-")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_languages_is_bounded_and_has_tags_only() {
        let long = "a".repeat(MAX_TAG_BYTES + 1);
        for (text, kept) in [
            ("", vec![]),
            ("es-MX  en", vec!["es-MX", "en"]),
            ("es_MX es-mx", vec!["es-MX", "es-mx"]),
            ("zh_Hant_TW", vec!["zh-Hant-TW"]),
            ("<script> ü *", vec![]),
            (&long, vec![]),
            (&"en ".repeat(100), vec!["en"; MAX_TAGS]),
        ] {
            assert_eq!(language_tags(text), kept, "{text}");
        }
    }
}
