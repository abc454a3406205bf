//! What each way out sends, and what it makes of the answer.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::message::Channel;
use anteroom_messaging::twilio::{CodePartSealer, Twilio, TwilioAccount};
use anteroom_messaging::{
    Gateway, GatewayMethod, GatewayRequest, PhoneProvider, Senders, Smtp, SmtpServer, SmtpTls,
};
use std::sync::Arc;
use std::time::Duration;

use crate::doubles::{Answer, api, mail_server};
use crate::office::{Office, call, keyring, mail, number, text};

pub(crate) fn smtp(port: u16) -> Senders {
    let server = SmtpServer {
        host: "127.0.0.1".to_owned(),
        port,
        tls: SmtpTls::None,
        authority: None,
        login: None,
        from: EmailAddress::parse("no-reply@practice.example").unwrap(),
        from_name: Some("Practice".to_owned()),
        reply_to: None,
        timeout: Duration::from_secs(5),
        connections: 2,
    };
    Senders { email: Some(Smtp::new(&server).unwrap()), ..Senders::default() }
}

fn twilio(office: &Office, port: u16) -> PhoneProvider {
    let account = TwilioAccount {
        base_url: format!("http://127.0.0.1:{port}").parse().unwrap(),
        account_sid: "AC1".to_owned(),
        auth_token: "token".into(),
        number: Some(number()),
        messaging_service: None,
    };
    let seals = CodePartSealer { keyring: keyring(), random: office.random.clone() };
    let issuer = "https://id.practice.example".parse().unwrap();
    PhoneProvider::Twilio(Box::new(Twilio::new(account, &issuer, Arc::new(seals)).unwrap()))
}

fn texting(telephone: PhoneProvider) -> Senders {
    Senders { text: Some(telephone), ..Senders::default() }
}

#[tokio::test]
async fn an_email_goes_out_once_in_both_forms_and_leaves_nothing_behind() {
    let (office, server) = (Office::open().await, mail_server().await);
    let id = office.queue(mail()).await;
    let running = office.send_through(smtp(server.port));
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    let got = server.got();
    assert_eq!(got.len(), 1);
    for part in [
        format!("Message-ID: <{id}@practice.example>"),
        "Auto-Submitted: auto-generated".to_owned(),
        "To: alice@demo.example".to_owned(),
        "multipart/alternative".to_owned(),
        "Seven days are left.".to_owned(),
        "<p>Seven days are left.</p>".to_owned(),
        "Date: Fri, 15 Jan 2027 08:00:00 +0000".to_owned(),
    ] {
        assert!(got[0].contains(&part), "{part}\n{}", got[0]);
    }
    assert!(office.is_erased().await);
}

#[tokio::test]
async fn an_email_names_the_person_beside_the_address() {
    let (office, server) = (Office::open().await, mail_server().await);
    let erin = office.person("Erin Walsh").await;
    let id = office.queue_for(Some(erin), mail()).await;
    let running = office.send_through(smtp(server.port));
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    assert!(server.got()[0].contains("To: \"Erin Walsh\" <alice@demo.example>"), "{}", server.got()[0]);
}

#[tokio::test]
async fn a_text_through_twilio_names_where_its_fate_is_told() {
    let (office, api) = (Office::open().await, api(&[Answer(201, "", "{}")]).await);
    let id = office.queue(text()).await;
    let running = office.send_through(texting(twilio(&office, api.port)));
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    let got = api.got();
    assert!(got[0].head.starts_with("POST /2010-04-01/Accounts/AC1/Messages.json "), "{}", got[0].head);
    assert!(got[0].head.contains("Basic QUMxOnRva2Vu"), "AC1 and its token");
    let callback = format!("https%3A%2F%2Fid.practice.example%2Fcallbacks%2Ftwilio%2F{id}");
    let body =
        format!("To=%2B12025550143&From=%2B12025550143&Body=code+402918+%26+more&StatusCallback={callback}");
    assert_eq!((got.len(), &got[0].body), (1, &body));
}

#[tokio::test]
async fn twilio_refuses_for_now_or_for_good() {
    for (answer, expected) in [
        (Answer(429, "Retry-After: 7\r\n", r#"{"code": 20429}"#), "busy"),
        (Answer(500, "", "oops"), "busy"),
        (Answer(503, "", r#"{"code": 21614}"#), "busy"),
        (Answer(1, "", ""), "no_connection"),
        (Answer(401, "", r#"{"code": 20003}"#), "credentials"),
        (Answer(403, "", ""), "credentials"),
        (Answer(404, "", ""), "set_up"),
    ] {
        let (office, api) = (Office::open().await, api(&[answer]).await);
        let id = office.queue(text()).await;
        let running = office.send_through(texting(twilio(&office, api.port)));
        assert_eq!(office.delay_of(id).await, expected);
        running.stop().await;
    }
    for (answer, expected) in [
        (Answer(400, "", r#"{"code": 21614, "message": "not a mobile number"}"#), "text_refused"),
        (Answer(400, "", r#"{"code": 21211}"#), "invalid_number"),
        (Answer(400, "", r#"{"code": 21408}"#), "rejected"),
        (Answer(400, "", r#"{"code": 21610}"#), "text_refused"),
        (Answer(400, "", r#"{"code": 99999}"#), "rejected"),
    ] {
        let (office, api) = (Office::open().await, api(&[answer]).await);
        let id = office.queue(text()).await;
        let running = office.send_through(texting(twilio(&office, api.port)));
        assert_eq!(office.end_of(id).await.as_deref(), Some(expected));
        running.stop().await;
    }
}

#[tokio::test]
async fn what_twilio_puts_off_goes_out_once_and_not_before() {
    let later = Answer(429, "Retry-After: 7\r\n", r#"{"code": 20429}"#);
    let (office, api) = (Office::open().await, api(&[later, Answer(201, "", "{}")]).await);
    let id = office.queue(text()).await;
    let running = office.send_through(texting(twilio(&office, api.port)));
    assert_eq!(office.delay_of(id).await, "busy");
    // As many seconds as it asked for.
    office.tries_again_in(Channel::Text, 7).await;
    assert_eq!(api.got().len(), 1);
    office.wait_out(7);
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    assert_eq!(api.got().len(), 2);
}

/// Takes as long as the client is patient.
#[tokio::test]
async fn twilio_that_is_silent_is_asked_again_later() {
    let (office, api) = (Office::open().await, api(&[Answer(0, "", "")]).await);
    let id = office.queue(call()).await;
    let senders = Senders { call: Some(twilio(&office, api.port)), ..Senders::default() };
    let running = office.send_through(senders);
    assert_eq!(office.delay_of(id).await, "timed_out");
    running.stop().await;
    assert_eq!(api.got().len(), 1);
}

#[tokio::test]
async fn a_call_says_nothing_of_the_code_before_a_key_and_the_code_after_it() {
    let (office, api) = (Office::open().await, api(&[Answer(201, "", "{}")]).await);
    let id = office.queue(call()).await;
    let senders = Senders { call: Some(twilio(&office, api.port)), ..Senders::default() };
    let running = office.send_through(senders);
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    let got = api.got();
    assert!(got[0].head.starts_with("POST /2010-04-01/Accounts/AC1/Calls.json "), "{}", got[0].head);
    let form: Vec<(String, String)> =
        url::form_urlencoded::parse(got[0].body.as_bytes()).into_owned().collect();
    let twiml = &form.iter().find(|(name, _)| name == "Twiml").unwrap().1;
    assert_eq!(twiml.matches("Press &lt;any&gt; key.").count(), 2, "{twiml}");
    // `#` is a key like any other.
    assert!(twiml.contains("numDigits=\"1\" finishOnKey=\"\"") && !twiml.contains("402918"), "{twiml}");
    let action = twiml.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    let part = action.split("part=").nth(1).unwrap();
    assert!(action.starts_with(&format!("https://id.practice.example/callbacks/twilio/{id}/key?part=")));
    let seals = CodePartSealer { keyring: keyring(), random: office.random.clone() };
    let spoken = seals.twiml(id, part, action, office.clock.now()).unwrap();
    assert!(spoken.contains("402918") && spoken.contains("<Gather"), "{spoken}");
    assert!(spoken.contains("finishOnKey=\"\""), "{spoken}");
    let other = office.queue(call()).await;
    assert!(seals.twiml(other, part, action, office.clock.now()).is_err());
    office.clock.advance(jiff::SignedDuration::from_mins(10));
    assert!(seals.twiml(id, part, action, office.clock.now()).is_err());
}

#[tokio::test]
async fn a_gateway_gets_its_request_filled_in() {
    let (office, api) = (Office::open().await, api(&[Answer(202, "", "0: Accepted")]).await);
    let url = "/cgi-bin/sendsms?username=us&password={secret}&to={to}&text={text}";
    let request = GatewayRequest {
        method: GatewayMethod::Get,
        url: format!("http://127.0.0.1:{}{url}", api.port),
        headers: vec![("X-Reference".to_owned(), "{id}".to_owned())],
        body: None,
        secret: Some("s&cret".into()),
        success: Some("Accepted".to_owned()),
    };
    let id = office.queue(text()).await;
    let running = office.send_through(texting(PhoneProvider::Gateway(Gateway::new(request).unwrap())));
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    let got = api.got();
    let line = "GET /cgi-bin/sendsms?username=us&password=s%26cret&to=%2B12025550143&text=code%20402918%20%26%20more ";
    assert!(got[0].head.starts_with(line), "{}", got[0].head);
    assert!(got[0].head.to_lowercase().contains(&format!("x-reference: {id}")));
}

#[tokio::test]
async fn a_gateway_that_answers_200_whatever_happens_is_held_to_its_word() {
    for (answer, expected) in [("0: Accepted for delivery", None), ("ERR 105: no credit", Some("rejected"))] {
        let (office, api) = (Office::open().await, api(&[Answer(200, "", answer)]).await);
        let request = GatewayRequest {
            method: GatewayMethod::Post,
            url: format!("http://127.0.0.1:{}/", api.port),
            headers: vec![("Content-Type".to_owned(), "text/xml".to_owned())],
            body: Some("<sms to=\"{to}\">{text}</sms>".to_owned()),
            secret: None,
            success: Some("Accepted".to_owned()),
        };
        let id = office.queue(text()).await;
        let running = office.send_through(texting(PhoneProvider::Gateway(Gateway::new(request).unwrap())));
        assert_eq!(office.end_of(id).await.as_deref(), expected, "{answer}");
        running.stop().await;
        assert_eq!(api.got()[0].body, "<sms to=\"+12025550143\">code 402918 &amp; more</sms>");
    }
}
