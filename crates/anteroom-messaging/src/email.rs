//! From a queued message to a written email.
use anteroom_domain::message::{Mail, Message};
use anteroom_pages::{
    AccountLockedEmail, Date, Email, InvitationEmail, Locale, Moment, PasswordChangedEmail,
    PasswordExpiresEmail, PhoneAddedEmail, RecoveryEmail, RenderError, Theme,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What every email of the practice has in common.
#[derive(Clone, Debug)]
pub struct Letterhead {
    pub practice: String,
    pub host: String,
    /// Times in mails are the practice's, not the server's.
    pub time_zone: TimeZone,
    /// For people whose language is not known.
    pub default_locale: Locale,
}

pub fn write(
    theme: &Theme,
    letterhead: &Letterhead,
    message: &Message,
    mail: &Mail,
) -> Result<Email, RenderError> {
    let known = message.locale.as_deref().and_then(Locale::from_tag);
    let locale = known.unwrap_or(letterhead.default_locale);
    let practice = letterhead.practice.clone();
    let at_moment = |at: &Timestamp| moment(*at, &letterhead.time_zone);
    match mail {
        Mail::Invitation { name, link, days } => {
            let name = name.clone().unwrap_or_else(|| message.parcel.recipient().to_owned());
            theme.render_email(
                locale,
                &InvitationEmail { practice, name, link: link.clone(), days: u32::from(*days) },
            )
        }
        Mail::AccountLocked { at, link } => theme.render_email(
            locale,
            &AccountLockedEmail { practice, when: at_moment(at), reset_link: link.clone() },
        ),
        Mail::Recovery { link, code, minutes } => theme.render_email(
            locale,
            &RecoveryEmail { practice, link: link.clone(), code: code.clone(), minutes: u32::from(*minutes) },
        ),
        Mail::PasswordChanged { at, link } => theme.render_email(
            locale,
            &PasswordChangedEmail { practice, when: at_moment(at), reset_link: link.clone() },
        ),
        Mail::PasswordExpires { days, link } => theme.render_email(
            locale,
            &PasswordExpiresEmail { practice, days: u32::from(*days), link: link.clone() },
        ),
        Mail::PhoneAdded { at, phone, usable_from, link } => theme.render_email(
            locale,
            &PhoneAddedEmail {
                practice,
                when: at_moment(at),
                phone: phone.clone(),
                usable_from: at_moment(usable_from),
                link: link.clone(),
            },
        ),
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
