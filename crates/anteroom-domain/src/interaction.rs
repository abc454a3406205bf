//! Interactions: a destination (an application's authorization request, or the dashboard) that a person is on the way to.
//!
//! Until a first form is submitted an interaction is only a sealed value in the page, so that strangers cannot fill the
//! disk; then it is a row, and every step on the way carries its handle. No step calls another: each ends by asking
//! [`crate::next_step::decide`] what comes next.

use crate::account::{Account, AccountEpoch, AccountStatus};
use crate::client::{Client, ClientVersion};
use crate::ids::{AccountId, BrowserId, DeviceId, InteractionId, LinkId, PhoneId, RequestId};
use crate::phone::DeliveryMethod;
use anteroom_crypto::KeyedDigest;
use anteroom_oidc::authorization::AuthorizationRequest;
use anteroom_oidc::{Amr, AmrSet, ScopeSet, Subject};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where the person is going.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    Dashboard,
    Application(Box<AuthorizationRequest>),
    /// A person who is signed in wants a new password.
    ChangePassword,
    /// A person who is signed in wants to add or remove an authenticator app.
    AuthenticatorApps,
}

/// What travels with the destination, sealed in a page or kept in a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InteractionState {
    pub destination: Destination,
    pub browser: BrowserId,
    /// When the request came in: a sign-in after this, on its way, satisfies `prompt=login`.
    pub began_at: Timestamp,
    /// Whom the person picked, or signed in as, on the way; answers `prompt=select_account`.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// When [`Self::account`] was set without a sign-in for this request: picked from the accounts already signed in, or shown
    /// the consent page. `None` once the account signs in for this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picked_at: Option<Timestamp>,
    /// Who agreed on the consent page (`prompt=consent`), to what [`Self::consent_question`] says.
    #[serde(default)]
    pub consented_by: Option<AccountId>,
    /// What the consent page asked last. Release 0.1.0 wrote none, and what was agreed to there is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_question: Option<ConsentQuestion>,
    /// The `sub` that must answer, if `id_token_hint` or a `sub` claim with a value names one.
    #[serde(rename = "insists_on", default)]
    pub required_sub: Option<Subject>,
    /// Further values of that claim, each as good as the first. Release 0.1.0 reads the first alone.
    #[serde(rename = "also_insists_on", default, skip_serializing_if = "Vec::is_empty")]
    pub further_required_subs: Vec<Subject>,
    #[serde(default)]
    pub recovery: Option<RecoveryProgress>,
    /// Of the authorization request, where there is one. Release 0.1.0 wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    #[serde(default, skip_serializing_if = "RequestSource::is_plain")]
    pub source: RequestSource,
    /// All that the request says was in a request object that its client signed (RFC 9101 §6.3).
    #[serde(default, skip_serializing_if = "is_false")]
    pub signed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// How an authorization request came. It decides which browsers may be answered, and until when: a page, a row or a mail
/// that carries the request on is worth no more than the request itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RequestSource {
    /// Its parameters stood in the address: any browser may open the same address at any time.
    #[default]
    Plain,
    /// In a request object with an `exp` (RFC 9101 §4), which is for bringing it here: the browser that brought it in time
    /// has [`TIME_TO_ANSWER`], another one must come before `exp`.
    RequestObject { expires_at: Timestamp },
    /// Pushed (RFC 9126): for the first browser that came for it, and for no other.
    Pushed {
        #[serde(with = "digest_text")]
        digest: KeyedDigest,
        ends_at: Timestamp,
    },
}

/// How long a person has for a request that had to be brought here within a time of its own.
pub const TIME_TO_ANSWER: SignedDuration = SignedDuration::from_mins(30);

mod digest_text {
    use super::KeyedDigest;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(digest: &KeyedDigest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(digest.as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeyedDigest, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes.and_then(|bytes| KeyedDigest::from_slice(&bytes)).ok_or_else(|| D::Error::custom("no digest"))
    }
}

impl RequestSource {
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }

    /// Whether the browser that brought the request at `began_at` may still be answered.
    pub fn may_be_answered(&self, began_at: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::Plain => true,
            Self::RequestObject { expires_at } => {
                now < *expires_at || now.duration_since(began_at) < TIME_TO_ANSWER
            }
            Self::Pushed { ends_at, .. } => now < *ends_at,
        }
    }

    /// Whether a browser that did not bring the request may be answered, as if it brought it now.
    pub fn may_change_browser(&self, now: Timestamp) -> bool {
        match self {
            Self::Plain => true,
            Self::RequestObject { expires_at } => now < *expires_at,
            Self::Pushed { .. } => false,
        }
    }
}

/// What a consent page asks. Its form carries it, because a client can change its registration while the page is open: the
/// answer is to this question and to no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentQuestion {
    /// Name, hosts, logo and documents on the page are of the client at this version.
    pub client_version: ClientVersion,
    pub scope: ScopeSet,
}

impl ConsentQuestion {
    pub fn of(client: &Client, scope: ScopeSet) -> Self {
        Self { client_version: client.version, scope }
    }
}

/// What is kept of a forgotten password, beside the proof: it survives the reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryProgress {
    /// As it was entered, whether anybody has it or not.
    pub address: String,
    /// The application waits in another browser, where the request began; its code is released there only.
    pub waits_elsewhere: bool,
    /// The reset is complete.
    #[serde(default)]
    pub done: bool,
    /// The known device that the completed reset created. It is kept so that a form that is submitted twice gets the same device
    /// cookie in both responses. Release 0.1.0 wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
}

/// Anyone can cause an interaction to be stored by typing a wrong password. Until something is proven, an account is
/// chosen or a mail is requested, it lives only two hours; then it gets its full lifetime.
pub const UNAUTHENTICATED_LIFETIME: SignedDuration = SignedDuration::from_hours(2);

/// An interaction that has become a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    pub id: InteractionId,
    pub state: InteractionState,
    /// The account whose password (expired) or mailed link was verified in this interaction, before a session exists.
    pub proof: Option<InteractionProof>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// What the application was told, sealed: the same form sent twice gets the same answer twice, and not a second one.
    pub authorization_response: Option<Vec<u8>>,
}

/// A double click or a broken connection sends a form twice. For 30 seconds the same browser gets the same
/// authorization response again.
pub const ANSWER_REPEATED_FOR: SignedDuration = SignedDuration::from_secs(30);

/// What was proven without leading to a session yet. It leads to a new password and to nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionProof {
    pub account: AccountId,
    pub epoch: AccountEpoch,
    pub at: Timestamp,
    pub kind: ProofKind,
    pub device: Option<DeviceId>,
    /// The code that was entered on the way.
    #[serde(default)]
    pub factor: Option<PassedFactor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProofKind {
    /// A right password that has expired. `acknowledged`: the person has read so and wants to go on.
    ExpiredPassword {
        #[serde(rename = "told")]
        acknowledged: bool,
    },
    /// The link of a recovery mail, or the code in it.
    Recovery { link: LinkId },
    /// The link of an invitation.
    Invitation {
        link: LinkId,
        /// The phone that is being verified.
        #[serde(default)]
        phone: Option<PhoneId>,
        /// The person has no further phone to add.
        #[serde(default)]
        phones_done: bool,
    },
}

impl ProofKind {
    /// The mailed link that was followed.
    pub const fn link(&self) -> Option<LinkId> {
        match self {
            Self::ExpiredPassword { .. } => None,
            Self::Recovery { link } | Self::Invitation { link, .. } => Some(*link),
        }
    }
}

/// A second factor that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedFactor {
    pub at: Timestamp,
    pub method: FactorMethod,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorMethod {
    Text,
    Call,
    Totp,
}

impl From<DeliveryMethod> for FactorMethod {
    fn from(method: DeliveryMethod) -> Self {
        match method {
            DeliveryMethod::Text => Self::Text,
            DeliveryMethod::Call => Self::Call,
        }
    }
}

impl FactorMethod {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Call => "call",
            Self::Totp => "totp",
        }
    }

    /// Beside a password (RFC 8176 §2).
    pub fn amr_with_password(self) -> AmrSet {
        let own = match self {
            Self::Text => Amr::Sms,
            Self::Call => Amr::Tel,
            Self::Totp => Amr::Otp,
        };
        AmrSet::from_iter([Amr::Pwd, own, Amr::Mfa])
    }
}

/// A proof is valid only for a short time, so that it is not still valid when another person uses a shared workstation.
pub const PROOF_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// Finding a phone, answering a call and thinking of a password take longer; the link itself lives as long.
pub const MAIL_PROOF_LIFETIME: SignedDuration = SignedDuration::from_mins(60);

impl InteractionProof {
    /// Whether it is still worth anything, for the account as it is now.
    pub fn is_current_for(&self, account: &Account, now: Timestamp) -> bool {
        let (status, lifetime) = match self.kind {
            ProofKind::ExpiredPassword { .. } => (AccountStatus::Active, PROOF_LIFETIME),
            ProofKind::Recovery { .. } => (AccountStatus::Active, MAIL_PROOF_LIFETIME),
            ProofKind::Invitation { .. } => (AccountStatus::Invited, MAIL_PROOF_LIFETIME),
        };
        account.id == self.account
            && account.epoch == self.epoch
            && account.status == status
            && now.duration_since(self.last_at()) < lifetime
    }

    /// What was done last counts: a code entered after a long wait for a call leaves time for the password.
    pub fn last_at(&self) -> Timestamp {
        self.factor.map_or(self.at, |factor| self.at.max(factor.at))
    }
}

impl InteractionState {
    /// At its beginning: nothing was chosen, proven or agreed to, and no request came in.
    pub const fn new(destination: Destination, browser: BrowserId, began_at: Timestamp) -> Self {
        Self {
            destination,
            browser,
            began_at,
            account: None,
            picked_at: None,
            consented_by: None,
            consent_question: None,
            required_sub: None,
            further_required_subs: Vec::new(),
            recovery: None,
            request_id: None,
            source: RequestSource::Plain,
            signed: false,
        }
    }

    /// No account was signed in to or chosen on its way, and no mail was asked for.
    pub const fn is_unauthenticated(&self) -> bool {
        self.account.is_none() && self.recovery.is_none()
    }

    /// The interaction as this browser may continue it; `None` where the request may not be answered here any more. A
    /// request resumed in another browser is worth what bringing the same request there now would be worth: chosen
    /// account, proof and consent are dropped.
    pub fn resume_in(self, browser: BrowserId, now: Timestamp) -> Option<Self> {
        if self.browser == browser {
            return self.source.may_be_answered(self.began_at, now).then_some(self);
        }
        let moved = self.source.may_change_browser(now);
        moved.then(|| Self { browser, began_at: now, ..self.without_progress() })
    }

    /// Without what was chosen or agreed to on the way, for another person than the one who came so far.
    #[must_use]
    pub fn without_progress(self) -> Self {
        Self {
            account: None,
            picked_at: None,
            consented_by: None,
            consent_question: None,
            recovery: None,
            ..self
        }
    }

    /// The same with the consent page in front of this person. An earlier answer was to an earlier question.
    #[must_use]
    pub fn asking_consent(self, account: AccountId, question: ConsentQuestion, now: Timestamp) -> Self {
        let picked_at = if self.account == Some(account) { self.picked_at } else { Some(now) };
        let consent_question = Some(question);
        Self { account: Some(account), picked_at, consented_by: None, consent_question, ..self }
    }

    /// The same after this account signed in on the way.
    #[must_use]
    pub fn signed_in_as(self, account: AccountId) -> Self {
        Self { account: Some(account), picked_at: None, ..self }
    }

    /// Whether this account signed in on the way.
    pub fn was_signed_in_by(&self, account: AccountId) -> bool {
        self.account == Some(account) && self.picked_at.is_none()
    }

    /// Whether this person has agreed, on the way, to exactly this.
    pub fn has_agreed(&self, account: AccountId, question: &ConsentQuestion) -> bool {
        self.consented_by == Some(account) && self.consent_question.as_ref() == Some(question)
    }

    /// Those who may answer, as the client knows them, best first; empty where everyone may.
    pub fn required_subs(&self) -> impl Iterator<Item = &Subject> {
        self.required_sub.iter().chain(&self.further_required_subs)
    }

    /// A sign-in of the account counts for the request from here on.
    pub fn authenticated_since(&self) -> Timestamp {
        self.picked_at.map_or(self.began_at, |picked| picked.max(self.began_at))
    }

    pub fn request(&self) -> Option<&AuthorizationRequest> {
        match &self.destination {
            Destination::Dashboard | Destination::ChangePassword | Destination::AuthenticatorApps => None,
            Destination::Application(request) => Some(request),
        }
    }
}

#[cfg(test)]
mod tests;
