//! What every message of the practice has in common.

use anteroom_pages::{Date, Locale, Moment, negotiate};
use jiff::Timestamp;
use jiff::tz::TimeZone;

#[derive(Clone, Debug)]
pub struct Letterhead {
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

impl Letterhead {
    pub(crate) fn language(&self, tag: Option<&str>) -> Locale {
        negotiate(tag.as_slice(), None, &self.locales, self.default_locale)
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
