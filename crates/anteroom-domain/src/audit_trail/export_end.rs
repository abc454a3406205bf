//! The last line of an export, signed.

use crate::audit_trail::chain::{ChainLink, signed_bytes};
use anteroom_crypto::{Signer, SigningFailed, VerifyingKey};
use jiff::Timestamp;

const END: &str = "audit export v1";

/// Where an export ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportEnd {
    pub link: ChainLink,
    pub at: Timestamp,
    pub checkpoints: u64,
    /// The public keys of the checkpoints' signatures, for a reader who has no others to go by.
    pub keys: Vec<VerifyingKey>,
    pub signature: Vec<u8>,
}

impl ExportEnd {
    pub fn sign(
        link: ChainLink,
        at: Timestamp,
        checkpoints: u64,
        signer: &Signer,
    ) -> Result<Self, SigningFailed> {
        let mut end = Self { link, at, checkpoints, keys: signer.verifying_keys(), signature: Vec::new() };
        end.signature = signer.sign(END, &end.signed_bytes())?;
        Ok(end)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = signed_bytes(&self.link, self.at);
        bytes.extend(self.checkpoints.to_be_bytes());
        self.keys.iter().for_each(|key| bytes.extend(key.as_bytes()));
        bytes
    }

    pub(super) fn is_signed_by(&self, keys: &[VerifyingKey]) -> bool {
        keys.iter().any(|key| key.verify(END, &self.signed_bytes(), &self.signature))
    }
}
