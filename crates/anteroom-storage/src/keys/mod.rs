//! Keys: those that tokens are signed with, those that clients encrypt to, and those of the database itself, which are sealed
//! under the master key.
//!
//! Each change raises `instance.keys_version`. Where a change depends on what is read, it raises the version first
//! (`Tx::begin_change_of_keys`), and so locks the row of `instance` before any key.

mod encryption_keys;
mod sealed_keys;
mod signing_keys;
pub(crate) mod version;

pub use encryption_keys::EncryptionKeyRow;
pub use signing_keys::SigningKeyRow;
pub use version::KeysVersion;
