//! Why something was not sent, and whether trying again can help.

use jiff::SignedDuration;
use std::fmt;

/// What is kept beside the message and decides what its person is told. Never a number, an address or a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    NoConnection,
    TimedOut,
    /// The provider deferred the message (busy, rate limit).
    Busy,
    /// The other side does not take our name and secret: the operator has to put that right, and then it goes out.
    Credentials,
    /// The certificate of the mail server is expired.
    CertificateExpired,
    /// The certificate of the mail server is for another host.
    CertificateName,
    /// The certificate of the mail server is of an authority that is not trusted here.
    CertificateIssuer,
    /// No TLS session with the mail server came about, for another reason.
    Tls,
    /// The mail server does not offer STARTTLS.
    NoStartTls,
    /// The mail server offers no way to sign in that is known here.
    NoAuth,
    /// The other side does not take mail, texts or calls from us at all, for any recipient: the operator has to put that
    /// right, and then it goes out.
    ProviderConfiguration,
    /// The provider refused this message permanently.
    Rejected,
    /// The number takes no texts, a landline's for example: a call may get through.
    TextRefused,
    InvalidNumber,
    /// The call was not taken.
    NotAnswered,
    /// The operator has configured no provider for it.
    NotConfigured,
    /// The message cannot be put into words or into form.
    Unwritable,
    /// No account has the address that was entered, so nothing was sent.
    NoAccount,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoConnection => "no_connection",
            Self::TimedOut => "timed_out",
            Self::Busy => "busy",
            Self::Credentials => "credentials",
            Self::CertificateExpired => "certificate_expired",
            Self::CertificateName => "certificate_name",
            Self::CertificateIssuer => "certificate_issuer",
            Self::Tls => "tls",
            Self::NoStartTls => "no_starttls",
            Self::NoAuth => "no_auth",
            Self::ProviderConfiguration => "set_up",
            Self::Rejected => "rejected",
            Self::TextRefused => "text_refused",
            Self::InvalidNumber => "invalid_number",
            Self::NotAnswered => "not_answered",
            Self::NotConfigured => "not_configured",
            Self::Unwritable => "unwritable",
            Self::NoAccount => "no_account",
        }
    }

    /// Whether the same message could get through later.
    pub const fn is_transient(self) -> bool {
        match self {
            Self::NoConnection
            | Self::TimedOut
            | Self::Busy
            | Self::Credentials
            | Self::CertificateExpired
            | Self::CertificateName
            | Self::CertificateIssuer
            | Self::Tls
            | Self::NoStartTls
            | Self::NoAuth
            | Self::ProviderConfiguration
            | Self::Unwritable => true,
            Self::Rejected
            | Self::TextRefused
            | Self::InvalidNumber
            | Self::NotAnswered
            | Self::NotConfigured
            | Self::NoAccount => false,
        }
    }

    /// Whether the failure is caused by our configuration and not by the message: then messages are kept and retried
    /// often until the operator has corrected it.
    pub const fn is_configuration_error(self) -> bool {
        matches!(
            self,
            Self::Credentials
                | Self::CertificateExpired
                | Self::CertificateName
                | Self::CertificateIssuer
                | Self::Tls
                | Self::NoStartTls
                | Self::NoAuth
                | Self::ProviderConfiguration
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryError {
    pub reason: Reason,
    /// It speaks of the channel and not of the message: nothing else goes out either, so it does not count for the message.
    pub affects_channel: bool,
    /// As the other side asked.
    pub retry_after: Option<SignedDuration>,
    /// For the log: the other side's code, or what came in the way of a connection. Words of the other side that may repeat
    /// the recipient are left out.
    pub detail: Option<String>,
}

impl DeliveryError {
    pub(crate) const fn new(reason: Reason) -> Self {
        Self { reason, affects_channel: false, retry_after: None, detail: None }
    }

    #[must_use]
    pub(crate) fn of_channel(mut self) -> Self {
        self.affects_channel = true;
        self
    }

    #[must_use]
    pub(crate) fn detailed(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.as_str())?;
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}
