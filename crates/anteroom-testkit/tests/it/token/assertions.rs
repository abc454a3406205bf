//! Clients that prove themselves with a JWT: `private_key_jwt` and `client_secret_jwt` (OpenID Connect Core §9, RFC 7523).

use anteroom_testkit::{
    AppKey, Backend, Browser, Documents, TestProvider, TestResponse, on_both_databases,
    on_one_node_and_on_two,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

on_one_node_and_on_two!(rfc7523_3_an_assertion_counts_once);
on_both_databases!(
    core_9_private_key_jwt_with_keys_in_the_registration,
    core_9_client_secret_jwt,
    core_9_only_the_registered_algorithm_counts,
    core_9_every_endpoint_for_clients_takes_assertions,
    rfc9126_2_the_address_for_pushing_counts_there_alone,
    rfc8725_3_11_an_assertion_says_that_it_is_one_or_nothing,
    rfc7523_3_claims_are_checked_and_failures_written_down,
    assertions_are_counted_before_they_leave_a_row,
    core_10_1_1_keys_at_a_jwks_uri_are_fetched_again_when_one_is_missing,
    core_10_1_1_an_address_that_does_not_answer_takes_nobodys_keys_away_at_once,
    core_10_1_1_a_token_lives_its_whole_time_although_the_keys_took_long,
);

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const LONG_SECRET: &str = "a-secret-that-is-long-enough-for-hs256";

/// A service that proves itself in this way.
fn service(more: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"signer\"\nfirst_party = true\nredirect_uris = []\nresponse_types = []\n\
         grant_types = [\"client_credentials\"]\nscope = \"reports\"\n{more}\n"
    )
}

fn with_keys(keys: &[&AppKey], more: &str) -> String {
    service(&format!(
        "token_endpoint_auth_method = \"private_key_jwt\"\njwks = '{}'\n{more}",
        AppKey::set(keys)
    ))
}

fn at(url: &str) -> String {
    service(&format!("token_endpoint_auth_method = \"private_key_jwt\"\njwks_uri = \"{url}\""))
}

fn claims(provider: &TestProvider, jti: &str) -> Value {
    let now = provider.now().as_second();
    json!({
        "iss": "signer", "sub": "signer", "aud": format!("{}/token", provider.issuer),
        "exp": now + 60, "iat": now, "jti": jti,
    })
}

async fn ask(provider: &TestProvider, assertion: &str) -> TestResponse {
    ask_from(&provider.browser(), assertion).await
}

async fn ask_from(sender: &Browser, assertion: &str) -> TestResponse {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    sender.post("/token", &fields).await
}

async fn core_9_private_key_jwt_with_keys_in_the_registration(backend: Backend) {
    let keys = ["RS256", "PS256", "ES256", "EdDSA"].map(|alg| AppKey::new(alg, alg));
    let toml = with_keys(&keys.iter().collect::<Vec<_>>(), "");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    for (i, key) in keys.iter().enumerate() {
        let named = key.sign(&claims(&provider, &format!("named {i}")));
        assert_eq!(ask(&provider, &named).await.status, 200);
        // A kid is of use, and not needed.
        let unnamed = key.sign_under(&json!({"kid": null}), &claims(&provider, &format!("unnamed {i}")));
        assert_eq!(ask(&provider, &unnamed).await.status, 200);
    }
    // A key of a stranger, whatever it calls itself and wherever its header points.
    let other = AppKey::new("ES256", "ES256");
    for header in [json!({}), json!({"kid": null}), json!({"jwk": other.jwk()})] {
        let forged = other.sign_under(&header, &claims(&provider, "forged"));
        let answer = ask(&provider, &forged).await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{header}");
    }
}

async fn core_9_client_secret_jwt(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, LONG_SECRET).unwrap();
    let toml = service(&format!(
        "token_endpoint_auth_method = \"client_secret_jwt\"\nsecret_file = \"{}\"",
        file.display()
    ));
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let unnamed = json!({"kid": null});
    let sign = |secret, jti| AppKey::secret(secret).sign_under(&unnamed, &claims(&provider, jti));
    assert_eq!(ask(&provider, &sign(LONG_SECRET, "a")).await.status, 200);
    assert_eq!(ask(&provider, &sign("another-secret-that-is-long-enough", "b")).await.status, 401);
    // The right secret in another way is the wrong method.
    let fields =
        [("grant_type", "client_credentials"), ("client_id", "signer"), ("client_secret", LONG_SECRET)];
    assert_eq!(provider.browser().post("/token", &fields).await.status, 401);
}

async fn core_9_only_the_registered_algorithm_counts(backend: Backend) {
    let keys = [AppKey::new("ES256", "ec"), AppKey::new("EdDSA", "ed")];
    let toml = with_keys(&[&keys[0], &keys[1]], "token_endpoint_auth_signing_alg = \"EdDSA\"");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    for (key, status) in [(&keys[0], 401), (&keys[1], 200)] {
        assert_eq!(ask(&provider, &key.sign(&claims(&provider, "a"))).await.status, status);
    }
    // A MAC made with what is public.
    let public = keys[1].jwk()["x"].as_str().unwrap().to_owned();
    let forged = AppKey::secret(public.leak()).sign(&claims(&provider, "b"));
    assert_eq!(ask(&provider, &forged).await.status, 401);
}

async fn rfc7523_3_an_assertion_counts_once(backend: Backend) {
    let key = AppKey::new("EdDSA", "a");
    let provider = TestProvider::on(&backend).clients(&with_keys(&[&key], "")).start().await;
    let assertion = key.sign(&claims(&provider, "once"));
    assert_eq!(ask(&provider, &assertion).await.status, 200);
    for _ in 0..2 {
        let answer = ask(&provider, &assertion).await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
    }
    let entries = provider.audited("client_authentication_failed").await;
    assert!(format!("{entries:?}").contains("second time"), "{entries:?}");
    assert_eq!(ask(&provider, &key.sign(&claims(&provider, "again"))).await.status, 200);
}

async fn core_9_every_endpoint_for_clients_takes_assertions(backend: Backend) {
    let key = AppKey::new("EdDSA", "a");
    let provider = TestProvider::on(&backend).clients(&with_keys(&[&key], "")).start().await;
    let token = ask(&provider, &key.sign(&claims(&provider, "0"))).await.json()["access_token"].clone();
    let token = token.as_str().unwrap();
    for (path, jti, aud) in [
        ("/introspect", "1", format!("{}/token", provider.issuer)),
        ("/revoke", "2", provider.issuer.clone()),
    ] {
        let mut claims = claims(&provider, jti);
        claims["aud"] = json!(aud);
        let assertion = key.sign(&claims);
        let fields = [("token", token), ("client_assertion_type", TYPE), ("client_assertion", &assertion)];
        assert_eq!(provider.browser().post(path, &fields).await.status, 200, "{path}");
        assert_eq!(provider.browser().post(path, &fields).await.status, 401, "{path}");
    }
}

async fn rfc9126_2_the_address_for_pushing_counts_there_alone(backend: Backend) {
    let key = AppKey::new("EdDSA", "a");
    let toml = format!(
        "[[clients]]\nclient_id = \"signer\"\nfirst_party = true\n\
         redirect_uris = [\"https://signer.example/callback\"]\n\
         grant_types = [\"authorization_code\", \"client_credentials\"]\nscope = \"openid reports\"\n\
         token_endpoint_auth_method = \"private_key_jwt\"\njwks = '{}'\n",
        AppKey::set(&[&key])
    );
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let push = [
        ("response_type", "code"),
        ("redirect_uri", "https://signer.example/callback"),
        ("scope", "openid"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    for (path, fields, good) in [
        ("/token", &[("grant_type", "client_credentials")][..], 200),
        ("/introspect", &[("token", "x")], 200),
        ("/revoke", &[("token", "x")], 200),
        ("/par", &push, 201),
    ] {
        for (addressed, counts) in [("", true), ("/token", true), ("/par", path == "/par"), ("/jwks", false)]
        {
            let mut claims = claims(&provider, &format!("{path} {addressed}"));
            claims["aud"] = json!(format!("{}{addressed}", provider.issuer));
            let assertion = key.sign(&claims);
            let proof = [("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())];
            let answer = provider.browser().post(path, &[fields, &proof].concat()).await;
            let expected = if counts { good } else { 401 };
            assert_eq!(answer.status, expected, "{path} for {addressed}: {}", answer.page_summary());
        }
    }
}

async fn rfc8725_3_11_an_assertion_says_that_it_is_one_or_nothing(backend: Backend) {
    let key = AppKey::new("EdDSA", "a");
    let provider = TestProvider::on(&backend).clients(&with_keys(&[&key], "")).start().await;
    for (typ, counts) in [
        (json!(null), true),
        (json!("JWT"), true),
        (json!("application/jwt"), true),
        (json!("client-authentication+jwt"), true),
        (json!("at+jwt"), false),
        (json!("logout+jwt"), false),
        (json!("dpop+jwt"), false),
        (json!("oauth-authz-req+jwt"), false),
        (json!("application/at+jwt"), false),
    ] {
        let assertion = key.sign_under(&json!({ "typ": typ }), &claims(&provider, &typ.to_string()));
        let answer = ask(&provider, &assertion).await;
        let expected = if counts { 200 } else { 401 };
        assert_eq!(answer.status, expected, "{typ}: {}", answer.page_summary());
    }
}

async fn rfc7523_3_claims_are_checked_and_failures_written_down(backend: Backend) {
    let key = AppKey::new("EdDSA", "a");
    let provider = TestProvider::on(&backend).clients(&with_keys(&[&key], "")).start().await;
    let now = provider.now().as_second();
    for (i, (name, value)) in [
        ("iss", json!("web")),
        ("aud", json!("https://elsewhere.example")),
        ("exp", json!(now - 120)),
        ("exp", json!(now + 100_000)),
        ("iat", json!(now + 300)),
        ("jti", Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = claims(&provider, "a");
        claims[name] = value.clone();
        let answer = ask(&provider, &key.sign(&claims)).await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{name}: {value}");
        let entries = provider.audited("client_authentication_failed").await;
        assert_eq!(entries.len(), i + 1);
        assert!(entries.iter().all(|entry| entry.client.as_deref() == Some("signer")), "{entries:?}");
    }
    // None of them spent the jti that it named.
    assert_eq!(ask(&provider, &key.sign(&claims(&provider, "a"))).await.status, 200);
}

async fn core_10_1_1_keys_at_a_jwks_uri_are_fetched_again_when_one_is_missing(backend: Backend) {
    let (old, new) = (AppKey::new("ES256", "old"), AppKey::new("ES256", "new"));
    let published = Documents::start(&AppKey::set(&[&old]).to_string()).await;
    let provider = TestProvider::on(&backend).clients(&at(&published.url)).start().await;
    let status =
        async |key: &AppKey, jti: &str| ask(&provider, &key.sign(&claims(&provider, jti))).await.status;
    assert_eq!((status(&old, "1").await, status(&old, "2").await), (200, 200));
    assert_eq!(published.asked(), 1);
    // A new key of the client's own is found at once: it signs from where it signed before.
    published.put(Some(&AppKey::set(&[&old, &new]).to_string()));
    assert_eq!((status(&new, "3").await, status(&old, "4").await), (200, 200));
    assert_eq!(published.asked(), 2);
    // Unknown keys are looked for no more often than once a minute. The client is told when; a stranger learns nothing of when it
    // was that keys were looked for.
    let unknown = AppKey::new("ES256", "unknown");
    provider.advance(SignedDuration::from_secs(20));
    let later = ask(&provider, &unknown.sign(&claims(&provider, "5"))).await;
    assert_eq!((later.status, later.header("retry-after")), (503, Some("40")), "{}", later.page_summary());
    // It may be a stranger behind the client's network all the same.
    let [entry] = &provider.audited("client_authentication_failed").await[..] else { panic!("no entry") };
    assert_eq!(entry.client.as_deref(), Some("signer"), "{entry:?}");
    let other = provider.browser().from("198.51.100.7");
    assert_eq!(ask_from(&other, &unknown.sign(&claims(&provider, "6"))).await.status, 401);
    assert_eq!(published.asked(), 2);
    provider.advance(SignedDuration::from_secs(41));
    assert_eq!((status(&unknown, "5").await, published.asked()), (401, 3));
    // A key that was taken back stops counting without anybody sending an unknown one.
    published.put(Some(&AppKey::set(&[&new]).to_string()));
    provider.advance(SignedDuration::from_mins(5));
    assert_eq!((status(&old, "7").await, status(&new, "8").await), (401, 200));
}

async fn core_10_1_1_an_address_that_does_not_answer_takes_nobodys_keys_away_at_once(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let set = AppKey::set(&[&key]).to_string();
    let published = Documents::start(&set).await;
    published.put(None);
    let provider = TestProvider::on(&backend).clients(&at(&published.url)).start().await;
    let status = async |jti: &str| ask(&provider, &key.sign(&claims(&provider, jti))).await.status;
    assert_eq!(status("1").await, 401);
    published.put(Some(&set));
    provider.advance(SignedDuration::from_mins(2));
    assert_eq!(status("2").await, 200);
    // Nor does one that answers with too much, or with something else.
    for (i, text) in [None, Some("x".repeat(70_000)), Some("{}".to_owned())].into_iter().enumerate() {
        published.put(text.as_deref());
        provider.advance(SignedDuration::from_mins(10));
        assert_eq!(status(&format!("3 {i}")).await, 200);
    }
    provider.advance(SignedDuration::from_hours(1));
    assert_eq!(status("4").await, 401);
}

async fn assertions_are_counted_before_they_leave_a_row(backend: Backend) {
    let key = AppKey::new("ES256", "ES256");
    let provider = TestProvider::on(&backend)
        .clients(&with_keys(&[&key], ""))
        .set("policy.limits.assertion_of_client.max", "3")
        .start()
        .await;
    let assertions: Vec<String> =
        (0..10).map(|n| key.sign(&claims(&provider, &format!("{n}{}", "x".repeat(200))))).collect();
    let answers =
        futures_util::future::join_all(assertions.iter().map(|assertion| ask(&provider, assertion))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 3);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 7);
    assert_eq!(backend.rows().await["assertion_jti"], 3);
}

async fn core_10_1_1_a_token_lives_its_whole_time_although_the_keys_took_long(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let place = Documents::start(&AppKey::set(&[&key]).to_string()).await;
    let provider = TestProvider::on(&backend).clients(&at(&place.url)).start().await;
    let assertion = key.sign(&claims(&provider, "a"));
    let came_at = provider.now();
    place.take_long(&provider, SignedDuration::from_secs(8));
    let answer = ask(&provider, &assertion).await.json();
    assert_eq!(provider.now(), came_at + SignedDuration::from_secs(8));
    let token = answer["access_token"].as_str().unwrap();
    let assertion = key.sign(&claims(&provider, "b"));
    let fields = [("token", token), ("client_assertion_type", TYPE), ("client_assertion", &assertion)];
    let introspected = provider.browser().post("/introspect", &fields).await.json();
    assert_eq!(introspected["iat"].as_i64(), Some(provider.now().as_second()));
    assert_eq!(place.asked(), 1);
}
