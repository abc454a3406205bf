//! Known devices: browsers that have signed in to an account before. Being known is worth nothing as proof of identity;
//! it only keeps a stranger's failures from locking the person out.

use crate::ids::{AccountId, DeviceId};
use crate::lockout::DeviceFailures;
use jiff::{SignedDuration, Timestamp};

/// How long the cookie that names a device is kept from the last sign-in on: what browsers keep one for at most. A device that
/// was not seen for so long is known to no browser any more.
pub const COOKIE_LIFE: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Known devices of one account: with its password anybody could make more of them without end.
pub const MAX_DEVICES: u32 = 50;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    pub id: DeviceId,
    pub account: AccountId,
    pub failures: u32,
    /// When this very device last passed a second factor.
    pub stepped_up_at: Option<Timestamp>,
    /// What the person sees in a list of their devices, from the browser's own description.
    pub label: String,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

impl KnownDevice {
    pub fn counter(&self) -> DeviceFailures {
        DeviceFailures { device: self.id, failures: self.failures }
    }
}
