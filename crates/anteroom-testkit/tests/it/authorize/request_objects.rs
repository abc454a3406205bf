//! Signed requests (OpenID Connect Core §6, RFC 9101).

use crate::ALICE;
use anteroom_testkit::{AppKey, Backend, Documents, RelyingParty, TestProvider, on_both_databases};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

on_both_databases!(
    core_6_1_a_signed_request_is_served_and_what_is_inside_wins,
    core_6_1_what_cannot_be_used_is_invalid_request_object,
    core_6_1_none_is_for_clients_that_registered_it,
    core_6_2_what_a_registered_place_holds_need_not_be_signed,
    core_6_2_a_request_object_is_fetched_from_registered_places_alone,
    core_6_2_nobody_has_request_objects_fetched_without_end,
    rfc9101_6_3_where_a_signature_is_required_nothing_beside_the_object_counts,
    rfc9101_10_5_a_request_that_waits_is_answered_as_its_client_must_ask_now,
    rfc9101_10_8_what_is_signed_for_something_else_is_no_request_object,
    rfc6749_4_1_2_1_a_bad_request_object_leads_nowhere_that_is_not_registered,
);

const REDIRECT: &str = "https://signing.example/callback";

fn signing(key: &AppKey, more: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"signing\"\nfirst_party = true\nredirect_uris = [\"{REDIRECT}\"]\n\
         token_endpoint_auth_method = \"none\"\njwks = '{}'\n{more}\n",
        AppKey::set(&[key])
    )
}

fn claims(app: &RelyingParty, provider: &TestProvider) -> Value {
    json!({
        "iss": app.client_id, "client_id": app.client_id, "aud": provider.issuer,
        "exp": provider.now().as_second() + 60, "scope": "openid email", "nonce": "inside",
    })
}

async fn core_6_1_a_signed_request_is_served_and_what_is_inside_wins(backend: Backend) {
    let key = AppKey::new("PS256", "a");
    let provider = TestProvider::on(&backend).clients(&signing(&key, "")).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    let request = key.sign(&claims(&app, &provider));
    let code = app.code(&browser, &[("request", &request), ("nonce", "outside")]).await;
    let tokens = app.redeem(&code).await.json();
    assert_eq!(tokens["scope"], "openid email");
    let id_token = app.verified(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(id_token.claims["nonce"], "inside");
    // A person who is not signed in yet signs in for the same request, an object that has expired meanwhile or not.
    let unknown_browser = provider.browser();
    let page = app.authorize(&unknown_browser, &[("request", &request)]).await;
    provider.advance(jiff::SignedDuration::from_mins(5));
    let answer = unknown_browser.enter(&page, ALICE, anteroom_testkit::PASSWORD).await;
    assert!(!app.code_in(&answer).is_empty());
}

async fn core_6_1_what_cannot_be_used_is_invalid_request_object(backend: Backend) {
    let (key, other) = (AppKey::new("ES256", "a"), AppKey::new("ES256", "a"));
    let toml = signing(&key, "request_object_signing_alg = \"ES256\"");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    let with = |name: &str, value: Value| {
        let mut claims = claims(&app, &provider);
        claims[name] = value;
        key.sign(&claims)
    };
    let good = key.sign(&claims(&app, &provider));
    for request in [
        other.sign(&claims(&app, &provider)),
        good.rsplit_once('.').unwrap().0.to_owned() + ".",
        "nonsense".to_owned(),
        with("client_id", json!("web")),
        with("iss", json!("web")),
        with("aud", json!("https://elsewhere.example")),
        with("exp", json!(provider.now().as_second() - 100)),
        with("request", json!(good)),
        with("request_uri", json!("https://signing.example/r")),
    ] {
        let answer = app.authorize(&browser, &[("request", &request)]).await;
        let parameters = answer.parameters();
        assert_eq!(parameters["error"], "invalid_request_object", "{request}");
        assert_eq!(parameters["state"], anteroom_testkit::STATE);
    }
    // The rules hold for what is inside like for what is outside.
    let answer = app.authorize(&browser, &[("request", &with("response_type", json!("token")))]).await;
    assert_eq!(answer.parameters()["error"], "unsupported_response_type");
    let both = [("request", good.as_str()), ("request_uri", "https://signing.example/r")];
    assert_eq!(app.authorize(&browser, &both).await.parameters()["error"], "invalid_request");
}

async fn core_6_1_none_is_for_clients_that_registered_it(backend: Backend) {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(r#"{"nonce":"inside"}"#));
    let key = AppKey::new("EdDSA", "a");
    let toml = signing(&key, "request_object_signing_alg = \"none\"");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    let app = provider.client("signing");
    assert!(!app.code(&browser, &[("request", &unsigned)]).await.is_empty());
    let signed = key.sign(&claims(&app, &provider));
    let answer = app.authorize(&browser, &[("request", &signed)]).await;
    assert_eq!(answer.parameters()["error"], "invalid_request_object");
    // A client that is registered for nothing in particular is told, where the object says, to do without (§3.1.2.6).
    let web = provider.client("web");
    let inside = json!({ "redirect_uri": web.redirect_uri, "state": "inside" }).to_string();
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(&inside));
    let outside = [("request", unsigned.as_str()), ("redirect_uri", ""), ("state", "")];
    let parameters = web.authorize(&browser, &outside).await.parameters();
    assert_eq!(
        (parameters["error"].as_str(), parameters["state"].as_str()),
        ("request_not_supported", "inside")
    );
    // It has no say over what stands outside, and leads nowhere that is not registered.
    let outside = [("request", unsigned.as_str()), ("redirect_uri", "https://elsewhere.example/")];
    let page = web.authorize(&browser, &outside).await;
    assert_eq!((page.status, page.text_of("error-redirect-uri-mismatch").is_some()), (400, true));
    let elsewhere = json!({ "redirect_uri": "https://elsewhere.example/", "state": "inside" }).to_string();
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(&elsewhere));
    let parameters = web.authorize(&browser, &[("request", &unsigned)]).await.parameters();
    assert_eq!(parameters["state"], anteroom_testkit::STATE);
    let outside = [("request", unsigned.as_str()), ("redirect_uri", ""), ("state", "")];
    assert_eq!(web.authorize(&browser, &outside).await.status, 400);
}

async fn core_6_2_what_a_registered_place_holds_need_not_be_signed(backend: Backend) {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let key = AppKey::new("RS256", "a");
    let place = Documents::start("").await;
    let toml = signing(&key, &format!("request_uris = [\"{}\"]", place.url));
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(r#"{"scope":"openid email"}"#));
    place.put(Some(&unsigned));
    let code = app.code(&browser, &[("request_uri", &place.url)]).await;
    assert_eq!(app.redeem(&code).await.json()["scope"], "openid email");
}

async fn core_6_2_a_request_object_is_fetched_from_registered_places_alone(backend: Backend) {
    let key = AppKey::new("RS256", "a");
    let place = Documents::start("").await;
    let toml = signing(&key, &format!("request_uris = [\"{}\"]", place.url));
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    place.put(Some(&key.sign(&claims(&app, &provider))));
    for uri in [place.url.clone(), format!("{}#version-2", place.url)] {
        let code = app.code(&browser, &[("request_uri", &uri), ("nonce", "")]).await;
        assert_eq!(app.redeem(&code).await.json()["scope"], "openid email");
    }
    let asked = place.asked();
    let elsewhere =
        [format!("{}/x", place.url), format!("{}?x", place.url), "http://127.0.0.1:1/".to_owned()];
    for uri in elsewhere {
        let answer = app.authorize(&browser, &[("request_uri", &uri)]).await;
        assert_eq!(answer.parameters()["error"], "invalid_request_uri", "{uri}");
    }
    assert_eq!(place.asked(), asked);
    let too_large = "x".repeat(20_000);
    for (text, error) in [
        (None, "invalid_request_uri"),
        (Some(too_large.as_str()), "invalid_request_uri"),
        (Some("nonsense"), "invalid_request_object"),
    ] {
        place.put(text);
        let answer = app.authorize(&browser, &[("request_uri", &place.url)]).await;
        assert_eq!(answer.parameters()["error"], error);
    }
}

async fn core_6_2_nobody_has_request_objects_fetched_without_end(backend: Backend) {
    let key = AppKey::new("RS256", "a");
    let place = Documents::start("").await;
    let toml = signing(&key, &format!("request_uris = [\"{}\"]", place.url));
    let few = TestProvider::on(&backend).set("policy.limits.request_uri", "{ max = 4, window = \"5m\" }");
    let provider = few.clients(&toml).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    place.put(Some(&key.sign(&claims(&app, &provider))));
    for version in 1..=2 {
        app.code(&browser, &[("request_uri", &format!("{}#{version}", place.url)), ("nonce", "")]).await;
    }
    let refused = app.authorize(&browser, &[("request_uri", &place.url)]).await;
    assert_eq!((refused.error(), place.asked()), ("temporarily_unavailable".to_owned(), 2));
}

async fn rfc6749_4_1_2_1_a_bad_request_object_leads_nowhere_that_is_not_registered(backend: Backend) {
    let key = AppKey::new("EdDSA", "a");
    let provider = TestProvider::on(&backend).clients(&signing(&key, "")).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    let mut inside = claims(&app, &provider);
    inside["redirect_uri"] = json!("https://evil.example/");
    for (request, redirect_uri) in
        [(key.sign(&inside), REDIRECT), ("bad".to_owned(), "https://evil.example/"), ("bad".to_owned(), "")]
    {
        let changes = [("request", request.as_str()), ("redirect_uri", redirect_uri)];
        let page = app.authorize(&browser, &changes).await;
        assert_eq!((page.status, page.header("location")), (400, None), "{redirect_uri}");
        // The page says what is wrong with the address, where there is one.
        let about_the_address = page.text_of("error-redirect-uri-mismatch").is_some();
        assert_eq!(about_the_address, !redirect_uri.is_empty(), "{}", page.page_summary());
    }
}

async fn rfc9101_6_3_where_a_signature_is_required_nothing_beside_the_object_counts(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let toml = signing(&key, "require_signed_request_object = true");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    assert_eq!(app.authorize(&browser, &[]).await.error(), "invalid_request");
    let mut inside = claims(&app, &provider);
    let request = key.sign(&inside);
    // What the signed request leaves out is missing, whatever stands beside it.
    let page = app.authorize(&browser, &[("request", &request)]).await;
    assert!(!page.header("location").unwrap_or_default().contains("code="), "{}", page.page_summary());
    for (name, value) in [
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("state", "inside"),
        ("code_challenge", anteroom_testkit::CHALLENGE),
        ("code_challenge_method", "S256"),
    ] {
        inside[name] = json!(value);
    }
    let request = key.sign(&inside);
    let beside = [
        ("request", request.as_str()),
        ("scope", "openid email profile"),
        ("prompt", "login"),
        ("max_age", "0"),
        ("state", "outside"),
        ("redirect_uri", "https://elsewhere.example/"),
        ("resource", "https://elsewhere.example/"),
    ];
    let answer = app.authorize(&browser, &beside).await;
    let parameters = answer.parameters();
    assert_eq!(parameters["state"], "inside");
    assert_eq!(app.redeem(&parameters["code"]).await.json()["scope"], "openid email");
    // Nor does one without a signature.
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(&inside.to_string()));
    assert_eq!(app.authorize(&browser, &[("request", &unsigned)]).await.error(), "invalid_request_object");
}

async fn rfc9101_10_5_a_request_that_waits_is_answered_as_its_client_must_ask_now(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let pushing = |more: &str| {
        let (public, proving) =
            ("token_endpoint_auth_method = \"none\"", "secret_env = \"TEST_CLIENT_SECRET\"");
        signing(&key, more).replace(public, proving)
    };
    let before = TestProvider::on(&backend).clients(&pushing("")).start().await;
    let required = pushing("require_signed_request_object = true");
    let after = TestProvider::on(&backend).clients(&required).another_node_of(&before).start().await;
    let (app, strict) = (before.client("signing"), after.client("signing"));
    let mut inside = claims(&app, &before);
    for (name, value) in [
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("state", anteroom_testkit::STATE),
        ("code_challenge", anteroom_testkit::CHALLENGE),
        ("code_challenge_method", "S256"),
    ] {
        inside[name] = json!(value);
    }
    let request = key.sign(&inside);
    let push = async |app: &RelyingParty, changes: &[(&str, &str)]| {
        let target = app.request(changes);
        let query = target.split_once('?').unwrap().1.to_owned();
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = app.post("/par", &fields).await;
        assert_eq!(answer.status, 201, "{}", answer.page_summary());
        let pushed = answer.json();
        format!("/authorize?client_id=signing&request_uri={}", pushed["request_uri"].as_str().unwrap())
    };
    // In a page.
    let mut browser = before.browser();
    let page = app.authorize(&browser, &[]).await;
    browser.lead_to(&after);
    let answer = browser.enter(&page, ALICE, anteroom_testkit::PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (400, None), "{}", answer.page_summary());
    // Pushed, and not fetched by a browser yet.
    let target = push(&app, &[]).await;
    assert_eq!(browser.get(&target).await.error(), "invalid_request");
    // What came as it must now is answered.
    let signed = [("request", request.as_str())];
    let target = push(&strict, &signed).await;
    assert!(!app.code_in(&browser.get(&target).await).is_empty());
    let browser = after.browser();
    let page = strict.authorize(&browser, &signed).await;
    assert!(!app.code_in(&browser.enter(&page, ALICE, anteroom_testkit::PASSWORD).await).is_empty());
}

async fn rfc9101_10_8_what_is_signed_for_something_else_is_no_request_object(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let provider = TestProvider::on(&backend).clients(&signing(&key, "")).start().await;
    let (app, browser) = (provider.client("signing"), provider.signed_in(ALICE).await);
    let asked = async |typ: Value, sub: Value| {
        let mut inside = claims(&app, &provider);
        inside["sub"] = sub;
        let request = key.sign_under(&json!({ "typ": typ }), &inside);
        let answer = app.authorize(&browser, &[("request", &request)]).await;
        answer.parameters().get("error").cloned().unwrap_or_default()
    };
    for good in ["oauth-authz-req+jwt", "application/OAuth-Authz-Req+JWT", "JWT", "jwt", "application/jwt"] {
        assert_eq!(asked(json!(good), Value::Null).await, "", "{good}");
    }
    for bad in ["client-authentication+jwt", "at+jwt", "logout+jwt", "secevent+jwt", "", "JWT "] {
        assert_eq!(asked(json!(bad), Value::Null).await, "invalid_request_object", "{bad}");
    }
    assert_eq!(asked(Value::Null, json!("signing")).await, "invalid_request_object");
    assert_eq!(asked(Value::Null, json!("somebody")).await, "");
}
