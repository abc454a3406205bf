//! An active session of the browser.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::account::Account;
use anteroom_domain::session::Session;

/// A session that is active now, with its account as it is now.
#[derive(Clone, Debug)]
pub struct ActiveSession {
    pub session: Session,
    pub account: Account,
    /// The secret in the browser that opened it.
    pub token: OpaqueToken,
}
