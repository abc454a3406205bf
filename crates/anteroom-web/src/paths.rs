//! The paths of all pages, and the links between them. Paths of the protocol are in `anteroom_oidc::discovery::paths`.

use anteroom_oidc::ClientId;
use anteroom_pages::{NextLink, NextLinkKind};

pub(crate) const SIGN_IN: &str = "/sign-in";
pub(crate) const SIGN_OUT: &str = "/sign-out";
pub(crate) const SIGNED_OUT: &str = "/signed-out";
pub(crate) const SESSION: &str = "/session";
pub(crate) const CONTINUE: &str = "/continue";
pub(crate) const CHOOSE_ACCOUNT: &str = "/choose-account";
pub(crate) const CONSENT: &str = "/consent";
pub(crate) const NOT_ENTITLED: &str = "/not-entitled";
pub(crate) const EXPIRED_PASSWORD: &str = "/expired-password";
pub(crate) const DASHBOARD: &str = "/dashboard";
pub(crate) const PROFILE: &str = "/account/profile";
pub(crate) const FACTORS: &str = "/account/factors";
pub(crate) const ADD_FACTOR: &str = "/account/factors/add";
pub(crate) const CONFIRM_FACTOR: &str = "/account/factors/confirm";
pub(crate) const REMOVE_FACTOR: &str = "/account/factors/remove";
pub(crate) const FORGOT_PASSWORD: &str = "/forgot-password";
pub(crate) const RECOVERY_ASKED: &str = "/forgot-password/sent";
pub(crate) const RECOVERY_WAITING: &str = "/forgot-password/waiting";
pub(crate) const RECOVER: &str = "/recover";
pub(crate) const RECOVERY_CODE: &str = "/recover/code";
pub(crate) const VERIFY_SEND: &str = "/verify/send";
pub(crate) const VERIFY_CODE: &str = "/verify/code";
pub(crate) const NEW_PASSWORD: &str = "/new-password";
pub(crate) const CHANGE_PASSWORD: &str = "/change-password";
pub(crate) const PASSWORD_CHANGED: &str = "/password-changed";
pub(crate) const COMPLETE_REGISTRATION: &str = "/complete-registration";
pub(crate) const REGISTER: &str = "/register";
pub(crate) const REGISTER_PHONE: &str = "/register/phone";
pub(crate) const VERIFY_PHONE: &str = "/register/phone/verify";
pub(crate) const OTHER_PHONE: &str = "/register/phone/another";
pub(crate) const PHONES_DONE: &str = "/register/phones-done";
pub(crate) const OUTBOX: &str = "/dev/outbox";
/// Followed by the client's identifier as one segment.
const OPEN_TILE: &str = "/open";

/// A path with the interaction of the page.
pub(crate) fn with_interaction(path: &str, interaction: Option<&str>) -> String {
    match interaction {
        Some(handle) => format!("{path}?{}", anteroom_oidc::form::encode([("interaction", handle)])),
        None => path.to_owned(),
    }
}

/// The address of a client's tile.
pub(crate) fn open_href(client: &ClientId) -> String {
    format!("{OPEN_TILE}/{}", percent(client.as_str()))
}

/// A client identifier as one segment of a path.
fn percent(text: &str) -> String {
    let mut url = url::Url::parse("x:/").ok();
    if let Some(mut segments) = url.as_mut().and_then(|url| url.path_segments_mut().ok()) {
        segments.clear().push(text);
    }
    url.map(|url| url.path().trim_start_matches('/').to_owned()).unwrap_or_default()
}

pub(crate) fn to_sign_in() -> NextLink {
    NextLink { kind: NextLinkKind::SignIn, href: SIGN_IN.to_owned() }
}
