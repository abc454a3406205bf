//! Email over SMTP (RFC 5321), over few connections that are kept from one message to the next.
//!
//! Invariants:
//! - what goes wrong before a recipient is named is about us, and so about every message;
//! - a password and a message travel under TLS, unless the server is this very machine;
//! - the `Message-ID` comes from the message, so that two copies of one that was sent twice after a crash are known to be the
//!   same.

pub(super) mod connect;
mod connection_pool;
mod failure;

use anteroom_domain::address::EmailAddress;
use anteroom_pages::Email;
use lettre::Address;
use lettre::address::AddressError;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use self::connect::{Server, Tls};
use self::connection_pool::{ConnectionPool, PooledConnection};
use self::failure::{SmtpStage, failure};
use super::MessageHeader;
use super::failure::{DeliveryError, Reason};

/// How long a server may take to answer QUIT, and to show that a kept connection still stands.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A mail server, and in whose name it is given mail.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    /// In PEM: certificates that its own is held against, and no others. None: those that the system trusts.
    pub authority: Option<String>,
    pub login: Option<(String, SecretString)>,
    pub from: EmailAddress,
    pub from_name: Option<String>,
    /// Where an answer goes; to `from` where it is not said.
    pub reply_to: Option<EmailAddress>,
    /// For all of one message, from connecting to the server's last word.
    pub timeout: Duration,
    /// How many connections there may be at once, and so messages on their way.
    pub connections: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// STARTTLS, and nothing at all without it.
    StartTls,
    /// From the first byte.
    Tls,
    /// To this very machine alone, which is checked when the configuration is read.
    None,
}

#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    #[error("invalid email.from: {0}")]
    From(#[from] AddressError),
    #[error("email.reply_to is no address that mail can be sent to: {0}")]
    ReplyTo(AddressError),
    #[error("TLS to the mail server cannot be set up: {0}")]
    Tls(Error),
}

/// To whom a mail goes. The name stands beside the address, if it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipient<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) address: &'a EmailAddress,
}

pub struct Smtp {
    server: Server,
    kept: ConnectionPool,
    connections: usize,
    from: Mailbox,
    reply_to: Option<Address>,
}

/// RFC 3834: no absence notice needs to answer.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Smtp {
    pub fn new(server: &SmtpServer) -> Result<Self, SmtpError> {
        let parameters = || parameters(server).map_err(SmtpError::Tls);
        let tls = match server.tls {
            SmtpTls::StartTls => Tls::Start(parameters()?),
            SmtpTls::Tls => Tls::Wrapped(parameters()?),
            SmtpTls::None => Tls::None,
        };
        let from = Mailbox::new(server.from_name.clone(), server.from.as_str().parse()?);
        // RFC 5321 §4.1.1.1: a name in ASCII, as the domain of every address is.
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let credentials = |(name, password): &(String, SecretString)| {
            Credentials::new(name.clone(), password.expose_secret().to_owned())
        };
        let login = server.login.as_ref().map(credentials);
        let (host, port, timeout) = (server.host.clone(), server.port, server.timeout);
        let connections = server.connections.max(1);
        let reply_to = server.reply_to.as_ref().map(|address| address.as_str().parse());
        let server = Server { host, port, tls, login, hello, timeout };
        let reply_to = reply_to.transpose().map_err(SmtpError::ReplyTo)?;
        Ok(Self { server, kept: ConnectionPool::default(), connections, from, reply_to })
    }

    /// How many messages may be on their way at once: each has a connection of its own.
    pub(crate) const fn connections(&self) -> usize {
        self.connections
    }

    /// Goes as far as to sign in, and no further.
    pub async fn check_login(&self) -> Result<(), DeliveryError> {
        let connected = tokio::time::timeout(self.server.timeout, self.server.connect()).await;
        close(connected.unwrap_or(Err(DeliveryError::new(Reason::TimedOut)))?).await;
        Ok(())
    }

    /// Says goodbye on connections that no message needed for a while, or on all.
    pub(crate) async fn close_idle(&self, all: bool) {
        for open in self.kept.take_unused(all) {
            close(open.connection).await;
        }
    }

    pub(super) async fn send(
        &self,
        header: MessageHeader,
        to: Recipient<'_>,
        email: &Email,
    ) -> Result<(), DeliveryError> {
        let message = self.message(header, to, email)?;
        let recipient_named = AtomicBool::new(false);
        let delivery =
            tokio::time::timeout(self.server.timeout, self.deliver(&message, &recipient_named)).await;
        delivery.unwrap_or_else(|_| {
            let silent = DeliveryError::new(Reason::TimedOut);
            Err(if recipient_named.load(Ordering::Relaxed) { silent } else { silent.of_channel() })
        })
    }

    /// `named` is set once the server knows the recipient: from then on, what goes wrong is about this message.
    async fn deliver(&self, message: &lettre::Message, named: &AtomicBool) -> Result<(), DeliveryError> {
        let mut open = self.open().await?;
        let mut sent = hand_over(&mut open.connection, message, named).await;
        // A server may close a reused connection after some messages. So a failure on a reused connection, before the
        // recipient was named, is retried on a new connection before it counts.
        if sent.is_err() && open.messages > 0 && !named.load(Ordering::Relaxed) {
            close(open.connection).await;
            open = PooledConnection::new(self.server.connect().await?);
            sent = hand_over(&mut open.connection, message, named).await;
        }
        open.messages = open.messages.saturating_add(1);
        let over = if sent.is_ok() { self.kept.keep(open) } else { Some(open) };
        if let Some(over) = over {
            // The message is taken or refused by now: how the connection ends changes nothing.
            close(over.connection).await;
        }
        sent
    }

    async fn open(&self) -> Result<PooledConnection, DeliveryError> {
        while let Some(mut open) = self.kept.take() {
            let stands = tokio::time::timeout(CLOSE_TIMEOUT, open.connection.test_connected()).await;
            if stands.unwrap_or(false) {
                return Ok(open);
            }
        }
        self.server.connect().await.map(PooledConnection::new)
    }

    fn message(
        &self,
        header: MessageHeader,
        to: Recipient<'_>,
        email: &Email,
    ) -> Result<lettre::Message, DeliveryError> {
        let MessageHeader { id, at, .. } = header;
        let address: Address =
            to.address.as_str().parse().map_err(|_| DeliveryError::new(Reason::Rejected))?;
        let mut builder = lettre::Message::builder().from(self.from.clone());
        if let Some(address) = &self.reply_to {
            builder = builder.reply_to(Mailbox::new(self.from.name.clone(), address.clone()));
        }
        // A header is one line.
        let name = to.name.map(|name| name.replace(char::is_control, " ").trim().to_owned());
        builder
            .to(Mailbox::new(name.filter(|name| !name.is_empty()), address))
            .subject(email.subject.clone())
            .date(UNIX_EPOCH + Duration::from_millis(u64::try_from(at.as_millisecond()).unwrap_or(0)))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(email.text.clone(), email.html.clone()))
            .map_err(|_| DeliveryError::new(Reason::Unwritable))
    }
}

/// Says goodbye, if the server still listens.
async fn close(mut connection: AsyncSmtpConnection) {
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection.abort()).await;
}

async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    message: &lettre::Message,
    named: &AtomicBool,
) -> Result<(), DeliveryError> {
    let (envelope, content) = (message.envelope(), message.formatted());
    let mut addresses = envelope.from().into_iter().chain(envelope.to());
    let international = addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii());
    let mut options = Vec::new();
    for (needed, extension, option) in [
        // RFC 6531 §3.3, RFC 6152.
        (international, Extension::SmtpUtfEight, MailParameter::SmtpUtfEight),
        (!content.is_ascii(), Extension::EightBitMime, MailParameter::Body(MailBodyParameter::EightBitMime)),
    ] {
        if needed && !connection.server_info().supports_feature(extension) {
            return Err(DeliveryError::new(Reason::Rejected).detailed("the server takes no such characters"));
        }
        options.extend(needed.then_some(option));
    }
    let of_us = |error| failure(SmtpStage::BeforeRecipient, &error);
    let of_message = |error| failure(SmtpStage::Message, &error);
    connection.command(Mail::new(envelope.from().cloned(), options)).await.map_err(of_us)?;
    named.store(true, Ordering::Relaxed);
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(of_message)?;
    }
    connection.command(Data).await.map_err(of_message)?;
    connection.message(&content).await.map_err(of_message)?;
    Ok(())
}

fn parameters(server: &SmtpServer) -> Result<TlsParameters, Error> {
    let builder = TlsParameters::builder(server.host.clone());
    match &server.authority {
        None => builder.build(),
        Some(pem) => {
            let authority = Certificate::from_pem(pem.as_bytes())?;
            builder.certificate_store(CertificateStore::None).add_root_certificate(authority).build()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn a_mail_names_whom_it_goes_to_and_where_an_answer_goes() {
        let address = |text| EmailAddress::parse(text).unwrap();
        let server = SmtpServer {
            host: "localhost".to_owned(),
            port: 25,
            tls: SmtpTls::None,
            authority: None,
            login: None,
            from: address("no-reply@practice.example"),
            from_name: Some("Practice".to_owned()),
            reply_to: Some(address("desk@practice.example")),
            timeout: Duration::from_secs(1),
            connections: 1,
        };
        let email =
            Email { subject: "Hello".to_owned(), text: "Hello".to_owned(), html: "<p>Hello</p>".to_owned() };
        let header = MessageHeader {
            id: "01936f5e-0000-7000-8000-000000000001".parse().unwrap(),
            at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::MAX,
        };
        let written = |server: &SmtpServer, name| {
            let smtp = Smtp::new(server).unwrap();
            let address = address("erin@demo.example");
            let message = smtp.message(header, Recipient { name, address: &address }, &email).unwrap();
            String::from_utf8(message.formatted()).unwrap()
        };
        let named = written(&server, Some("Erin Walsh"));
        assert!(named.contains("Reply-To: Practice <desk@practice.example>\r\n"), "{named}");
        assert!(named.contains("To: \"Erin Walsh\" <erin@demo.example>\r\n"), "{named}");
        let two_lines = written(&server, Some("Erin\r\nBcc: other@demo.example"));
        assert!(two_lines.contains("<erin@demo.example>") && !two_lines.contains("\r\nBcc"), "{two_lines}");
        let plain = written(&SmtpServer { reply_to: None, ..server }, None);
        assert!(plain.contains("To: erin@demo.example\r\n") && !plain.contains("Reply-To"), "{plain}");
    }
}
