//! A session of the browser that is alive.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::account::Account;
use anteroom_domain::session::Session;

/// A session that is alive now, with its account as it is now.
#[derive(Clone, Debug)]
pub struct ActiveSession {
    pub session: Session,
    pub account: Account,
    /// Which of the browser's secrets opened it.
    pub token: OpaqueToken,
}
