//! `[email]`, `[twilio]`, `[text]` and `[voice]`: who takes messages.

use crate::parse_with;
use anteroom_config::{EmailTls, PhoneProviderSettings};
use secrecy::ExposeSecret as _;

const TWILIO: &str = "\
[twilio]
account_sid = \"AC00000000000000000000000000000000\"
auth_token_env = \"OTHER_SECRET\"
";

#[test]
fn without_a_section_nobody_takes_messages() {
    let settings = parse_with("").unwrap().settings;
    assert!(settings.email.is_none() && settings.text.is_none() && settings.voice.is_none());
}

#[test]
fn a_mail_server_arrives() {
    let text = "[email]\nhost = \"smtp.example\"\nusername = \"us\"\npassword_env = \"OTHER_SECRET\"\nfrom = \"no-reply@practice.example\"\n";
    let email = parse_with(text).unwrap().settings.email.unwrap();
    assert_eq!((email.host.as_str(), email.port, email.tls), ("smtp.example", 587, EmailTls::StartTls));
    assert_eq!(email.password.unwrap().expose_secret(), "another-secret-of-good-length");
    assert_eq!((email.connections, email.reply_to), (2, None));
    let more = format!("{text}reply_to = \"desk@practice.example\"\nconnections = 4\n");
    let email = parse_with(&more).unwrap().settings.email.unwrap();
    assert_eq!((email.connections, email.reply_to.unwrap().as_str()), (4, "desk@practice.example"));
    assert!(parse_with(&format!("{text}connections = 0\n")).is_err());
    let tls = format!("{text}tls = \"tls\"\n");
    assert_eq!(parse_with(&tls).unwrap().settings.email.unwrap().port, 465);
}

#[test]
fn a_gateway_keeps_its_placeholders() {
    let url = "http://127.0.0.1:13013/cgi-bin/sendsms?password={secret}&to={to}&text={text}";
    let text = format!(
        "[text]\nprovider = \"http\"\n[text.http]\nmethod = \"GET\"\nurl = \"{url}\"\nsecret_env = \"OTHER_SECRET\"\n"
    );
    let Some(PhoneProviderSettings::Http(gateway)) = parse_with(&text).unwrap().settings.text else {
        panic!("no gateway")
    };
    assert_eq!(gateway.url, url);
    assert!(gateway.secret.is_some());
}

#[test]
fn what_would_not_work_or_not_be_safe_is_refused() {
    let from = "from = \"no-reply@practice.example\"\n";
    let gateway =
        "[voice]\nprovider = \"http\"\n[voice.http]\nurl = \"https://calls.example/?to={to}&say={text}\"\n";
    let texts = "[text]\nprovider = \"http\"\n[text.http]\nurl = \"https://sms.example/\"\n";
    for (text, complaint) in [
        (format!("[email]\nhost = \"smtp.example\"\ntls = \"none\"\n{from}"), "in the clear"),
        (format!("[email]\nhost = \"smtp.example\"\nusername = \"us\"\n{from}"), "belong together"),
        (format!("[email]\nhost = \"smtp.example\"\npassword = \"x\"\n{from}"), "does not belong"),
        ("[email]\nhost = \"smtp.example\"\n".to_owned(), "`from` is missing"),
        ("[text]\nprovider = \"twilio\"\n".to_owned(), "there is no `[twilio]`"),
        (format!("{TWILIO}[text]\nprovider = \"twilio\"\n"), "no number to come from"),
        (format!("{TWILIO}messaging_service = \"MG1\"\n[voice]\nprovider = \"twilio\"\n"), "no number"),
        ("[text]\nprovider = \"http\"\n".to_owned(), "a gateway that is not described"),
        (
            "[text]\nprovider = \"http\"\n[text.http]\nurl = \"http://sms.example/\"\n".to_owned(),
            "must be https",
        ),
        (gateway.to_owned(), "a voicemail would record"),
        (format!("{texts}body = \"text={{text}}\"\n"), "not told to which number"),
        (format!("{texts}body = \"to={{to}}&text=Hello\"\n"), "not told what it says"),
        (texts.to_owned(), "`{to}` is in none of"),
        ("[policy.telephony]\nregions = [\"U1\"]\n".to_owned(), "not a region"),
        ("[policy.telephony]\nregions = []\n".to_owned(), "no region is reached"),
    ] {
        let found = parse_with(&text).expect_err(&text).to_string();
        assert!(found.contains(complaint), "{text}\n{found}");
    }
    assert!(parse_with(&format!("{gateway}waits_for_key = true\n")).unwrap().settings.voice.is_some());
    let texts = format!("{TWILIO}messaging_service = \"MG1\"\n[text]\nprovider = \"twilio\"\n");
    assert!(matches!(parse_with(&texts).unwrap().settings.text, Some(PhoneProviderSettings::Twilio)));
}

#[test]
fn a_gateways_body_is_read_as_the_gateway_will_read_it() {
    const JSON: &str = "headers = [\"Content-Type: application/json\"]\n";
    const XML: &str = "headers = [\"Content-Type: text/xml; charset=utf-8\"]\n";
    let gateway = |more: &str| {
        format!("[text]\nprovider = \"http\"\n[text.http]\nurl = \"https://sms.example/\"\n{more}")
    };
    for good in [
        "body = \"to={to}&text={text}\"\n".to_owned(),
        format!("{JSON}body = '{{\"to\": \"{{to}}\", \"text\": \"{{text}}\"}}'\n"),
        format!("{XML}body = '<sms to=\"{{to}}\">{{text}}</sms>'\nsuccess = \"OK\"\n"),
    ] {
        let settings = parse_with(&gateway(&good)).unwrap_or_else(|found| panic!("{good}\n{found}")).settings;
        assert!(matches!(settings.text, Some(PhoneProviderSettings::Http(_))), "{good}");
    }
    for (bad, complaint) in [
        ("body = \"to={to}&text={txt}\"\n".to_owned(), "`{txt}` stands for nothing"),
        ("headers = [\"X-Key: {key}\"]\n".to_owned(), "`{key}` stands for nothing"),
        ("headers = [\"X-Text: {text}\"]\n".to_owned(), "a header has one"),
        (
            "headers = [\"Content-Type: text/plain\"]\nbody = \"{text}\"\n".to_owned(),
            "of the type `text/plain`",
        ),
        ("body = '{\"to\": \"{to}\"}'\n".to_owned(), "not a form"),
        (format!("{JSON}body = '{{\"to\": {{to}}}}'\n"), "not JSON"),
        (format!("{XML}body = '<sms>{{text}}'\n"), "not XML"),
    ] {
        let found = parse_with(&gateway(&bad)).expect_err(&bad).to_string();
        assert!(found.contains(complaint), "{bad}\n{found}");
    }
    let found =
        parse_with("[text]\nprovider = \"http\"\n[text.http]\nurl = \"https://sms.example/?to={number}\"\n");
    assert!(found.expect_err("a word that is none").to_string().contains("`{number}` stands for nothing"));
}
