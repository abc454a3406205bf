use serde::Serialize;

use super::Page;

/// The outbox page of a demo or a development machine.
#[derive(Clone, Serialize)]
pub struct OutboxPage {
    /// Newest first.
    pub messages: Vec<OutboxMessage>,
}

#[derive(Clone, Serialize)]
pub struct OutboxMessage {
    pub id: String,
    /// RFC 3339 in UTC.
    pub at: String,
    pub channel: OutboxChannel,
    /// An address or an E.164 number.
    pub to: String,
    pub subject: Option<String>,
    /// The plain text; for a call, its transcript.
    pub text: String,
    pub link: Option<String>,
    pub code: Option<String>,
    /// The page that shows the email as its recipient sees it.
    pub html_href: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutboxChannel {
    Email,
    Text,
    Call,
}

impl Page for OutboxPage {
    const TEMPLATE: &'static str = "outbox";

    fn samples() -> Vec<Self> {
        let email = OutboxMessage {
            id: "3".to_owned(),
            at: "2026-11-23T16:04:05Z".to_owned(),
            channel: OutboxChannel::Email,
            to: "erin@demo.example".to_owned(),
            subject: Some("You are invited to Riverside Dental & Medical".to_owned()),
            text: "Hello Erin,\n\nplease complete your registration within 7 days:\nhttp://localhost:8080/register/SAMPLE"
                .to_owned(),
            link: Some("http://localhost:8080/register/SAMPLE".to_owned()),
            code: None,
            html_href: Some("/dev/outbox/3".to_owned()),
        };
        let text = OutboxMessage {
            id: "2".to_owned(),
            channel: OutboxChannel::Text,
            to: "+12025550143".to_owned(),
            subject: None,
            text: "Your code is 402918.\n\n@localhost #402918".to_owned(),
            link: None,
            code: Some("402918".to_owned()),
            html_href: None,
            ..email.clone()
        };
        let call = OutboxMessage {
            id: "1".to_owned(),
            channel: OutboxChannel::Call,
            to: "+12025550186".to_owned(),
            text: "Press any key to hear your code.\n[key]\n4, 0, 2, 9, 1, 8.".to_owned(),
            ..text.clone()
        };
        vec![OutboxPage { messages: vec![email, text, call] }, OutboxPage { messages: Vec::new() }]
    }
}
