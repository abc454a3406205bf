//! What is thrown at every parser that meets the network: each target is a plain function over bytes, so that a fuzzer
//! and the ordinary tests run the same.
//!
//! - A target never panics but where something promised does not hold: each says what in its head.
//! - It says whether it accepted, so that a seed can be held to it: otherwise a target that refuses everything, and so tests
//!   nothing, would not be noticed.
//! - It is a function of its input alone: the time stands still, keys are always the same, nothing is read or written.
//!
//! `tests/fuzz/seeds` has what each begins with, `tests/seeds.rs` runs them all, `tests/fuzz` is for cargo-fuzz.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "whatever does not hold here is what was looked for"
)]

mod authorization;
mod client_jwks;
mod configuration;
mod credentials;
mod encrypted;
mod keys;
mod logout;
mod names;
mod registration;
mod sealed;
mod signed;
#[cfg(feature = "web")]
mod web;

/// What became of an input as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    Refused,
}

impl Verdict {
    fn of(accepted: bool) -> Self {
        if accepted { Self::Accepted } else { Self::Refused }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// That of its seeds' folder and of its binary.
    pub name: &'static str,
    pub run: fn(&[u8]) -> Verdict,
}

pub const TARGETS: &[Target] = &[
    Target { name: "authorization_request", run: authorization::request },
    Target { name: "claims_parameter", run: authorization::claims },
    Target { name: "client_assertion", run: signed::client_assertion },
    Target { name: "client_assertion_claims", run: signed::client_assertion_claims },
    Target { name: "client_jwks", run: client_jwks::client_jwks },
    Target { name: "configuration", run: configuration::configuration },
    Target { name: "credentials", run: credentials::credentials },
    Target { name: "encrypted", run: encrypted::encrypted },
    Target { name: "logout_request", run: logout::logout_request },
    Target { name: "our_jwt", run: logout::our_jwt },
    Target { name: "people", run: names::people },
    Target { name: "redirect_uri", run: names::redirect_uri },
    Target { name: "registration", run: registration::registration },
    Target { name: "request_object", run: signed::request_object },
    Target { name: "request_object_claims", run: signed::request_object_claims },
    Target { name: "sealed", run: sealed::sealed },
    Target { name: "webfinger", run: names::webfinger },
    Target { name: "wire_names", run: names::wire_names },
    #[cfg(feature = "web")]
    Target { name: "headers", run: web::headers },
];

/// Runs the target of that name.
///
/// # Panics
/// Where a promise does not hold, and where there is no such target.
pub fn run(name: &str, input: &[u8]) -> Verdict {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target's name");
    (target.run)(input)
}

/// Seeds that nobody can write by hand: the folder, the name, and what is in it.
pub fn made_seeds() -> Vec<(&'static str, &'static str, String)> {
    vec![
        ("client_assertion", "good-signed", signed::good_assertion()),
        ("encrypted", "good-encrypted", encrypted::good_encrypted()),
        ("request_object", "good-signed", signed::good_request()),
        ("our_jwt", "good-id-token", logout::good_id_token()),
        ("our_jwt", "good-access-token", logout::good_access_token()),
        (
            "logout_request",
            "good-hint",
            format!("id_token_hint={}&client_id=app&state=s", logout::good_id_token()),
        ),
        ("sealed", "good-sealed", sealed::good_sealed()),
        #[cfg(feature = "web")]
        (
            "headers",
            "good-device",
            format!("cookie: {}\nx-forwarded-for: 198.51.100.7", anteroom_web::for_tests::device_cookie()),
        ),
    ]
}

/// Most parsers take text; what is none never reaches them.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
