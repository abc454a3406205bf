//! Making and checking password hashes.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    argon2id::{Argon2Memory, Input, argon2id},
    error::HashError,
    params::HashParams,
    stored::{NO_PEPPER, PasswordHash},
};
use crate::{keyring::Keyring, random::Random, versions::Versions};

/// Bytes of salt and of output, as RFC 9106, section 4 recommends.
const SALT: usize = 16;
const OUTPUT: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerification {
    /// The password is right. `outdated` asks the caller to store a new hash of it.
    Match {
        outdated: bool,
    },
    Mismatch,
}

/// Hashes passwords on the calling thread, which takes it milliseconds: requests go through a
/// [`HashPool`](crate::HashPool).
pub struct PasswordHasher {
    setup: RwLock<Arc<HashingKeys>>,
    random: Random,
    computed: AtomicU64,
}

struct HashingKeys {
    params: HashParams,
    peppers: Versions<Zeroizing<[u8; 32]>>,
    dummy: PasswordHash,
}

impl PasswordHasher {
    pub fn new(params: HashParams, keyring: &Keyring, random: Random) -> Self {
        let setup = HashingKeys::new(params, keyring, &random);
        Self { setup: RwLock::new(Arc::new(setup)), random, computed: AtomicU64::new(0) }
    }

    #[cfg(any(test, feature = "test-util"))]
    pub fn cheap_for_tests(keyring: &Keyring, random: Random) -> Self {
        Self::new(HashParams::cheap_for_tests(), keyring, random)
    }

    /// Takes up a rotated pepper or other parameters. Hashes under way finish with what they began.
    pub fn update(&self, params: HashParams, keyring: &Keyring) {
        let setup = Arc::new(HashingKeys::new(params, keyring, &self.random));
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = setup;
    }

    pub fn hash(&self, password: &SecretString) -> Result<PasswordHash, HashError> {
        self.hash_in(&mut Argon2Memory::default(), password)
    }

    pub fn verify(
        &self,
        password: &SecretString,
        hash: &PasswordHash,
    ) -> Result<PasswordVerification, HashError> {
        self.verify_in(&mut Argon2Memory::default(), password, hash)
    }

    /// A hash that no password has, to be verified in the place of one that does not exist: it costs the same.
    pub fn dummy(&self) -> PasswordHash {
        self.setup().dummy.clone()
    }

    /// How often Argon2 has run: one run for every attempt to sign in, whether the account exists or not.
    pub fn hashes_computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    pub(crate) fn hash_in(
        &self,
        scratch: &mut Argon2Memory,
        password: &SecretString,
    ) -> Result<PasswordHash, HashError> {
        let setup = self.setup();
        let blank = blank(setup.params, &setup.peppers, &self.random);
        let output = self.compute(&setup, scratch, password, &blank)?.to_vec();
        Ok(PasswordHash { output, ..blank })
    }

    pub(crate) fn verify_in(
        &self,
        scratch: &mut Argon2Memory,
        password: &SecretString,
        hash: &PasswordHash,
    ) -> Result<PasswordVerification, HashError> {
        let setup = self.setup();
        let output = self.compute(&setup, scratch, password, hash)?;
        if output.ct_eq(&hash.output).into() {
            Ok(PasswordVerification::Match { outdated: setup.needs_rehash(hash) })
        } else {
            Ok(PasswordVerification::Mismatch)
        }
    }

    /// The output that `password` gives with everything else of `hash`.
    fn compute(
        &self,
        setup: &HashingKeys,
        scratch: &mut Argon2Memory,
        password: &SecretString,
        hash: &PasswordHash,
    ) -> Result<Zeroizing<Vec<u8>>, HashError> {
        let pepper = match hash.pepper {
            NO_PEPPER => None,
            version => Some(setup.peppers.get(version).ok_or(HashError::UnknownPepper(version))?),
        };
        let input = Input {
            params: hash.cost.argon2(hash.output.len())?,
            pepper: pepper.map(|key| key.as_slice()),
            password: password.expose_secret().as_bytes(),
            salt: &hash.salt,
        };
        self.computed.fetch_add(1, Ordering::Relaxed);
        let mut output = Zeroizing::new(vec![0; hash.output.len()]);
        argon2id(input, &mut output, scratch)?;
        Ok(output)
    }

    fn setup(&self) -> Arc<HashingKeys> {
        Arc::clone(&self.setup.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HashingKeys {
    fn new(params: HashParams, keyring: &Keyring, random: &Random) -> Self {
        let peppers = keyring.peppers();
        // Random output: finding a password for it is as hard as breaking Argon2.
        let dummy = blank(params, &peppers, random);
        Self { params, peppers, dummy }
    }

    /// Whether a new hash of the same password would be stronger.
    fn needs_rehash(&self, hash: &PasswordHash) -> bool {
        let old_pepper = self.params.pepper && hash.pepper < self.peppers.newest().0;
        let short = hash.salt.len() < SALT || hash.output.len() < OUTPUT;
        old_pepper || short || hash.cost.is_below(self.params.cost)
    }
}

/// Everything of a new hash, with random bytes where the output will be.
fn blank(params: HashParams, peppers: &Versions<Zeroizing<[u8; 32]>>, random: &Random) -> PasswordHash {
    PasswordHash {
        pepper: if params.pepper { peppers.newest().0 } else { NO_PEPPER },
        cost: params.cost,
        salt: random.bytes::<SALT>().to_vec(),
        output: random.bytes::<OUTPUT>().to_vec(),
    }
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setup = self.setup();
        f.debug_struct("PasswordHasher").field("params", &setup.params).finish_non_exhaustive()
    }
}
