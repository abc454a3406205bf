//! Emails through a real mail server, which takes, refuses, delays and hangs up as it is told: nothing is lost, and nothing
//! comes twice but for what SMTP itself cannot tell apart. Needs `ANTEROOM_TEST_MAIL_SERVER`, a Python with aiosmtpd.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::message::Channel;
use anteroom_messaging::{Senders, Smtp, SmtpServer, SmtpTls};
use anteroom_storage::MessageStatus;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

use crate::office::{Office, mail};

const NAME: &str = "anteroom";
const PASSWORD: &str = "mail server's password";

/// A server that runs. It stops when it goes.
struct MailServer {
    port: u16,
    folder: TempDir,
    got: Arc<Mutex<Vec<Value>>>,
    child: Child,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // It may have gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy)]
struct How {
    tls: SmtpTls,
    login: bool,
    /// The only way to sign in that is offered.
    mechanism: Option<&'static str>,
}

const PLAINLY: How = How { tls: SmtpTls::None, login: false, mechanism: None };
const STARTTLS: How = How { tls: SmtpTls::StartTls, login: false, mechanism: None };

impl MailServer {
    /// None where no server is named to test with.
    fn start(how: How, told: &[&str]) -> Option<Self> {
        Self::start_with(how, "good", told)
    }

    fn start_with(how: How, certificate: &str, told: &[&str]) -> Option<Self> {
        let python = std::env::var_os("ANTEROOM_TEST_MAIL_SERVER")?;
        let folder = tempfile::tempdir().unwrap();
        let tls = match how.tls {
            SmtpTls::None => "none",
            SmtpTls::StartTls => "starttls",
            SmtpTls::Tls => "tls",
        };
        let login = how.login.then_some([NAME, PASSWORD]);
        let settings = json!({"folder": folder.path(), "tls": tls, "login": login, "mechanism": how.mechanism,
            "certificate": certificate, "told": told});
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/mail_server.py");
        let mut child = Command::new(python)
            .args([script, &settings.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let port = lines.next().expect("the mail server ended").parse().unwrap();
        let got: Arc<Mutex<Vec<Value>>> = Arc::default();
        let keeps = Arc::clone(&got);
        std::thread::spawn(move || {
            for line in lines {
                keeps.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Some(Self { port, folder, got, child })
    }

    fn got(&self) -> Vec<Value> {
        self.got.lock().unwrap().clone()
    }

    /// Waits for so many messages, since word of one may come after its sender has gone on.
    async fn has_got(&self, count: usize) -> Vec<Value> {
        let enough = async {
            while self.got().len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), enough).await.unwrap();
        self.got()
    }

    fn senders(&self, how: How, password: &str) -> Senders {
        self.trusting(how, password, true)
    }

    fn senders_from(&self, how: How, from: EmailAddress) -> Senders {
        let server = SmtpServer { from, ..self.server(how, PASSWORD, true) };
        Senders { email: Some(Smtp::new(&server).unwrap()), ..Senders::default() }
    }

    fn trusting(&self, how: How, password: &str, its_authority: bool) -> Senders {
        let server = self.server(how, password, its_authority);
        Senders { email: Some(Smtp::new(&server).unwrap()), ..Senders::default() }
    }

    fn server(&self, how: How, password: &str, its_authority: bool) -> SmtpServer {
        let authority = || std::fs::read_to_string(self.folder.path().join("ca.pem")).unwrap();
        SmtpServer {
            host: "localhost".to_owned(),
            port: self.port,
            tls: how.tls,
            authority: (its_authority && how.tls != SmtpTls::None).then(authority),
            login: how.login.then(|| (NAME.to_owned(), password.into())),
            from: EmailAddress::parse("no-reply@practice.example").unwrap(),
            from_name: None,
            reply_to: None,
            timeout: Duration::from_secs(2),
            connections: 2,
        }
    }
}

fn message_id(got: &Value) -> String {
    let content = got["content"].as_str().unwrap();
    content.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned()
}

#[tokio::test]
async fn mail_server_takes_mail_under_tls_with_a_login_by_either_mechanism() {
    for tls in [SmtpTls::StartTls, SmtpTls::Tls] {
        for mechanism in ["PLAIN", "LOGIN"] {
            let how = How { tls, login: true, mechanism: Some(mechanism) };
            let Some(server) = MailServer::start(how, &["take"]) else { return };
            let office = Office::open().await;
            let id = office.queue(mail()).await;
            let running = office.send_through(server.senders(how, PASSWORD));
            assert_eq!(office.end_of(id).await, None, "{tls:?} {mechanism}");
            running.stop().await;
            let got = server.has_got(1).await;
            assert_eq!(got[0]["to"], json!(["alice@demo.example"]));
            assert_eq!(got[0]["user"], NAME);
            assert!(got[0]["tls"] == json!(true) || tls == SmtpTls::Tls);
            assert_eq!(message_id(&got[0]), format!("Message-ID: <{id}@practice.example>"));
            assert!(office.is_erased().await);
        }
    }
}

#[tokio::test]
async fn mail_server_that_refuses_the_login_gets_the_mail_once_that_is_put_right() {
    let how = How { login: true, ..STARTTLS };
    let Some(server) = MailServer::start(how, &["take"]) else { return };
    let office = Office::open().await;
    let id = office.queue(mail()).await;
    let running = office.send_through(server.senders(how, "wrong"));
    assert_eq!(office.delay_of(id).await, "credentials");
    running.stop().await;
    assert!(server.got().is_empty() && !office.is_erased().await);
    office.wait_out(5);
    let running = office.send_through(server.senders(how, PASSWORD));
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    assert_eq!(server.has_got(1).await.len(), 1);
}

#[tokio::test]
async fn mail_server_with_a_certificate_of_nobody_we_trust_gets_nothing() {
    let how = How { login: true, ..STARTTLS };
    let Some(server) = MailServer::start(how, &["take"]) else { return };
    let office = Office::open().await;
    let id = office.queue(mail()).await;
    let running = office.send_through(server.trusting(how, PASSWORD, false));
    assert_eq!(office.delay_of(id).await, "certificate_issuer");
    running.stop().await;
    assert!(server.got().is_empty());
}

/// What `check --online` tells: the reason, and rustls' words or what the server offers.
#[tokio::test]
async fn mail_server_that_is_tried_out_says_what_is_in_the_way() {
    let with_login = How { login: true, ..STARTTLS };
    let tried = async |server: &MailServer, how: How, password: &str, its_authority: bool| {
        let smtp = Smtp::new(&server.server(how, password, its_authority)).unwrap();
        smtp.check_login().await.map_err(|failure| failure.to_string())
    };
    let Some(server) = MailServer::start(with_login, &["take"]) else { return };
    assert_eq!(tried(&server, with_login, PASSWORD, true).await, Ok(()));
    assert_eq!(tried(&server, with_login, "wrong", true).await, Err("credentials (535)".to_owned()));
    let untrusted = tried(&server, with_login, PASSWORD, false).await.unwrap_err();
    assert!(untrusted.starts_with("certificate_issuer (invalid peer certificate: "), "{untrusted}");
    for (certificate, reason) in [("expired", "certificate_expired"), ("other host", "certificate_name")] {
        let Some(server) = MailServer::start_with(with_login, certificate, &["take"]) else { return };
        let refused = tried(&server, with_login, PASSWORD, true).await.unwrap_err();
        assert!(refused.starts_with(&format!("{reason} (invalid peer certificate: ")), "{refused}");
    }
    let Some(server) = MailServer::start(PLAINLY, &["take"]) else { return };
    let without = tried(&server, STARTTLS, PASSWORD, false).await.unwrap_err();
    assert!(
        without.starts_with("no_starttls (the server offers: ") && without.contains("8BITMIME"),
        "{without}"
    );
    let Some(server) = MailServer::start(STARTTLS, &["take"]) else { return };
    let without = tried(&server, with_login, PASSWORD, true).await.unwrap_err();
    assert!(without.starts_with("no_auth (the server offers: ") && without.contains("8BITMIME"), "{without}");
}

#[tokio::test]
async fn mail_server_without_starttls_gets_nothing() {
    let Some(server) = MailServer::start(PLAINLY, &["take"]) else { return };
    let office = Office::open().await;
    let id = office.queue(mail()).await;
    let running = office.send_through(server.trusting(STARTTLS, PASSWORD, false));
    assert_eq!(office.delay_of(id).await, "no_starttls");
    running.stop().await;
    assert!(server.got().is_empty());
}

#[tokio::test]
async fn mail_server_that_says_later_gets_it_later_and_once() {
    for (told, reason) in [
        ("refuse recipient 450", "busy"),
        ("refuse content 451", "busy"),
        ("drop before data", "no_connection"),
    ] {
        let Some(server) = MailServer::start(STARTTLS, &[told, told, "take"]) else { return };
        let office = Office::open().await;
        let id = office.queue(mail()).await;
        let running = office.send_through(server.senders(STARTTLS, PASSWORD));
        assert_eq!(office.delay_of(id).await, reason, "{told}");
        assert!(!office.is_erased().await);
        for wait in [5, 30] {
            office.tries_again_in(Channel::Email, wait).await;
            office.wait_out(wait);
        }
        assert_eq!(office.end_of(id).await, None, "{told}");
        running.stop().await;
        assert_eq!(server.has_got(1).await.len(), 1, "{told}");
    }
}

/// What is said before a recipient is named is about us, and for as long as that lasts nothing is given up.
#[tokio::test]
async fn mail_server_that_takes_nothing_from_us_gets_it_all_once_that_is_put_right() {
    for told in ["refuse hello 504", "refuse hello 550", "refuse sender 550", "refuse sender 553"] {
        let Some(server) = MailServer::start(PLAINLY, &[told, told, told, told, "take"]) else {
            return;
        };
        let office = Office::open().await;
        let id = office.queue(mail()).await;
        let running = office.send_through(server.senders(PLAINLY, PASSWORD));
        assert_eq!(office.delay_of(id).await, "set_up", "{told}");
        // What is about the message waits three minutes after the fourth attempt.
        for wait in [5, 30, 120, 300] {
            office.tries_again_in(Channel::Email, wait).await;
            office.wait_out(wait);
        }
        assert_eq!(office.end_of(id).await, None, "{told}");
        running.stop().await;
        assert_eq!(server.has_got(1).await.len(), 1, "{told}");
    }
}

#[tokio::test]
async fn rfc5321_4_1_1_1_the_server_is_greeted_in_ascii() {
    let Some(server) = MailServer::start(PLAINLY, &["take"]) else { return };
    let office = Office::open().await;
    let id = office.queue(mail()).await;
    let from = EmailAddress::parse("no-reply@zahnärzte.example").unwrap();
    let senders = server.senders_from(PLAINLY, from);
    let running = office.send_through(senders);
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    let got = server.has_got(1).await;
    assert_eq!(got[0]["hello"], "xn--zahnrzte-3za.example");
    assert!(got[0]["content"].as_str().unwrap().contains("From: no-reply@xn--zahnrzte-3za.example"));
}

#[tokio::test]
async fn mail_server_that_says_never_is_not_asked_again() {
    for told in ["refuse recipient 550", "refuse content 554"] {
        let Some(server) = MailServer::start(STARTTLS, &[told, "take"]) else { return };
        let office = Office::open().await;
        let id = office.queue(mail()).await;
        let running = office.send_through(server.senders(STARTTLS, PASSWORD));
        assert_eq!(office.end_of(id).await.as_deref(), Some("rejected"), "{told}");
        office.clock.advance(SignedDuration::from_mins(5));
        let other = office.queue(mail()).await;
        assert_eq!(office.end_of(other).await, None);
        running.stop().await;
        let got = server.has_got(1).await;
        assert_eq!((got.len(), message_id(&got[0])), (1, format!("Message-ID: <{other}@practice.example>")));
    }
}

#[tokio::test]
async fn mail_server_that_is_slow_is_waited_for_and_one_that_is_silent_is_not() {
    let Some(server) = MailServer::start(PLAINLY, &["slow", "never answer", "take"]) else { return };
    let office = Office::open().await;
    let slow = office.queue(mail()).await;
    let running = office.send_through(server.senders(PLAINLY, PASSWORD));
    assert_eq!(office.end_of(slow).await, None);
    let silent = office.queue(mail()).await;
    assert_eq!(office.delay_of(silent).await, "timed_out");
    office.wait_out(5);
    assert_eq!(office.end_of(silent).await, None);
    running.stop().await;
    assert_eq!(server.has_got(2).await.len(), 2);
}

/// The server has the message and could not say so: the worker cannot know that, so it comes once more, and mail programs see by
/// its identifier that it is the same (RFC 5321 §4.5.4.1, §6.1).
#[tokio::test]
async fn mail_server_that_hangs_up_on_its_own_answer_gets_the_same_message_again() {
    let Some(server) = MailServer::start(STARTTLS, &["drop after data", "take"]) else { return };
    let office = Office::open().await;
    let id = office.queue(mail()).await;
    let running = office.send_through(server.senders(STARTTLS, PASSWORD));
    assert_eq!(office.delay_of(id).await, "no_connection");
    office.wait_out(5);
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    let got = server.has_got(2).await;
    assert_eq!((got.len(), message_id(&got[0])), (2, message_id(&got[1])));
    assert_eq!(office.until(id, |_| true).await.status, MessageStatus::Sent);
}

/// In a network of its own, where what goes to the first address of this name gets no answer.
#[tokio::test]
async fn mail_server_with_a_dead_address_gets_its_mail_by_the_other_one() {
    let Ok(host) = std::env::var("ANTEROOM_TEST_DEAD_IPV6") else { return };
    let Some(server) = MailServer::start(PLAINLY, &["take"]) else { return };
    let found: Vec<_> = tokio::net::lookup_host((host.as_str(), server.port)).await.unwrap().collect();
    assert!(found.len() == 2 && found[0].is_ipv6(), "{found:?}");
    let dead = tokio::time::timeout(Duration::from_secs(1), tokio::net::TcpStream::connect(found[0]));
    assert!(dead.await.is_err(), "it is not dead");
    let settings = SmtpServer { host, ..server.server(PLAINLY, PASSWORD, false) };
    let office = Office::open().await;
    let id = office.queue(mail()).await;
    let running =
        office.send_through(Senders { email: Some(Smtp::new(&settings).unwrap()), ..Senders::default() });
    assert_eq!(office.end_of(id).await, None);
    running.stop().await;
    assert_eq!(server.has_got(1).await.len(), 1);
}
