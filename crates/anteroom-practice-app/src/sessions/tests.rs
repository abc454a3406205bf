use serde_json::{Value, json};

use super::*;
use crate::test_tokens::Signer;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
}

fn person(sub: &str, sid: &str) -> SignedIn {
    let claims = json!({
        "iss": "http://localhost:8080", "aud": "schedule", "iat": 1, "exp": 2, "sub": sub, "sid": sid,
    });
    let id_token = Signer::new(1).sign(&json!({"alg": "EdDSA"}), &claims).parse().unwrap();
    let Value::Object(id_token_claims) = claims else { unreachable!() };
    let userinfo = id_token_claims.clone();
    SignedIn { id_token, claims: ReceivedClaims { id_token: id_token_claims, userinfo } }
}

fn notice(jti: &str, sid: Option<&str>, sub: Option<&str>) -> LogoutNotice {
    LogoutNotice { jti: jti.into(), sid: sid.map(Into::into), sub: sub.map(Into::into) }
}

fn begin(sessions: &Sessions, sub: &str, sid: &str) -> String {
    sessions.begin(person(sub, sid), None, at(0)).unwrap()
}

#[test]
fn a_session_is_found_by_its_identifier_until_it_ends() {
    let sessions = Sessions::new();
    let id = begin(&sessions, "alice", "s-1");
    assert_eq!(id.len(), 43);
    assert_eq!(sessions.find(&id, at(1)).unwrap().claims().sub(), "alice");
    assert!(sessions.find("another", at(1)).is_none());
    assert!(sessions.end(&id).is_some());
    assert!(sessions.find(&id, at(1)).is_none());
}

#[test]
fn activity_keeps_a_session_alive_but_not_for_ever() {
    let sessions = Sessions::new();
    let idle = begin(&sessions, "alice", "s-1");
    let busy = begin(&sessions, "alice", "s-1");
    for minutes in (0..720).step_by(29) {
        assert!(sessions.find(&busy, at(minutes)).is_some(), "{minutes}");
    }
    assert!(sessions.find(&idle, at(30)).is_none());
    assert!(sessions.find(&busy, at(720)).is_none());
}

#[test]
fn signing_in_again_replaces_the_browsers_session() {
    let sessions = Sessions::new();
    let first = begin(&sessions, "alice", "s-1");
    let second = sessions.begin(person("bob", "s-2"), Some(&first), at(1)).unwrap();
    assert!(sessions.find(&first, at(1)).is_none());
    assert_eq!(sessions.find(&second, at(1)).unwrap().claims().sub(), "bob");
}

#[test]
fn backchannel_2_7_exactly_the_named_sessions_end() {
    // The sessions of alice in two browsers and of bob, and which of them each notice leaves.
    let cases = [
        (notice("j", Some("s-1"), None), [false, true, true]),
        (notice("j", Some("s-1"), Some("alice")), [false, true, true]),
        (notice("j", None, Some("alice")), [false, false, true]),
        (notice("j", Some("s-1"), Some("bob")), [true, true, true]),
        (notice("j", Some("s-9"), None), [true, true, true]),
    ];
    for (notice, left) in cases {
        let sessions = Sessions::new();
        let ids =
            [("alice", "s-1"), ("alice", "s-2"), ("bob", "s-3")].map(|(sub, sid)| begin(&sessions, sub, sid));
        let ended = sessions.end_by_notice(&notice, at(1)).unwrap();
        assert_eq!(ids.map(|id| sessions.find(&id, at(1)).is_some()), left, "{notice:?}");
        assert_eq!(ended, left.iter().filter(|left| !**left).count());
    }
}

#[test]
fn backchannel_2_6_a_jti_counts_once() {
    let sessions = Sessions::new();
    assert_eq!(sessions.end_by_notice(&notice("j", Some("s-1"), None), at(0)), Ok(0));
    assert_eq!(sessions.end_by_notice(&notice("j", Some("s-1"), None), at(10)), Err(Replayed));
    assert_eq!(sessions.end_by_notice(&notice("k", Some("s-1"), None), at(10)), Ok(0));
}

#[test]
fn a_session_that_ended_while_its_code_was_on_the_way_is_not_revived() {
    let sessions = Sessions::new();
    sessions.end_by_notice(&notice("j", Some("s-1"), Some("alice")), at(0)).unwrap();
    assert_eq!(sessions.begin(person("alice", "s-1"), None, at(1)), Err(AlreadyEnded));
    assert!(sessions.begin(person("alice", "s-2"), None, at(1)).is_ok());
}
