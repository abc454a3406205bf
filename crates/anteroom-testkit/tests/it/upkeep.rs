//! What the background keeps true: a node that does not know whether it is up to date serves no request, and nothing is ended
//! or swept by a clock that jumped.

use crate::ALICE;
use anteroom_flows::context::confirmations::Cached;
use anteroom_flows::keys::signing_keys::RotationReason;
use anteroom_oidc::SigningAlgorithm;
use anteroom_server::background;
use anteroom_server::housekeeping::HousekeepingState;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, on_both_databases, on_postgres, on_sqlite};
use jiff::SignedDuration;
use std::time::Duration;
use tokio::time::Instant;

on_both_databases!(
    a_node_that_is_not_confirmed_for_five_seconds_answers_503,
    a_key_signs_as_soon_as_its_time_has_come,
);

async fn a_node_that_is_not_confirmed_for_five_seconds_answers_503(backend: Backend) {
    let provider = TestProvider::on(&backend).real_time().start().await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let long_ago = Instant::now().checked_sub(Duration::from_secs(5)).unwrap();
    for cached in [Cached::Keys, Cached::Configuration] {
        provider.provider.confirmations.confirm(cached, long_ago);
        for path in ["/sign-in", "/jwks", "/.well-known/openid-configuration", "/nowhere"] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, 503, "{path}");
            assert_eq!(answer.header("retry-after"), Some("1"), "{path}");
        }
        assert_eq!(browser.get(&web.request(&[])).await.status, 503);
        assert_eq!(browser.get("/readyz").await.status, 503);
        assert_eq!(browser.get("/healthz").await.status, 200);
        provider.provider.confirmations.confirm(cached, Instant::now());
    }
    assert_eq!(browser.get("/readyz").await.status, 200);
    // What the background does each second is such a confirmation.
    provider.provider.confirmations.confirm(Cached::Keys, long_ago);
    background::reload_keys(&provider.provider, &mut None).await.unwrap();
    assert_eq!(browser.sign_in(ALICE, PASSWORD).await.status, 303);
}

async fn a_key_signs_as_soon_as_its_time_has_come(backend: Backend) {
    let provider = TestProvider::on(&backend).start().await;
    let parts = &provider.provider;
    let signing = || parts.key_set().signer(SigningAlgorithm::Rs256).unwrap().kid().clone();
    provider.rotate_keys(RotationReason::Planned).await;
    let mut seen = None;
    background::reload_keys(parts, &mut seen).await.unwrap();
    let before = signing();
    provider.advance(SignedDuration::from_mins(6) - SignedDuration::from_secs(1));
    background::reload_keys(parts, &mut seen).await.unwrap();
    assert_eq!(signing(), before);
    provider.advance(SignedDuration::from_secs(1));
    background::reload_keys(parts, &mut seen).await.unwrap();
    assert_ne!(signing(), before);
}

#[tokio::test]
async fn nothing_is_ended_while_the_clock_settles_after_a_jump() {
    on_sqlite(|backend| async move { a_day_ahead(&backend, 1).await }).await;
}

/// The clock of a test is years off that of the database, which has one of its own here.
#[tokio::test]
async fn nothing_is_ended_by_a_clock_that_is_not_the_databases() {
    on_postgres(|backend| async move { a_day_ahead(&backend, 0).await }).await;
}

/// `expected` sessions are over once the clock has settled.
async fn a_day_ahead(backend: &Backend, expected: usize) {
    let provider = TestProvider::start(backend).await;
    let minutes = |count: u64| Duration::from_mins(count);
    let (mut rounds, ended) =
        (HousekeepingState::default(), async || provider.audited("signed_out").await.len());
    provider.signed_in(ALICE).await;
    provider.tidy_up(&mut rounds, minutes(0)).await;
    // The clock is set a day ahead: to all appearances the session is over.
    provider.advance(SignedDuration::from_hours(24));
    provider.tidy_up(&mut rounds, minutes(1)).await;
    provider.advance(SignedDuration::from_mins(9));
    provider.tidy_up(&mut rounds, minutes(10)).await;
    assert_eq!(ended().await, 0);
    provider.advance(SignedDuration::from_mins(1));
    provider.tidy_up(&mut rounds, minutes(11)).await;
    assert_eq!(ended().await, expected);
}
