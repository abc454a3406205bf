use proptest::prelude::*;

use super::*;
use crate::{KeyPurpose, Keyring};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[test]
fn draft_irtf_cfrg_xchacha_a_3_1_aead_vector() {
    let plaintext: &[u8] =
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
                             the future, sunscreen would be it.";
    let key: Vec<u8> = (0x80..=0x9f).collect();
    let nonce: Vec<u8> = (0x40..=0x57).collect();
    let cipher = XChaCha20Poly1305::new(key.as_slice().try_into().unwrap());
    let payload = Payload { msg: plaintext, aad: &hex("50515253c0c1c2c3c4c5c6c7") };
    let ciphertext = cipher.encrypt(nonce.as_slice().try_into().unwrap(), payload).unwrap();
    let expected = hex("bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb
         731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452
         2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
         21f9664c97637da9768812f615c68b13b52e
         c0875924c1c7987947deafd8780acf49");
    assert_eq!(ciphertext, expected);
}

#[test]
fn the_format_is_what_the_module_says() {
    let keyring = Keyring::for_tests(1);
    let random = Random::seeded(2);
    let sealed = keyring.sealer(KeyPurpose::CodeSeal).seal(&random, b"aad", b"plaintext");
    assert_eq!(sealed.len(), 1 + 4 + 24 + b"plaintext".len() + 16);
    assert_eq!(&sealed[..5], &[1, 0, 0, 0, 1]);
    assert_eq!(&sealed[5..29], &Random::seeded(2).bytes::<24>());
}

#[test]
fn what_is_no_sealed_value_is_told_apart() {
    let keyring = Keyring::for_tests(1);
    let sealer = keyring.sealer(KeyPurpose::CodeSeal);
    let sealed = sealer.seal(&Random::seeded(2), b"aad", b"plaintext");
    let with = |at: usize, byte: u8| {
        let mut altered = sealed.clone();
        altered[at] = byte;
        altered
    };
    let cases = [
        (vec![], SealError::Malformed),
        (sealed[..4].to_vec(), SealError::Malformed),
        (sealed[..28].to_vec(), SealError::Malformed),
        (sealed[..29].to_vec(), SealError::Refused),
        (sealed[..44].to_vec(), SealError::Refused),
        (with(0, 0), SealError::Malformed),
        (with(0, 2), SealError::Malformed),
        (with(4, 2), SealError::UnknownVersion(2)),
    ];
    for (altered, error) in cases {
        assert_eq!(sealer.open(b"aad", &altered), Err(error));
    }
}

#[test]
fn the_same_value_never_looks_the_same() {
    let keyring = Keyring::for_tests(1);
    let random = Random::seeded(2);
    let seal = || keyring.sealer(KeyPurpose::CodeSeal).seal(&random, b"", b"");
    assert_ne!(seal(), seal());
}

proptest! {
    #[test]
    fn what_is_sealed_opens(aad: Vec<u8>, plaintext: Vec<u8>, seed: u64) {
        let keyring = Keyring::for_tests(1);
        let sealer = keyring.sealer(KeyPurpose::CodeSeal);
        let sealed = sealer.seal(&Random::seeded(seed), &aad, &plaintext);
        prop_assert_eq!(&**sealer.open(&aad, &sealed).unwrap(), &plaintext);
    }

    #[test]
    fn other_associated_data_is_refused(aad: Vec<u8>, other: Vec<u8>) {
        prop_assume!(aad != other);
        let keyring = Keyring::for_tests(1);
        let sealer = keyring.sealer(KeyPurpose::CodeSeal);
        let sealed = sealer.seal(&Random::seeded(2), &aad, b"plaintext");
        prop_assert_eq!(sealer.open(&other, &sealed), Err(SealError::Refused));
    }

    #[test]
    fn any_altered_byte_is_refused(plaintext: Vec<u8>, at: prop::sample::Index, flip in 1_u8..) {
        let keyring = Keyring::for_tests(1);
        let sealer = keyring.sealer(KeyPurpose::CodeSeal);
        let mut sealed = sealer.seal(&Random::seeded(2), b"aad", &plaintext);
        let at = at.index(sealed.len());
        sealed[at] ^= flip;
        prop_assert!(sealer.open(b"aad", &sealed).is_err());
    }

    #[test]
    fn nothing_thrown_at_it_panics(aad: Vec<u8>, sealed: Vec<u8>, rest: Vec<u8>) {
        let keyring = Keyring::for_tests(1);
        let sealer = keyring.sealer(KeyPurpose::CodeSeal);
        prop_assert!(sealer.open(&aad, &sealed).is_err());
        let plausible = [&[1, 0, 0, 0, 1], rest.as_slice()].concat();
        prop_assert!(sealer.open(&aad, &plausible).is_err());
    }
}
