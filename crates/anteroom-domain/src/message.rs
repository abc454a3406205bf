//! Messages to people: what is queued in the transaction of the act that causes it, and sent afterwards.

use crate::address::EmailAddress;
use crate::ids::{AccountId, MessageId};
use crate::phone::E164;
use crate::reference::RequestReference;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::channel::Channel;

/// A message waiting to be sent. Its content is sealed at rest: it may carry a link or a code.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: MessageId,
    pub account: Option<AccountId>,
    /// BCP 47 tags, best first, separated by [`LANGUAGE_SEPARATOR`].
    pub locale: Option<String>,
    pub body: MessageBody,
    /// Of the request that queued it, if one did: what becomes of the message is told under it too.
    pub reference: Option<RequestReference>,
    pub created_at: Timestamp,
    /// Worthless to the person after this: no longer sent.
    pub expires_at: Timestamp,
}

pub const LANGUAGE_SEPARATOR: &str = " ";

/// What goes where: a mail to an e-mail address, a code or a notice to a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageBody {
    Email {
        to: EmailAddress,
        mail: Mail,
    },
    /// Requesting a mail must cost the same for known and unknown addresses. For an unknown one this message is queued
    /// and rendered, and sent to no one.
    Unaddressed {
        mail: Mail,
    },
    Text {
        to: E164,
        code: OneTimeCodeText,
    },
    Call {
        to: E164,
        code: OneTimeCodeText,
    },
    /// A text without a code.
    Notice {
        to: E164,
        notice: Notice,
    },
}

/// A message whose end is not known yet, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingMessage {
    pub kind: String,
    pub channel: Channel,
    /// Masked; of a text or a call.
    pub phone: Option<String>,
    pub created_at: Timestamp,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    Invitation {
        name: Option<String>,
        link: String,
        days: u16,
    },
    AccountLocked {
        at: Timestamp,
        link: String,
    },
    /// The link of a forgotten password, and the code that can be typed in the browser that asked, if one did.
    Recovery {
        link: String,
        code: Option<String>,
        minutes: u16,
    },
    /// To every address of the account. `link` leads to where a stranger's change is undone: another reset.
    PasswordChanged {
        at: Timestamp,
        link: String,
    },
    /// To every address of an account whose registration is complete. `link` leads to a password reset, which undoes a
    /// registration by someone else.
    RegistrationCompleted {
        at: Timestamp,
        link: String,
    },
    PasswordExpires {
        days: u16,
        link: String,
    },
    /// An authenticator app was added or removed. `link` leads to where a stranger's change is undone.
    AuthenticatorApp {
        at: Timestamp,
        change: AppChange,
        link: String,
    },
    /// A phone was added; `phone` is masked. It accepts no codes before its delay is over. If the owner did not add it,
    /// a reset behind `link` removes it before then.
    PhoneAdded {
        at: Timestamp,
        phone: String,
        usable_from: Timestamp,
        link: String,
    },
    /// An application asked twice for the same tokens, from two networks. A reset behind `link` ends them.
    TokensAskedElsewhere {
        at: Timestamp,
        application: String,
        link: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum AppChange {
    Added { usable_from: Timestamp },
    Removed,
}

/// The one-time code that a text or a call carries.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneTimeCodeText {
    pub digits: String,
    pub minutes: u16,
}

/// What a phone that takes texts is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// Another phone was added; `phone` is masked. A reset behind `link` takes it off again before it serves.
    PhoneAdded { phone: String, link: String },
}

impl Notice {
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::PhoneAdded { .. } => MessageKind::PhoneAdded,
        }
    }
}

/// What a message is about, as the outbox and the audit trail name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// It carries a one-time code.
    Code,
    Invitation,
    AccountLocked,
    Recovery,
    PasswordChanged,
    RegistrationCompleted,
    PasswordExpires,
    PhoneAdded,
    AuthenticatorApp,
    TokensAskedElsewhere,
}

impl MessageKind {
    pub const ALL: [Self; 10] = [
        Self::Code,
        Self::Invitation,
        Self::AccountLocked,
        Self::Recovery,
        Self::PasswordChanged,
        Self::RegistrationCompleted,
        Self::PasswordExpires,
        Self::PhoneAdded,
        Self::AuthenticatorApp,
        Self::TokensAskedElsewhere,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => KIND_OF_CODE,
            Self::Invitation => "invitation",
            Self::AccountLocked => "account_locked",
            Self::Recovery => "recovery",
            Self::PasswordChanged => "password_changed",
            Self::RegistrationCompleted => "registration_completed",
            Self::PasswordExpires => "password_expires",
            Self::PhoneAdded => "phone_added",
            Self::AuthenticatorApp => "authenticator_app",
            Self::TokensAskedElsewhere => "tokens_asked_elsewhere",
        }
    }

    /// `None`: of another release.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The kind of a message that carries a one-time code.
pub const KIND_OF_CODE: &str = "code";

impl MessageBody {
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Email { .. } | Self::Unaddressed { .. } => Channel::Email,
            Self::Text { .. } | Self::Notice { .. } => Channel::Text,
            Self::Call { .. } => Channel::Call,
        }
    }

    /// An address or a number in E.164; empty for a message without a recipient.
    pub fn recipient(&self) -> &str {
        match self {
            Self::Email { to, .. } => to.as_str(),
            Self::Unaddressed { .. } => "",
            Self::Text { to, .. } | Self::Call { to, .. } | Self::Notice { to, .. } => to.as_str(),
        }
    }

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Email { mail, .. } | Self::Unaddressed { mail } => mail.kind().as_str(),
            Self::Text { .. } | Self::Call { .. } => KIND_OF_CODE,
            Self::Notice { notice, .. } => notice.kind().as_str(),
        }
    }
}

impl Mail {
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Invitation { .. } => MessageKind::Invitation,
            Self::AccountLocked { .. } => MessageKind::AccountLocked,
            Self::Recovery { .. } => MessageKind::Recovery,
            Self::PasswordChanged { .. } => MessageKind::PasswordChanged,
            Self::RegistrationCompleted { .. } => MessageKind::RegistrationCompleted,
            Self::PasswordExpires { .. } => MessageKind::PasswordExpires,
            Self::PhoneAdded { .. } => MessageKind::PhoneAdded,
            Self::AuthenticatorApp { .. } => MessageKind::AuthenticatorApp,
            Self::TokensAskedElsewhere { .. } => MessageKind::TokensAskedElsewhere,
        }
    }
}

/// Links are secrets: only the kind is ever printed.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind().as_str())
    }
}

impl std::fmt::Debug for OneTimeCodeText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("code")
    }
}
