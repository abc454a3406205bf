//! Maps SMTP errors to a reason, and decides whether they concern this message or the whole channel.

use lettre::transport::smtp::Error;
use rustls::CertificateError;
use std::error::Error as StdError;
use std::io;

use crate::sending::failure::{DeliveryError, Reason};

/// What an answer of the server speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SmtpStage {
    /// Before a recipient is named (greeting, EHLO, AUTH, MAIL FROM): of us, and so of all mail.
    BeforeRecipient,
    /// From RCPT TO on: of this message.
    Message,
}

/// 5xx is for good and 4xx for now (RFC 5321 §4.2.1). Before a recipient is named it speaks of us, whatever its code, and so
/// do the codes for our name and secret (RFC 4954 §6).
pub(super) fn failure(stage: SmtpStage, error: &Error) -> DeliveryError {
    let found = match (error.status().map(|code| code.to_string()), rustls_error(error)) {
        (Some(code), _) => DeliveryError::new(of_code(&code, stage, error.is_permanent())).detailed(code),
        (None, Some(tls)) => DeliveryError::new(of_tls(tls)).detailed(tls),
        (None, None) if error.is_timeout() => DeliveryError::new(Reason::TimedOut),
        (None, None) if error.is_tls() => DeliveryError::new(Reason::Tls),
        (None, None) => match io_error(error) {
            Some(kind) => DeliveryError::new(Reason::NoConnection).detailed(kind),
            None => DeliveryError::new(Reason::NoConnection),
        },
    };
    // RFC 5321 §4.2.3: the server closes the connection, whatever it was asked for.
    let is_closing = error.status().is_some_and(|code| code.to_string() == "421");
    if is_closing || stage == SmtpStage::BeforeRecipient { found.of_channel() } else { found }
}

fn of_code(code: &str, stage: SmtpStage, for_good: bool) -> Reason {
    match (code, stage) {
        ("530" | "534" | "535" | "538", _) => Reason::Credentials,
        (_, SmtpStage::BeforeRecipient) if for_good => Reason::ProviderConfiguration,
        (_, SmtpStage::Message) if for_good => Reason::Rejected,
        _ => Reason::Busy,
    }
}

fn of_tls(error: &rustls::Error) -> Reason {
    let rustls::Error::InvalidCertificate(certificate) = error else { return Reason::Tls };
    match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Reason::CertificateExpired,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Reason::CertificateName
        }
        CertificateError::UnknownIssuer => Reason::CertificateIssuer,
        _ => Reason::Tls,
    }
}

fn causes(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// An I/O error keeps what it wraps beside the chain of causes.
fn rustls_error(error: &Error) -> Option<&rustls::Error> {
    causes(error).find_map(|cause| {
        let wrapped = || cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
        cause.downcast_ref().or_else(wrapped)
    })
}

fn io_error(error: &Error) -> Option<io::ErrorKind> {
    causes(error).find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_speaks_of_us_before_a_recipient_is_named_and_of_the_message_after() {
        for (code, stage, for_good, expected) in [
            ("535", SmtpStage::BeforeRecipient, true, Reason::Credentials),
            ("530", SmtpStage::Message, true, Reason::Credentials),
            ("554", SmtpStage::BeforeRecipient, true, Reason::ProviderConfiguration),
            ("554", SmtpStage::Message, true, Reason::Rejected),
            ("421", SmtpStage::BeforeRecipient, false, Reason::Busy),
            ("450", SmtpStage::Message, false, Reason::Busy),
        ] {
            assert_eq!(of_code(code, stage, for_good), expected, "{code} {stage:?}");
        }
    }

    #[test]
    fn each_fault_of_a_certificate_has_its_reason() {
        for (certificate, expected) in [
            (CertificateError::Expired, Reason::CertificateExpired),
            (CertificateError::NotValidForName, Reason::CertificateName),
            (CertificateError::UnknownIssuer, Reason::CertificateIssuer),
            (CertificateError::BadEncoding, Reason::Tls),
        ] {
            assert_eq!(of_tls(&rustls::Error::InvalidCertificate(certificate)), expected);
        }
        assert_eq!(of_tls(&rustls::Error::HandshakeNotComplete), Reason::Tls);
    }
}
