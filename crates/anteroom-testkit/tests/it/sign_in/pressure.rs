//! Limits and load: who waits, who is told to come back, and what is never skipped.

use crate::{ALICE, BOB};
use anteroom_crypto::{HashParams, Keyring, PasswordHash, PasswordHasher, QueueKey, Random};
use anteroom_testkit::{Backend, PASSWORD, TestProvider, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

on_both_databases!(
    beyond_the_rate_limit_the_form_comes_back_with_the_wait,
    a_known_device_signs_in_where_its_network_has_used_up_the_limit,
    the_rate_limit_counts_networks_not_addresses,
    a_practices_own_network_is_allowed_more,
    a_full_hashing_queue_answers_503_and_known_devices_still_get_in,
    addresses_are_believed_from_trusted_proxies_only,
    few_connections_are_enough_for_many_at_once,
);

async fn beyond_the_rate_limit_the_form_comes_back_with_the_wait(backend: Backend) {
    let limit = "{ max = 3, window = \"5m\" }";
    let provider = TestProvider::on(&backend).set("policy.sign_in.rate", limit).start().await;
    let (web, browser) = (provider.client("web"), provider.browser().from("203.0.113.7"));
    for _ in 0..3 {
        assert_eq!(browser.sign_in(ALICE, "wrong").await.status, 422);
    }
    let (hashes, page) = (provider.hashes_computed(), web.authorize(&browser, &[]).await);
    let answer = browser.enter(&page, ALICE, PASSWORD).await;
    assert_eq!(answer.status, 429);
    let wait: i64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    assert_eq!(answer.form("/sign-in").fields["email"], ALICE);
    assert!(answer.text_of("problem").unwrap().starts_with("Too many sign-ins at once"));
    assert_eq!(provider.hashes_computed(), hashes);
    // Others are not held up, and after the wait none is.
    assert_eq!(provider.browser().from("203.0.113.8").sign_in(ALICE, PASSWORD).await.status, 303);
    provider.advance(SignedDuration::from_mins(10));
    web.code_in(&browser.enter(&answer, ALICE, PASSWORD).await);
}

async fn the_rate_limit_counts_networks_not_addresses(backend: Backend) {
    let limit = "{ max = 1, window = \"5m\" }";
    let provider = TestProvider::on(&backend).set("policy.sign_in.rate", limit).start().await;
    for (address, status) in [
        ("2001:db8::1", 422),
        ("2001:db8::2", 429),
        ("2001:db8:0:1::1", 422),
        ("192.0.2.1", 422),
        ("192.0.2.2", 422),
        ("192.0.2.1", 429),
    ] {
        assert_eq!(
            provider.browser().from(address).sign_in(ALICE, "wrong").await.status,
            status,
            "{address}"
        );
    }
}

async fn a_practices_own_network_is_allowed_more(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("policy.sign_in.rate", "{ max = 1, window = \"5m\" }")
        .set("policy.own_networks", "{ networks = [\"203.0.113.0/24\"], factor = 2 }")
        .start()
        .await;
    for (address, status) in [
        ("203.0.113.7", 422),
        ("203.0.113.7", 422),
        ("203.0.113.7", 429),
        ("198.51.100.7", 422),
        ("198.51.100.7", 429),
    ] {
        let answer = provider.browser().from(address).sign_in(ALICE, "wrong").await;
        assert_eq!(answer.status, status, "{address}");
    }
}

/// A hash that takes a second or so to verify, of a password that no account has.
fn slow_hash() -> PasswordHash {
    let params = HashParams::new(128 * 1024, 8, 1).unwrap();
    let hasher = PasswordHasher::new(params, &Keyring::for_tests(1), Random::seeded(1));
    hasher.dummy()
}

async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn a_full_hashing_queue_answers_503_and_known_devices_still_get_in(backend: Backend) {
    let provider = TestProvider::on(&backend).set("hashing.queue", "4").start().await;
    let desk = provider.signed_in(ALICE).await;
    let (browser, slow) = (provider.browser(), slow_hash());
    let page = browser.get("/sign-in").await;
    let occupy = |times: usize| {
        for _ in 0..times {
            let (shared, slow) = (Arc::clone(&provider.provider), slow.clone());
            let lane = QueueKey::of_address([127, 0, 0, 1].into());
            tokio::spawn(async move { shared.hashing.verify(lane, &"x".into(), Some(&slow)).await });
        }
    };
    // Every worker is busy, one after the other lest they fill the queue themselves, and then the strangers' half of the
    // queue is full.
    let workers = std::thread::available_parallelism().unwrap().get();
    for worker in 1..=workers {
        let before = provider.hashes_computed();
        occupy(1);
        until(|| provider.hashes_computed() > before).await;
        assert!(worker <= workers);
    }
    occupy(2);
    until(|| provider.provider.hashing.queued() == 2).await;
    let answer = browser.enter(&page, BOB, PASSWORD).await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(desk.sign_in(ALICE, PASSWORD).await.status, 303);
}

async fn addresses_are_believed_from_trusted_proxies_only(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("policy.sign_in.rate", "{ max = 1, window = \"5m\" }")
        .set("server.trusted_proxies", "[\"198.51.100.1\"]")
        .start()
        .await;
    for (claimed, status) in [("203.0.113.7", 422), ("203.0.113.8", 429)] {
        assert_eq!(provider.browser().from(claimed).sign_in(ALICE, "wrong").await.status, status);
    }
    assert_eq!(provider.audited("sign_in_refused").await[0].address.as_deref(), Some("127.0.0.1"));
}

/// A request that held one connection while it waited for a second would starve them all.
async fn few_connections_are_enough_for_many_at_once(backend: Backend) {
    let provider = TestProvider::on(&backend).set("database.max_connections", "2").start().await;
    let web = provider.client("web");
    let flows = (0..30).map(|number| {
        let email = if number % 2 == 0 { ALICE } else { BOB };
        let (provider, web) = (&provider, &web);
        async move {
            let browser = provider.signed_in(email).await;
            let tokens = web.tokens(&browser, "openid email").await;
            assert_eq!(web.userinfo(&tokens.access_token).await.json()["email"], email);
            assert_eq!(web.refresh(tokens.refresh_token()).await.status, 200);
        }
    });
    join_all(flows).await;
}

async fn a_known_device_signs_in_where_its_network_has_used_up_the_limit(backend: Backend) {
    let provider = TestProvider::on(&backend)
        .set("policy.sign_in.rate", "{ max = 3, window = \"5m\" }")
        .set("policy.limits.sign_in_of_known_device.max", "2")
        .start()
        .await;
    let desk = provider.browser().from("203.0.113.7");
    assert_eq!(desk.sign_in(ALICE, PASSWORD).await.status, 303);
    let guest = provider.browser().from("203.0.113.7");
    let statuses = [guest.sign_in(ALICE, "wrong").await.status, guest.sign_in(ALICE, "wrong").await.status];
    assert_eq!(statuses, [422, 422]);
    assert_eq!(guest.sign_in(ALICE, "wrong").await.status, 429);
    // Known to alice's account and to no other, and not without end.
    assert_eq!(desk.sign_in(BOB, PASSWORD).await.status, 429);
    assert_eq!(desk.sign_in(ALICE, PASSWORD).await.status, 303);
    assert_eq!(desk.sign_in(ALICE, "wrong").await.status, 422);
    assert_eq!(desk.sign_in(ALICE, PASSWORD).await.status, 429);
}
