//! Encrypted requests (OpenID Connect Core §6.1, RFC 9101 §6.1).

use crate::ALICE;
use anteroom_flows::keys::signing_keys::RotationReason;
use anteroom_oidc::jwe::Payload;
use anteroom_oidc::{ContentEncryption, Encryption, KeyManagementAlgorithm};
use anteroom_testkit::{
    AppKey, Backend, CHALLENGE, Documents, RelyingParty, STATE, TestProvider, encrypted_to, on_both_databases,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

on_both_databases!(
    core_6_1_an_encrypted_request_is_decrypted_and_then_verified,
    core_6_1_encryption_alone_proves_nothing,
    core_6_2_an_encrypted_request_is_fetched_like_any_other,
    rfc9126_3_an_encrypted_request_is_pushed_like_any_other,
    registration_2_a_client_is_held_to_what_it_said_it_encrypts_with,
    rfc7516_11_5_what_cannot_be_decrypted_is_refused_alike,
    a_request_encrypted_to_a_key_of_an_old_list_is_served,
);

const OAEP: Encryption =
    Encryption { alg: KeyManagementAlgorithm::RsaOaep, enc: ContentEncryption::A128CbcHs256 };
const ECDH: Encryption =
    Encryption { alg: KeyManagementAlgorithm::EcdhEsA128Kw, enc: ContentEncryption::A256Gcm };

fn signing(key: &AppKey, more: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"sealing\"\nfirst_party = true\n\
         redirect_uris = [\"https://sealing.example/callback\"]\ntoken_endpoint_auth_method = \"none\"\n\
         jwks = '{}'\n{more}\n",
        AppKey::set(&[key])
    )
}

fn claims(app: &RelyingParty, provider: &TestProvider) -> Value {
    json!({
        "iss": app.client_id, "client_id": app.client_id, "aud": provider.issuer,
        "exp": provider.now().as_second() + 60, "scope": "openid email", "nonce": "inside",
    })
}

async fn jwks(provider: &TestProvider) -> Value {
    provider.browser().get("/jwks").await.json()
}

async fn core_6_1_an_encrypted_request_is_decrypted_and_then_verified(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let provider = TestProvider::on(&backend).clients(&signing(&key, "")).start().await;
    let (app, browser) = (provider.client("sealing"), provider.signed_in(ALICE).await);
    let keys = jwks(&provider).await;
    for alg in KeyManagementAlgorithm::ALL {
        for enc in ContentEncryption::ALL {
            let signed = key.sign(&claims(&app, &provider));
            let request = encrypted_to(&keys, Encryption { alg: *alg, enc: *enc }, Payload::Jwt(&signed));
            let code = app.code(&browser, &[("request", &request), ("nonce", "outside")]).await;
            let tokens = app.redeem(&code).await.json();
            assert_eq!(tokens["scope"], "openid email", "{alg} {enc}");
            let id_token = app.verified(tokens["id_token"].as_str().unwrap()).await;
            assert_eq!(id_token.claims["nonce"], "inside");
        }
    }
    // A stranger's signature is one inside as well.
    let forged = AppKey::new("ES256", "a").sign(&claims(&app, &provider));
    let request = encrypted_to(&keys, OAEP, Payload::Jwt(&forged));
    let answer = app.authorize(&browser, &[("request", &request)]).await;
    assert_eq!(answer.parameters()["error"], "invalid_request_object");
}

async fn core_6_1_encryption_alone_proves_nothing(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let none = "request_object_signing_alg = \"none\"";
    let cases = [
        ("", Some("request_not_supported")),
        ("request_object_signing_alg = \"ES256\"", Some("invalid_request_object")),
        (none, None),
    ];
    for (more, error) in cases {
        let provider = TestProvider::on(&backend).clients(&signing(&key, more)).start().await;
        let (app, browser) = (provider.client("sealing"), provider.signed_in(ALICE).await);
        let inside = claims(&app, &provider).to_string();
        let unsigned = unsigned(&inside);
        for payload in [Payload::Claims(inside.as_bytes()), Payload::Jwt(&unsigned)] {
            let request = encrypted_to(&jwks(&provider).await, ECDH, payload);
            let answer = app.authorize(&browser, &[("request", &request)]).await;
            match error {
                None => assert!(!app.code_in(&answer).is_empty()),
                Some(error) => assert_eq!(answer.parameters()["error"], error, "{more}"),
            }
        }
    }
}

fn unsigned(claims: &str) -> String {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(claims))
}

async fn core_6_2_an_encrypted_request_is_fetched_like_any_other(backend: Backend) {
    let (key, place) = (AppKey::new("PS256", "a"), Documents::start("").await);
    let toml = signing(&key, &format!("request_uris = [\"{}\"]", place.url));
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("sealing"), provider.signed_in(ALICE).await);
    let signed = key.sign(&claims(&app, &provider));
    place.put(Some(&encrypted_to(&jwks(&provider).await, ECDH, Payload::Jwt(&signed))));
    let code = app.code(&browser, &[("request_uri", &place.url)]).await;
    assert_eq!(app.redeem(&code).await.json()["scope"], "openid email");
}

async fn rfc9126_3_an_encrypted_request_is_pushed_like_any_other(backend: Backend) {
    let key = AppKey::new("RS512", "a");
    let confidential =
        "token_endpoint_auth_method = \"client_secret_post\"\nsecret_env = \"TEST_CLIENT_SECRET\"";
    let toml = signing(&key, "").replace("token_endpoint_auth_method = \"none\"", confidential);
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("sealing"), provider.signed_in(ALICE).await);
    let mut inside = claims(&app, &provider);
    for (name, value) in [
        ("response_type", "code"),
        ("redirect_uri", "https://sealing.example/callback"),
        ("state", STATE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ] {
        inside[name] = json!(value);
    }
    let request = encrypted_to(&jwks(&provider).await, ECDH, Payload::Jwt(&key.sign(&inside)));
    let pushed = app.post("/par", &[("request", &request)]).await;
    assert_eq!(pushed.status, 201, "{}", pushed.page_summary());
    let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    let query = [("client_id", app.client_id.as_str()), ("request_uri", &uri)];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let code = app.code_in(&browser.get(&format!("/authorize?{query}")).await);
    assert_eq!(app.redeem(&code).await.json()["scope"], "openid email");
}

async fn registration_2_a_client_is_held_to_what_it_said_it_encrypts_with(backend: Backend) {
    let key = AppKey::new("EdDSA", "a");
    let toml = signing(&key, "request_object_encryption_alg = \"RSA-OAEP\"");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("sealing"), provider.signed_in(ALICE).await);
    let (signed, keys) = (key.sign(&claims(&app, &provider)), jwks(&provider).await);
    let other = Encryption { enc: ContentEncryption::A256Gcm, ..OAEP };
    for (encryption, is_served) in [(OAEP, true), (other, false), (ECDH, false)] {
        let request = encrypted_to(&keys, encryption, Payload::Jwt(&signed));
        let answer = app.authorize(&browser, &[("request", &request)]).await;
        let error = answer.parameters().get("error").cloned();
        assert_eq!(error.as_deref(), (!is_served).then_some("invalid_request_object"), "{encryption:?}");
    }
    // It said how it would encrypt, not that it would.
    app.code(&browser, &[("request", &signed)]).await;
}

async fn rfc7516_11_5_what_cannot_be_decrypted_is_refused_alike(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let provider = TestProvider::on(&backend).clients(&signing(&key, "")).start().await;
    let (app, browser) = (provider.client("sealing"), provider.signed_in(ALICE).await);
    let good = encrypted_to(&jwks(&provider).await, OAEP, Payload::Jwt(&key.sign(&claims(&app, &provider))));
    let parts: Vec<&str> = good.split('.').collect();
    let mut answers = std::collections::BTreeSet::new();
    for place in 1..5 {
        let mut changed = parts.clone();
        // The last character has bits that base64url must not have set.
        let inner = parts[place].chars().rev().skip(1).take(parts[place].len() - 2);
        let turned = format!("A{}A", inner.collect::<String>());
        changed[place] = &turned;
        let answer = app.authorize(&browser, &[("request", &changed.join("."))]).await;
        answers.insert((answer.status, answer.location().to_string()));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    let (_, location) = answers.first().unwrap();
    assert!(location.contains("error=invalid_request_object"), "{location}");
    for request in ["....", "a.b.c.d.e", &format!("{}.", parts[..4].join("."))] {
        let answer = app.authorize(&browser, &[("request", request)]).await;
        assert_eq!(answer.parameters()["error"], "invalid_request_object", "{request}");
    }
}

async fn a_request_encrypted_to_a_key_of_an_old_list_is_served(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let provider = TestProvider::on(&backend).clients(&signing(&key, "")).start().await;
    let app = provider.client("sealing");
    let mut leaked = json!(null);
    for (reason, wait) in [
        (RotationReason::Planned, SignedDuration::from_hours(24)),
        (RotationReason::Compromised, SignedDuration::from_mins(5)),
    ] {
        let list = jwks(&provider).await;
        provider.rotate_keys(reason).await;
        provider.advance(wait);
        provider.refresh_keys().await;
        let browser = provider.signed_in(ALICE).await;
        for encryption in [OAEP, ECDH] {
            let signed = key.sign(&claims(&app, &provider));
            app.code(&browser, &[("request", &encrypted_to(&list, encryption, Payload::Jwt(&signed)))]).await;
        }
        leaked = list;
    }
    // Six minutes after a leak no client has a list that old any more.
    provider.advance(SignedDuration::from_mins(2));
    provider.refresh_keys().await;
    let browser = provider.signed_in(ALICE).await;
    let signed = key.sign(&claims(&app, &provider));
    let request = encrypted_to(&leaked, OAEP, Payload::Jwt(&signed));
    let answer = app.authorize(&browser, &[("request", &request)]).await;
    assert_eq!(answer.parameters()["error"], "invalid_request_object");
}
