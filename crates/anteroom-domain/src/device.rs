//! Known devices: browsers that have signed in to an account before. Being known is worth nothing as proof of identity;
//! it only keeps a stranger's failures from locking the person out.

use crate::ids::{AccountId, DeviceId};
use crate::lockout::DeviceFailures;
use jiff::{SignedDuration, Timestamp};

/// How long the cookie that names a device is kept from the last sign-in on: what browsers keep one for at most. A device that
/// was not seen for so long is known to no browser any more.
pub const COOKIE_LIFE: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Known devices of one account: a thief of its password could make more of them without end. Those that passed a second factor,
/// which the password alone does not reach, stay before all others. Of the others the older half and those that were seen last
/// stay, among them a new one: a thief's take no place of the ones that the owner had before, and keep out none that the owner has
/// next. Of those that passed a second factor, the ones that were not seen for longest go.
pub const MAX_DEVICES: u32 = 50;

/// A device that was used but once, and not again for so long, makes room for others: a private window, or a browser that
/// clears its cookies. A thief cannot keep another browser from being used.
pub const UNUSED_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

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
