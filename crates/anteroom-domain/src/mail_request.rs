//! A mail that is asked for by an address, on a page that anybody can open: "Forgot Password" and "Complete your
//! registration".
//!
//! Invariant: the request does not look up whether an account has the address. It writes the same rows for every address,
//! and as many of them; a background task looks the address up afterwards. So neither the answer's time nor what later
//! requests cost tells a stranger which addresses are known.

use crate::account::AccountStatus;
use crate::link::LinkKind;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// What the background task needs to answer. It rests sealed in the link's row, and is erased with the answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRequest {
    /// Folded.
    pub address: String,
    /// The link's secret, as the mail carries it.
    pub token: String,
    /// The code that can be typed instead, where a browser asked.
    #[serde(rename = "typed", default)]
    pub mailed_code: Option<String>,
    /// Of the request.
    #[serde(default)]
    pub reference: Option<String>,
    #[serde(rename = "from", default)]
    pub ip_address: Option<IpAddr>,
    /// Of the page, as a message keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub languages: Option<String>,
}

/// Token and code are secrets.
impl fmt::Debug for MailRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailRequest").finish_non_exhaustive()
    }
}

/// Which mail answers, for an address whose account has this status; `None`: no mail.
///
/// An invited person has no password to forget: the invitation is what helps, so it is sent again.
pub const fn answer(asked: LinkKind, status: Option<AccountStatus>) -> Option<LinkKind> {
    match (asked, status) {
        (LinkKind::Recovery, Some(AccountStatus::Active)) => Some(LinkKind::Recovery),
        (LinkKind::Recovery | LinkKind::Invitation, Some(AccountStatus::Invited)) => {
            Some(LinkKind::Invitation)
        }
        (LinkKind::Invitation, Some(AccountStatus::Active)) | (_, Some(AccountStatus::Disabled) | None) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LinkKind::{Invitation, Recovery};

    #[test]
    fn a_password_can_be_forgotten_by_who_has_one_and_an_invitation_sent_again_to_who_is_invited() {
        for (asked, status, expected) in [
            (Recovery, Some(AccountStatus::Active), Some(Recovery)),
            (Recovery, Some(AccountStatus::Invited), Some(Invitation)),
            (Recovery, Some(AccountStatus::Disabled), None),
            (Recovery, None, None),
            (Invitation, Some(AccountStatus::Active), None),
            (Invitation, Some(AccountStatus::Invited), Some(Invitation)),
            (Invitation, Some(AccountStatus::Disabled), None),
            (Invitation, None, None),
        ] {
            assert_eq!(answer(asked, status), expected, "{asked:?} {status:?}");
        }
    }
}
