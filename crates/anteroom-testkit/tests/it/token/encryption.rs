//! Encrypted ID tokens (OpenID Connect Core §2, §10.2).

use crate::ALICE;
use crate::limits::slow::serve;
use anteroom_oidc::jwe::{EncryptionKeyType, Payload};
use anteroom_oidc::{ContentEncryption, Encryption, KeyManagementAlgorithm};
use anteroom_testkit::{
    AppDecryptionKey, AppKey, Backend, Documents, PASSWORD, RelyingParty, STATE, TestProvider, TestResponse,
    Tokens, encrypted_to, header, on_both_databases,
};
use futures_util::future::join;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

on_both_databases!(
    core_2_an_id_token_is_signed_and_then_encrypted,
    core_3_3_2_5_one_from_the_authorization_endpoint_as_well,
    core_3_2_2_5_a_session_that_ends_while_keys_are_fetched_gets_no_token,
    core_3_2_2_5_nor_does_one_that_a_form_began,
    core_3_3_2_5_no_id_token_or_consent_of_an_account_disabled_meanwhile,
    core_3_1_3_3_no_tokens_for_a_person_who_left_the_clients_group_meanwhile,
    core_10_2_1_the_key_at_the_jwks_uri_is_the_one_of_now,
    core_10_2_without_a_key_nothing_is_spent,
    core_10_2_what_is_issued_lives_its_whole_time_although_the_keys_took_long,
    core_10_2_without_a_key_the_application_is_told_so,
    core_3_1_2_1_a_hint_is_decrypted_by_its_client_or_encrypted_to_us,
);

const CALLBACK: &str = "https://sealed.example/callback";

fn set(keys: &[Value]) -> Value {
    json!({ "keys": keys })
}

fn client(keys: &str, more: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"sealed\"\nfirst_party = true\nredirect_uris = [\"{CALLBACK}\"]\n\
         post_logout_redirect_uris = [\"https://sealed.example/out\"]\ntoken_endpoint_auth_method = \"none\"\n\
         scope = \"openid email offline_access\"\n{keys}\n{more}\n"
    )
}

async fn core_2_an_id_token_is_signed_and_then_encrypted(backend: Backend) {
    let (rsa, ec) = (EncryptionKeyType::Rsa, EncryptionKeyType::Ec);
    for (kind, alg, enc) in [
        (rsa, "RSA-OAEP-256", Some("A256GCM")),
        (rsa, "RSA-OAEP", None),
        (ec, "ECDH-ES", Some("A256CBC-HS512")),
        (ec, "ECDH-ES+A256KW", None),
    ] {
        let key = AppDecryptionKey::new(kind);
        // Beside it stand keys that must not be taken.
        let (sig, mut other) = (AppKey::new("ES256", "sig").jwk(), AppDecryptionKey::new(kind).jwk());
        other["alg"] = json!("RSA-OAEP-512");
        let keys = format!("jwks = '{}'", set(&[sig, other, key.jwk()]));
        let more = format!("id_token_encrypted_response_alg = \"{alg}\"\n");
        let named = enc.map(|enc| format!("id_token_encrypted_response_enc = \"{enc}\"\n"));
        let more = more + &named.unwrap_or_default();
        let provider = TestProvider::on(&backend).clients(&client(&keys, &more)).start().await;
        let (app, browser) = (provider.client("sealed"), provider.signed_in(ALICE).await);
        let tokens = app.tokens(&browser, "openid email").await;
        let outside = header(tokens.id_token());
        let enc = enc.unwrap_or("A128CBC-HS256");
        assert_eq!((&outside["alg"], &outside["enc"]), (&json!(alg), &json!(enc)));
        assert_eq!((&outside["kid"], &outside["cty"]), (&key.jwk()["kid"], &json!("JWT")));
        let inside = app.verified(&key.open(tokens.id_token())).await;
        assert_eq!((&inside.header["alg"], &inside.claims["aud"]), (&json!("RS256"), &json!("sealed")));
        assert_eq!(inside.claims["at_hash"], anteroom_testkit::left_half_hash(&tokens.access_token));
        // The access token is for an API, which has no such key, or for us.
        assert_eq!(app.userinfo(&tokens.access_token).await.json()["email"], ALICE);
    }
}

async fn core_3_3_2_5_one_from_the_authorization_endpoint_as_well(backend: Backend) {
    let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
    let more = "id_token_encrypted_response_alg = \"ECDH-ES\"\ngrant_types = [\"authorization_code\", \"implicit\"]\n\
                response_types = [\"code\", \"code id_token\"]";
    let keys = format!("jwks = '{}'", set(&[key.jwk()]));
    let provider = TestProvider::on(&backend).clients(&client(&keys, more)).start().await;
    let (app, browser) = (provider.client("sealed"), provider.signed_in(ALICE).await);
    let answer = app.authorize(&browser, &[("response_type", "code id_token")]).await;
    let location = answer.location();
    let fragment = location.fragment().unwrap().as_bytes();
    let parameters: BTreeMap<String, String> = url::form_urlencoded::parse(fragment).into_owned().collect();
    assert_eq!(parameters["state"], STATE);
    let inside = app.verified(&key.open(&parameters["id_token"])).await;
    assert_eq!(inside.claims["c_hash"], anteroom_testkit::left_half_hash(&parameters["code"]));
}

/// A client that gets encrypted tokens from the authorization endpoint, with its keys at an address that answers slowly.
async fn with_slow_keys(backend: &Backend, first_party: bool) -> (TestProvider, RelyingParty, TcpListener) {
    with_slow_keys_and(backend, &format!("first_party = {first_party}")).await
}

async fn with_slow_keys_and(backend: &Backend, policy: &str) -> (TestProvider, RelyingParty, TcpListener) {
    let slow = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let keys = format!("jwks_uri = \"http://{}/jwks\"", slow.local_addr().unwrap());
    let more = "id_token_encrypted_response_alg = \"ECDH-ES\"\ngrant_types = [\"authorization_code\", \"implicit\"]\n\
                response_types = [\"code\", \"id_token token\", \"code id_token\"]";
    let clients = client(&keys, more).replace("first_party = true", policy);
    let provider = TestProvider::on(backend).clients(&clients).start().await;
    let app = provider.client("sealed");
    (provider, app, slow)
}

async fn no_token_is_in(answer: &TestResponse, provider: &TestProvider, backend: &Backend) {
    let location = answer.location();
    let fragment = location.fragment().unwrap().as_bytes();
    let told: BTreeMap<String, String> = url::form_urlencoded::parse(fragment).into_owned().collect();
    assert_eq!((told["error"].as_str(), told["state"].as_str()), ("login_required", STATE));
    assert!(
        ["code", "access_token"].iter().all(|name| !told.contains_key(*name))
            && !told.contains_key("id_token")
    );
    assert_eq!(backend.count("SELECT COUNT(*) AS count FROM grants").await, 0);
    assert!(provider.audited("tokens_released").await.is_empty());
}

async fn core_3_2_2_5_a_session_that_ends_while_keys_are_fetched_gets_no_token(backend: Backend) {
    let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
    let (provider, app, slow) = with_slow_keys(&backend, true).await;
    let browser = provider.signed_in(ALICE).await;
    let other_tab = browser.clone();
    let meanwhile = async {
        let asked = slow.accept().await.unwrap().0;
        let dashboard = other_tab.get("/dashboard").await;
        assert_eq!(other_tab.submit(&dashboard, "/sign-out", &[]).await.status, 303);
        serve(asked, &set(&[key.jwk()]).to_string()).await;
    };
    let (answer, ()) = join(app.authorize(&browser, &[("response_type", "id_token token")]), meanwhile).await;
    no_token_is_in(&answer, &provider, &backend).await;
}

async fn core_3_3_2_5_no_id_token_or_consent_of_an_account_disabled_meanwhile(backend: Backend) {
    for (first_party, kind) in [(true, "code id_token"), (false, "code id_token"), (false, "id_token token")]
    {
        let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
        let (provider, app, slow) = with_slow_keys(&backend, first_party).await;
        let browser = provider.signed_in(ALICE).await;
        let meanwhile = async {
            let asked = slow.accept().await.unwrap().0;
            backend.execute("UPDATE accounts SET status = 'disabled', epoch = epoch + 1").await;
            serve(asked, &set(&[key.jwk()]).to_string()).await;
        };
        let asked = [("response_type", kind)];
        let answered = async {
            let answer = app.authorize(&browser, &asked).await;
            if first_party {
                answer
            } else {
                browser.submit(&answer, "/consent", &[("decision", "allow")]).await
            }
        };
        let (answer, ()) = join(answered, meanwhile).await;
        no_token_is_in(&answer, &provider, &backend).await;
        assert!(provider.audited("consent_given").await.is_empty());
        assert_eq!(backend.count("SELECT COUNT(*) AS count FROM consents").await, 0);
        backend.execute("UPDATE accounts SET status = 'active'").await;
    }
}

async fn core_3_2_2_5_nor_does_one_that_a_form_began(backend: Backend) {
    let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
    let (provider, app, slow) = with_slow_keys(&backend, true).await;
    let browser = provider.browser();
    let page = app.authorize(&browser, &[("response_type", "id_token token")]).await;
    let meanwhile = async {
        let asked = slow.accept().await.unwrap().0;
        backend.execute("UPDATE accounts SET epoch = epoch + 1").await;
        serve(asked, &set(&[key.jwk()]).to_string()).await;
    };
    let (answer, ()) = join(browser.enter(&page, ALICE, PASSWORD), meanwhile).await;
    no_token_is_in(&answer, &provider, &backend).await;
    // The error is the answer: the page does not come to another one.
    assert_eq!(backend.count("SELECT COUNT(*) AS count FROM interactions WHERE answer IS NOT NULL").await, 1);
}

/// At the authorization endpoint, and at the token endpoint.
async fn core_3_1_3_3_no_tokens_for_a_person_who_left_the_clients_group_meanwhile(backend: Backend) {
    let (provider, app, slow) =
        with_slow_keys_and(&backend, "first_party = true\ngroups = [\"clinicians\"]").await;
    provider.person("carol@practice.example").groups(&["clinicians"]).create().await;
    let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
    for kind in ["code id_token", "code"] {
        let browser = provider.signed_in("carol@practice.example").await;
        let code = if kind == "code" { app.code(&browser, &[]).await } else { String::new() };
        let meanwhile = async {
            let asked = slow.accept().await.unwrap().0;
            backend.execute("DELETE FROM account_groups").await;
            serve(asked, &set(&[key.jwk()]).to_string()).await;
        };
        if kind == "code" {
            let (answer, ()) = join(app.redeem(&code), meanwhile).await;
            assert_eq!(answer.error(), "invalid_grant", "{}", answer.body);
            assert_eq!(backend.count("SELECT COUNT(*) AS count FROM grants").await, 0);
        } else {
            let asked = [("response_type", kind)];
            let (answer, ()) = join(app.authorize(&browser, &asked), meanwhile).await;
            no_token_is_in(&answer, &provider, &backend).await;
            assert_eq!(provider.audited("request_refused").await.len(), 1);
        }
        provider.advance(SignedDuration::from_mins(6));
        let member = "INSERT INTO account_groups (account_id, group_name) \
                      SELECT account_id, 'clinicians' FROM account_addresses WHERE folded = 'carol@practice.example'";
        backend.execute(member).await;
    }
}

async fn core_10_2_1_the_key_at_the_jwks_uri_is_the_one_of_now(backend: Backend) {
    let (first, second) =
        (AppDecryptionKey::new(EncryptionKeyType::Rsa), AppDecryptionKey::new(EncryptionKeyType::Rsa));
    let place = Documents::start(&set(&[first.jwk()]).to_string()).await;
    let keys = format!("jwks_uri = \"{}\"", place.url);
    let more = "id_token_encrypted_response_alg = \"RSA-OAEP\"";
    let provider = TestProvider::on(&backend).clients(&client(&keys, more)).start().await;
    let (app, browser) = (provider.client("sealed"), provider.signed_in(ALICE).await);
    for _ in 0..2 {
        let tokens = app.tokens(&browser, "openid").await;
        app.verified(&first.open(tokens.id_token())).await;
    }
    assert_eq!(place.asked(), 1);
    place.put(Some(&set(&[second.jwk()]).to_string()));
    provider.advance(SignedDuration::from_mins(5));
    let tokens = app.tokens(&browser, "openid").await;
    app.verified(&second.open(tokens.id_token())).await;
}

async fn core_10_2_without_a_key_nothing_is_spent(backend: Backend) {
    let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
    let place = Documents::start(&set(&[key.jwk()]).to_string()).await;
    let keys = format!("jwks_uri = \"{}\"", place.url);
    let more = "id_token_encrypted_response_alg = \"ECDH-ES\"\ngrant_types = [\"authorization_code\", \"refresh_token\"]";
    let provider = TestProvider::on(&backend).clients(&client(&keys, more)).start().await;
    let (app, browser) = (provider.client("sealed"), provider.signed_in(ALICE).await);
    let tokens = app.tokens(&browser, "openid offline_access").await;
    // Its operator takes the key away and leaves one that does not fit, and then nothing.
    let other = set(&[AppDecryptionKey::new(EncryptionKeyType::Rsa).jwk()]).to_string();
    for (left, wait) in [(Some(other.as_str()), 10), (None, 61)] {
        place.put(left);
        provider.advance(SignedDuration::from_mins(wait));
        let code = app.code(&provider.signed_in(ALICE).await, &[]).await;
        for answer in [app.refresh(tokens.refresh_token()).await, app.redeem(&code).await] {
            assert_eq!((answer.status, answer.error()), (503, "server_error".to_owned()));
        }
    }
    provider.advance(SignedDuration::from_secs(30));
    let code = app.code(&provider.signed_in(ALICE).await, &[]).await;
    assert_eq!(app.redeem(&code).await.status, 503);
    place.put(Some(&set(&[key.jwk()]).to_string()));
    // The address may be asked again, and the code is not a minute old.
    provider.advance(SignedDuration::from_secs(30));
    app.verified(&key.open(Tokens::of(&app.redeem(&code).await).id_token())).await;
    // Longer than a lost answer could be asked for again.
    provider.advance(SignedDuration::from_mins(2));
    let refreshed = Tokens::of(&app.refresh(tokens.refresh_token()).await);
    app.verified(&key.open(refreshed.id_token())).await;
}

async fn core_10_2_without_a_key_the_application_is_told_so(backend: Backend) {
    let place = Documents::start(&set(&[]).to_string()).await;
    place.put(None);
    let keys = format!("jwks_uri = \"{}\"", place.url);
    let more = "id_token_encrypted_response_alg = \"ECDH-ES\"\ngrant_types = [\"authorization_code\", \"implicit\"]\n\
                response_types = [\"code\", \"code id_token\"]";
    let provider = TestProvider::on(&backend).clients(&client(&keys, more)).start().await;
    let (app, browser) = (provider.client("sealed"), provider.signed_in(ALICE).await);
    let frame = browser.clone().with("sec-fetch-dest", "iframe").with("sec-fetch-mode", "navigate");
    for (browser, more) in [(&browser, &[][..]), (&frame, &[("prompt", "none")])] {
        let asked = [&[("response_type", "code id_token")], more].concat();
        let location = app.authorize(browser, &asked).await.location();
        let fragment = location.fragment().unwrap().as_bytes();
        let response: BTreeMap<String, String> = url::form_urlencoded::parse(fragment).into_owned().collect();
        assert_eq!((response["error"].as_str(), response["state"].as_str()), ("server_error", STATE));
    }
    let refused = provider.audited("request_refused").await;
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|entry| entry.client.as_deref() == Some("sealed")), "{refused:?}");
}

async fn core_3_1_2_1_a_hint_is_decrypted_by_its_client_or_encrypted_to_us(backend: Backend) {
    let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
    let keys = format!("jwks = '{}'", set(&[key.jwk()]));
    let more = "id_token_encrypted_response_alg = \"ECDH-ES\"";
    let provider = TestProvider::on(&backend).clients(&client(&keys, more)).start().await;
    let (app, browser) = (provider.client("sealed"), provider.signed_in(ALICE).await);
    let as_given = app.tokens(&browser, "openid").await.id_token.unwrap();
    let signed = key.open(&as_given);
    let encryption = Encryption { alg: KeyManagementAlgorithm::RsaOaep256, enc: ContentEncryption::A128Gcm };
    let jwks = provider.browser().get("/jwks").await.json();
    let again = encrypted_to(&jwks, encryption, Payload::Jwt(&signed));
    for hint in [&signed, &again] {
        app.code(&browser, &[("id_token_hint", hint), ("prompt", "none")]).await;
    }
    // Only the client can read it as it was given.
    let refused = app.authorize(&browser, &[("id_token_hint", &as_given), ("prompt", "none")]).await;
    assert_eq!(refused.error(), "login_required");
    // RP-Initiated Logout §2: the same at sign-out, where the person is asked instead.
    let end_session = |hint: &str| {
        let pairs = [
            ("id_token_hint", hint),
            ("post_logout_redirect_uri", "https://sealed.example/out"),
            ("client_id", "sealed"),
        ];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("/end-session?{query}")
    };
    let asked = browser.get(&end_session(&as_given)).await;
    assert_eq!(asked.status, 200);
    assert!(browser.is_signed_in().await);
    let left = browser.get(&end_session(&again)).await;
    assert_eq!(left.location().as_str(), "https://sealed.example/out");
    assert!(!browser.is_signed_in().await);
}

async fn core_10_2_what_is_issued_lives_its_whole_time_although_the_keys_took_long(backend: Backend) {
    let key = AppDecryptionKey::new(EncryptionKeyType::Ec);
    let place = Documents::start(&set(&[key.jwk()]).to_string()).await;
    let keys = format!("jwks_uri = \"{}\"", place.url);
    let more = "id_token_encrypted_response_alg = \"ECDH-ES\"\ngrant_types = [\"authorization_code\", \"refresh_token\", \"implicit\"]\n\
                response_types = [\"code\", \"code id_token\"]";
    let provider = TestProvider::on(&backend).clients(&client(&keys, more)).start().await;
    let (app, browser) = (provider.client("sealed"), provider.signed_in(ALICE).await);
    let issued_at = async |id_token: &str| app.verified(&key.open(id_token)).await.claims["iat"].as_i64();
    place.take_long(&provider, SignedDuration::from_secs(8));
    // In each of these the keys are too old, and fetched again.
    let forget_keys = || provider.advance(SignedDuration::from_mins(5));
    let code = app.code(&browser, &[("scope", "openid offline_access")]).await;
    let tokens = Tokens::of(&app.redeem(&code).await);
    assert_eq!(issued_at(tokens.id_token()).await, Some(provider.now().as_second()), "code");
    let redeemed = provider.audited("code_redeemed").await;
    assert_eq!(redeemed.first().map(|entry| entry.at), Some(provider.now()));
    forget_keys();
    let tokens = Tokens::of(&app.refresh(tokens.refresh_token()).await);
    assert_eq!(issued_at(tokens.id_token()).await, Some(provider.now().as_second()), "refresh");
    forget_keys();
    let answer = app.authorize(&browser, &[("response_type", "code id_token")]).await;
    let location = answer.location();
    let fragment = location.fragment().unwrap().as_bytes();
    let parameters: BTreeMap<String, String> = url::form_urlencoded::parse(fragment).into_owned().collect();
    assert_eq!(issued_at(&parameters["id_token"]).await, Some(provider.now().as_second()), "hybrid");
    // The code of that answer lives for a minute from then on.
    provider.advance(SignedDuration::from_secs(58));
    assert_eq!(app.redeem(&parameters["code"]).await.status, 200);
    assert_eq!(place.asked(), 3);
}
