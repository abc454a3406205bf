//! Password hashes as they are stored:
//!
//! ```text
//! v=<version of the pepper, 0 for none>$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>
//! ```
//!
//! From the first `$` on it is a PHC string.

use std::fmt;

use argon2::{ARGON2ID_IDENT, Params, PasswordHash as Phc, Version};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};

use super::params::Cost;

/// A parsed stored hash whose cost is within the limits.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    pub(super) pepper: u32,
    pub(super) cost: Cost,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

/// In the place of a pepper's version.
pub(super) const NO_PEPPER: u32 = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    #[error("the stored password hash cannot be read")]
    Malformed,
    #[error("the stored password hash was not made by this version of Argon2id")]
    Unsupported,
    #[error("the stored password hash costs more than this program will spend")]
    TooCostly,
}

impl PasswordHash {
    pub fn parse(text: &str) -> Result<Self, PasswordHashError> {
        let (pepper, phc) = text
            .strip_prefix("v=")
            .and_then(|rest| rest.split_at_checked(rest.find('$')?))
            .ok_or(PasswordHashError::Malformed)?;
        let canonical = pepper == "0" || !pepper.starts_with(['0', '+']);
        let pepper = pepper.parse().ok().filter(|_| canonical).ok_or(PasswordHashError::Malformed)?;
        let phc = Phc::new(phc).map_err(|_| PasswordHashError::Malformed)?;
        if phc.algorithm != ARGON2ID_IDENT || phc.version != Some(Version::V0x13.into()) {
            return Err(PasswordHashError::Unsupported);
        }
        let params = Params::try_from(&phc.params).map_err(|_| PasswordHashError::Malformed)?;
        if !params.keyid().is_empty() || !params.data().is_empty() {
            return Err(PasswordHashError::Unsupported);
        }
        let cost = Cost::of_stored(&params).ok_or(PasswordHashError::TooCostly)?;
        let (Some(salt), Some(output)) = (phc.salt, phc.hash) else {
            return Err(PasswordHashError::Malformed);
        };
        Ok(Self { pepper, cost, salt: salt.to_vec(), output: output.as_bytes().to_vec() })
    }

    /// What [`PasswordHash::parse`] reads.
    pub fn encode(&self) -> String {
        let Self { pepper, cost: Cost { memory_kib, passes, lanes }, .. } = self;
        let salt = BASE64_STANDARD_NO_PAD.encode(&self.salt);
        let output = BASE64_STANDARD_NO_PAD.encode(&self.output);
        format!("v={pepper}$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${output}")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash")
            .field("pepper", &self.pepper)
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "v=3$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$\
                        AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[test]
    fn reads_what_it_writes() {
        let hash = PasswordHash::parse(GOOD).unwrap();
        assert_eq!(hash.encode(), GOOD);
        assert_eq!(hash.pepper, 3);
        assert_eq!(PasswordHash::parse(&GOOD.replacen("v=3", "v=0", 1)).unwrap().pepper, NO_PEPPER);
    }

    #[test]
    fn anything_else_is_an_error() {
        use PasswordHashError::{Malformed, TooCostly, Unsupported};
        let cases = [
            ("v=3", "", Malformed),
            ("v=3", "v=", Malformed),
            ("v=3", "v=03", Malformed),
            ("v=3", "v=+3", Malformed),
            ("v=3", "v=-1", Malformed),
            ("v=3", "v=4294967296", Malformed),
            ("v=3$", "v=3", Malformed),
            ("argon2id", "argon2i", Unsupported),
            ("argon2id", "scrypt", Unsupported),
            ("v=19", "v=16", Unsupported),
            ("$v=19", "", Unsupported),
            ("p=1", "p=1,data=AAAA", Unsupported),
            ("p=1", "p=1,keyid=AAAA", Unsupported),
            ("m=19456", "m=262145", TooCostly),
            ("m=19456", "m=4294967295", TooCostly),
            ("t=2", "t=4294967295", TooCostly),
            ("p=1", "p=17", TooCostly),
            ("m=19456", "m=7", Malformed),
            ("t=2", "t=0", Malformed),
            ("p=1", "p=0", Malformed),
            ("p=1", "p=1,x=1", Malformed),
            ("$c2FsdHNhbHRzYWx0c2FsdA$", "$c2$", Malformed),
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "", Malformed),
            ("$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "", Malformed),
            ("GhscHR4f", "GhscHR4f$AAAA", Malformed),
            ("BgcI", "BgcI\0", Malformed),
        ];
        for (from, to, error) in cases {
            assert!(from == "GhscHR4f" || GOOD.contains(from), "{from}");
            let text = if from == "GhscHR4f" { format!("{GOOD}$AAAA") } else { GOOD.replacen(from, to, 1) };
            assert_eq!(PasswordHash::parse(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn does_not_print() {
        let printed = format!("{:?}", PasswordHash::parse(GOOD).unwrap());
        assert!(!printed.contains("c2Fs") && !printed.contains("AAEC"), "{printed}");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC*", tail in "[$=,a-z0-9vmtp]{0,60}") {
            let _ = PasswordHash::parse(&text);
            let _ = PasswordHash::parse(&format!("v=1$argon2id$v=19{tail}"));
            let _ = PasswordHash::parse(&format!("v=1${tail}"));
        }

        #[test]
        fn what_parses_is_written_back_alike(at in 0..GOOD.len(), byte in 0x20_u8..0x7f) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            let text = String::from_utf8(bytes).unwrap();
            if let Ok(hash) = PasswordHash::parse(&text) {
                prop_assert_eq!(PasswordHash::parse(&hash.encode()), Ok(hash));
            }
        }
    }
}
