//! What every message of the practice has in common.

use anteroom_domain::message::LANGUAGE_SEPARATOR;
use anteroom_pages::{Date, Locale, Moment, negotiate};
use jiff::Timestamp;
use jiff::tz::TimeZone;

#[derive(Clone, Debug)]
pub struct Branding {
    pub practice: String,
    /// The issuer's host, to which texts bind their code.
    pub host: String,
    /// Times in mails are the practice's, not the server's.
    pub time_zone: TimeZone,
    /// For people whose language is not known.
    pub default_locale: Locale,
    /// Those that the theme has.
    pub locales: Vec<Locale>,
}

impl Branding {
    /// Of a message's languages the first that there are texts in.
    pub(crate) fn language(&self, tags: Option<&str>) -> Locale {
        let tags: Vec<&str> = tags.unwrap_or_default().split(LANGUAGE_SEPARATOR).collect();
        negotiate(&tags, None, &self.locales, self.default_locale)
    }

    /// A point in time as the practice's clock shows it.
    pub fn moment(&self, at: Timestamp) -> Moment {
        let local = at.to_zoned_datetime(self.time_zone.clone());
        Moment {
            date: Date { year: local.year(), month: local.month(), day: local.day() },
            hour: local.hour(),
            minute: local.minute(),
            zone: local.strftime("%Z").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_with_texts_is_taken() {
        let branding = Branding {
            practice: String::new(),
            host: String::new(),
            time_zone: TimeZone::UTC,
            default_locale: Locale::En,
            locales: Locale::ALL.to_vec(),
        };
        for (tags, expected) in [
            (None, Locale::En),
            (Some(""), Locale::En),
            (Some("es"), Locale::Es),
            (Some("fr es-MX en"), Locale::Es),
            (Some("en es"), Locale::En),
            (Some("fr"), Locale::En),
        ] {
            assert_eq!(branding.language(tags), expected, "{tags:?}");
        }
    }
}
