//! The metadata document (OpenID Connect Discovery §3, RFC 8414).

use crate::ALICE;
use anteroom_testkit::{AppKey, Backend, TestProvider, claims, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(
    discovery_4_3_the_issuer_is_the_one_that_was_asked,
    rfc8414_3_the_same_at_both_well_known_addresses,
    only_what_is_supported_is_announced,
    what_is_configured_is_announced,
    registration_2_each_method_that_is_announced_can_be_registered,
    every_endpoint_is_there,
    discovery_2_webfinger_says_the_issuer_and_nothing_of_accounts,
    discovery_3_each_claim_that_is_said_is_announced,
);

const DOCUMENT: &str = "/.well-known/openid-configuration";

async fn document(provider: &TestProvider) -> Value {
    let answer = provider.browser().get(DOCUMENT).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    answer.json()
}

async fn discovery_4_3_the_issuer_is_the_one_that_was_asked(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    assert_eq!(document(&provider).await["issuer"], provider.issuer);
}

async fn rfc8414_3_the_same_at_both_well_known_addresses(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let other = provider.browser().get("/.well-known/oauth-authorization-server").await;
    assert_eq!(other.json(), document(&provider).await);
}

async fn only_what_is_supported_is_announced(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let document = document(&provider).await;
    for (name, value) in [
        (
            "response_types_supported",
            json!([
                "code",
                "id_token",
                "id_token token",
                "code id_token",
                "code token",
                "code id_token token"
            ]),
        ),
        ("response_modes_supported", json!(["query", "fragment", "form_post"])),
        (
            "grant_types_supported",
            json!(["authorization_code", "implicit", "refresh_token", "client_credentials"]),
        ),
        ("subject_types_supported", json!(["public", "pairwise"])),
        ("id_token_signing_alg_values_supported", json!(["RS256", "ES256", "EdDSA"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        (
            "token_endpoint_auth_methods_supported",
            json!([
                "client_secret_basic",
                "client_secret_post",
                "client_secret_jwt",
                "private_key_jwt",
                "none"
            ]),
        ),
        (
            "introspection_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]),
        ),
        ("claims_parameter_supported", json!(true)),
        ("request_parameter_supported", json!(true)),
        ("request_uri_parameter_supported", json!(true)),
        ("require_request_uri_registration", json!(true)),
        (
            "request_object_signing_alg_values_supported",
            json!(["none", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]),
        ),
        (
            "token_endpoint_auth_signing_alg_values_supported",
            json!(["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512"]),
        ),
        ("acr_values_supported", json!(["urn:anteroom:acr:pwd", "urn:anteroom:acr:mfa"])),
        ("prompt_values_supported", json!(["none", "login", "consent", "select_account"])),
        ("claim_types_supported", json!(["normal"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("backchannel_logout_supported", json!(true)),
        ("backchannel_logout_session_supported", json!(true)),
        ("frontchannel_logout_supported", json!(true)),
        ("frontchannel_logout_session_supported", json!(true)),
        ("ui_locales_supported", json!(["en", "es"])),
    ] {
        assert_eq!(document[name], value, "{name}");
    }
    assert!(document.get("registration_endpoint").is_none());
}

async fn what_is_configured_is_announced(backend: Backend) {
    let provider =
        TestProvider::on(&backend).set("keys.signing.algorithms", "[\"RS256\", \"PS256\"]").start().await;
    let document = document(&provider).await;
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "PS256"]));
    let scopes: Vec<&str> = document["scopes_supported"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scope| scope.as_str().unwrap())
        .collect();
    for scope in ["openid", "profile", "email", "offline_access", "groups", "reports", "archive"] {
        assert!(scopes.contains(&scope), "{scope}: {scopes:?}");
    }
}

async fn registration_2_each_method_that_is_announced_can_be_registered(backend: Backend) {
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let document = document(&provider).await;
    let listed = |name: &str| {
        let values = document[name].as_array().unwrap().iter();
        values.map(|value| value.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let key = AppKey::new("ES256", "a");
    let methods = listed("token_endpoint_auth_methods_supported");
    assert_eq!(methods, ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]);
    for method in methods {
        let mut asked = json!({
            "redirect_uris": ["https://stranger.example/callback"], "token_endpoint_auth_method": method,
        });
        if method == "private_key_jwt" {
            asked["jwks"] = json!({ "keys": [key.jwk()] });
        }
        let answer = provider.call("POST", "/clients", None, &asked).await;
        assert_eq!(answer.status, 201, "{method}: {}", answer.page_summary());
    }
    for algorithm in listed("token_endpoint_auth_signing_alg_values_supported") {
        let asked = json!({
            "redirect_uris": ["https://stranger.example/callback"], "jwks": { "keys": [key.jwk()] },
            "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": algorithm,
        });
        let answer = provider.call("POST", "/clients", None, &asked).await;
        assert_eq!(answer.status, 201, "{algorithm}: {}", answer.page_summary());
    }
    for endpoint in ["revocation", "introspection"] {
        let methods = listed(&format!("{endpoint}_endpoint_auth_methods_supported"));
        assert!(!methods.contains(&"client_secret_jwt".to_owned()), "{endpoint}: {methods:?}");
    }
}

async fn every_endpoint_is_there(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.browser();
    let document = document(&provider).await;
    let mut endpoints = 0;
    for (name, value) in document.as_object().unwrap() {
        if !name.ends_with("_endpoint") && !["jwks_uri", "check_session_iframe"].contains(&name.as_str()) {
            continue;
        }
        let url = value.as_str().unwrap();
        assert!(url.starts_with(&provider.issuer), "{url}");
        let status = browser.get(url).await.status;
        assert!(status != 404 && status < 500, "{name}: {status}");
        endpoints += 1;
    }
    assert_eq!(endpoints, 9);
}

async fn discovery_2_webfinger_says_the_issuer_and_nothing_of_accounts(backend: Backend) {
    let provider = TestProvider::on(&backend).issuer("https://id.practice.example").start().await;
    let rel = "http://openid.net/specs/connect/1.0/issuer";
    let browser = provider.browser().with("origin", "https://app.example");
    let ask = async |resource: &str| {
        let pairs = [("resource", resource), ("rel", rel)];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        browser.get(&format!("/.well-known/webfinger?{query}")).await
    };
    for resource in ["acct:alice@id.practice.example", "acct:nobody@id.practice.example"] {
        let answer = ask(resource).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jrd+json")));
        let links = json!([{ "rel": rel, "href": provider.issuer }]);
        assert_eq!(answer.json(), json!({ "subject": resource, "links": links }));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(answer.cookies().is_empty());
    }
    assert_eq!(ask("acct:alice@other.example").await.status, 404);
    assert_eq!(ask("alice").await.status, 400);
    assert_eq!(browser.get("/.well-known/webfinger").await.status, 400);
}

async fn discovery_3_each_claim_that_is_said_is_announced(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let announced = document(&provider).await["claims_supported"].clone();
    let announced: Vec<&str> = announced.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid profile email address phone groups").await;
    let said = [web.userinfo(&tokens.access_token).await.json(), claims(tokens.id_token())];
    for name in said.iter().flat_map(|said| said.as_object().unwrap().keys()) {
        // What binds the token beside it is no claim about anybody.
        assert!(announced.contains(&name.as_str()) || name == "at_hash", "{name}");
    }
}
