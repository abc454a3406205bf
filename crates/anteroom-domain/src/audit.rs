//! Audit events: what is written in the transaction of the act itself.
//!
//! No password, code, token or full phone number is ever in one. Details are typed here and nowhere else, so that what
//! can appear in the trail can be read in one place.

mod outcome;

use crate::grant::GrantEnd;
use crate::ids::{AccountId, AuditId, DeviceId, GrantId, SessionId};
use crate::lockout::LockScope;
use crate::reference::RequestReference;
use crate::session::SessionEnd;
use crate::sign_in::SignInRefusal;
use anteroom_oidc::{Acr, ClientId, ScopeSet};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;

/// One entry: who, what, to whom, when, from where, outcome, request reference.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: Timestamp,
    pub actor: Actor,
    pub subject: Option<AccountId>,
    pub client: Option<ClientId>,
    pub session: Option<SessionId>,
    pub ip_address: Option<IpAddr>,
    pub reference: Option<RequestReference>,
    pub event: Event,
}

/// Builder methods for the optional fields of an entry.
impl AuditEntry {
    #[must_use]
    pub fn about(mut self, account: AccountId) -> Self {
        self.subject = Some(account);
        self
    }

    #[must_use]
    pub fn by_client(mut self, client: &ClientId) -> Self {
        self.client = Some(client.clone());
        self
    }

    #[must_use]
    pub fn in_session(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A stranger: nothing has been proven yet.
    Anonymous,
    Account(AccountId),
    /// The client named in the entry.
    Client,
    /// A person with a shell on the server.
    Operator,
    /// Anteroom itself: expiry, rotation, sweeping.
    System,
}

/// What happened. The tag is the entry's `kind`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    SignedIn {
        acr: Acr,
        device: Option<DeviceId>,
        new_device: bool,
    },
    SignInRefused {
        reason: &'static str,
        failures: u32,
    },
    AccountLocked {
        scope: &'static str,
    },
    PasswordExpiredNoticed,
    /// `mailed` is true if the background task will look the address up; false if the address has had its allowed
    /// number of mails and none is sent.
    RecoveryAsked {
        mailed: bool,
    },
    /// Which mail was queued after the entered address was looked up.
    #[serde(rename = "ask_answered")]
    RecoveryMailQueued {
        mail: &'static str,
    },
    #[serde(rename = "link_pressed")]
    LinkFollowed,
    LinkRefused {
        reason: &'static str,
    },
    CodeSent {
        purpose: &'static str,
        method: &'static str,
        phone: String,
    },
    #[serde(rename = "code_refused")]
    OneTimeCodeRefused {
        purpose: &'static str,
        left: u32,
    },
    /// A code that was not even compared, or that was no code of the app that is being added.
    #[serde(rename = "code_not_taken")]
    OneTimeCodeNotChecked {
        purpose: &'static str,
        reason: &'static str,
    },
    CodeNotSent {
        purpose: &'static str,
        reason: &'static str,
    },
    NewPasswordRefused {
        reason: &'static str,
    },
    PhoneRefused {
        reason: &'static str,
    },
    CodeAccepted {
        purpose: &'static str,
        method: &'static str,
    },
    PasswordReset,
    PasswordChanged {
        reason: &'static str,
    },
    PhoneAdded {
        phone: String,
        phone_kind: &'static str,
    },
    PhoneVerified {
        phone: String,
    },
    /// All of an invited person who restarts the registration, or, at a password reset, those that were still in their waiting
    /// time.
    PhonesRemoved {
        phones: Vec<String>,
        reason: &'static str,
    },
    AuthenticatorAppAdded {
        #[serde(rename = "serves_at_once")]
        usable_at_once: bool,
    },
    AuthenticatorAppRemoved,
    RegistrationCompleted,
    /// Profile claims were changed, by the account's owner or an operator. The entry names the claims and omits their
    /// values.
    ProfileChanged {
        claims: Vec<&'static str>,
    },
    /// `mailed` as above.
    InvitationAsked {
        mailed: bool,
    },
    /// Several accounts are signed in in this browser; the person switched to another of their sessions without a
    /// password.
    AccountChosen,
    SignedOut {
        reason: &'static str,
    },
    ConsentGiven {
        scope: ScopeSet,
    },
    ConsentDenied {
        scope: ScopeSet,
    },
    AccessRefused,
    #[serde(rename = "code_redeemed")]
    AuthorizationCodeRedeemed {
        grant: GrantId,
        scope: ScopeSet,
    },
    /// From the authorization endpoint.
    TokensReleased {
        grant: GrantId,
        scope: ScopeSet,
    },
    TokenRefused {
        reason: String,
    },
    CodeReplayed {
        grant: GrantId,
    },
    TokenRefreshed {
        grant: GrantId,
        generation: u32,
        /// To keep the audit trail small, not every refresh gets an entry. `before` is how many refreshes since the
        /// previous entry have none; they came from the previous entry's address (an IPv6 address counts by its /64),
        /// while this one may come from another.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<NonZeroU32>,
        /// The servers of an authenticated client may have many addresses. So addresses are not compared, and the
        /// counted refreshes may have come from any.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        any_address: bool,
    },
    /// A client whose response was lost may repeat a refresh within `refresh_retry`. It got the same refresh token
    /// again; the entry has the address of this repetition.
    RefreshRepeated {
        grant: GrantId,
        generation: u32,
        repeat: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        first_address: Option<IpAddr>,
    },
    RefreshReplayed {
        grant: GrantId,
        generation: u32,
    },
    /// The refresh token's MAC is ours, but the database has no record of that generation: commits were lost.
    #[serde(rename = "refresh_ahead")]
    RefreshUnknownGeneration {
        grant: GrantId,
        generation: u32,
        known: u32,
    },
    GrantRevoked {
        grant: GrantId,
        reason: &'static str,
    },
    TokenRevoked,
    ClientTokensGranted {
        count: u32,
    },
    /// The entry's client registered itself, changed what it is or left (RFC 7591, RFC 7592).
    ClientRegistered,
    ClientUpdated {
        /// Those that it ended. Entries of release 0.1.0 do not say.
        grants: u64,
    },
    ClientDeleted {
        grants: u64,
    },
    /// All grants of the entry's client, which is configured and did not register itself.
    ClientGrantsEnded {
        reason: &'static str,
        grants: u64,
    },
    ClientRegistrationRefused {
        reason: String,
    },
    ClientAuthenticationFailed {
        reason: String,
    },
    RequestRefused {
        reason: String,
    },
    ErrorShown {
        status: u16,
        page: String,
        /// Of the request, without its query. Entries of release 0.1.0 do not say.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    LogoutDelivered,
    LogoutUndelivered {
        attempts: u32,
    },
    /// Handed to its provider. `message` is its kind; `phone` is masked, and an e-mail address is not recorded.
    MessageSent {
        message: String,
        channel: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        phone: Option<String>,
    },
    /// Given up, or not delivered after all.
    MessageFailed {
        message: String,
        channel: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        phone: Option<String>,
        reason: &'static str,
    },
    AccountInvited {
        groups: Vec<String>,
    },
    AccountDisabled,
    AccountEnabled,
    GroupAdded {
        group: String,
    },
    GroupRemoved {
        group: String,
    },
    SigningKeyCreated {
        kid: String,
        algorithm: &'static str,
    },
    /// The schedule had made it, and it signs sooner.
    SigningKeyBroughtForward {
        kid: String,
        signs_from: Timestamp,
    },
    SigningKeyRetired {
        kid: String,
    },
    EncryptionKeyCreated {
        kid: String,
        /// Its kind.
        key: &'static str,
    },
    EncryptionKeyRetired {
        kid: String,
    },
    /// The oldest entries were removed, up to this number of the chain.
    TrailPruned {
        up_to: u64,
        entries: u64,
    },
    ConfigurationChanged {
        /// A short fingerprint of each key, group and client. Entries of release 0.1.0 have none.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        parts: BTreeMap<String, String>,
        digest: String,
    },
    /// An operator goes on with a database that had gone back. `up_to` is the last number of the chain in it, `seen` the
    /// highest that was seen of it before, where that is known.
    DatabaseAccepted {
        epoch: i64,
        up_to: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        seen: Option<u64>,
        sessions: u64,
        grants: u64,
    },
    RateLimited {
        scope: &'static str,
        count: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

impl Event {
    pub fn sign_in_refused(refusal: SignInRefusal, failures: u32) -> Self {
        Self::SignInRefused { reason: refusal.as_str(), failures }
    }

    pub const fn locked(scope: LockScope) -> Self {
        Self::AccountLocked { scope: scope.as_str() }
    }

    pub const fn signed_out(end: SessionEnd) -> Self {
        Self::SignedOut { reason: end.as_str() }
    }

    pub const fn revoked(grant: GrantId, end: GrantEnd) -> Self {
        Self::GrantRevoked { grant, reason: end.as_str() }
    }
}
