//! Signatures that others can check: Ed25519 (RFC 8032).
//!
//! A MAC convinces a holder of its key alone, and each of its holders could have made it. A signature is verified with the
//! public half, so what was signed can be checked without the master key, and elsewhere.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::{raw_key::RawKey, versions::Versions};

/// The public half of a key that signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `None` unless there are exactly 32 bytes. Whether they are a key shows when a signature is checked.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn verify(&self, context: &str, data: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(&framed(context, data), signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey(")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// The cryptographic library refused a key or a message that it has no reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signing failed in the cryptographic library")]
pub struct SigningFailed;

/// The signing keys of one purpose, derived from its keys: nothing more has to be stored, and they rotate with them.
pub struct Signer(Versions<Ed25519Key>);

struct Ed25519Key {
    private: Ed25519KeyPair,
    public: VerifyingKey,
}

impl Signer {
    pub(crate) fn new(keys: &Versions<RawKey>) -> Result<Self, SigningFailed> {
        keys.try_map(|key| {
            let private =
                Ed25519KeyPair::from_seed_unchecked(&*key.subkey("sign")).map_err(|_| SigningFailed)?;
            let public = VerifyingKey::from_slice(private.public_key().as_ref()).ok_or(SigningFailed)?;
            Ok(Ed25519Key { private, public })
        })
        .map(Self)
    }

    /// With the newest key. `context` names what is signed, so that one purpose can serve several kinds of things.
    pub fn sign(&self, context: &str, data: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let signature = self.0.newest().1.private.try_sign(&framed(context, data));
        signature.map(|signature| signature.as_ref().to_vec()).map_err(|_| SigningFailed)
    }

    /// Of every version, newest first: older signatures stay good.
    pub fn verifying_keys(&self) -> Vec<VerifyingKey> {
        self.0.iter().map(|(_, pair)| pair.public).collect()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer([redacted])")
    }
}

/// The context's length goes first, so that no part of the data can pass for context.
fn framed(context: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + context.len() + data.len());
    bytes.extend((context.len() as u64).to_be_bytes());
    bytes.extend(context.as_bytes());
    bytes.extend(data);
    bytes
}

#[cfg(test)]
mod tests {
    use crate::{KeyPurpose, Keyring, MasterKey, Random};

    #[test]
    fn a_signature_holds_for_its_context_data_and_key_alone() {
        let keyring = Keyring::for_tests(1);
        let signer = keyring.signer(KeyPurpose::AuditMac).unwrap();
        let signature = signer.sign("checkpoint", b"data").unwrap();
        let key = signer.verifying_keys()[0];
        assert!(key.verify("checkpoint", b"data", &signature));
        assert!(!key.verify("checkpoin", b"tdata", &signature));
        assert!(!key.verify("checkpoint", b"Data", &signature));
        assert!(!key.verify("checkpoint", b"data", &signature[1..]));
        let other = Keyring::for_tests(2).signer(KeyPurpose::AuditMac).unwrap().verifying_keys()[0];
        assert!(!other.verify("checkpoint", b"data", &signature));
        let purposed = keyring.signer(KeyPurpose::FormMac).unwrap().verifying_keys();
        assert_ne!(purposed, [key], "a key for each purpose");
        assert!(!format!("{signer:?}").contains(&format!("{key:?}")));
    }

    #[test]
    fn older_versions_stay_known() {
        let random = Random::seeded(1);
        let master = MasterKey::generate(&random);
        let mut sealed = Keyring::generate_missing(&master, &[], &random, 0);
        let keys = |sealed: &[_]| {
            let keyring = Keyring::open(&master, sealed).unwrap();
            keyring.signer(KeyPurpose::AuditMac).unwrap().verifying_keys()
        };
        let before = keys(&sealed);
        sealed.push(Keyring::rotate(&master, KeyPurpose::AuditMac, &sealed, &random, 0));
        let after = keys(&sealed);
        assert_eq!((before.len(), after.len()), (1, 2));
        assert_eq!(after[1], before[0]);
    }
}
