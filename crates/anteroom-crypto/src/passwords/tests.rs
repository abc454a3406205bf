use secrecy::SecretString;

use super::*;
use crate::{KeyPurpose, Keyring, MasterKey, Random, SealedKey};

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// A keyring whose pepper can be rotated.
struct Keys {
    master: MasterKey,
    sealed: Vec<SealedKey>,
    random: Random,
}

impl Keys {
    fn new() -> Self {
        let random = Random::seeded(5);
        let master = MasterKey::generate(&random);
        let sealed = Keyring::generate_missing(&master, &[], &random, 0);
        Self { master, sealed, random }
    }

    fn rotate_pepper(&mut self) {
        let key = Keyring::rotate(&self.master, KeyPurpose::Pepper, &self.sealed, &self.random, 1);
        self.sealed.push(key);
    }

    fn open(&self) -> Keyring {
        Keyring::open(&self.master, &self.sealed).unwrap()
    }

    fn hasher(&self) -> PasswordHasher {
        PasswordHasher::cheap_for_tests(&self.open(), self.random.clone())
    }
}

#[test]
fn the_right_password_matches_and_no_other() {
    let hasher = Keys::new().hasher();
    let hash = hasher.hash(&secret("correct horse battery")).unwrap();
    let hash = PasswordHash::parse(&hash.encode()).unwrap();
    let verdict = |password| hasher.verify(&secret(password), &hash).unwrap();
    assert_eq!(verdict("correct horse battery"), PasswordVerification::Match { outdated: false });
    for wrong in ["", "correct horse batter", "correct horse battery ", "Correct horse battery", "\0"] {
        assert_eq!(verdict(wrong), PasswordVerification::Mismatch, "{wrong:?}");
    }
}

#[test]
fn equal_passwords_have_different_hashes() {
    let hasher = Keys::new().hasher();
    let hash = || hasher.hash(&secret("the same")).unwrap();
    assert_ne!(hash(), hash());
}

#[test]
fn every_computation_is_counted_and_the_dummy_costs_one() {
    let hasher = Keys::new().hasher();
    assert_eq!(hasher.hashes_computed(), 0);
    let hash = hasher.hash(&secret("one")).unwrap();
    assert_eq!(hasher.hashes_computed(), 1);
    hasher.verify(&secret("one"), &hash).unwrap();
    hasher.verify(&secret("two"), &hash).unwrap();
    assert_eq!(hasher.hashes_computed(), 3);
    let dummy = hasher.dummy();
    assert_eq!(hasher.verify(&secret("one"), &dummy), Ok(PasswordVerification::Mismatch));
    assert_eq!(hasher.hashes_computed(), 4);
    assert_eq!((dummy.cost, dummy.pepper), (hash.cost, hash.pepper));
    assert_eq!((dummy.salt.len(), dummy.output.len()), (hash.salt.len(), hash.output.len()));
    assert_eq!(hasher.dummy(), dummy, "made once");
}

#[test]
fn the_default_cost_hashes_and_verifies() {
    let keys = Keys::new();
    let hasher = PasswordHasher::new(HashParams::default(), &keys.open(), keys.random.clone());
    let hash = hasher.hash(&secret("correct horse battery")).unwrap();
    assert!(hash.encode().starts_with("v=1$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(
        hasher.verify(&secret("correct horse battery"), &hash),
        Ok(PasswordVerification::Match { outdated: false })
    );
}

#[test]
fn without_its_pepper_a_hash_is_worth_nothing() {
    let hash = Keys::new().hasher().hash(&secret("one")).unwrap();
    let elsewhere = PasswordHasher::cheap_for_tests(&Keyring::for_tests(99), Random::seeded(1));
    assert_eq!(elsewhere.verify(&secret("one"), &hash), Ok(PasswordVerification::Mismatch));
}

#[test]
fn a_rotated_pepper_outdates_hashes_and_is_taken_up_at_once() {
    let mut keys = Keys::new();
    let hasher = keys.hasher();
    let old = hasher.hash(&secret("one")).unwrap();
    keys.rotate_pepper();

    let ahead = keys.hasher();
    let new = ahead.hash(&secret("one")).unwrap();
    assert_eq!(ahead.verify(&secret("one"), &old), Ok(PasswordVerification::Match { outdated: true }));
    assert_eq!(ahead.verify(&secret("one"), &new), Ok(PasswordVerification::Match { outdated: false }));
    assert_eq!(ahead.verify(&secret("two"), &old), Ok(PasswordVerification::Mismatch));

    assert_eq!(hasher.verify(&secret("one"), &new), Err(HashError::UnknownPepper(2)));
    hasher.update(HashParams::cheap_for_tests(), &keys.open());
    assert_eq!(hasher.verify(&secret("one"), &new), Ok(PasswordVerification::Match { outdated: false }));
    assert_eq!(hasher.dummy().pepper, 2);
}

#[test]
fn raised_parameters_outdate_hashes_and_lowered_ones_do_not() {
    let keys = Keys::new();
    let hasher = keys.hasher();
    let old = hasher.hash(&secret("one")).unwrap();
    hasher.update(HashParams::default(), &keys.open());
    assert_eq!(hasher.verify(&secret("one"), &old), Ok(PasswordVerification::Match { outdated: true }));
    let new = hasher.hash(&secret("one")).unwrap();
    hasher.update(HashParams::cheap_for_tests(), &keys.open());
    assert_eq!(hasher.verify(&secret("one"), &new), Ok(PasswordVerification::Match { outdated: false }));
}

#[test]
fn the_pepper_can_be_off_and_turned_on_later() {
    let keys = Keys::new();
    let plain = HashParams::cheap_for_tests().without_pepper();
    let hasher = PasswordHasher::new(plain, &keys.open(), keys.random.clone());
    let unpeppered = hasher.hash(&secret("one")).unwrap();
    assert!(unpeppered.encode().starts_with("v=0$argon2id$"));
    assert_eq!(
        hasher.verify(&secret("one"), &unpeppered),
        Ok(PasswordVerification::Match { outdated: false })
    );

    hasher.update(HashParams::cheap_for_tests(), &keys.open());
    assert_eq!(
        hasher.verify(&secret("one"), &unpeppered),
        Ok(PasswordVerification::Match { outdated: true })
    );
    let peppered = hasher.hash(&secret("one")).unwrap();
    hasher.update(plain, &keys.open());
    assert_eq!(hasher.verify(&secret("one"), &peppered), Ok(PasswordVerification::Match { outdated: false }));
}

#[test]
fn the_stored_version_of_the_pepper_cannot_be_taken_off() {
    let hasher = Keys::new().hasher();
    let hash = hasher.hash(&secret("one")).unwrap().encode();
    let stripped = PasswordHash::parse(&hash.replacen("v=1", "v=0", 1)).unwrap();
    assert_eq!(hasher.verify(&secret("one"), &stripped), Ok(PasswordVerification::Mismatch));
}

#[test]
fn short_salt_or_output_is_outdated() {
    let hasher = Keys::new().hasher();
    // 8 bytes of salt, 16 of output: what another program may have written.
    let mut short = hasher.hash(&secret("one")).unwrap();
    short.salt.truncate(8);
    short.output.truncate(16);
    let setup_output = {
        let input = argon2id::Input {
            params: short.cost.argon2(16).unwrap(),
            pepper: None,
            password: b"one",
            salt: &short.salt,
        };
        let mut out = vec![0; 16];
        argon2id::argon2id(input, &mut out, &mut Argon2Memory::default()).unwrap();
        out
    };
    let imported = PasswordHash { pepper: 0, output: setup_output, ..short };
    hasher.update(HashParams::cheap_for_tests().without_pepper(), &Keys::new().open());
    assert_eq!(hasher.verify(&secret("one"), &imported), Ok(PasswordVerification::Match { outdated: true }));
}

#[test]
fn does_not_print() {
    let printed = format!("{:?}", Keys::new().hasher());
    assert!(printed.starts_with("PasswordHasher { params: HashParams"), "{printed}");
    assert!(!printed.contains("dummy") && !printed.contains("peppers"), "{printed}");
}
