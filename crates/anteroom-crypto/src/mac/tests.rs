use proptest::prelude::*;

use super::*;
use crate::raw_key::hmac_sha256;
use crate::{KeyPurpose, Keyring};

#[test]
fn rfc4231_4_hmac_sha256_vectors() {
    let cases: [(&[u8], &[u8], &str); 3] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ];
    for (key, data, expected) in cases {
        assert_eq!(format!("{:?}", KeyedDigest(hmac_sha256(key, data))), format!("Digest({expected})"));
    }
}

#[test]
fn the_context_is_framed_by_its_length() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
    let framed = [&[0, 0, 0, 0, 0, 0, 0, 3], b"abcdata".as_slice()].concat();
    assert_eq!(digest_with(&key, "abc", b"data"), KeyedDigest(hmac_sha256(b"key", &framed)));
}

#[test]
fn digests_are_32_bytes_or_nothing() {
    assert_eq!(KeyedDigest::from_slice(&[1; 32]).unwrap().as_bytes(), &[1; 32]);
    for length in [0, 31, 33] {
        assert_eq!(KeyedDigest::from_slice(&vec![1; length]), None);
    }
}

proptest! {
    #[test]
    fn a_digest_is_for_its_context_and_data_alone(
        context: String,
        data: Vec<u8>,
        other_context: String,
        other_data: Vec<u8>,
        flip in 0_usize..256,
    ) {
        let keyring = Keyring::for_tests(1);
        let mac = keyring.mac(KeyPurpose::FormMac);
        let digest = mac.digest(&context, &data);
        prop_assert!(mac.verify(&context, &data, &digest));
        prop_assert_eq!(mac.digests(&context, &data), vec![digest]);
        if (&context, &data) != (&other_context, &other_data) {
            prop_assert!(!mac.verify(&other_context, &other_data, &digest));
        }
        let mut altered = *digest.as_bytes();
        altered[flip / 8] ^= 1 << (flip % 8);
        prop_assert!(!mac.verify(&context, &data, &KeyedDigest(altered)));
    }

    #[test]
    fn moving_the_border_of_the_context_changes_the_digest(text in "[a-z]{2,20}", at: prop::sample::Index) {
        let keyring = Keyring::for_tests(1);
        let mac = keyring.mac(KeyPurpose::FormMac);
        let (context, data) = text.split_at(1 + at.index(text.len() - 1));
        prop_assert_ne!(mac.digest(context, data.as_bytes()), mac.digest("", text.as_bytes()));
    }
}
