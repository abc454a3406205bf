//! Under which names the provider answers.

use crate::ALICE;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, on_both_databases};
use reqwest::Method;
use reqwest::header::{HOST, HeaderMap, HeaderValue};

on_both_databases!(
    another_host_is_421,
    rfc9112_3_2_a_request_that_does_not_name_one_host_is_400,
    another_loopback_name_is_led_to_the_issuers,
    health_is_told_under_any_name,
    behind_https_cookies_are_secure_and_the_host_is_the_issuers,
);

async fn another_host_is_421(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for host in ["evil.example", "localhost:1", "localhost", "id.example", "localhost.evil.example"] {
        let browser = provider.browser().with("host", host);
        for path in ["/sign-in", "/.well-known/openid-configuration", "/dashboard", "/nowhere"] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, 421, "{host} {path}");
            assert!(answer.text_of("error-misdirected-host").is_some(), "{host} {path}");
        }
    }
    // Links are built from the issuer, never from what the request claims.
    let browser = provider.browser().with("x-forwarded-host", "evil.example");
    let document = browser.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["token_endpoint"], format!("{}/token", provider.issuer));
}

async fn rfc9112_3_2_a_request_that_does_not_name_one_host_is_400(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let host = provider.issuer.split_once("//").unwrap().1;
    let user = format!("evil@{host}");
    for hosts in [&[host, host][..], &[host, "evil.example"], &["evil.example", host], &[&user], &[""]] {
        for path in ["/sign-in", "/.well-known/openid-configuration", "/nowhere"] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, HeaderValue::from_str(host).unwrap());
            }
            let answer = provider.ask(Method::GET, path, headers, Vec::new()).await;
            assert_eq!((answer.status, answer.header("location")), (400, None), "{hosts:?} {path}");
            assert!(answer.text_of("error-misdirected-host").is_some(), "{hosts:?} {path}");
        }
    }
}

async fn another_loopback_name_is_led_to_the_issuers(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let port = provider.issuer.rsplit_once(':').unwrap().1;
    for name in ["127.0.0.1", "[::1]", "LOCALHOST"] {
        let browser = provider.browser().with("host", &format!("{name}:{port}"));
        let answer = browser.get(&provider.client("web").request(&[])).await;
        if name == "LOCALHOST" {
            assert_eq!(answer.status, 200);
            continue;
        }
        assert_eq!(answer.status, 307, "{name}");
        let target = format!("{}{}", provider.issuer, provider.client("web").request(&[]));
        assert_eq!(answer.header("location"), Some(target.as_str()), "{name}");
    }
}

async fn health_is_told_under_any_name(backend: Backend) {
    let provider = TestProvider::on(&backend).real_time().start().await;
    let probe = provider.browser().with("host", "10.1.2.3");
    assert_eq!(probe.get("/healthz").await.status, 200);
    assert_eq!(probe.get("/readyz").await.status, 200);
}

async fn behind_https_cookies_are_secure_and_the_host_is_the_issuers(backend: Backend) {
    let provider = TestProvider::on(&backend).issuer("https://id.practice.example").start().await;
    let browser = provider.browser();
    let answer = browser.sign_in(ALICE, PASSWORD).await;
    let names: Vec<String> = answer.cookies().iter().map(|cookie| cookie.name().to_owned()).collect();
    assert_eq!(names, ["__Host-anteroom_session", "op_browser_state", "__Host-anteroom_device"]);
    assert!(answer.cookies().iter().all(|cookie| cookie.secure() == Some(true)));
    let dashboard = browser.follow(&answer).await;
    assert_eq!(dashboard.status, 200);
    assert!(dashboard.header("strict-transport-security").unwrap().starts_with("max-age="));
    // No loopback name is led here, and a cookie without the prefix is not read.
    assert_eq!(provider.browser().with("host", "localhost").get("/sign-in").await.status, 421);
    let planted = provider.browser();
    planted.set_cookie("anteroom_session", &browser.cookie("__Host-anteroom_session").unwrap());
    assert!(!planted.is_signed_in().await);
}
