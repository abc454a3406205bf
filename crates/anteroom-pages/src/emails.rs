//! Emails: one struct each, like the pages, with three templates: `emails/NAME.subject.txt.hbs`, `emails/NAME.txt.hbs`
//! and `emails/NAME.html.hbs`.

use serde::Serialize;

use crate::when::{Date, Moment};

/// An email that the theme can write.
pub trait Message: Serialize + Sized {
    /// The stem of its three templates.
    const TEMPLATE: &'static str;

    /// As for a page: together they show every shape.
    fn samples() -> Vec<Self>;
}

/// A written email. The subject is one line without control characters.
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
    /// How long the link works.
    pub days: u32,
}

#[derive(Clone, Serialize)]
pub struct AccountLockedEmail {
    pub practice: String,
    pub when: Moment,
    /// Where to begin the reset, the only way to lift the lock.
    pub reset_link: String,
}

impl Message for InvitationEmail {
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

impl Message for AccountLockedEmail {
    const TEMPLATE: &'static str = "account-locked";

    fn samples() -> Vec<Self> {
        vec![AccountLockedEmail {
            practice: "Riverside Dental & Medical".to_owned(),
            when: Moment {
                date: Date { year: 2026, month: 11, day: 23 },
                hour: 16,
                minute: 5,
                zone: "EST".to_owned(),
            },
            reset_link: "http://localhost:8080/forgot-password".to_owned(),
        }]
    }
}
