//! What both kinds of keys are rotated with.

use anteroom_crypto::Keyring;
use anteroom_storage::Store;

use crate::audit::context::AuditContext;
use crate::keys::rotation::RotationTrigger;
use crate::keys::schedule::KeySchedule;

/// One look at the keys: in which database, and why now.
#[derive(Clone)]
pub struct KeyRotation<'a> {
    pub store: &'a Store,
    pub keyring: &'a Keyring,
    pub schedule: &'a KeySchedule,
    pub trigger: RotationTrigger,
    /// With the time of the look.
    pub audit: AuditContext,
}
