//! Refresh tokens: rotation that survives a lost answer and refuses a replay.

use crate::ALICE;
use anteroom_testkit::{Answer, Backend, RelyingParty, TestProvider, Tokens, claims, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;

on_both_databases!(
    rfc6749_6_each_use_gives_a_successor,
    a_lost_answer_is_given_again_for_a_minute,
    each_answer_that_is_given_again_has_its_entry,
    asked_at_once_all_get_the_same_successor,
    rfc9700_4_14_2_a_replay_ends_the_family,
    a_repeat_after_the_minute_is_a_replay,
    a_token_unused_for_30_days_is_over,
    no_token_outlives_180_days,
    rfc6749_6_the_scope_can_be_narrowed_and_never_widened,
    core_12_2_a_refreshed_id_token_keeps_who_and_when,
    a_refresh_token_is_its_clients_alone,
    without_the_grant_type_there_is_no_refresh_token,
    a_made_up_refresh_token_is_refused,
    without_openid_there_is_no_id_token,
);

const fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

async fn offline(provider: &TestProvider) -> (RelyingParty, Tokens) {
    let web = provider.client("web");
    let browser = provider.signed_in(ALICE).await;
    let tokens = web.tokens(&browser, "openid email offline_access").await;
    (web, tokens)
}

fn successor(answer: &Answer) -> String {
    Tokens::of(answer).refresh_token.unwrap()
}

async fn rfc6749_6_each_use_gives_a_successor(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let mut seen = vec![tokens.refresh_token.unwrap()];
    for _ in 0..5 {
        let next = successor(&web.refresh(seen.last().unwrap()).await);
        assert!(!seen.contains(&next));
        seen.push(next);
    }
    let refreshed = provider.audited("token_refreshed").await;
    assert_eq!(refreshed.len(), 5);
}

async fn a_lost_answer_is_given_again_for_a_minute(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let first = web.refresh(tokens.refresh_token()).await;
    provider.advance(SignedDuration::from_secs(60));
    let again = web.refresh(tokens.refresh_token()).await;
    assert_eq!(successor(&first), successor(&again));
    assert_eq!(web.userinfo(&Tokens::of(&again).access_token).await.status, 200);
    // Either answer's token goes on.
    assert_eq!(web.refresh(&successor(&again)).await.status, 200);
}

/// An application asks for all of its people from one address.
async fn each_answer_that_is_given_again_has_its_entry(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    for _ in 0..40 {
        assert_eq!(web.refresh(tokens.refresh_token()).await.status, 200);
    }
    assert_eq!(provider.audited("token_refreshed").await.len(), 40);
}

async fn asked_at_once_all_get_the_same_successor(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let mut token = tokens.refresh_token.unwrap();
    for _ in 0..5 {
        let answers = join_all((0..6).map(|_| web.refresh(&token))).await;
        let successors: Vec<String> = answers.iter().map(successor).collect();
        assert!(successors.iter().all(|one| *one == successors[0]), "{successors:?}");
        token.clone_from(&successors[0]);
    }
    assert!(provider.audited("refresh_replayed").await.is_empty());
}

async fn rfc9700_4_14_2_a_replay_ends_the_family(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let second = successor(&web.refresh(tokens.refresh_token()).await);
    let third = Tokens::of(&web.refresh(&second).await);
    // Within the minute, but its successor was used.
    let replay = web.refresh(tokens.refresh_token()).await;
    assert_eq!((replay.status, replay.error().as_str()), (400, "invalid_grant"));
    assert_eq!(web.refresh(third.refresh_token()).await.error(), "invalid_grant");
    for access_token in [&tokens.access_token, &third.access_token] {
        assert_eq!(web.userinfo(access_token).await.status, 401);
        assert_eq!(web.introspect(access_token).await.json(), serde_json::json!({ "active": false }));
    }
    assert_eq!(provider.audited("refresh_replayed").await.len(), 1);
}

async fn a_repeat_after_the_minute_is_a_replay(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let next = successor(&web.refresh(tokens.refresh_token()).await);
    provider.advance(SignedDuration::from_secs(61));
    assert_eq!(web.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    assert_eq!(web.refresh(&next).await.error(), "invalid_grant");
}

async fn a_token_unused_for_30_days_is_over(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    provider.advance(days(30) - SignedDuration::from_secs(1));
    let next = successor(&web.refresh(tokens.refresh_token()).await);
    provider.advance(days(30));
    assert_eq!(web.refresh(&next).await.error(), "invalid_grant");
}

async fn no_token_outlives_180_days(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.password.max_age", "\"never\"").start().await;
    let (web, tokens) = offline(&provider).await;
    let mut token = tokens.refresh_token.unwrap();
    for _ in 0..8 {
        provider.advance(days(20));
        token = successor(&web.refresh(&token).await);
    }
    provider.advance(days(20));
    assert_eq!(web.refresh(&token).await.error(), "invalid_grant");
}

async fn rfc6749_6_the_scope_can_be_narrowed_and_never_widened(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let refresh = async |token: &str, scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        web.post("/token", &fields).await
    };
    let wider = refresh(tokens.refresh_token(), "openid profile").await;
    assert_eq!((wider.status, wider.error().as_str()), (400, "invalid_scope"));
    let narrow = Tokens::of(&refresh(tokens.refresh_token(), "openid").await);
    assert_eq!(
        (&narrow.json["scope"], claims(&narrow.access_token)["scope"].as_str()),
        (&"openid".into(), Some("openid"))
    );
    assert!(web.userinfo(&narrow.access_token).await.json().get("email").is_none());
    // What was granted stays: the next one may have it again.
    let whole = Tokens::of(&web.refresh(narrow.refresh_token()).await);
    assert_eq!(whole.json["scope"], "openid email offline_access");
}

async fn core_12_2_a_refreshed_id_token_keeps_who_and_when(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    provider.advance(SignedDuration::from_hours(1));
    let refreshed = Tokens::of(&web.refresh(tokens.refresh_token()).await);
    let (before, after) = (claims(tokens.id_token()), web.verified(refreshed.id_token()).await.claims);
    for name in ["iss", "sub", "aud", "azp", "auth_time", "acr", "amr", "sid"] {
        assert!(!before[name].is_null(), "{name}");
        assert_eq!(before[name], after[name], "{name}");
    }
    assert_eq!(after["iat"], provider.now().as_second());
    assert_eq!(before["nonce"], "nonce-1");
    assert!(after.get("nonce").is_none());
    assert_eq!(after["at_hash"], anteroom_testkit::left_half_hash(&refreshed.access_token));
}

async fn a_refresh_token_is_its_clients_alone(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    for other in ["imaging", "native"] {
        let answer = provider.client(other).refresh(tokens.refresh_token()).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{other}");
    }
    assert_eq!(web.refresh(tokens.refresh_token()).await.status, 200);
}

async fn without_the_grant_type_there_is_no_refresh_token(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "plain"
first_party = true
redirect_uris = ["https://plain.example/callback"]
token_endpoint_auth_method = "none"
scope = "openid"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let plain = provider.client("plain");
    let tokens = plain.tokens(&provider.signed_in(ALICE).await, "openid").await;
    assert_eq!(tokens.refresh_token, None);
    assert_eq!(plain.refresh("x").await.error(), "unauthorized_client");
}

async fn a_made_up_refresh_token_is_refused(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let token = tokens.refresh_token();
    let flipped = format!("{}{}", if token.starts_with('A') { 'B' } else { 'A' }, &token[1..]);
    for made_up in ["x", &token[1..], &flipped, &tokens.access_token, tokens.id_token()] {
        let answer = web.refresh(made_up).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{made_up}");
    }
    assert_eq!(web.refresh(token).await.status, 200);
}

async fn without_openid_there_is_no_id_token(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "profile").await;
    assert_eq!(tokens.id_token, None);
    assert_eq!(Tokens::of(&web.refresh(tokens.refresh_token()).await).id_token, None);
    let answer = web.userinfo(&tokens.access_token).await;
    assert_eq!(answer.status, 403);
    assert!(answer.header("www-authenticate").unwrap().contains("insufficient_scope"));
}
