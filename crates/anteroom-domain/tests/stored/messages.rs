use anteroom_domain::mail_request::MailRequest;
use anteroom_domain::message::{AppChange, Mail, Notice, OneTimeCodeText};
use jiff::Timestamp;

use crate::golden::Form;
use crate::{samples, time};

const MAILS: Form = Form { name: "mails", objects: &[""] };
const NOTICES: Form = Form { name: "notices", objects: &[""] };
const ASKS: Form = Form { name: "asks", objects: &[""] };
const CODES: Form = Form { name: "texts_and_calls", objects: &[""] };

#[test]
fn asks_of_every_release_are_read() {
    let ask = MailRequest {
        address: "carol@practice.example".to_owned(),
        token: "abc".to_owned(),
        mailed_code: Some("ABCDE-FGHJK".to_owned()),
        reference: Some("K7QM-2XRD".to_owned()),
        ip_address: Some([203, 0, 113, 9].into()),
        languages: None,
    };
    let bare = MailRequest { mailed_code: None, reference: None, ip_address: None, ..ask.clone() };
    let spoken = MailRequest { languages: Some("es-MX es".to_owned()), ..ask.clone() };
    ASKS.check(&[("ask", ask), ("ask_of_an_invitation", bare), ("ask_on_a_page_in_spanish", spoken)]);
}

#[test]
fn mails_of_every_release_are_read() {
    let link = || "https://id.practice.example/link/abc".to_owned();
    let mut mails = samples!(Mail {
        "invitation": Invitation = Mail::Invitation { name: Some("María".to_owned()), link: link(), days: 7 },
        "account_locked": AccountLocked = Mail::AccountLocked { at: at(), link: link() },
        "recovery": Recovery = Mail::Recovery { link: link(), code: Some("ABCD-EFGH".to_owned()), minutes: 30 },
        "password_changed": PasswordChanged = Mail::PasswordChanged { at: at(), link: link() },
        "registration_completed": RegistrationCompleted = Mail::RegistrationCompleted { at: at(), link: link() },
        "password_expires": PasswordExpires = Mail::PasswordExpires { days: 14, link: link() },
        "phone_added": PhoneAdded = Mail::PhoneAdded {
            at: at(),
            phone: "•••-•••-••43".to_owned(),
            usable_from: usable_from(),
            link: link(),
        },
        "app_removed": AuthenticatorApp =
            Mail::AuthenticatorApp { at: at(), change: AppChange::Removed, link: link() },
        "tokens_asked_elsewhere": TokensAskedElsewhere =
            Mail::TokensAskedElsewhere { at: at(), application: "Schedule".to_owned(), link: link() },
    });
    let changes = samples!(AppChange {
        "app_added": Added = AppChange::Added { usable_from: usable_from() },
        "app_removed": Removed = AppChange::Removed,
    });
    let added = changes.into_iter().find(|(name, _)| *name == "app_added");
    mails.extend(
        added.map(|(name, change)| (name, Mail::AuthenticatorApp { at: at(), change, link: link() })),
    );
    mails.extend([
        ("invitation_without_a_name", Mail::Invitation { name: None, link: link(), days: 7 }),
        ("recovery_without_a_code", Mail::Recovery { link: link(), code: None, minutes: 30 }),
    ]);
    MAILS.check(&mails);
}

#[test]
fn texts_and_calls_of_every_release_are_read() {
    CODES.check(&[("code", OneTimeCodeText { digits: "012345".to_owned(), minutes: 10 })]);
    NOTICES.check(&samples!(Notice {
        "phone_added": PhoneAdded = Notice::PhoneAdded {
            phone: "•••-•••-••43".to_owned(),
            link: "https://id.practice.example/forgot-password".to_owned(),
        },
    }));
}

fn at() -> Timestamp {
    time("2027-01-04T08:00:00.123Z")
}

fn usable_from() -> Timestamp {
    time("2027-01-07T08:00:00.123Z")
}
