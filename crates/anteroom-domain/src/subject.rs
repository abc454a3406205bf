//! `sub`: who a person is to a client (OpenID Connect Core §8).
//!
//! A public client knows a person by the account's identifier. A pairwise one knows them by a keyed hash of its sector
//! and that identifier (§8.1): the same for the clients of one sector, and without the key nothing that two sectors
//! could compare or lead back to anybody.
//!
//! A `sub` must never change, and must never become that of another person. So
//! - nothing goes into it but the sector's host and the account's identifier, which neither change nor come again;
//! - it is made under the *first* version of a key that serves nothing else. Rotating that key adds versions and leaves
//!   the first where it is; the master key may be replaced, because the keys under it stay what they are; and a start
//!   that finds the key gone from a database refuses to make another one;
//! - nothing is kept of it. What a client sends back (a hint, a `sub` as a claim with a value) is held against what
//!   would be made for the person who is there.

use crate::client::Client;
use crate::ids::{AccountId, SessionId};
use crate::session::Session;
use anteroom_crypto::{KeyPurpose, Keyring};
use anteroom_oidc::protocol_values::InvalidValue;
use anteroom_oidc::{Sector, Subject};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Never to be changed: every pairwise `sub` would change with it.
const CONTEXT: &str = "pairwise sub";
const SID_CONTEXT: &str = "pairwise sid";

/// By which kind of `sub` a client knows people. A grant is of one kind: under another, the client would be told that the
/// person it knows is a different one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectNamespace {
    Public,
    /// Of the sector with this host.
    Pairwise(String),
}

impl SubjectNamespace {
    pub fn of(client: &Client) -> Self {
        match &client.metadata.sector {
            None => Self::Public,
            Some(sector) => Self::Pairwise(sector.as_str().to_owned()),
        }
    }

    /// The sector, empty for the public kind: no host is empty.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Public => "",
            Self::Pairwise(sector) => sector,
        }
    }

    pub fn from_text(text: &str) -> Self {
        if text.is_empty() { Self::Public } else { Self::Pairwise(text.to_owned()) }
    }

    fn sector(&self) -> Option<&str> {
        match self {
            Self::Public => None,
            Self::Pairwise(sector) => Some(sector),
        }
    }

    /// The kind of `sub` and `sid` in a logout token; `None`: no token is sent. A self-registered client can change its
    /// sector at any time and would learn `sub`s of a sector that is not its own, so it gets logout tokens only while
    /// its kind is the one recorded with the session.
    ///
    /// A configured client gets the kind recorded with the session.
    pub fn for_logout_token(recorded: Option<&Self>, client: &Client, is_configured: bool) -> Option<Self> {
        let now = Self::of(client);
        match recorded {
            Some(recorded) => (is_configured || *recorded == now).then(|| recorded.clone()),
            // Release 0.1.0 noted none.
            None => is_configured.then_some(now),
        }
    }
}

/// A session as clients may name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSid {
    pub id: SessionId,
    /// [`Session::sid_by_sector`].
    pub by_sector: bool,
}

impl From<&Session> for SessionSid {
    fn from(session: &Session) -> Self {
        Self { id: session.id, by_sector: session.sid_by_sector }
    }
}

/// `sid`: what the client calls a session (Back-Channel Logout §2.1). One value for all would tell two sectors that their
/// people are the same, so a pairwise client has a pseudonym of its sector. The key decrypts it, so that an ID token hint
/// names its session without a search.
pub fn sid(keyring: &Keyring, kind: &SubjectNamespace, session: SessionSid) -> String {
    match kind.sector().filter(|_| session.by_sector) {
        None => session.id.to_string(),
        Some(sector) => {
            let (mac, id) = (keyring.mac(KeyPurpose::Subject), *session.id.0.as_bytes());
            URL_SAFE_NO_PAD.encode(mac.lasting_pseudonym(SID_CONTEXT, sector.as_bytes(), id))
        }
    }
}

/// The session to which [`sid`] gave that name for this client, whether or not there is a row of it.
pub fn session_of_sid(keyring: &Keyring, client: &Client, sid: &str) -> Option<SessionId> {
    session_in(keyring, client.metadata.sector.as_ref(), sid)
}

fn session_in(keyring: &Keyring, sector: Option<&Sector>, sid: &str) -> Option<SessionId> {
    let by_sector = sector.and_then(|sector| {
        let (mac, pseudonym) = (keyring.mac(KeyPurpose::Subject), URL_SAFE_NO_PAD.decode(sid).ok()?);
        mac.open_lasting_pseudonym(SID_CONTEXT, sector.as_str().as_bytes(), &pseudonym)
    });
    match by_sector {
        Some(id) => Some(SessionId(Uuid::from_bytes(id))),
        None => sid.parse().ok(),
    }
}

/// Who the account is to clients that know people by this kind of `sub`.
pub fn subject(
    keyring: &Keyring,
    kind: &SubjectNamespace,
    account: AccountId,
) -> Result<Subject, InvalidValue> {
    match kind.sector() {
        None => account.to_string().parse(),
        Some(sector) => pairwise(keyring, sector, account).parse(),
    }
}

/// The identifier comes first and always has 16 bytes, so that no two pairs run together.
fn pairwise(keyring: &Keyring, sector: &str, account: AccountId) -> String {
    let data = [account.0.as_bytes(), sector.as_bytes()].concat();
    let digest = keyring.mac(KeyPurpose::Subject).first_key_digest(CONTEXT, &data);
    URL_SAFE_NO_PAD.encode(digest.as_bytes())
}

/// Whether anybody could be known to this client by that `sub`.
pub fn is_possible_subject(client: &Client, sub: &Subject) -> bool {
    match &client.metadata.sector {
        None => sub.as_str().parse::<AccountId>().is_ok(),
        Some(_) => URL_SAFE_NO_PAD.decode(sub.as_str()).is_ok_and(|digest| digest.len() == 32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn of(keyring: &Keyring, host: &str, account: u128) -> String {
        let sector = Sector::of(&Url::parse(&format!("https://{host}/x")).unwrap()).unwrap();
        pairwise(keyring, sector.as_str(), AccountId(Uuid::from_u128(account)))
    }

    #[test]
    fn core_8_1_a_pairwise_sub_is_for_its_sector_and_account_alone() {
        let keyring = Keyring::for_tests(1);
        let subs = [
            of(&keyring, "a.example", 1),
            of(&keyring, "b.example", 1),
            of(&keyring, "a.example", 2),
            of(&keyring, "aa.example", 1),
            of(&Keyring::for_tests(2), "a.example", 1),
        ];
        for (place, sub) in subs.iter().enumerate() {
            assert_eq!(sub.len(), 43, "256 bits");
            assert!(!subs[..place].contains(sub), "{sub}");
        }
        assert_eq!(of(&keyring, "A.example:444", 1), subs[0]);
    }

    #[test]
    fn back_channel_2_1_a_sid_leads_back_to_its_session_in_its_sector_alone() {
        let keyring = Keyring::for_tests(1);
        let sector = |host: &str| Sector::of(&Url::parse(&format!("https://{host}/")).unwrap()).unwrap();
        let (lab, other) = (sector("lab.example"), sector("other.example"));
        let id = SessionId(Uuid::from_u128(7));
        let kind = |sector: Option<&Sector>| {
            SubjectNamespace::from_text(sector.map(Sector::as_str).unwrap_or_default())
        };
        for (sector, by_sector) in [(Some(&lab), true), (Some(&lab), false), (None, true)] {
            let sid = sid(&keyring, &kind(sector), SessionSid { id, by_sector });
            assert_eq!(session_in(&keyring, sector, &sid), Some(id));
        }
        let sid = sid(&keyring, &kind(Some(&lab)), SessionSid { id, by_sector: true });
        assert_eq!(sid.len(), 43);
        for (sector, sid) in [(Some(&other), sid.as_str()), (None, &sid), (Some(&lab), "x"), (Some(&lab), "")]
        {
            assert_eq!(session_in(&keyring, sector, sid), None, "{sid:?}");
        }
    }

    /// A change of what is hashed, or how, fails here, because every application would lose its people. (The keys of tests are
    /// drawn in the order of the purposes: one put before `subject` changes this too, and no `sub` of an installation.)
    #[test]
    fn core_8_1_a_pairwise_sub_never_changes() {
        assert_eq!(of(&Keyring::for_tests(1), "a.example", 1), "4OCxlNhaBDPM6wg2-hTcPwijHh1NxwEp7jJ_0CrCZhk");
    }
}
