//! Interactions: a destination (an application's authorization request, or the dashboard) waiting for its person.
//!
//! Until a first form is submitted an interaction is only a sealed value in the page, so that strangers cannot fill the
//! disk; then it is a row, and every step on the way carries its handle. No step calls another: each ends by asking
//! [`crate::next_step::decide`] what comes next.

use crate::account::{Account, AccountStatus, Epoch};
use crate::ids::{AccountId, BrowserId, DeviceId, InteractionId};
use anteroom_oidc::authorization::AuthorizationRequest;
use anteroom_oidc::{Acr, AmrSet};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where the person is going.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    Dashboard,
    Application(Box<AuthorizationRequest>),
}

/// What travels with the destination, sealed in a page or kept in a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    pub destination: Destination,
    pub browser: BrowserId,
    /// When the request came in: a sign-in after this satisfies `prompt=login`.
    pub began_at: Timestamp,
    /// Whom the person picked, or signed in as, on the way; answers `prompt=select_account`.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// Who agreed on the consent page (`prompt=consent`).
    #[serde(default)]
    pub consented_by: Option<AccountId>,
    /// The only one who may answer: named by an ID token hint or by `sub` as a claim with a value.
    #[serde(default)]
    pub insists_on: Option<AccountId>,
}

/// An interaction that has become a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    pub id: InteractionId,
    pub journey: Journey,
    /// Who has proven something on the way, without being signed in yet.
    pub proof: Option<Proof>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// A right password that did not lead to a session yet: an expired password, a second factor still to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub account: AccountId,
    pub epoch: Epoch,
    pub at: Timestamp,
    pub acr: Acr,
    pub amr: AmrSet,
    pub device: Option<DeviceId>,
}

/// A proof serves the steps that follow it at once; it does not wait on a shared workstation for somebody else.
pub const PROOF_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

impl Proof {
    /// Whether it is still worth anything, for the account as it is now.
    pub fn stands(&self, account: &Account, now: Timestamp) -> bool {
        account.id == self.account
            && account.epoch == self.epoch
            && account.status == AccountStatus::Active
            && now.duration_since(self.at) < PROOF_LIFETIME
    }
}

impl Journey {
    pub fn request(&self) -> Option<&AuthorizationRequest> {
        match &self.destination {
            Destination::Dashboard => None,
            Destination::Application(request) => Some(request),
        }
    }
}
