//! Sign-outs of clients that registered themselves hold up nothing of those in the configuration.

use super::back_channel::{client, queue, sign_out};
use crate::ALICE;
use crate::registration::register;
use anteroom_testkit::{Backend, LogoutReceiver, TestProvider, on_both_databases};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

on_both_databases!(
    clients_that_registered_themselves_hold_up_no_configured_one,
    a_client_that_registered_itself_has_so_many_logouts_waiting,
);

async fn clients_that_registered_themselves_hold_up_no_configured_one(backend: Backend) {
    let (dead, other) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let builder = TestProvider::on(&backend).set("registration.mode", "\"open\"");
    let provider = builder.clients(&client("other", &other, "")).start().await;
    dead.sleep();
    for _ in 0..20 {
        let metadata = json!({ "redirect_uris": ["https://stranger.example/callback"],
            "backchannel_logout_uri": dead.url });
        let registered = register(&provider, &metadata).await;
        queue(&provider, registered["client_id"].as_str().unwrap(), 8).await;
    }
    let node = Arc::clone(&provider.provider);
    let deliveries = tokio::spawn(async move { anteroom_flows::protocol::backchannel::run(&node).await });
    heard(&dead, 32).await;
    for round in 1..=3 {
        let browser = provider.signed_in(ALICE).await;
        provider.client("other").tokens(&browser, "openid").await;
        sign_out(&browser).await;
        heard(&other, round).await;
        assert_eq!(dead.tokens().len(), 32);
    }
    deliveries.abort();
}

/// Waits until so many logout tokens have come.
async fn heard(listener: &LogoutReceiver, count: usize) {
    let all = async {
        while listener.tokens().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(30), all).await;
    assert!(heard.is_ok(), "{} of {count} came", listener.tokens().len());
}

async fn a_client_that_registered_itself_has_so_many_logouts_waiting(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let metadata = json!({ "redirect_uris": ["https://stranger.example/callback"],
        "backchannel_logout_uri": listener.url });
    let registered = register(&provider, &metadata).await;
    let self_registered = provider.registered(&registered);
    queue(&provider, registered["client_id"].as_str().unwrap(), 499).await;
    for waiting in [500, 500] {
        let browser = provider.signed_in(ALICE).await;
        let page = self_registered.authorize(&browser, &[("prompt", "consent")]).await;
        let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        self_registered.redeem(&self_registered.code_in(&agreed)).await;
        sign_out(&browser).await;
        assert_eq!(backend.rows().await["logout_deliveries"], waiting);
    }
}
