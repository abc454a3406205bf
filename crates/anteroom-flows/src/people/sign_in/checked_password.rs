//! An entered password, after it was verified.

use anteroom_crypto::{KeyedDigest, PasswordVerification};
use anteroom_storage::{LockedAccount, SignInView};

pub(super) struct CheckedPassword {
    /// The account that has the entered address.
    pub view: Option<SignInView>,
    pub verdict: PasswordVerification,
    /// What was entered, in this form.
    pub entry: Option<KeyedDigest>,
}

impl CheckedPassword {
    /// Whether the password that was verified is still the account's. Another sign-in can have replaced its hash by one of
    /// present parameters at the same time. A new password raises the epoch in its transaction, and has another age.
    pub(super) fn is_still_of(&self, locked: &LockedAccount) -> bool {
        let verified = self.view.as_ref().and_then(|view| Some((&view.account, view.credential.as_ref()?)));
        match (verified, &locked.credential) {
            (Some((account, verified)), Some(current)) => {
                let is_same_password =
                    account.epoch == locked.account.epoch && verified.facts == current.facts;
                verified.hash == current.hash || is_same_password
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}
