//! An entry as it was written down, and the bytes that stand for it.

use crate::ids::{AccountId, AuditId, SessionId};
use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring};
use jiff::Timestamp;

/// Names what the MAC is over; another layout of the columns gets another name.
const CONTEXT: &str = "audit_entries v1";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    pub id: AuditId,
    pub at: Timestamp,
    pub kind: String,
    pub outcome: String,
    pub actor: String,
    pub actor_account: Option<AccountId>,
    pub subject: Option<AccountId>,
    pub client: Option<String>,
    pub session: Option<SessionId>,
    pub address: Option<String>,
    pub reference: Option<String>,
    /// What else there is to say of this kind: a JSON object.
    pub detail: String,
    pub mac: KeyedDigest,
}

impl AuditRecord {
    pub fn computed_mac(&self, keyring: &Keyring) -> KeyedDigest {
        keyring.mac(KeyPurpose::AuditMac).digest(CONTEXT, &self.canonical())
    }

    /// Whether the entry is as it was written.
    pub fn is_authentic(&self, keyring: &Keyring) -> bool {
        keyring.mac(KeyPurpose::AuditMac).verify(CONTEXT, &self.canonical(), &self.mac)
    }

    /// Every column but the MAC, each with its length in front, so that no two entries have the same bytes.
    pub fn canonical(&self) -> Vec<u8> {
        let at = self.at.as_millisecond().to_be_bytes();
        let (actor_account, subject) = (self.actor_account.map(|a| a.0), self.subject.map(|a| a.0));
        let session = self.session.map(|s| s.0);
        let columns: [Option<&[u8]>; 12] = [
            Some(self.id.0.as_bytes()),
            Some(&at),
            Some(self.kind.as_bytes()),
            Some(self.outcome.as_bytes()),
            Some(self.actor.as_bytes()),
            actor_account.as_ref().map(|id| &id.as_bytes()[..]),
            subject.as_ref().map(|id| &id.as_bytes()[..]),
            self.client.as_deref().map(str::as_bytes),
            session.as_ref().map(|id| &id.as_bytes()[..]),
            self.address.as_deref().map(str::as_bytes),
            self.reference.as_deref().map(str::as_bytes),
            Some(self.detail.as_bytes()),
        ];
        let mut bytes = Vec::with_capacity(256);
        for column in columns {
            match column {
                None => bytes.push(0),
                Some(value) => {
                    bytes.push(1);
                    bytes.extend((value.len() as u64).to_be_bytes());
                    bytes.extend(value);
                }
            }
        }
        bytes
    }
}
