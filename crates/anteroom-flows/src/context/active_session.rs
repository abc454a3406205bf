//! An active session of the browser, and the check that it still is one when a unit writes for it.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::account::{Account, AccountEpoch, AccountStatus};
use anteroom_domain::client::Client;
use anteroom_domain::ids::{AccountId, SessionId};
use anteroom_domain::session::Session;
use anteroom_storage::{LockedAccount, StoreError, Tx};

/// A session that is active now, with its account as it is now.
#[derive(Clone, Debug)]
pub struct ActiveSession {
    pub session: Session,
    pub account: Account,
    /// The secret in the browser that opened it.
    pub token: OpaqueToken,
}

impl ActiveSession {
    pub(crate) const fn of_epoch(&self) -> SessionOfEpoch {
        let Self { session, account, .. } = self;
        SessionOfEpoch { account: account.id, epoch: account.epoch, session: session.id }
    }
}

/// An active session as it was read. A unit that writes or releases something for it locks it first: since then it can have ended,
/// and the account can have been disabled or have got another password.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionOfEpoch {
    account: AccountId,
    epoch: AccountEpoch,
    session: SessionId,
}

impl SessionOfEpoch {
    /// Whether the session is still active, and its account may still use the client. Called before anything else is locked, because
    /// all units of an account lock its row first.
    pub(crate) async fn lock(&self, tx: &Tx, client: &Client) -> Result<bool, StoreError> {
        let Some(LockedAccount { account, .. }) = tx.lock_account(self.account).await? else {
            return Ok(false);
        };
        let is_same = account.status == AccountStatus::Active && account.epoch == self.epoch;
        Ok(is_same
            && client.is_entitled(&account)
            && tx.lock_running_session(self.session, self.epoch).await?)
    }
}
