//! TLS without a proxy, as a client that trusts the certificate's authority meets it.
#![cfg(test)]

mod handshakes;
mod outgoing;
mod practice;
mod renewal;

use anteroom::cli::CheckArgs;
use anteroom::commands::{CommandError, check};
use anteroom_server::tls::TlsError;
use anteroom_server::wiring::WiringError;
use practice::{HOST, Practice};
use reqwest::header::STRICT_TRANSPORT_SECURITY;
use reqwest::tls::Version;
use std::fs;

#[tokio::test]
async fn rfc8446_4_1_discovery_is_served_over_tls_1_3_and_1_2() {
    let practice = Practice::new();
    let running = practice.serve().await;
    for version in [Version::TLS_1_3, Version::TLS_1_2] {
        let client = practice.client(&running, version);
        let url = format!("https://{HOST}/.well-known/openid-configuration");
        let answer = client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.version(), reqwest::Version::HTTP_11);
        assert!(answer.headers().contains_key(STRICT_TRANSPORT_SECURITY));
        let document: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(document["issuer"], format!("https://{HOST}"));
    }
    running.stop().await;
}

#[tokio::test]
async fn rfc8446_4_1_3_older_versions_and_the_clear_get_nothing() {
    let practice = Practice::new();
    let running = practice.serve().await;
    let plain = practice.client(&running, Version::TLS_1_3).get(format!("http://{HOST}/")).send().await;
    assert!(plain.is_err(), "{plain:?}");
    let protocol_version = 70;
    assert_eq!(practice::alert_to_tls_1_1(&running).await, Some(protocol_version));
    running.stop().await;
}

fn checked(practice: &Practice) -> Result<(), CommandError> {
    check::run(&CheckArgs { online: false, database: false, config: practice.args() })
}

fn refused(practice: &Practice) -> TlsError {
    match checked(practice) {
        Err(CommandError::Wiring(WiringError::Tls(error))) => error,
        other => panic!("not refused for its certificate: {other:?}"),
    }
}

#[test]
fn rfc9525_6_check_refuses_a_certificate_of_another_host() {
    let practice = Practice::new();
    checked(&practice).unwrap();
    for other in ["other.example", "practice.example", "*.id.practice.example", "192.0.2.7"] {
        practice.issue(&[other]).write(&practice);
        let error = refused(&practice);
        assert!(matches!(error, TlsError::Host(..)), "{other}: {error}");
        assert!(error.to_string().contains(HOST), "{error}");
    }
    for fits in ["*.practice.example", HOST] {
        practice.issue(&[fits, "other.example"]).write(&practice);
        checked(&practice).unwrap();
    }
}

#[test]
fn rfc9525_6_an_issuer_with_an_address_needs_a_certificate_of_it() {
    let practice = Practice::with_issuer("https://192.0.2.7");
    assert!(matches!(refused(&practice), TlsError::Host(..)));
    practice.issue(&["192.0.2.7"]).write(&practice);
    checked(&practice).unwrap();
}

#[test]
fn check_says_what_is_wrong_with_the_files() {
    let practice = Practice::new();
    let good = practice.issue(&[HOST]);
    let other_key = practice.issue(&[HOST]).key;
    for (certificate, key, why) in [
        (Some(""), Some(good.key.as_str()), "there is no certificate in"),
        (Some(good.key.as_str()), Some(good.key.as_str()), "there is no certificate in"),
        (Some(good.chain.trim_end_matches(['-', '\n'])), Some(good.key.as_str()), "is incomplete"),
        (Some(good.chain.as_str()), Some(""), "there is no private key in"),
        (Some(good.chain.as_str()), Some(good.chain.as_str()), "there is no private key in"),
        (
            Some(good.chain.as_str()),
            Some("-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"),
            "cannot be used",
        ),
        (
            Some("-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"),
            Some(good.key.as_str()),
            "cannot be read",
        ),
        (Some(good.chain.as_str()), Some(other_key.as_str()), "does not match the certificate"),
        (None, Some(good.key.as_str()), "cannot read"),
        (Some(good.chain.as_str()), None, "cannot read"),
    ] {
        for (name, text) in [("server.pem", certificate), ("server.key", key)] {
            match text {
                Some(text) => fs::write(practice.path(name), text).unwrap(),
                None => fs::remove_file(practice.path(name)).unwrap(),
            }
        }
        let said = refused(&practice).to_string();
        assert!(said.contains(why), "{why}: {said}");
        assert!(!said.contains("BEGIN PRIVATE"), "{said}");
    }
}

#[test]
fn rfc5280_4_1_2_5_what_has_ended_or_will_soon_is_warned_of_and_served() {
    let practice = Practice::new();
    for (not_before, not_after) in [(2001, 2002), (4000, 4001)] {
        practice.issue_for_years(not_before, not_after).write(&practice);
        checked(&practice).unwrap();
    }
}
