//! Accounts and what belongs to one account: addresses, password, phones, apps, devices, usernames, and the links and codes
//! that are sent to it.
//!
//! A row of `accounts` is locked before any row that belongs to the account (`Tx::lock_account`), so that a decision about the
//! account and what it changes are one. Rows of devices follow, and then those of the other tables. The end of sessions and
//! grants comes last.

pub(crate) mod account;
mod authenticators;
mod devices;
mod domain_normalization;
pub(crate) mod links;
mod mail_requests;
pub(crate) mod new_account;
mod one_time_codes;
mod passwords;
mod phones;
mod totp;
mod usernames;

pub use account::{Credential, LockedAccount};
pub use domain_normalization::NormalizedDomains;
pub use mail_requests::{MailRequestResult, MailRequestRow, PendingMailRequest};
pub use new_account::{InsertAccountError, NewAccount, NewAddress, NewPhone};
pub use one_time_codes::CodeAttempts;
pub use passwords::{AgeingPassword, OldPassword};
pub use totp::FirstCode;
pub use usernames::BackfilledUsernames;
