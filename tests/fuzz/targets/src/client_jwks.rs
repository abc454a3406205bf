//! The key sets that clients publish (RFC 7517).
//!
//! A set that is read holds no private key, and is written and read again as the same.

use anteroom_oidc::jwt::ClientVerificationKeys;
use anteroom_oidc::keys::ClientJwks;
use anteroom_oidc::token::{AssertionRules, ClientAssertion};
use jiff::Timestamp;

use crate::Verdict;
use crate::keys::{ISSUER, now};
use crate::signed::good_assertion;

pub(crate) fn client_jwks(input: &[u8]) -> Verdict {
    let Ok(keys) = ClientJwks::from_json(input) else { return Verdict::Refused };
    let document = serde_json::to_value(&keys).unwrap();
    for key in document["keys"].as_array().unwrap() {
        assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|name| key.get(name).is_none()));
    }
    assert_eq!(ClientJwks::parse(&document).as_ref(), Ok(&keys));
    // A signature is held against each of them, whatever they are made of.
    let assertion = ClientAssertion::parse(&good_assertion()).unwrap();
    let audiences = [ISSUER.to_owned()];
    let rules = AssertionRules {
        registered: None,
        audiences: &audiences,
        now: now(),
        replays_known_since: Timestamp::UNIX_EPOCH,
    };
    let _ = assertion.verify(ClientVerificationKeys::Keys(&keys), rules);
    Verdict::Accepted
}
