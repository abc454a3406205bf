//! The development outbox: only where everything about the request is beyond doubt from this machine.

use crate::ALICE;
use anteroom_testkit::{Backend, Builder, TestProvider, on_both_databases};

on_both_databases!(
    messages_are_shown_as_a_page_and_as_json,
    an_issuer_on_this_machine_may_have_a_certificate,
    it_does_not_exist_for_anybody_else,
    it_does_not_exist_unless_configured,
);

fn with_outbox(backend: &Backend) -> Builder {
    TestProvider::on(backend).unset("server.trusted_proxies").set("dev.outbox", "true")
}

async fn messages_are_shown_as_a_page_and_as_json(backend: Backend) {
    let provider = with_outbox(&backend).start().await;
    let browser = provider.browser();
    assert!(browser.get("/dev/outbox").await.text_of("no-messages").is_some());
    for _ in 0..6 {
        browser.sign_in(ALICE, "wrong").await;
    }
    let messages = browser.get("/dev/outbox.json").await.json();
    let message = &messages.as_array().unwrap()[0];
    assert_eq!((&message["channel"], &message["to"]), (&"email".into(), &ALICE.into()));
    assert_eq!(message["at"], anteroom_testkit::MORNING);
    assert_eq!(message["link"], format!("{}/forgot-password", provider.issuer));
    assert!(message["code"].is_null() && message["subject"].is_string() && message["text"].is_string());
    assert!(browser.get("/dev/outbox").await.text_of("messages").unwrap().contains(ALICE));
    let page = browser.get(&format!("/dev/outbox/{}", message["id"].as_str().unwrap())).await;
    assert!(page.header("content-security-policy").unwrap().contains("sandbox"));
    assert_eq!(browser.get("/dev/outbox/none").await.status, 404);
}

async fn an_issuer_on_this_machine_may_have_a_certificate(backend: Backend) {
    let provider = with_outbox(&backend).issuer("https://localhost:8443").start().await;
    assert_eq!(provider.browser().get("/dev/outbox").await.status, 200);
    assert_eq!(provider.browser().with("via", "1.1 proxy").get("/dev/outbox").await.status, 404);
}

async fn it_does_not_exist_for_anybody_else(backend: Backend) {
    let provider = with_outbox(&backend).start().await;
    for header in [
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-forwarded",
        "forwarded",
        "forwarded-for",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "cf-ray",
        "fastly-client-ip",
        "x-envoy-external-address",
        "x-original-host",
        "x-azure-clientip",
        "cdn-loop",
    ] {
        let browser = provider.browser().with(header, "203.0.113.7");
        for path in ["/dev/outbox", "/dev/outbox.json", "/dev/outbox/x"] {
            assert_eq!(browser.get(path).await.status, 404, "{header} {path}");
        }
    }
}

async fn it_does_not_exist_unless_configured(backend: Backend) {
    let provider = TestProvider::on(&backend).unset("server.trusted_proxies").start().await;
    for path in ["/dev/outbox", "/dev/outbox.json"] {
        assert_eq!(provider.browser().get(path).await.status, 404, "{path}");
    }
}
