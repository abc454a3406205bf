//! Which device of a browser counts as known.

use anteroom_domain::device::KnownDevice;
use anteroom_storage::SignInView;

/// The browser's device of the account, if it comes before strangers.
pub(super) fn known_device(view: &SignInView) -> Option<&KnownDevice> {
    view.devices.iter().find(|device| device.comes_before_strangers(view.account.epoch))
}
