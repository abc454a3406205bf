//! Pushed requests, tokens and authorizations of one client, session or grant.

use crate::ALICE;
use anteroom_storage::Sweeps;
use anteroom_testkit::{
    Backend, CHALLENGE, RelyingParty, STATE, TestProvider, TestResponse, on_both_databases,
};
use futures_util::future::join_all;
use jiff::SignedDuration;

on_both_databases!(
    rfc9126_of_many_pushed_requests_at_once_the_allowed_are_kept,
    rfc9126_a_pushed_request_is_gone_at_its_end,
    an_application_asks_for_so_many_tokens_and_is_told_to_wait,
    a_session_answers_so_many_authorization_requests,
);

async fn push(app: &RelyingParty, state: &str) -> TestResponse {
    let fields = [
        ("redirect_uri", app.redirect_uri.as_str()),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", state),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    app.post("/par", &fields).await
}

async fn rfc9126_of_many_pushed_requests_at_once_the_allowed_are_kept(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.pushed_of_client.max", "4").start().await;
    let (web, partner) = (provider.client("web"), provider.client("partner"));
    let answers = join_all((0..20).map(|_| push(&web, STATE))).await;
    let of = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((of(201), of(429)), (4, 16));
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.error(), "temporarily_unavailable");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(backend.rows().await["pushed_requests"], 4);
    assert_eq!(push(&partner, STATE).await.status, 201, "another client");
}

async fn rfc9126_a_pushed_request_is_gone_at_its_end(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    assert_eq!(push(&provider.client("web"), STATE).await.status, 201);
    let store = &provider.provider.store;
    store.sweep(provider.now() + SignedDuration::from_secs(89), 100, Sweeps::ALL).await.unwrap();
    assert_eq!(backend.rows().await["pushed_requests"], 1);
    store.sweep(provider.now() + SignedDuration::from_secs(91), 100, Sweeps::ALL).await.unwrap();
    assert_eq!(backend.rows().await["pushed_requests"], 0);
}

async fn an_application_asks_for_so_many_tokens_and_is_told_to_wait(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.refresh.max", "3").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let mut token = web.tokens(&browser, "openid offline_access").await.refresh_token().to_owned();
    for _ in 0..3 {
        let json = web.refresh(&token).await.json();
        json["refresh_token"].as_str().unwrap().clone_into(&mut token);
    }
    let refused = web.refresh(&token).await;
    assert_eq!((refused.status, refused.error().as_str()), (429, "temporarily_unavailable"));
    provider.advance(SignedDuration::from_mins(10));
    assert_eq!(web.refresh(&token).await.status, 200, "nothing was spent");
}

async fn a_session_answers_so_many_authorization_requests(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.authorization.max", "3").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for _ in 0..3 {
        web.code(&browser, &[]).await;
    }
    let refused = web.authorize(&browser, &[]).await;
    assert_eq!(refused.parameters()["error"], "temporarily_unavailable");
    let again = provider.signed_in(ALICE).await;
    web.code(&again, &[]).await;
}
