//! Messages to people: what is queued in the transaction of the act that causes it, and sent afterwards.

use crate::address::EmailAddress;
use crate::ids::{AccountId, MessageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A message waiting to be sent. Its content is sealed at rest: it may carry a link.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: MessageId,
    pub account: Option<AccountId>,
    pub to: EmailAddress,
    pub locale: Option<String>,
    pub content: MessageContent,
    pub created_at: Timestamp,
    /// Worthless to the person after this: no longer sent.
    pub expires_at: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MessageContent {
    Invitation { name: Option<String>, link: String, days: u16 },
    AccountLocked { at: Timestamp, link: String },
}

impl MessageContent {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::AccountLocked { .. } => "account_locked",
        }
    }
}

/// Links are secrets: only the kind is ever printed.
impl std::fmt::Debug for MessageContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}
