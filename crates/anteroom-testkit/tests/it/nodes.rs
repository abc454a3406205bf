//! Several nodes on one database, with no sticky sessions: alternating requests of one flow are served by either.

use crate::ALICE;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, Tokens, on_both_databases};

on_both_databases!(alternating_requests_of_one_flow_are_served_by_either_node,);

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
