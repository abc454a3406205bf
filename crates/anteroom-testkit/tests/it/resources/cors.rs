//! Scripts of other origins: discovery and keys are for all, tokens for a registered application, pages for none.

use crate::ALICE;
use anteroom_testkit::{Backend, TestProvider, TestResponse, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases!(
    anyone_reads_discovery_and_keys,
    registered_applications_use_token_userinfo_and_revocation,
    credentials_are_allowed_at_the_token_endpoint_and_never_on_pages,
    the_token_endpoint_looks_at_no_cookie_and_sets_none,
    a_client_that_registers_itself_brings_its_origin_and_takes_it_along,
    the_origin_of_a_client_is_known_at_another_node_at_once,
);

const REGISTERED: &str = "https://web.example";
const OTHER: &str = "https://evil.example";
const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";

async fn preflight(provider: &TestProvider, path: &str, origin: &str) -> TestResponse {
    let browser = provider.browser().with("origin", origin).with("access-control-request-method", "POST");
    browser.request(Method::OPTIONS, path).await
}

async fn anyone_reads_discovery_and_keys(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"] {
        let answer = provider.browser().with("origin", OTHER).get(path).await;
        assert_eq!(answer.header(ALLOW_ORIGIN), Some("*"), "{path}");
        assert_eq!(provider.browser().get(path).await.header(ALLOW_ORIGIN), None, "{path}");
    }
}

async fn registered_applications_use_token_userinfo_and_revocation(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for path in ["/token", "/userinfo", "/revoke"] {
        let allowed = preflight(&provider, path, REGISTERED).await;
        assert_eq!(allowed.header(ALLOW_ORIGIN), Some(REGISTERED), "{path}");
        let headers = allowed.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
        assert!(headers.contains("authorization") && headers.contains("content-type"), "{headers}");
        let methods = allowed.header("access-control-allow-methods").unwrap();
        assert!(methods.contains("POST"), "{methods}");
        for origin in [OTHER, "null", "https://web.example.evil.example", "http://web.example"] {
            assert_eq!(
                preflight(&provider, path, origin).await.header(ALLOW_ORIGIN),
                None,
                "{path} {origin}"
            );
        }
        // The real request, also where it fails: the application's script must read why.
        let answer = provider.browser().with("origin", REGISTERED).post(path, &[]).await;
        assert!(answer.status >= 400);
        assert_eq!(answer.header(ALLOW_ORIGIN), Some(REGISTERED), "{path}");
        assert!(answer.header("vary").unwrap().to_ascii_lowercase().contains("origin"), "{path}");
    }
}

async fn credentials_are_allowed_at_the_token_endpoint_and_never_on_pages(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await.with("origin", REGISTERED);
    for path in [
        "/sign-in",
        "/dashboard",
        "/authorize",
        "/introspect",
        "/end-session",
        "/dev/outbox.json",
        "/nowhere",
    ] {
        assert_eq!(browser.get(path).await.header(ALLOW_ORIGIN), None, "{path}");
        assert_eq!(preflight(&provider, path, REGISTERED).await.header(ALLOW_ORIGIN), None, "{path}");
    }
    for path in ["/userinfo", "/revoke", "/jwks"] {
        for answer in [browser.get(path).await, preflight(&provider, path, REGISTERED).await] {
            assert_eq!(answer.header(ALLOW_CREDENTIALS), None, "{path}");
            assert!(answer.cookies().is_empty(), "{path}");
        }
    }
    for origin in [OTHER, "null"] {
        for answer in [
            preflight(&provider, "/token", origin).await,
            provider.browser().with("origin", origin).post("/token", &[]).await,
        ] {
            assert_eq!(
                (answer.header(ALLOW_ORIGIN), answer.header(ALLOW_CREDENTIALS)),
                (None, None),
                "{origin}"
            );
        }
    }
}

async fn the_token_endpoint_looks_at_no_cookie_and_sets_none(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await.with("origin", REGISTERED);
    let session = browser.cookie("anteroom_session");
    let asked = preflight(&provider, "/token", REGISTERED).await;
    let answer =
        browser.post("/token", &[("client_id", "native"), ("grant_type", "authorization_code")]).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"));
    for answer in [asked, answer] {
        assert_eq!(answer.header(ALLOW_ORIGIN), Some(REGISTERED));
        assert_eq!(answer.header(ALLOW_CREDENTIALS), Some("true"));
        assert!(answer.header("vary").unwrap().to_ascii_lowercase().contains("origin"));
        assert!(answer.cookies().is_empty());
    }
    assert!(session.is_some() && browser.cookie("anteroom_session") == session);
    assert!(browser.is_signed_in().await);
}

async fn a_client_that_registers_itself_brings_its_origin_and_takes_it_along(backend: Backend) {
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let origin = "https://stranger.example";
    let allowed = async || preflight(&provider, "/token", origin).await.header(ALLOW_ORIGIN).is_some();
    assert!(!allowed().await);
    let metadata = json!({ "redirect_uris": [format!("{origin}/callback")] });
    let client = provider.call("POST", "/clients", None, &metadata).await.json();
    provider.follow_clients().await;
    assert!(allowed().await);
    let (uri, token) = (&client["registration_client_uri"], client["registration_access_token"].as_str());
    let deleted = provider.call("DELETE", uri.as_str().unwrap(), token, &Value::Null).await;
    assert_eq!(deleted.status, 204);
    provider.follow_clients().await;
    assert!(!allowed().await);
}

async fn the_origin_of_a_client_is_known_at_another_node_at_once(backend: Backend) {
    let open = || TestProvider::on(&backend).set("registration.mode", "\"open\"");
    let first = open().start().await;
    let second = open().another_node_of(&first).start().await;
    for (host, path) in [("one.example", "/token"), ("two.example", "/userinfo")] {
        let origin = format!("https://{host}");
        let metadata = json!({ "redirect_uris": [format!("{origin}/callback")] });
        assert_eq!(first.call("POST", "/clients", None, &metadata).await.status, 201);
        let allowed = preflight(&second, path, &origin).await;
        assert_eq!(allowed.header(ALLOW_ORIGIN), Some(origin.as_str()));
    }
}
