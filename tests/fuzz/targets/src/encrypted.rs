//! Encrypted request objects (RFC 7516, OpenID Connect Core §6.1), with a key of ours that is always the same.
//!
//! Whoever encrypts need not be known, so anything may come out of one that decrypts; but only out of the one that was ever
//! encrypted to this key, which the fuzzer does not have.

use anteroom_oidc::authorization::RequestObject;
use anteroom_oidc::jwe::{DecryptionKey, EncryptionKeyType, Entropy};
use std::sync::LazyLock;

use crate::{Verdict, text};

/// A key on P-256 in the form of RFC 5915.
pub(crate) static DECRYPTION_KEY: LazyLock<DecryptionKey> = LazyLock::new(|| {
    let mut der = vec![0x30, 0x31, 2, 1, 1, 4, 0x20];
    der.extend([7; 32]);
    der.extend([0xa0, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
    DecryptionKey::from_der(EncryptionKeyType::Ec, &der).unwrap()
});

/// The one that was ever encrypted to it: its key and its nonce are random, so that it cannot be made again.
const GOOD: &str = "eyJhbGciOiJFQ0RILUVTK0ExMjhLVyIsImVuYyI6IkExMjhHQ00iLCJraWQiOiJnV2p0N25tQjF1ZHlGcExZVnAwU3hKbkk4bEpFdmw3cThBRllaUnFuR1Y4IiwiZXBrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoidEtUVm0xU2w4Z01wN012dk5iZ2JHMGtNZXhLcjNjZlhjTG53cXJ3TjNBWSIsInkiOiJtQS01MEpGbTcxX3BkN05MYkdWSmJzOTNnZGk5RTdUdGVwbTR0eE9lRVRrIn19.NFm7VPV4TAgi8mPUk1wt08Ul0iIhqbxt.AwMDAwMDAwMDAwMD.klOI0XewyPOXfHMENa3DtkUTQA.KA5ePOZGz3YQCA3D_f6hFQ";

pub(crate) fn entropy() -> Entropy {
    Entropy::new([9; Entropy::BYTES])
}

pub(crate) fn good_encrypted() -> String {
    GOOD.to_owned()
}

pub(crate) fn encrypted(input: &[u8]) -> Verdict {
    let Some(jwt) = text(input).filter(|text| RequestObject::is_encrypted(text)) else {
        return Verdict::Refused;
    };
    let opened = RequestObject::decrypt(jwt, [&*DECRYPTION_KEY], crate::authorization::client(), &entropy());
    assert!(opened.is_err() || jwt == GOOD, "nobody encrypted this");
    Verdict::of(opened.is_ok())
}
