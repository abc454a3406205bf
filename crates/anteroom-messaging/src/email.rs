//! From a queued mail to a written email.

use anteroom_domain::message::{AppChange, Mail};
use anteroom_pages::{
    AccountLockedEmail, AuthenticatorAppEmail, Email, InvitationEmail, Locale, PasswordChangedEmail,
    PasswordExpiresEmail, PhoneAddedEmail, RecoveryEmail, RegistrationCompletedEmail, RenderError, Theme,
    TokensElsewhereEmail,
};

use crate::branding::Branding;

pub(crate) fn write(
    theme: &Theme,
    branding: &Branding,
    locale: Locale,
    to: &str,
    mail: &Mail,
) -> Result<Email, RenderError> {
    let practice = branding.practice.clone();
    match mail.clone() {
        Mail::Invitation { name, link, days } => {
            let name = name.unwrap_or_else(|| to.to_owned());
            theme.render_email(locale, &InvitationEmail { practice, name, link, days: days.into() })
        }
        Mail::AccountLocked { at, link } => {
            let when = branding.moment(at);
            theme.render_email(locale, &AccountLockedEmail { practice, when, reset_link: link })
        }
        Mail::Recovery { link, code, minutes } => {
            theme.render_email(locale, &RecoveryEmail { practice, link, code, minutes: minutes.into() })
        }
        Mail::PasswordChanged { at, link } => {
            let when = branding.moment(at);
            theme.render_email(locale, &PasswordChangedEmail { practice, when, reset_link: link })
        }
        Mail::RegistrationCompleted { at, link } => {
            let when = branding.moment(at);
            theme.render_email(locale, &RegistrationCompletedEmail { practice, when, reset_link: link })
        }
        Mail::PasswordExpires { days, link } => {
            theme.render_email(locale, &PasswordExpiresEmail { practice, days: days.into(), link })
        }
        Mail::PhoneAdded { at, phone, usable_from, link } => {
            let (when, usable_from) = (branding.moment(at), branding.moment(usable_from));
            theme.render_email(locale, &PhoneAddedEmail { practice, when, phone, usable_from, link })
        }
        Mail::TokensAskedElsewhere { at, application, link } => {
            let when = branding.moment(at);
            theme.render_email(locale, &TokensElsewhereEmail { practice, when, application, link })
        }
        Mail::AuthenticatorApp { at, change, link } => {
            let (removed, usable_from) = match change {
                AppChange::Added { usable_from } => (false, Some(usable_from).filter(|from| *from > at)),
                AppChange::Removed => (true, None),
            };
            let when = branding.moment(at);
            let usable_from = usable_from.map(|from| branding.moment(from));
            let email = AuthenticatorAppEmail { practice, when, removed, usable_from, link };
            theme.render_email(locale, &email)
        }
    }
}
