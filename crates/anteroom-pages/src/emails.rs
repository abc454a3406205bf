//! Emails: one struct each, like the pages, with three templates: `emails/NAME.subject.txt.hbs`, `emails/NAME.txt.hbs`
//! and `emails/NAME.html.hbs`.

use serde::Serialize;

use crate::when::{Date, Moment};

/// An email of the theme.
pub trait EmailView: Serialize + Sized {
    /// The common stem of its three templates.
    const TEMPLATE: &'static str;

    /// As for a page: together they show every shape.
    fn samples() -> Vec<Self>;
}

/// A rendered email. The subject is one line without control characters.
#[derive(Clone)]
pub struct Email {
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[derive(Clone, Serialize)]
pub struct InvitationEmail {
    pub practice: String,
    pub name: String,
    pub link: String,
    /// Days until the link expires.
    pub days: u32,
}

#[derive(Clone, Serialize)]
pub struct AccountLockedEmail {
    pub practice: String,
    pub when: Moment,
    /// Where the reset begins, which is the only way to unlock the account.
    pub reset_link: String,
}

#[derive(Clone, Serialize)]
pub struct RecoveryEmail {
    pub practice: String,
    pub link: String,
    /// Can be typed instead of following the link, in the browser that requested the mail; `None` if no browser
    /// requested it.
    pub code: Option<String>,
    /// Minutes until link and code expire.
    pub minutes: u32,
}

/// Goes to every address of the account.
#[derive(Clone, Serialize)]
pub struct PasswordChangedEmail {
    pub practice: String,
    pub when: Moment,
    /// For an owner who did not change the password: starts another reset.
    pub reset_link: String,
}

/// Goes to every address of an account whose registration is complete.
#[derive(Clone, Serialize)]
pub struct RegistrationCompletedEmail {
    pub practice: String,
    pub when: Moment,
    /// For a person who did not register: starts a reset.
    pub reset_link: String,
}

/// Whole days until the password expires; 0 is today.
#[derive(Clone, Serialize)]
pub struct PasswordExpiresEmail {
    pub practice: String,
    pub days: u32,
    pub link: String,
}

#[derive(Clone, Serialize)]
pub struct PhoneAddedEmail {
    pub practice: String,
    pub when: Moment,
    /// Masked.
    pub phone: String,
    /// The earliest time at which codes can be sent to it.
    pub usable_from: Moment,
    /// Where a person who did not do this can stop it.
    pub link: String,
}

#[derive(Clone, Serialize)]
pub struct AuthenticatorAppEmail {
    pub practice: String,
    pub when: Moment,
    pub removed: bool,
    /// When the codes of an added app are accepted, if not at once.
    pub usable_from: Option<Moment>,
    /// Where a person who did not do this can stop it.
    pub link: String,
}

fn sample_moment(day: i8) -> Moment {
    let date = Date { year: 2026, month: 11, day };
    Moment { date, hour: 16, minute: 5, zone: "EST".to_owned() }
}

impl EmailView for InvitationEmail {
    const TEMPLATE: &'static str = "invitation";

    fn samples() -> Vec<Self> {
        vec![InvitationEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            name: "Erin Walsh".to_owned(),
            link: "http://localhost:8080/register/SAMPLE".to_owned(),
            days: 7,
        }]
    }
}

impl EmailView for AccountLockedEmail {
    const TEMPLATE: &'static str = "account-locked";

    fn samples() -> Vec<Self> {
        vec![AccountLockedEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            when: sample_moment(23),
            reset_link: "http://localhost:8080/forgot-password".to_owned(),
        }]
    }
}

impl EmailView for RecoveryEmail {
    const TEMPLATE: &'static str = "recovery";

    fn samples() -> Vec<Self> {
        let asked = RecoveryEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            link: "http://localhost:8080/recover/SAMPLE".to_owned(),
            code: Some("K7QM2-XR94T".to_owned()),
            minutes: 30,
        };
        vec![asked.clone(), RecoveryEmail { code: None, ..asked }]
    }
}

impl EmailView for PasswordChangedEmail {
    const TEMPLATE: &'static str = "password-changed";

    fn samples() -> Vec<Self> {
        vec![PasswordChangedEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            when: sample_moment(23),
            reset_link: "http://localhost:8080/forgot-password".to_owned(),
        }]
    }
}

impl EmailView for RegistrationCompletedEmail {
    const TEMPLATE: &'static str = "registration-completed";

    fn samples() -> Vec<Self> {
        vec![RegistrationCompletedEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            when: sample_moment(23),
            reset_link: "http://localhost:8080/forgot-password".to_owned(),
        }]
    }
}

impl EmailView for PasswordExpiresEmail {
    const TEMPLATE: &'static str = "password-expires";

    fn samples() -> Vec<Self> {
        let email = |days| PasswordExpiresEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            days,
            link: "http://localhost:8080/change-password".to_owned(),
        };
        [14, 7, 1, 0].map(email).into()
    }
}

/// A client requested the same tokens twice, from two networks.
#[derive(Clone, Serialize)]
pub struct TokensElsewhereEmail {
    pub practice: String,
    pub when: Moment,
    pub application: String,
    /// Where a person who did not do this can stop it.
    pub link: String,
}

impl EmailView for TokensElsewhereEmail {
    const TEMPLATE: &'static str = "tokens-elsewhere";

    fn samples() -> Vec<Self> {
        vec![TokensElsewhereEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            when: sample_moment(23),
            application: "Schedule".to_owned(),
            link: "http://localhost:8080/forgot-password".to_owned(),
        }]
    }
}

impl EmailView for PhoneAddedEmail {
    const TEMPLATE: &'static str = "phone-added";

    fn samples() -> Vec<Self> {
        vec![PhoneAddedEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            when: sample_moment(23),
            phone: "•••-•••-••43".to_owned(),
            usable_from: sample_moment(26),
            link: "http://localhost:8080/forgot-password".to_owned(),
        }]
    }
}

impl EmailView for AuthenticatorAppEmail {
    const TEMPLATE: &'static str = "authenticator-app";

    fn samples() -> Vec<Self> {
        let email = |removed, usable_from| AuthenticatorAppEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            when: sample_moment(23),
            removed,
            usable_from,
            link: "http://localhost:8080/forgot-password".to_owned(),
        };
        vec![email(false, None), email(false, Some(sample_moment(26))), email(true, None)]
    }
}
