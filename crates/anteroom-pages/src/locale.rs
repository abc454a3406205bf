//! Chooses a page's language: the client's request (`ui_locales`), then the browser's preference (`Accept-Language`,
//! RFC 9110 §12.5.4), then the operator's default.

use std::fmt;
use std::fs;
use std::path::Path;

use fluent_langneg::{LanguageIdentifier, NegotiationStrategy, negotiate_languages};
use serde::{Serialize, Serializer};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Locale {
    #[default]
    En,
    Es,
    /// A language that an operator's theme adds.
    Other(Language),
}

/// The letters of an ISO 639 code, such as `de`; two-letter codes are padded with a zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language([u8; 3]);

impl Language {
    fn parse(tag: &str) -> Option<Self> {
        let is_code = (2..=3).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_lowercase());
        let mut letters = [0; 3];
        letters.iter_mut().zip(tag.bytes()).for_each(|(to, from)| *to = from);
        is_code.then_some(Self(letters))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Locale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.tag())
    }
}

impl Locale {
    /// The languages of the built-in theme.
    pub const ALL: [Locale; 2] = [Locale::En, Locale::Es];

    /// The BCP 47 tag, as in `<html lang>` and in the name of the file of texts.
    pub fn tag(&self) -> &str {
        match self {
            Locale::En => "en",
            Locale::Es => "es",
            Locale::Other(language) => language.as_str(),
        }
    }

    /// Parses a tag; the theme need not have texts in this language.
    pub fn from_tag(tag: &str) -> Option<Locale> {
        let known = Locale::ALL.into_iter().find(|locale| locale.tag() == tag);
        known.or_else(|| Language::parse(tag).map(Locale::Other))
    }

    /// The language of a theme's file of texts; `None` for another file.
    pub(crate) fn of_file(path: &str) -> Option<Locale> {
        path.strip_prefix("texts/")?.strip_suffix(".ftl").and_then(Locale::from_tag)
    }

    /// The languages of the built-in theme and of the files in this folder.
    pub fn of_theme(folder: Option<&Path>) -> Vec<Locale> {
        let mut locales = Locale::ALL.to_vec();
        let listed = folder.and_then(|folder| fs::read_dir(folder.join("texts")).ok());
        let names = listed.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
        let added = names.filter_map(|name| Locale::of_file(&format!("texts/{}", name.to_str()?)));
        let mut added: Vec<Locale> = added.filter(|locale| !Locale::ALL.contains(locale)).collect();
        added.sort_by(|a, b| a.tag().cmp(b.tag()));
        locales.extend(added);
        locales
    }

    /// The language among `available` for people whose language has this tag.
    pub fn best_match(tag: &str, available: &[Locale]) -> Option<Locale> {
        best(&[identifier(tag)?], available)
    }
}

/// The most tags that are considered: a header can list thousands.
const MOST_TAGS: usize = 16;

/// Chooses among `available`, the theme's languages.
pub fn negotiate<S: AsRef<str>>(
    ui_locales: &[S],
    accept_language: Option<&str>,
    available: &[Locale],
    default: Locale,
) -> Locale {
    let asked = ui_locales.iter().map(AsRef::as_ref).take(MOST_TAGS);
    let accepted = accept_language.map(by_preference).unwrap_or_default();
    let requested: Vec<LanguageIdentifier> = asked.chain(accepted).filter_map(identifier).collect();
    best(&requested, available).unwrap_or(default)
}

/// Java, PHP and POSIX write `es_MX`, some add extensions (`es-MX-u-nu-latn`), and case is irrelevant (RFC 5646
/// §2.1.1): all of these are accepted.
fn identifier(tag: &str) -> Option<LanguageIdentifier> {
    LanguageIdentifier::try_from_locale_bytes(tag.as_bytes()).ok()
}

fn best(requested: &[LanguageIdentifier], available: &[Locale]) -> Option<Locale> {
    let available: Vec<LanguageIdentifier> =
        available.iter().filter_map(|locale| locale.tag().parse().ok()).collect();
    negotiate_languages(requested, &available, None, NegotiationStrategy::Lookup)
        .first()
        .and_then(|id| Locale::from_tag(id.language.as_str()))
}

/// The tags of an `Accept-Language` header, best first, for a message that is written later.
pub fn accepted(accept_language: &str) -> Vec<String> {
    let tags = by_preference(accept_language).into_iter();
    tags.filter(|tag| identifier(tag).is_some()).map(str::to_owned).collect()
}

/// The tags of an `Accept-Language` header, best first, without those refused by `q=0`.
fn by_preference(header: &str) -> Vec<&str> {
    let mut ranges: Vec<(&str, f32)> = header.split(',').take(MOST_TAGS).map(range).collect();
    ranges.retain(|(_, quality)| *quality > 0.0);
    // The sort is stable: equal ones keep the order of the header.
    ranges.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    ranges.into_iter().map(|(tag, _)| tag).collect()
}

fn range(item: &str) -> (&str, f32) {
    let (tag, parameters) = item.split_once(';').unwrap_or((item, ""));
    let quality = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse().ok());
    (tag.trim(), quality.unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::{Locale, accepted, negotiate};

    #[test]
    fn ui_locales_come_before_the_browser_and_quality_decides_among_its_languages() {
        let table: [(&[&str], Option<&str>, Locale); 19] = [
            (&[], None, Locale::En),
            (&[], Some(""), Locale::En),
            (&[], Some("*"), Locale::En),
            (&[], Some("es"), Locale::Es),
            (&[], Some("es-MX,es;q=0.9,en;q=0.8"), Locale::Es),
            (&[], Some("en;q=0.2, es;q=0.9"), Locale::Es),
            (&[], Some("es;q=0.1,en-GB"), Locale::En),
            (&[], Some("es;q=0, en"), Locale::En),
            (&[], Some("fr, de;q=0.9, es-419;q=0.4"), Locale::Es),
            (&[], Some("fr, de"), Locale::En),
            (&["es"], Some("en-US"), Locale::Es),
            (&["fr", "es-ES"], Some("en"), Locale::Es),
            (&["tlh", "not a tag"], Some("es"), Locale::Es),
            (&["EN-us"], Some("es"), Locale::En),
            (&["es_MX"], Some("en"), Locale::Es),
            (&["es-mx"], Some("en"), Locale::Es),
            (&["ES_mx", "en"], None, Locale::Es),
            (&["es-MX-u-nu-latn"], Some("en"), Locale::Es),
            (&[], Some("es_MX, en;q=0.5"), Locale::Es),
        ];
        for (asked, accepted, expected) in table {
            assert_eq!(
                negotiate(asked, accepted, &Locale::ALL, Locale::En),
                expected,
                "{asked:?} {accepted:?}"
            );
        }
    }

    #[test]
    fn a_tag_names_its_language_however_it_is_spelled() {
        for (tag, expected) in [
            ("es", Some(Locale::Es)),
            ("es_MX", Some(Locale::Es)),
            ("ES-mx", Some(Locale::Es)),
            ("en-GB-x-private", Some(Locale::En)),
            ("fr", None),
            ("español", None),
            ("", None),
        ] {
            assert_eq!(Locale::best_match(tag, &Locale::ALL), expected, "{tag}");
        }
    }

    #[test]
    fn what_is_kept_of_a_header_leads_to_the_same_language() {
        for header in ["fr, de;q=0.9, es-419;q=0.4", "es;q=0, en", "*", "es-MX,es;q=0.9,en;q=0.8", "no tag"] {
            let kept = accepted(header);
            for default in Locale::ALL {
                assert_eq!(
                    negotiate(&kept, None, &Locale::ALL, default),
                    negotiate::<&str>(&[], Some(header), &Locale::ALL, default),
                    "{header}"
                );
            }
        }
        assert_eq!(accepted("en;q=0.2, es-MX;q=0.9, *"), ["es-MX", "en"]);
    }

    #[test]
    fn the_operators_default_is_for_those_who_speak_none_of_the_languages() {
        for (accepted, expected) in [
            (None, Locale::Es),
            (Some("*"), Locale::Es),
            (Some("fr, de"), Locale::Es),
            (Some("fr, en;q=0.1"), Locale::En),
        ] {
            assert_eq!(negotiate(&[""; 0], accepted, &Locale::ALL, Locale::Es), expected, "{accepted:?}");
        }
    }

    #[test]
    fn a_language_of_the_theme_is_chosen_like_any_other() {
        let german = Locale::from_tag("de").unwrap();
        assert_eq!((german.tag(), format!("{german:?}").as_str()), ("de", "Other(de)"));
        let available = [Locale::En, Locale::Es, german];
        for (accepted, expected) in
            [("de-AT, en;q=0.5", german), ("fr, de;q=0.2", german), ("en", Locale::En)]
        {
            assert_eq!(negotiate(&[""; 0], Some(accepted), &available, Locale::En), expected, "{accepted}");
        }
        for tag in ["", "d", "DE", "de-AT", "english", "d3"] {
            assert_eq!(Locale::from_tag(tag), None, "{tag}");
        }
    }
}
