//! Values that we sealed or drew and that come back from outside: codes, waiting requests, opaque tokens, secrets of
//! sessions and links.
//!
//! Only what was sealed opens, for what it was sealed for, and under one spelling.

use anteroom_crypto::{KeyPurpose, Keyring, OpaqueToken, Random};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::LazyLock;

use crate::{Verdict, text};

const PLAIN: &[u8] = b"what was sealed";
const FOR: &[u8] = b"the one purpose";

static KEYS: LazyLock<Keyring> = LazyLock::new(|| Keyring::for_tests(1));

/// The one value that was ever sealed.
static SEALED: LazyLock<Vec<u8>> =
    LazyLock::new(|| KEYS.sealer(KeyPurpose::CodeSeal).seal(&Random::seeded(1), FOR, PLAIN));

pub(crate) fn good_sealed() -> String {
    URL_SAFE_NO_PAD.encode(&*SEALED)
}

pub(crate) fn sealed(input: &[u8]) -> Verdict {
    let raw = open(input);
    let Some(text) = text(input) else { return Verdict::of(raw) };
    let encoded = URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| open(&bytes));
    assert!(!encoded || text == good_sealed(), "a second spelling");
    let token = OpaqueToken::parse(text);
    if let Some(token) = &token {
        assert_eq!(token.encode(), text, "a second spelling");
    }
    Verdict::of(raw || encoded || token.is_some())
}

fn open(sealed: &[u8]) -> bool {
    let sealer = KEYS.sealer(KeyPurpose::CodeSeal);
    assert!(sealer.open(b"another purpose", sealed).is_err());
    let opened = sealer.open(FOR, sealed);
    if let Ok(plain) = &opened {
        assert!(plain.as_slice() == PLAIN && sealed == *SEALED, "nobody sealed this");
    }
    opened.is_ok()
}
