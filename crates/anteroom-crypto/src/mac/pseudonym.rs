//! Pseudonyms of identifiers: 16 bytes encrypted deterministically, so that the key's holder can decrypt them.
//!
//! Deterministic authenticated encryption of one block, as in SIV (RFC 5297): the tag is a keyed hash of the identifier and
//! serves as the nonce of a keystream, and both are HMAC-SHA256.
//!
//! ```text
//! pseudonym = tag (16) | identifier xor keystream (16)
//! ```

use subtle::ConstantTimeEq as _;

use super::Mac;

const BLOCK_BYTES: usize = 16;

impl Mac {
    /// Under the oldest key, so that rotation leaves it what it is. In another scope the same identifier has another pseudonym,
    /// and without the key nothing connects the two.
    pub fn lasting_pseudonym(
        &self,
        context: &str,
        scope: &[u8],
        identifier: [u8; BLOCK_BYTES],
    ) -> [u8; 2 * BLOCK_BYTES] {
        let tag = self.tag(context, scope, identifier);
        let hidden = self.masked(context, scope, tag, identifier);
        let mut bytes = [0; 2 * BLOCK_BYTES];
        for (out, byte) in bytes.iter_mut().zip(tag.into_iter().chain(hidden)) {
            *out = byte;
        }
        bytes
    }

    /// Whose pseudonym it is; `None` for what [`Mac::lasting_pseudonym`] did not make of this context and scope.
    pub fn open_lasting_pseudonym(
        &self,
        context: &str,
        scope: &[u8],
        pseudonym: &[u8],
    ) -> Option<[u8; BLOCK_BYTES]> {
        let (tag, hidden) = pseudonym.split_first_chunk::<BLOCK_BYTES>()?;
        let identifier = self.masked(context, scope, *tag, hidden.try_into().ok()?);
        let expected = self.tag(context, scope, identifier);
        bool::from(expected.ct_eq(tag)).then_some(identifier)
    }

    fn tag(&self, context: &str, scope: &[u8], identifier: [u8; BLOCK_BYTES]) -> [u8; BLOCK_BYTES] {
        self.half(&format!("{context}: tag"), &[&identifier, scope].concat())
    }

    fn masked(
        &self,
        context: &str,
        scope: &[u8],
        tag: [u8; BLOCK_BYTES],
        mut bytes: [u8; BLOCK_BYTES],
    ) -> [u8; BLOCK_BYTES] {
        let keystream = self.half(&format!("{context}: keystream"), &[&tag, scope].concat());
        for (byte, key) in bytes.iter_mut().zip(keystream) {
            *byte ^= key;
        }
        bytes
    }

    /// What has a fixed length comes first in the data, so that no two pairs run together.
    fn half(&self, context: &str, data: &[u8]) -> [u8; BLOCK_BYTES] {
        let digest = self.first_key_digest(context, data);
        let mut half = [0; BLOCK_BYTES];
        for (out, byte) in half.iter_mut().zip(digest.as_bytes()) {
            *out = *byte;
        }
        half
    }
}

#[cfg(test)]
mod tests {
    use crate::{KeyPurpose, Keyring};

    const IDENTIFIER: [u8; 16] = *b"0123456789abcdef";

    #[test]
    fn a_pseudonym_leads_back_in_its_context_and_scope_alone() {
        let (keyring, other) = (Keyring::for_tests(1), Keyring::for_tests(2));
        let mac = keyring.mac(KeyPurpose::Subject);
        let pseudonym = mac.lasting_pseudonym("sid", b"a.example", IDENTIFIER);
        assert_eq!(pseudonym, mac.lasting_pseudonym("sid", b"a.example", IDENTIFIER));
        assert_eq!(mac.open_lasting_pseudonym("sid", b"a.example", &pseudonym), Some(IDENTIFIER));
        assert_eq!(mac.open_lasting_pseudonym("sid", b"b.example", &pseudonym), None);
        assert_eq!(mac.open_lasting_pseudonym("sub", b"a.example", &pseudonym), None);
        assert_eq!(
            other.mac(KeyPurpose::Subject).open_lasting_pseudonym("sid", b"a.example", &pseudonym),
            None
        );
        let elsewhere = mac.lasting_pseudonym("sid", b"b.example", IDENTIFIER);
        assert!(pseudonym.iter().zip(elsewhere).filter(|(a, b)| **a == *b).count() < 8);
    }

    #[test]
    fn an_altered_pseudonym_is_of_nothing() {
        let keyring = Keyring::for_tests(1);
        let mac = keyring.mac(KeyPurpose::Subject);
        let pseudonym = mac.lasting_pseudonym("sid", b"a.example", IDENTIFIER);
        for place in 0..pseudonym.len() {
            let mut altered = pseudonym;
            altered[place] ^= 1;
            assert_eq!(mac.open_lasting_pseudonym("sid", b"a.example", &altered), None, "{place}");
        }
        for length in [0, 15, 16, 31] {
            assert_eq!(mac.open_lasting_pseudonym("sid", b"a.example", &pseudonym[..length]), None);
        }
        let longer = [&pseudonym[..], &[0]].concat();
        assert_eq!(mac.open_lasting_pseudonym("sid", b"a.example", &longer), None);
    }
}
