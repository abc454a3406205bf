//! Bursts: as many as the limit allows get through, and none more.

use crate::ALICE;
use anteroom_testkit::{Backend, TestProvider, TestResponse, on_both_databases};
use futures_util::future::join_all;
use serde_json::json;

on_both_databases!(
    of_many_sign_ins_at_once_the_allowed_are_hashed,
    of_many_requests_for_a_mail_at_once_the_allowed_are_written,
    of_many_registrations_at_once_the_allowed_are_made,
    no_network_asks_for_more_than_a_node_answers,
);

fn count(answers: &[TestResponse], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

async fn of_many_sign_ins_at_once_the_allowed_are_hashed(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.sign_in.rate.max", "5").start().await;
    let before = provider.hashes_computed();
    let (browser, page) = (provider.browser(), provider.browser().get("/sign-in").await);
    let guess = async |number: u32| browser.enter(&page, ALICE, &format!("wrong {number}")).await;
    let answers = join_all((0..40).map(guess)).await;
    assert_eq!((count(&answers, 422), count(&answers, 429)), (5, 35));
    assert_eq!(provider.hashes_computed() - before, 5);
}

async fn of_many_requests_for_a_mail_at_once_the_allowed_are_written(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.recovery.rate.max", "6").start().await;
    let browser = provider.browser();
    let page = browser.get("/forgot-password").await;
    let ask = async |number: u32| {
        let address = format!("{number}@practice.example");
        browser.submit(&page, "/forgot-password", &[("email", &address)]).await
    };
    let answers = join_all((0..40).map(ask)).await;
    assert_eq!((count(&answers, 303), count(&answers, 429)), (6, 34));
    assert_eq!(provider.audited("recovery_asked").await.len(), 6);
}

async fn of_many_registrations_at_once_the_allowed_are_made(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("registration.mode", "\"open\"")
        .set("registration.rate.max", "5")
        .start()
        .await;
    let metadata = json!({ "redirect_uris": ["https://stranger.example/callback"] });
    let register = |_| provider.call("POST", "/clients", None, &metadata);
    let answers = join_all((0..40).map(register)).await;
    assert_eq!((count(&answers, 201), count(&answers, 429)), (5, 35));
}

async fn no_network_asks_for_more_than_a_node_answers(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.request.max", "5").start().await;
    let browser = provider.browser().from("203.0.113.7");
    for (path, kind) in [("/jwks", "application/json"), ("/sign-in", "text/html; charset=utf-8")] {
        let answers = join_all((0..20).map(|_| browser.get(path))).await;
        assert!(count(&answers, 429) >= 15, "{path}");
        let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
        assert_eq!(refused.header("content-type"), Some(kind), "{path}");
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    }
    assert_eq!(provider.browser().from("203.0.113.8").get("/jwks").await.status, 200);
    provider.write_tallies().await;
    let entries = provider.audited("rate_limited").await;
    assert!(entries.len() == 1 && entries[0].detail.contains("\"request\""), "{entries:?}");
}
