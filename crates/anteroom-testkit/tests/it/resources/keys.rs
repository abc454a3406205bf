//! Signing keys: published before they sign, kept while anything they signed can be alive.

use crate::ALICE;
use anteroom_testkit::{Backend, TestProvider, header, on_both_databases};
use jiff::SignedDuration;
use std::collections::BTreeSet;

on_both_databases!(
    rfc7517_4_keys_have_unique_ids_and_public_parts_only,
    a_new_key_is_published_before_it_signs_and_an_old_one_kept_after,
    nodes_do_not_make_keys_of_their_own,
    an_operator_rotates_at_once,
    after_a_leak_nothing_that_was_signed_is_believed,
);

const fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

async fn published(provider: &TestProvider) -> BTreeSet<String> {
    let jwks = provider.browser().get("/jwks").await.json();
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn signing(provider: &TestProvider) -> String {
    let browser = provider.signed_in(ALICE).await;
    let web = provider.client("web");
    let tokens = web.tokens(&browser, "openid").await;
    // Whatever signs is published.
    web.verified(tokens.id_token()).await;
    header(tokens.id_token())["kid"].as_str().unwrap().to_owned()
}

async fn rfc7517_4_keys_have_unique_ids_and_public_parts_only(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let answer = provider.browser().get("/jwks").await;
    assert_eq!(answer.status, 200);
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 3);
    let ids: BTreeSet<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), keys.len());
    for key in &keys {
        assert_eq!(key["use"], "sig", "{key}");
        assert!(key["alg"].is_string() && key["kty"].is_string(), "{key}");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }
}

async fn a_new_key_is_published_before_it_signs_and_an_old_one_kept_after(backend: Backend) {
    // 90 days each, with 7 days of overlap on either side.
    let never = "\"never\"";
    let provider = TestProvider::on(&backend).set("policy.password.max_age", never).start().await;
    let (first, all) = (signing(&provider).await, published(&provider).await);
    provider.advance(days(83) - SignedDuration::from_secs(1));
    provider.refresh_keys().await;
    assert_eq!((signing(&provider).await, published(&provider).await), (first.clone(), all.clone()));
    provider.advance(SignedDuration::from_secs(1));
    provider.refresh_keys().await;
    // Published, for whoever keeps old lists, and not used yet.
    let both = published(&provider).await;
    assert_eq!((both.len(), both.is_superset(&all)), (6, true));
    assert_eq!(signing(&provider).await, first);
    provider.advance(days(7));
    provider.refresh_keys().await;
    let second = signing(&provider).await;
    assert!(second != first && both.contains(&second));
    assert_eq!(published(&provider).await, both);
    provider.advance(days(7));
    provider.refresh_keys().await;
    let left = published(&provider).await;
    assert_eq!((left.len(), left.is_disjoint(&all)), (3, true));
    assert_eq!(signing(&provider).await, second);
    assert_eq!(provider.audited("signing_key_created").await.len(), 6);
    assert_eq!(provider.audited("signing_key_retired").await.len(), 3);
}

async fn nodes_do_not_make_keys_of_their_own(backend: Backend) {
    let first = TestProvider::start(&backend).await;
    let second = TestProvider::on(&backend).beside(&first).start().await;
    assert_eq!(published(&first).await, published(&second).await);
    first.advance(days(83));
    first.refresh_keys().await;
    second.refresh_keys().await;
    let both = published(&first).await;
    assert_eq!((both.len(), &both), (6, &published(&second).await));
}

async fn an_operator_rotates_at_once(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let before = web.tokens(&browser, "openid").await;
    let first = signing(&provider).await;
    provider.advance(SignedDuration::from_secs(1));
    provider.rotate_keys(false).await;
    provider.refresh_keys().await;
    assert_ne!(signing(&provider).await, first);
    // What was signed before stays good.
    web.verified(before.id_token()).await;
    assert_eq!(web.userinfo(&before.access_token).await.status, 200);
}

async fn after_a_leak_nothing_that_was_signed_is_believed(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let (before, leaked) = (web.tokens(&browser, "openid offline_access").await, published(&provider).await);
    provider.advance(SignedDuration::from_secs(1));
    provider.rotate_keys(true).await;
    provider.refresh_keys().await;
    assert!(published(&provider).await.is_disjoint(&leaked));
    assert_eq!(web.userinfo(&before.access_token).await.status, 401);
    let silent = [("id_token_hint", before.id_token()), ("prompt", "none")];
    assert_eq!(web.authorize(&browser, &silent).await.error(), "invalid_request");
    // People and applications go on with what does not hang on a signature.
    assert!(browser.is_signed_in().await);
    assert_eq!(web.refresh(before.refresh_token()).await.status, 200);
}
