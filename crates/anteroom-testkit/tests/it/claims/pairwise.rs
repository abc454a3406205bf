//! Pairwise subject identifiers (OpenID Connect Core §8.1), wherever a `sub` meets a client.

use crate::{ALICE, BOB};
use anteroom_testkit::{
    Backend, Browser, LogoutReceiver, PASSWORD, RelyingParty, TestProvider, Tokens, claims, on_both_databases,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

on_both_databases!(
    core_8_1_one_sector_one_sub_and_two_sectors_two,
    core_8_1_everything_that_says_sub_says_the_same,
    core_8_1_no_name_of_the_person_stands_beside_it,
    core_3_1_2_1_an_id_token_hint_is_read_as_its_client_knows_people,
    core_5_5_1_a_sub_with_a_value_is_the_clients_own,
    rp_initiated_2_a_hint_with_a_pairwise_sub_ends_its_session,
    back_channel_2_4_a_logout_token_has_the_clients_sub,
    core_8_1_a_session_has_a_sid_of_each_sector_wherever_it_is_named,
    rfc7009_2_1_the_trail_names_whose_token_a_client_revoked,
    core_8_1_a_session_of_release_0_1_0_keeps_its_sid_to_its_end,
);

fn client(id: &str, host: &str, extra: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"{id}\"\nfirst_party = true\nsecret_env = \"TEST_CLIENT_SECRET\"\n\
         redirect_uris = [\"https://{host}/{id}\"]\ngrant_types = [\"authorization_code\", \"refresh_token\"]\n\
         scope = \"openid profile email offline_access\"\nsubject_type = \"pairwise\"\n{extra}\n"
    )
}

async fn with(backend: &Backend, clients: &[String]) -> TestProvider {
    TestProvider::on(backend).clients(&clients.concat()).start().await
}

/// Two of one sector, one of another.
async fn three(backend: &Backend) -> TestProvider {
    let clients = [
        client("one", "lab.example", ""),
        client("two", "lab.example", ""),
        client("other", "billing.example", ""),
    ];
    with(backend, &clients).await
}

async fn sub(provider: &TestProvider, client: &str, email: &str) -> String {
    let browser = provider.signed_in(email).await;
    let tokens = provider.client(client).tokens(&browser, "openid").await;
    claims(tokens.id_token())["sub"].as_str().unwrap().to_owned()
}

async fn rfc7009_2_1_the_trail_names_whose_token_a_client_revoked(backend: Backend) {
    let provider = three(&backend).await;
    let alice = provider.signed_in(ALICE).await;
    for id in ["web", "one"] {
        let app = provider.client(id);
        app.revoke(&app.tokens(&alice, "openid").await.access_token).await;
    }
    let [web, one] = &provider.audited("token_revoked").await[..] else { panic!("two entries") };
    assert!(web.subject.is_some() && web.session.is_some(), "{web:?}");
    assert_eq!((&one.subject, &one.session), (&web.subject, &web.session));
}

async fn core_8_1_one_sector_one_sub_and_two_sectors_two(backend: Backend) {
    let provider = three(&backend).await;
    let carol = provider.person("carol@practice.example").create().await.to_string();
    let mut seen = vec![carol.clone()];
    assert_eq!(sub(&provider, "web", "carol@practice.example").await, carol, "the public one");
    for email in ["carol@practice.example", BOB] {
        let one = sub(&provider, "one", email).await;
        assert_eq!(sub(&provider, "two", email).await, one);
        let other = sub(&provider, "other", email).await;
        assert!(!seen.contains(&one) && !seen.contains(&other) && one != other, "{seen:?} {one} {other}");
        seen.extend([one, other]);
    }
    // Another node, and another day, say the same.
    let again =
        TestProvider::on(&backend).clients(&client("one", "lab.example", "")).another_node_of(&provider);
    assert_eq!(sub(&again.start().await, "one", "carol@practice.example").await, seen[1]);
}

async fn core_8_1_everything_that_says_sub_says_the_same(backend: Backend) {
    let clients =
        [client("jwt", "a.example", "access_token_format = \"jwt\""), client("opaque", "a.example", "")];
    let provider = with(&backend, &clients).await;
    let browser = provider.signed_in(ALICE).await;
    for id in ["jwt", "opaque"] {
        let app = provider.client(id);
        let tokens = app.tokens(&browser, "openid offline_access").await;
        let expected = &claims(tokens.id_token())["sub"];
        if id == "jwt" {
            assert_eq!(&claims(&tokens.access_token)["sub"], expected);
        }
        assert_eq!(&app.userinfo(&tokens.access_token).await.json()["sub"], expected);
        for token in [&tokens.access_token, tokens.refresh_token.as_ref().unwrap()] {
            assert_eq!(&app.introspect(token).await.json()["sub"], expected);
        }
        let refreshed = Tokens::of(&app.refresh(tokens.refresh_token()).await);
        assert_eq!(&claims(refreshed.id_token())["sub"], expected);
        assert_eq!(&app.userinfo(&refreshed.access_token).await.json()["sub"], expected);
    }
}

/// Every text in `value`, however deep.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

async fn core_8_1_no_name_of_the_person_stands_beside_it(backend: Backend) {
    let tile = "initiate_login_uri = \"https://lab.example/start\"\n[clients.tile]\nname = \"Lab\"\n";
    let jwt = "access_token_format = \"jwt\"\n";
    let clients =
        [client("other", "billing.example", jwt), client("one", "lab.example", &(jwt.to_owned() + tile))];
    let provider = with(&backend, &clients).await;
    let carol = provider.person("carol@practice.example").create().await.to_string();
    let browser = provider.signed_in("carol@practice.example").await;
    let mut said: Vec<Vec<String>> = Vec::new();
    for id in ["one", "other"] {
        let app = provider.client(id);
        let tokens = app.tokens(&browser, "openid offline_access").await;
        let introspected = [
            app.introspect(&tokens.access_token).await.json(),
            app.introspect(tokens.refresh_token()).await.json(),
        ];
        assert!(introspected.iter().all(|one| one["active"] == true && one.get("username").is_none()));
        let mut all: Vec<Value> = vec![claims(tokens.id_token()), claims(&tokens.access_token)];
        all.push(app.userinfo(&tokens.access_token).await.json());
        all.extend(introspected);
        said.push(all.iter().flat_map(texts).collect());
    }
    assert!(said.concat().iter().all(|text| *text != carol && !text.contains("carol")), "{said:?}");
    // What both are told is the same for all people: not even the session has a name that they share.
    let shared = said[0].iter().filter(|text| said[1].contains(text));
    let uuids: std::collections::BTreeSet<_> = shared.filter(|text| text.len() >= 30).collect();
    let sid = uuids.iter().filter(|text| !text.starts_with("http") && !text.starts_with("urn:")).count();
    assert_eq!(sid, 0, "{uuids:?}");
    assert_eq!(browser.get("/open/one").await.parameters().get("login_hint"), None);
}

/// An ID token of this person for the client.
async fn id_token(provider: &TestProvider, app: &RelyingParty, email: &str) -> String {
    let browser = provider.signed_in(email).await;
    app.tokens(&browser, "openid").await.id_token.unwrap()
}

async fn core_3_1_2_1_an_id_token_hint_is_read_as_its_client_knows_people(backend: Backend) {
    let provider = three(&backend).await;
    let (one, browser) = (provider.client("one"), provider.signed_in(ALICE).await);
    browser.sign_in(BOB, PASSWORD).await;
    for email in [ALICE, BOB] {
        let hint = id_token(&provider, &one, email).await;
        // A client of the same sector knows the same people by it.
        for app in [&one, &provider.client("two")] {
            let code = app.code(&browser, &[("id_token_hint", &hint), ("prompt", "none")]).await;
            assert_eq!(claims(Tokens::of(&app.redeem(&code).await).id_token())["sub"], claims(&hint)["sub"]);
        }
        let (other, alone) = (provider.client("other"), provider.signed_in(email).await);
        let elsewhere = other.authorize(&alone, &[("id_token_hint", &hint), ("prompt", "none")]).await;
        assert_eq!(elsewhere.error(), "login_required");
    }
    let hint = id_token(&provider, &one, BOB).await;
    let fresh = provider.browser();
    let page = one.authorize(&fresh, &[("id_token_hint", &hint)]).await;
    assert_eq!(fresh.enter(&page, ALICE, PASSWORD).await.error(), "login_required", "the wrong person");
    provider.advance(SignedDuration::from_secs(1));
    let page = one.authorize(&fresh, &[("id_token_hint", &hint)]).await;
    one.code_in(&fresh.enter(&page, BOB, PASSWORD).await);
}

async fn core_5_5_1_a_sub_with_a_value_is_the_clients_own(backend: Backend) {
    let provider = three(&backend).await;
    let (one, browser) = (provider.client("one"), provider.signed_in(ALICE).await);
    let public = sub(&provider, "web", ALICE).await;
    for (value, is_alice) in [
        (sub(&provider, "one", ALICE).await, true),
        (sub(&provider, "two", ALICE).await, true),
        (sub(&provider, "other", ALICE).await, false),
        (sub(&provider, "one", BOB).await, false),
        (public, false),
        ("nobody".to_owned(), false),
    ] {
        let asked = json!({ "id_token": { "sub": { "value": value } } }).to_string();
        let silent = one.authorize(&browser, &[("claims", &asked), ("prompt", "none")]).await;
        if is_alice {
            one.code_in(&silent);
        } else {
            assert_eq!(silent.error(), "login_required", "{value}");
        }
    }
}

async fn rp_initiated_2_a_hint_with_a_pairwise_sub_ends_its_session(backend: Backend) {
    let back = "post_logout_redirect_uris = [\"https://lab.example/out\"]";
    let provider = with(&backend, &[client("one", "lab.example", back)]).await;
    let browser = provider.signed_in(ALICE).await;
    let hint = provider.client("one").tokens(&browser, "openid").await.id_token.unwrap();
    let query = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", "https://lab.example/out")];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let answer = browser.get(&format!("/end-session?{query}")).await;
    assert_eq!((answer.status, answer.location().as_str()), (303, "https://lab.example/out"));
    assert!(!browser.is_signed_in().await);
}

async fn back_channel_2_4_a_logout_token_has_the_clients_sub(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let logout_uri = format!("backchannel_logout_uri = \"{}\"", listener.url);
    let provider = with(&backend, &[client("one", "lab.example", &logout_uri)]).await;
    let (one, browser) = (provider.client("one"), provider.signed_in(ALICE).await);
    let tokens = one.tokens(&browser, "openid").await;
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    assert_eq!(provider.deliver_logouts().await, 1);
    let token = one.verified(&listener.tokens()[0]).await;
    assert_eq!(token.claims["sub"], claims(tokens.id_token())["sub"]);
    assert_eq!(token.claims["sub"].as_str().unwrap().len(), 43);
}

/// The `sid` that each of these clients is told in its ID token, for the session in this browser.
async fn sids(provider: &TestProvider, browser: &Browser, clients: &[&str]) -> Vec<String> {
    let mut sids = Vec::new();
    for id in clients {
        let tokens = provider.client(id).tokens(browser, "openid offline_access").await;
        let said = claims(tokens.id_token());
        if tokens.access_token.contains('.') {
            assert_eq!(claims(&tokens.access_token)["sid"], said["sid"], "{id}");
        }
        sids.push(said["sid"].as_str().unwrap().to_owned());
    }
    sids
}

async fn core_8_1_a_session_has_a_sid_of_each_sector_wherever_it_is_named(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let logout_uri = format!(
        "backchannel_logout_uri = \"{}\"\nfrontchannel_logout_uri = \"https://lab.example/out\"",
        listener.url
    );
    let clients = [
        client("one", "lab.example", &logout_uri),
        client("two", "lab.example", "access_token_format = \"jwt\""),
        client("other", "b.example", "access_token_format = \"jwt\""),
    ];
    let provider = with(&backend, &clients).await;
    let browser = provider.signed_in(ALICE).await;
    let sids = sids(&provider, &browser, &["one", "two", "other", "web"]).await;
    assert_eq!(sids[0], sids[1], "one sector, one name");
    assert!(sids[0] != sids[2] && sids[0] != sids[3] && sids[2] != sids[3], "{sids:?}");
    // A refresh, signing in again and a step-up keep it.
    let one = provider.client("one");
    let tokens = one.tokens(&browser, "openid offline_access").await;
    let refreshed = Tokens::of(&one.refresh(tokens.refresh_token()).await);
    assert_eq!(claims(refreshed.id_token())["sid"], sids[0].as_str());
    browser.sign_in(ALICE, PASSWORD).await;
    let again = one.tokens(&browser, "openid").await;
    assert_eq!(claims(again.id_token())["sid"], sids[0].as_str());
    let dashboard = browser.get("/dashboard").await;
    let page = browser.follow(&browser.submit(&dashboard, "/sign-out", &[]).await).await;
    assert!(
        page.frames().iter().any(|frame| frame.ends_with(&format!("&sid={}", sids[0]))),
        "{:?}",
        page.frames()
    );
    assert_eq!(provider.deliver_logouts().await, 1);
    assert_eq!(one.verified(&listener.tokens()[0]).await.claims["sid"], sids[0].as_str());
    // A grant that outlives the session names it as before.
    let later = Tokens::of(&one.refresh(refreshed.refresh_token()).await);
    assert_eq!(claims(later.id_token())["sid"], sids[0].as_str());
}

async fn core_8_1_a_session_of_release_0_1_0_keeps_its_sid_to_its_end(backend: Backend) {
    let back = "post_logout_redirect_uris = [\"https://lab.example/out\"]";
    let clients = [client("one", "lab.example", back), client("other", "billing.example", "")];
    let provider = with(&backend, &clients).await;
    let browser = provider.signed_in(ALICE).await;
    backend.execute("UPDATE sessions SET sid_by_sector = NULL").await;
    let before = sids(&provider, &browser, &["one", "other", "web"]).await;
    assert!(before[0] == before[1] && before[1] == before[2], "{before:?}");
    browser.sign_in(ALICE, PASSWORD).await;
    let tokens = provider.client("one").tokens(&browser, "openid").await;
    assert_eq!(claims(tokens.id_token())["sid"], before[0].as_str());
    let query =
        [("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", "https://lab.example/out")];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let answer = browser.get(&format!("/end-session?{query}")).await;
    assert_eq!(answer.location().as_str(), "https://lab.example/out");
    browser.sign_in(ALICE, PASSWORD).await;
    let after = sids(&provider, &browser, &["one", "other"]).await;
    assert!(after[0] != after[1], "{after:?}");
}
