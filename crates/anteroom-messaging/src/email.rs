//! From a queued message to a written email.

use anteroom_domain::message::{Message, MessageContent};
use anteroom_pages::{AccountLockedEmail, Date, Email, InvitationEmail, Locale, Moment, RenderError, Theme};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What every email of the practice has in common.
#[derive(Clone, Debug)]
pub struct Letterhead {
    pub practice: String,
    /// Times in mails are the practice's, not the server's.
    pub time_zone: TimeZone,
    /// For people whose language is not known.
    pub default_locale: Locale,
}

pub fn write(theme: &Theme, letterhead: &Letterhead, message: &Message) -> Result<Email, RenderError> {
    let known = message.locale.as_deref().and_then(Locale::from_tag);
    let locale = known.unwrap_or(letterhead.default_locale);
    let practice = letterhead.practice.clone();
    match &message.content {
        MessageContent::Invitation { name, link, days } => {
            let name = name.clone().unwrap_or_else(|| message.to.as_str().to_owned());
            theme.render_email(
                locale,
                &InvitationEmail { practice, name, link: link.clone(), days: u32::from(*days) },
            )
        }
        MessageContent::AccountLocked { at, link } => {
            let when = moment(*at, &letterhead.time_zone);
            theme.render_email(locale, &AccountLockedEmail { practice, when, reset_link: link.clone() })
        }
    }
}

/// A point in time as the practice's clock shows it.
pub fn moment(at: Timestamp, zone: &TimeZone) -> Moment {
    let local = at.to_zoned_datetime(zone.clone());
    Moment {
        date: Date { year: local.year(), month: local.month(), day: local.day() },
        hour: local.hour(),
        minute: local.minute(),
        zone: local.strftime("%Z").to_string(),
    }
}
