//! Several nodes on one database, with no sticky sessions: alternating requests of one flow are served by either.

use crate::ALICE;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, Tokens, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;

on_both_databases!(
    alternating_requests_of_one_flow_are_served_by_either_node,
    a_lock_counts_over_all_nodes,
    a_code_is_spent_on_all_nodes,
    a_refresh_asked_of_two_nodes_at_once_has_one_successor,
    a_sign_in_that_is_sent_to_a_node_ahead_and_again_to_another_is_one_session,
);

async fn two(backend: &Backend) -> [TestProvider; 2] {
    let first = TestProvider::start(backend).await;
    let second = TestProvider::on(backend).another_node_of(&first).start().await;
    [first, second]
}

async fn alternating_requests_of_one_flow_are_served_by_either_node(backend: Backend) {
    let [first, second] = two(&backend).await;
    let (web, other) = (first.client("web"), second.client("web"));
    let mut browser = first.browser();
    let page = web.authorize(&browser, &[("scope", "openid email offline_access")]).await;
    browser.lead_to(&second);
    let again = browser.enter(&page, ALICE, "wrong").await;
    browser.lead_to(&first);
    let answer = browser.enter(&again, ALICE, PASSWORD).await;
    let tokens = Tokens::of(&other.redeem(&web.code_in(&answer)).await);
    assert_eq!(web.userinfo(&tokens.access_token).await.json()["email"], ALICE);
    let refreshed = Tokens::of(&web.refresh(tokens.refresh_token()).await);
    assert_eq!(other.introspect(&refreshed.access_token).await.json()["active"], true);
    web.verified(refreshed.id_token()).await;
    other.verified(refreshed.id_token()).await;
    browser.lead_to(&second);
    let dashboard = browser.get("/dashboard").await;
    browser.lead_to(&first);
    assert_eq!(browser.submit(&dashboard, "/sign-out", &[]).await.status, 303);
    browser.lead_to(&second);
    assert!(!browser.is_signed_in().await);
}

async fn a_lock_counts_over_all_nodes(backend: Backend) {
    let nodes = two(&backend).await;
    let guesses = (0..20).map(|number| {
        let browser = nodes[number % 2].browser();
        async move { browser.sign_in(ALICE, "wrong").await.status }
    });
    assert!(join_all(guesses).await.iter().all(|status| *status == 422));
    let refused = nodes[0].audited("sign_in_refused").await;
    let looked_at = refused.iter().filter(|entry| entry.detail.contains("wrong_password")).count();
    assert_eq!((looked_at, nodes[1].audited("account_locked").await.len()), (6, 1));
    assert_eq!(nodes[1].browser().sign_in(ALICE, PASSWORD).await.status, 422);
}

async fn a_code_is_spent_on_all_nodes(backend: Backend) {
    let [first, second] = two(&backend).await;
    let (web, other) = (first.client("web"), second.client("web"));
    let browser = first.signed_in(ALICE).await;
    for _ in 0..5 {
        let code = web.code(&browser, &[]).await;
        let (one, two) = tokio::join!(web.redeem(&code), other.redeem(&code));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400]);
    }
}

async fn a_refresh_asked_of_two_nodes_at_once_has_one_successor(backend: Backend) {
    let [first, second] = two(&backend).await;
    let (web, other) = (first.client("web"), second.client("web"));
    let mut tokens = web.tokens(&first.signed_in(ALICE).await, "openid").await;
    for _ in 0..5 {
        let (one, two) =
            tokio::join!(web.refresh(tokens.refresh_token()), other.refresh(tokens.refresh_token()));
        let (one, two) = (Tokens::of(&one), Tokens::of(&two));
        assert_eq!(one.refresh_token, two.refresh_token);
        tokens = one;
    }
}

/// The secret of a session is derived from the half minute of the node. The form reaches the node ahead in the next one.
async fn a_sign_in_that_is_sent_to_a_node_ahead_and_again_to_another_is_one_session(backend: Backend) {
    let first = TestProvider::start(&backend).await;
    first.advance(SignedDuration::from_secs(57 - first.now().as_second().rem_euclid(30)));
    let ahead = TestProvider::on(&backend).another_node_of(&first);
    let ahead = ahead.ahead_by(SignedDuration::from_secs(4)).start().await;
    let (web, here) = (first.client("web"), first.browser());
    let page = web.authorize(&here, &[]).await;
    let mut there = here.clone();
    there.lead_to(&ahead);
    let answer = there.enter(&page, ALICE, PASSWORD).await;
    let again = here.enter(&page, ALICE, PASSWORD).await;
    assert_eq!(web.code_in(&answer), web.code_in(&again));
    assert_eq!(backend.count("SELECT COUNT(*) AS count FROM sessions WHERE ended_at IS NULL").await, 1);
    let tokens = Tokens::of(&web.redeem(&web.code_in(&again)).await);
    let dashboard = here.get("/dashboard").await;
    here.submit(&dashboard, "/sign-out", &[]).await;
    assert_eq!(web.userinfo(&tokens.access_token).await.status, 401);
}
