//! What ends a grant before its time.

use crate::{ALICE, BOB};
use anteroom_domain::account::GroupName;
use anteroom_domain::address::EmailAddress;
use anteroom_flows::people::admin::{Membership, change_group, disable, enable};
use anteroom_testkit::{Backend, Browser, RelyingParty, TestProvider, Tokens, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    core_11_offline_access_outlives_the_session,
    without_offline_access_a_grant_ends_with_the_session,
    without_offline_access_a_grant_ends_when_the_session_lapses,
    leaving_a_group_ends_refresh_userinfo_and_introspection,
    disabling_an_account_ends_its_grants_for_good,
    one_applications_end_is_not_anothers,
    another_epoch_ends_sessions_codes_and_grants,
);

async fn sign_out(browser: &Browser) {
    let dashboard = browser.get("/dashboard").await;
    assert_eq!(browser.submit(&dashboard, "/sign-out", &[]).await.status, 303);
}

/// Whether refreshing, asking who it is and asking about the token still work: all of them or none.
async fn lives(app: &RelyingParty, tokens: &Tokens) -> bool {
    let userinfo = app.userinfo(&tokens.access_token).await.status == 200;
    let active = app.introspect(&tokens.access_token).await.json()["active"] == true;
    let refreshable = app.introspect(tokens.refresh_token()).await.json()["active"] == true;
    let refreshed = app.refresh(tokens.refresh_token()).await;
    assert!(refreshed.status == 200 || refreshed.error() == "invalid_grant", "{}", refreshed.body);
    assert_eq!([userinfo, active, refreshable], [refreshed.status == 200; 3]);
    userinfo
}

async fn core_11_offline_access_outlives_the_session(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid offline_access").await;
    sign_out(&browser).await;
    let successor = Tokens::of(&web.refresh(tokens.refresh_token()).await);
    provider.advance(SignedDuration::from_hours(24));
    provider.end_lapsed_sessions().await;
    Tokens::of(&web.refresh(successor.refresh_token()).await);
}

async fn without_offline_access_a_grant_ends_with_the_session(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid").await;
    assert!(tokens.refresh_token.is_some());
    sign_out(&browser).await;
    assert!(!lives(&web, &tokens).await);
}

async fn without_offline_access_a_grant_ends_when_the_session_lapses(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let (fresh, idle) = (provider.signed_in(ALICE).await, provider.signed_in(ALICE).await);
    let tokens = [web.tokens(&fresh, "openid").await, web.tokens(&idle, "openid").await];
    for _ in 0..3 {
        provider.advance(SignedDuration::from_mins(10));
        fresh.get("/dashboard").await;
    }
    assert_eq!(web.refresh(tokens[0].refresh_token()).await.status, 200);
    assert_eq!(web.refresh(tokens[1].refresh_token()).await.error(), "invalid_grant");
    // The background ends it for good; a clock set back does not bring it to life again.
    provider.end_lapsed_sessions().await;
    provider.advance(-SignedDuration::from_mins(20));
    assert_eq!(web.refresh(tokens[1].refresh_token()).await.error(), "invalid_grant");
    assert_eq!(provider.audited("signed_out").await.len(), 1);
}

async fn leaving_a_group_ends_refresh_userinfo_and_introspection(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (imaging, browser) = (provider.client("imaging"), provider.signed_in(ALICE).await);
    let tokens = imaging.tokens(&browser, "openid offline_access").await;
    let code = imaging.code(&browser, &[]).await;
    let (address, group) = (EmailAddress::parse(ALICE).unwrap(), GroupName::parse("clinicians").unwrap());
    change_group(&provider.local(), &address, group, Membership::Remove).await.unwrap();
    assert!(!lives(&imaging, &tokens).await);
    assert_eq!(imaging.redeem(&code).await.error(), "invalid_grant");
    assert_eq!(imaging.authorize(&browser, &[("prompt", "none")]).await.error(), "access_denied");
    // Elsewhere she is as welcome as before.
    provider.client("web").tokens(&browser, "openid").await;
}

async fn disabling_an_account_ends_its_grants_for_good(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid offline_access").await;
    let address = EmailAddress::parse(ALICE).unwrap();
    disable(&provider.local(), &address).await.unwrap();
    assert!(!lives(&web, &tokens).await);
    enable(&provider.local(), &address).await.unwrap();
    assert!(!lives(&web, &tokens).await);
}

async fn one_applications_end_is_not_anothers(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, imaging, browser) =
        (provider.client("web"), provider.client("imaging"), provider.signed_in(ALICE).await);
    let bobs = web.tokens(&provider.signed_in(BOB).await, "openid").await;
    let first = web.tokens(&browser, "openid").await;
    let second = web.tokens(&browser, "openid").await;
    let other = imaging.tokens(&browser, "openid").await;
    web.revoke(first.refresh_token()).await;
    assert!(!lives(&web, &first).await);
    for (app, tokens) in [(&web, &second), (&imaging, &other), (&web, &bobs)] {
        assert!(lives(app, tokens).await);
    }
}

async fn another_epoch_ends_sessions_codes_and_grants(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let person = provider.person("changed@practice.example").create().await;
    let (web, browser) = (provider.client("web"), provider.signed_in("changed@practice.example").await);
    let tokens = web.tokens(&browser, "openid offline_access").await;
    let code = web.code(&browser, &[]).await;
    // As a change of the password does.
    let store = &provider.provider.store;
    store.write(move |tx| async move { tx.raise_epoch(person).await }).await.unwrap();
    assert!(!browser.is_signed_in().await);
    assert_eq!(web.redeem(&code).await.error(), "invalid_grant");
    assert!(!lives(&web, &tokens).await);
    // The person goes on, in a session of the new epoch.
    let browser = provider.signed_in("changed@practice.example").await;
    web.tokens(&browser, "openid").await;
}
