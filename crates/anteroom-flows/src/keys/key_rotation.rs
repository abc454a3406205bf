//! The context in which keys of both kinds are rotated.

use anteroom_crypto::Keyring;
use anteroom_storage::Store;

use crate::audit::context::AuditContext;
use crate::keys::rotation::RotationTrigger;
use crate::keys::schedule::KeySchedule;

/// One rotation: of the keys in which database, and why now.
pub struct KeyRotation<'a> {
    pub store: &'a Store,
    pub keyring: &'a Keyring,
    pub schedule: &'a KeySchedule,
    pub trigger: RotationTrigger,
    /// With the time of the rotation.
    pub audit: AuditContext,
}
