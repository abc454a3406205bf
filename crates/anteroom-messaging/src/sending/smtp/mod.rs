//! Email over SMTP (RFC 5321), one connection for each message.
//!
//! Invariants: a password and a message travel under TLS, unless the server is this very machine; the `Message-ID` comes from
//! the message, so that two copies of one that was sent twice after a crash are known to be the same.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::MessageId;
use anteroom_pages::Email;
use jiff::Timestamp;
use lettre::Address;
use lettre::address::AddressError;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::{Duration, UNIX_EPOCH};

use super::failure::{Failure, Reason};

/// How long a server may take to answer QUIT.
const GOODBYE: Duration = Duration::from_secs(1);

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
    /// For all of one message, from connecting to the server's last word.
    pub timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// STARTTLS, and nothing at all without it.
    StartTls,
    /// From the first byte.
    Tls,
    /// To this very machine alone; whoever reads the configuration sees to that.
    None,
}

#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    #[error("email.from is no address that mail can be sent from: {0}")]
    From(#[from] AddressError),
    #[error("TLS to the mail server cannot be set up: {0}")]
    Tls(Error),
}

#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    login: Option<Credentials>,
    from: Mailbox,
    hello: ClientId,
    timeout: Duration,
}

#[derive(Clone)]
enum Tls {
    None,
    Start(TlsParameters),
    Wrapped(TlsParameters),
}

/// What an answer of the server speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before a recipient is named (greeting, EHLO, AUTH, MAIL FROM): of us, and so of all mail.
    Us,
    /// From RCPT TO on: of this message.
    Message,
}

/// RFC 3834: nobody's absence notice needs to answer.
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
        Ok(Self { host, port, tls, login, from, hello, timeout })
    }

    pub(crate) async fn send(
        &self,
        (id, at): (MessageId, Timestamp),
        to: &EmailAddress,
        email: &Email,
    ) -> Result<(), Failure> {
        let message = self.message((id, at), to, email)?;
        // The connection's own limit is over once it is there.
        let delivery = tokio::time::timeout(self.timeout, self.deliver(&message)).await;
        let (mut connection, sent) = delivery.unwrap_or(Err(Failure::new(Reason::TimedOut)))?;
        // The message is taken or refused by now: how the connection ends changes nothing.
        let _ = tokio::time::timeout(GOODBYE, connection.abort()).await;
        sent
    }

    async fn deliver(
        &self,
        message: &lettre::Message,
    ) -> Result<(AsyncSmtpConnection, Result<(), Failure>), Failure> {
        let mut connection = self.connect().await.map_err(|error| failure(Stage::Us, &error))?;
        let sent = self.hand_over(&mut connection, message).await;
        Ok((connection, sent))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let wrapped = match &self.tls {
            Tls::Wrapped(parameters) => Some(parameters.clone()),
            Tls::None | Tls::Start(_) => None,
        };
        let server = (self.host.as_str(), self.port);
        let timeout = Some(self.timeout);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, timeout, &self.hello, wrapped, None).await?;
        if let Tls::Start(parameters) = &self.tls {
            connection.starttls(parameters.clone(), &self.hello).await?;
        }
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        Ok(connection)
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &lettre::Message,
    ) -> Result<(), Failure> {
        let (envelope, content) = (message.envelope(), message.formatted());
        let mut addresses = envelope.from().into_iter().chain(envelope.to());
        let international = addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii());
        let mut options = Vec::new();
        for (needed, extension, option) in [
            // RFC 6531 §3.3, RFC 6152.
            (international, Extension::SmtpUtfEight, MailParameter::SmtpUtfEight),
            (
                !content.is_ascii(),
                Extension::EightBitMime,
                MailParameter::Body(MailBodyParameter::EightBitMime),
            ),
        ] {
            if needed && !connection.server_info().supports_feature(extension) {
                return Err(Failure::new(Reason::Rejected).detailed("the server takes no such characters"));
            }
            options.extend(needed.then_some(option));
        }
        let of_us = |error| failure(Stage::Us, &error);
        let of_message = |error| failure(Stage::Message, &error);
        connection.command(Mail::new(envelope.from().cloned(), options)).await.map_err(of_us)?;
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(of_message)?;
        }
        connection.command(Data).await.map_err(of_message)?;
        connection.message(&content).await.map_err(of_message)?;
        Ok(())
    }

    fn message(
        &self,
        (id, at): (MessageId, Timestamp),
        to: &EmailAddress,
        email: &Email,
    ) -> Result<lettre::Message, Failure> {
        let to: Address = to.as_str().parse().map_err(|_| Failure::new(Reason::Rejected))?;
        lettre::Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(email.subject.clone())
            .date(UNIX_EPOCH + Duration::from_millis(u64::try_from(at.as_millisecond()).unwrap_or(0)))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(email.text.clone(), email.html.clone()))
            .map_err(|_| Failure::new(Reason::Unwritable))
    }
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

/// 5xx is for good and 4xx for now (RFC 5321 §4.2.1). Before a recipient is named it speaks of us, whatever its code, and so
/// do the codes for our name and secret (RFC 4954 §6).
fn failure(stage: Stage, error: &Error) -> Failure {
    let code = error.status().map(|code| code.to_string());
    let reason = match (code.as_deref(), stage) {
        (Some("530" | "534" | "535" | "538"), _) => Reason::Credentials,
        (Some(_), Stage::Us) if error.is_permanent() => Reason::SetUp,
        (Some(_), Stage::Message) if error.is_permanent() => Reason::Rejected,
        (Some(_), _) => Reason::Busy,
        (None, _) if error.is_timeout() => Reason::TimedOut,
        // The server offers no way to sign in that is safe here.
        (None, _) if error.is_client() => Reason::Credentials,
        (None, _) => Reason::NoConnection,
    };
    let failure = Failure::new(reason);
    match code {
        Some(code) => failure.detailed(code),
        None if error.is_tls() => failure.detailed("TLS"),
        None => failure,
    }
}
