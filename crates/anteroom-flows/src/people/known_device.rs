//! Which device of a browser counts as known.

use anteroom_domain::account::AccountStatus;
use anteroom_domain::device::KnownDevice;
use anteroom_domain::lockout::{FailureCounters, LockoutPolicy};
use anteroom_storage::SignInView;

use crate::context::browser::Browser;

/// The browser's device of the account, if it comes before strangers.
pub(super) fn known_device(view: &SignInView) -> Option<&KnownDevice> {
    view.devices.iter().find(|device| device.has_own_rate_limit(view.account.epoch))
}

/// The device of the account at which a sign-in in this browser is counted: in the cookie's order, since the one that the account
/// was last signed in with comes first.
pub(super) fn counted_device<'a>(view: &'a SignInView, browser: &Browser) -> Option<&'a KnownDevice> {
    let mut named = browser.devices.iter();
    named.find_map(|id| view.devices.iter().find(|device| device.id == *id))
}

/// Whether a sign-in in this browser waits apart from strangers. A device that can get in with no password is not among the
/// owner's: a flood from it would keep the owner waiting.
pub(super) fn waits_apart(view: &SignInView, browser: &Browser, policy: LockoutPolicy) -> bool {
    let SignInView { account, .. } = view;
    let Some(device) = counted_device(view, browser) else { return false };
    let counters = FailureCounters::new(account.lockout, Some(device.counter(account.epoch)), policy);
    account.status == AccountStatus::Active
        && device.has_own_rate_limit(account.epoch)
        && counters.blocking_lock(policy).is_none()
}
