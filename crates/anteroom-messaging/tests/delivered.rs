//! What a reader has of each message: its words in their language, and what the development outbox says of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use anteroom_domain::address::EmailAddress;
use anteroom_domain::message::{Channel, Mail, Message, MessageBody, Notice, OneTimeCodeText};
use anteroom_domain::phone::E164;
use anteroom_messaging::{Branding, OutboxItem, SampleText, sample_texts};
use anteroom_pages::{Locale, Theme};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::Path;

fn now() -> Timestamp {
    "2026-11-23T21:05:00Z".parse().unwrap()
}

fn branding(practice: &str, host: &str) -> Branding {
    Branding {
        practice: practice.to_owned(),
        host: host.to_owned(),
        time_zone: TimeZone::get("America/New_York").unwrap(),
        default_locale: Locale::En,
        locales: Locale::ALL.to_vec(),
    }
}

fn delivered(locale: &str, body: MessageBody) -> OutboxItem {
    let branding = branding("Riverside Dental", "id.riverside.example");
    let message = Message {
        id: "01936f5e-0000-7000-8000-000000000001".parse().unwrap(),
        account: None,
        locale: Some(locale.to_owned()),
        body,
        reference: None,
        created_at: now(),
        expires_at: now(),
    };
    OutboxItem::of(&Theme::load(None).unwrap(), &branding, &message).unwrap()
}

fn email(mail: Mail) -> MessageBody {
    MessageBody::Email { to: EmailAddress::parse("alice@demo.example").unwrap(), mail }
}

fn phone() -> (E164, OneTimeCodeText) {
    let code = OneTimeCodeText { digits: "402918".to_owned(), minutes: 10 };
    (E164::parse("+12025550143").unwrap(), code)
}

#[test]
fn a_text_carries_its_code_and_ends_with_the_line_of_the_issuers_host() {
    let (to, code) = phone();
    let text = delivered("es", MessageBody::Text { to, code });
    assert_eq!((text.channel, &*text.to), (Channel::Text, "+12025550143"));
    assert_eq!(
        (text.code.as_deref(), text.link, text.subject, text.html),
        (Some("402918"), None, None, None)
    );
    assert!(text.text.contains("es su clave de un solo uso en Riverside Dental"), "{}", text.text);
    assert!(text.text.ends_with("\n@id.riverside.example #402918"), "{}", text.text);
}

#[test]
fn a_call_is_a_transcript_that_says_no_digit_before_the_key() {
    let (to, code) = phone();
    let call = delivered("en", MessageBody::Call { to, code });
    assert_eq!((call.channel, call.code.as_deref()), (Channel::Call, Some("402918")));
    let (before, after) = call.text.split_once("[key]").unwrap();
    assert!(!before.contains(|c: char| c.is_ascii_digit()), "{before}");
    assert_eq!(after.matches("4 … 0 … 2 … 9 … 1 … 8").count(), 2);
}

#[test]
fn every_mail_is_written_with_its_link() {
    let link = "https://id.riverside.example/somewhere".to_owned();
    let at = now();
    let table = [
        (Mail::Invitation { name: None, link: link.clone(), days: 7 }, "Hello alice@demo.example,"),
        (Mail::AccountLocked { at, link: link.clone() }, "November 23, 2026 at 4:05 p.m. (EST)"),
        (Mail::PasswordChanged { at, link: link.clone() }, "was changed on November 23, 2026"),
        (Mail::PasswordExpires { days: 1, link: link.clone() }, "expires tomorrow"),
        (
            Mail::PhoneAdded {
                at, phone: "•••-•••-••43".to_owned(), usable_from: at, link: link.clone()
            },
            "The phone •••-•••-••43 was added",
        ),
        (
            Mail::TokensAskedElsewhere { at, application: "Schedule".to_owned(), link: link.clone() },
            "Schedule did so twice",
        ),
    ];
    for (mail, words) in table {
        let email = delivered("en", email(mail));
        assert!(email.text.contains(words) && email.text.contains(&link), "{}", email.text);
        assert_eq!((email.link.as_ref(), email.code), (Some(&link), None));
        assert!(email.subject.is_some() && email.html.is_some_and(|html| html.contains(&link)));
    }
}

#[test]
fn a_mail_shows_what_it_is_about_in_a_list_and_its_links_as_they_are() {
    let link = "https://id.riverside.example/forgot-password?a=1&b=2".to_owned();
    for locale in ["en", "es"] {
        let mail = Mail::PasswordExpires { days: 7, link: link.clone() };
        let html = delivered(locale, email(mail)).html.unwrap();
        let written = "https://id.riverside.example/forgot-password?a=1&amp;b=2";
        assert_eq!(html.matches(written).count(), 3, "the button, and the address twice: {html}");
        assert!(!html.contains("&#x3D;"), "{html}");
        let (_, hidden) = html.split_once("<div style=\"display:none").unwrap();
        let preheader = hidden.split_once('>').unwrap().1.split_once("</div>").unwrap().0;
        assert!(
            preheader.contains("Riverside Dental") && html.matches(preheader).count() == 2,
            "{preheader}"
        );
        assert!(html.contains("prefers-color-scheme: dark"));
    }
}

#[test]
fn a_text_about_a_new_phone_has_a_way_to_stop_it_and_no_code() {
    let link = "https://id.riverside.example/forgot-password".to_owned();
    let notice = Notice::PhoneAdded { phone: "•••-•••-••66".to_owned(), link: link.clone() };
    let to = E164::parse("+12025550143").unwrap();
    for (language, words) in
        [("en", "phone ***66 was added to your account"), ("es", "teléfono ***66 en su cuenta")]
    {
        let text = delivered(language, MessageBody::Notice { to: to.clone(), notice: notice.clone() });
        assert!(text.text.contains(words) && text.text.ends_with(&link), "{}", text.text);
        assert_eq!((text.link.as_ref(), text.code, text.subject), (Some(&link), None, None));
    }
}

/// What a practice of this name, at this host, pays for each text: the most segments of any, in any language.
fn most_segments(practice: &str, host: &str) -> (Vec<SampleText>, usize) {
    let link = format!("https://{host}/forgot-password");
    // With the example of a third language.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../themes/german");
    let theme = Theme::load(Some(Path::new(folder))).unwrap();
    let branding = Branding { locales: theme.locales(), ..branding(practice, host) };
    let samples = sample_texts(&theme, &branding, 10, &link).unwrap();
    let most = samples.iter().map(|sample| sample.segments.count).max().unwrap();
    (samples, most)
}

#[test]
fn each_text_is_one_segment_in_each_language_with_a_long_name_and_two_with_a_very_long_one() {
    for (practice, host, expected) in [
        ("Riverside Dental & Medical", "id.riverside.example", 1),
        ("Riverside Family Dentistry & Orthodontics", "id.riverside-dental.example", 1),
        (
            "The Riverside Centre for Family Dentistry, Orthodontics and Oral Surgery of Upper Northfield",
            "identity.riverside-family-dentistry-northfield.example",
            2,
        ),
    ] {
        let (samples, most) = most_segments(practice, host);
        assert_eq!((samples.len(), most), (2 * 3, expected), "{samples:?}");
        assert!(samples.iter().all(|sample| sample.segments.beyond_gsm_7.is_none()), "{samples:?}");
    }
}

#[test]
fn a_name_beyond_gsm_7_is_found_by_its_character() {
    let (samples, most) = most_segments("Clínica Dental Núñez", "id.nunez.example");
    assert!(
        most > 1 && samples.iter().all(|sample| sample.segments.beyond_gsm_7 == Some('í')),
        "{samples:?}"
    );
}

#[test]
fn a_recovery_carries_a_link_and_a_code_to_type() {
    let link = "https://id.riverside.example/recover/SECRET".to_owned();
    let mail = Mail::Recovery { link: link.clone(), code: Some("K7QM2XR94T".to_owned()), minutes: 30 };
    let email = delivered("xx", email(mail));
    assert_eq!((email.link, email.code.as_deref()), (Some(link), Some("K7QM2XR94T")));
    assert!(email.text.contains("K7QM2XR94T") && email.text.contains("30 minutes"), "{}", email.text);
    assert!(!email.subject.unwrap().contains("K7QM2XR94T"));
}
