//! Email over SMTP (RFC 5321), one connection for each message.
//!
//! Invariants: a password and a message travel under TLS, unless the server is this very machine; the `Message-ID` comes from
//! the message, so that two copies of one that was sent twice after a crash are known to be the same.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::MessageId;
use anteroom_pages::Email;
use jiff::Timestamp;
use lettre::address::AddressError;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::{Duration, UNIX_EPOCH};

use super::failure::{Failure, Reason};

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
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
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
            SmtpTls::StartTls => Tls::Required(parameters()?),
            SmtpTls::Tls => Tls::Wrapper(parameters()?),
            SmtpTls::None => Tls::None,
        };
        let from = Mailbox::new(server.from_name.clone(), server.from.as_str().parse()?);
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.clone())
            .port(server.port)
            .tls(tls)
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(server.timeout));
        let builder = match &server.login {
            Some((name, password)) => {
                builder.credentials(Credentials::new(name.clone(), password.expose_secret().to_owned()))
            }
            None => builder,
        };
        Ok(Self { transport: builder.build(), from, timeout: server.timeout })
    }

    pub(crate) async fn send(
        &self,
        (id, at): (MessageId, Timestamp),
        to: &EmailAddress,
        email: &Email,
    ) -> Result<(), Failure> {
        let message = self.message((id, at), to, email)?;
        // The transport's own limit is over once it is connected.
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(Failure::new(Reason::TimedOut)),
        }
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

/// 5xx is for good and 4xx for now (RFC 5321 §4.2.1), but for what concerns our own name and secret (RFC 4954 §6).
fn failure(error: &Error) -> Failure {
    let code = error.status().map(|code| code.to_string());
    let reason = match code.as_deref() {
        Some("530" | "534" | "535" | "538") => Reason::Credentials,
        Some(_) if error.is_permanent() => Reason::Rejected,
        Some(_) => Reason::Busy,
        None if error.is_timeout() => Reason::TimedOut,
        // The server offers no way to sign in that is safe here.
        None if error.is_client() => Reason::Credentials,
        None => Reason::NoConnection,
    };
    let failure = Failure::new(reason);
    match code {
        Some(code) => failure.detailed(code),
        None if error.is_tls() => failure.detailed("TLS"),
        None => failure,
    }
}
