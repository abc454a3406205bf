//! Refresh tokens: rotation that survives a lost answer and refuses a replay.

use crate::ALICE;
use anteroom_domain::audit_trail::record::AuditRecord;
use anteroom_testkit::{
    Backend, RelyingParty, TestProvider, TestResponse, Tokens, claims, on_both_databases,
};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

on_both_databases!(
    rfc6749_6_each_use_gives_a_successor,
    refreshes_are_counted_for_an_hour_and_another_address_has_an_entry,
    a_lost_answer_is_given_again_for_a_minute,
    each_answer_that_is_given_again_has_its_entry_and_the_fourth_is_a_replay,
    a_repeat_from_another_network_is_told_to_the_person,
    an_application_that_authenticates_may_have_many_addresses,
    a_repeat_from_another_network_ends_the_family_where_the_policy_says_so,
    repeats_after_a_rotation_by_release_0_1_are_counted_anew,
    a_token_ahead_of_the_database_ends_the_family,
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

fn successor(answer: &TestResponse) -> String {
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
}

async fn refreshes_are_counted_for_an_hour_and_another_address_has_an_entry(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (home, elsewhere, tokens) = native(&provider).await;
    let begun = provider.now();
    refresh_for_two_hours(&provider, &home, &elsewhere, tokens).await;
    let of_native = [
        in_words(Some(1), None, "203.0.113.9"),
        in_words(Some(4), Some(2), "198.51.100.7"),
        in_words(Some(5), None, "203.0.113.9"),
        in_words(Some(7), Some(1), "203.0.113.9"),
    ];
    assert_eq!(refreshed(&provider, begun).await, of_native);
    // The servers of an application that authenticates may have many addresses.
    let (web, tokens) = offline(&provider).await;
    let begun = provider.now() + SignedDuration::from_secs(1);
    provider.advance(SignedDuration::from_secs(1));
    let (home, elsewhere) = (web.clone().from("203.0.113.9"), web.from("198.51.100.7"));
    refresh_for_two_hours(&provider, &home, &elsewhere, tokens).await;
    let of_web = [in_words(Some(1), None, "203.0.113.9"), in_words(Some(6), Some(4), "203.0.113.9")];
    assert_eq!(refreshed(&provider, begun).await, of_web);
    let last = provider.audited("token_refreshed").await.into_iter().max_by_key(|entry| entry.at);
    assert!(last.unwrap().detail.contains("\"any_address\":true"));
}

/// Seven times, the fourth from elsewhere.
async fn refresh_for_two_hours(
    provider: &TestProvider,
    home: &RelyingParty,
    elsewhere: &RelyingParty,
    tokens: Tokens,
) {
    let mut token = tokens.refresh_token.unwrap();
    for (minutes, client) in
        [(0, home), (10, home), (10, home), (10, elsewhere), (10, home), (59, home), (1, home)]
    {
        provider.advance(SignedDuration::from_mins(minutes));
        token = successor(&client.refresh(&token).await);
    }
}

type InWords = (Option<u64>, Option<u64>, String);

fn in_words(generation: Option<u64>, before: Option<u64>, address: &str) -> InWords {
    (generation, before, address.to_owned())
}

/// Generation, refreshes before and address of each entry since then, in their order.
async fn refreshed(provider: &TestProvider, since: Timestamp) -> Vec<InWords> {
    let mut entries = provider.audited("token_refreshed").await;
    entries.retain(|entry| entry.at >= since);
    entries.sort_by_key(|entry| entry.at);
    let detail = |entry: &AuditRecord| serde_json::from_str::<Value>(&entry.detail).unwrap();
    let words = |entry: &AuditRecord| {
        let detail = detail(entry);
        let address = entry.address.as_deref().unwrap_or_default();
        in_words(detail["generation"].as_u64(), detail["before"].as_u64(), address)
    };
    entries.iter().map(words).collect()
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

async fn each_answer_that_is_given_again_has_its_entry_and_the_fourth_is_a_replay(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let first = web.clone().from("203.0.113.9").refresh(tokens.refresh_token()).await;
    let answers = join_all((0..5).map(|_| web.refresh(tokens.refresh_token()))).await;
    let again: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(again.iter().all(|answer| successor(answer) == successor(&first)));
    let repeats = provider.audited("refresh_repeated").await;
    assert_eq!((again.len(), repeats.len()), (3, 3));
    for entry in &repeats {
        assert!(entry.detail.contains(r#""first_address":"203.0.113.9""#), "{}", entry.detail);
        assert_eq!(entry.address.as_deref(), Some("127.0.0.1"));
    }
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.error() == "invalid_grant"));
    assert_eq!(web.refresh(&successor(&first)).await.error(), "invalid_grant");
    let replays = join_all((0..20).map(|_| web.refresh(tokens.refresh_token()))).await;
    assert!(replays.iter().all(|answer| answer.error() == "invalid_grant"));
    assert_eq!(provider.audited("refresh_replayed").await.len(), 1);
}

/// Of a public client, from two addresses of networks.
async fn native(provider: &TestProvider) -> (RelyingParty, RelyingParty, Tokens) {
    let native = provider.client("native");
    let browser = provider.signed_in(ALICE).await;
    let page = native.authorize(&browser, &[("scope", "openid offline_access")]).await;
    let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let tokens = Tokens::of(&native.redeem(&native.code_in(&agreed)).await);
    (native.clone().from("203.0.113.9"), native.from("198.51.100.7"), tokens)
}

async fn notices(provider: &TestProvider) -> usize {
    let outbox = provider.outbox().await;
    outbox.iter().filter(|message| message.body.kind() == "tokens_asked_elsewhere").count()
}

async fn a_repeat_from_another_network_is_told_to_the_person(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (home, elsewhere, tokens) = native(&provider).await;
    let mut token = tokens.refresh_token.unwrap();
    let first = home.refresh(&token).await;
    assert_eq!(home.refresh(&token).await.status, 200);
    assert_eq!(notices(&provider).await, 0);
    let again = elsewhere.refresh(&token).await;
    assert_eq!(successor(&again), successor(&first));
    assert_eq!(notices(&provider).await, 1);
    // However often it happens, the mailbox is not filled.
    token = successor(&first);
    for _ in 0..4 {
        let next = successor(&home.refresh(&token).await);
        assert_eq!(elsewhere.refresh(&token).await.status, 200);
        token = next;
    }
    assert_eq!((notices(&provider).await, provider.audited("refresh_repeated").await.len()), (3, 6));
}

async fn an_application_that_authenticates_may_have_many_addresses(backend: Backend) {
    let refuse = "\"refuse\"";
    let provider =
        TestProvider::on(&backend).set("policy.tokens.refresh_repeat_elsewhere", refuse).start().await;
    let (web, tokens) = offline(&provider).await;
    assert_eq!(web.clone().from("203.0.113.9").refresh(tokens.refresh_token()).await.status, 200);
    assert_eq!(web.from("198.51.100.7").refresh(tokens.refresh_token()).await.status, 200);
    assert_eq!(notices(&provider).await, 0);
}

async fn a_repeat_from_another_network_ends_the_family_where_the_policy_says_so(backend: Backend) {
    let refuse = "\"refuse\"";
    let provider =
        TestProvider::on(&backend).set("policy.tokens.refresh_repeat_elsewhere", refuse).start().await;
    let (home, elsewhere, tokens) = native(&provider).await;
    let first = home.refresh(tokens.refresh_token()).await;
    assert_eq!(home.refresh(tokens.refresh_token()).await.status, 200);
    assert_eq!(elsewhere.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    assert_eq!(home.refresh(&successor(&first)).await.error(), "invalid_grant");
}

async fn repeats_after_a_rotation_by_release_0_1_are_counted_anew(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let next = successor(&web.refresh(tokens.refresh_token()).await);
    for _ in 0..3 {
        assert_eq!(web.refresh(tokens.refresh_token()).await.status, 200);
    }
    // It knows nothing of the columns that count repeats.
    backend.execute("UPDATE refresh_tokens SET generation = generation + 1").await;
    assert_eq!(web.refresh(&next).await.status, 200);
    let entries = provider.audited("refresh_repeated").await;
    let entry = entries.iter().find(|entry| entry.detail.contains(r#""generation":2"#)).unwrap();
    assert!(
        entry.detail.contains(r#""repeat":1"#) && !entry.detail.contains("first_address"),
        "{}",
        entry.detail
    );
}

/// A database that has lost a commit, and the token that the lost commit has given.
async fn a_token_ahead_of_the_database_ends_the_family(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let next = successor(&web.refresh(tokens.refresh_token()).await);
    backend.execute("UPDATE refresh_tokens SET generation = generation - 1").await;
    assert_eq!(web.refresh(&next).await.error(), "invalid_grant");
    let [entry] = &provider.audited("refresh_ahead").await[..] else { panic!("no entry of its own") };
    assert!(entry.detail.contains(r#""known":0"#), "{}", entry.detail);
    // The older generation does not go on either.
    assert_eq!(web.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    assert_eq!(web.userinfo(&tokens.access_token).await.status, 401);
}

async fn asked_at_once_all_get_the_same_successor(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, tokens) = offline(&provider).await;
    let mut token = tokens.refresh_token.unwrap();
    for _ in 0..5 {
        let answers = join_all((0..4).map(|_| web.refresh(&token))).await;
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
    let said = web.introspect(&narrow.access_token).await.json();
    assert_eq!((&narrow.json["scope"], &said["scope"]), (&"openid".into(), &"openid".into()));
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
