//! Redeeming an authorization code: once, and only while what it was issued for stands.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::authorization_code::CodeRefusal;
use anteroom_domain::client::ClientVersion;
use anteroom_domain::grant::InvalidGrantReason;
use anteroom_flows::context::provider::{Clients, Snapshot};
use anteroom_flows::people::admin;
use anteroom_flows::protocol::sign_out;
use anteroom_flows::protocol::token::TokenRequestError;
use anteroom_flows::protocol::userinfo::userinfo;
use anteroom_testkit::{Backend, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;

use crate::ALICE;
use crate::application::{native, web};
use crate::browser::{TestBrowser, signed_in};
use crate::installation::Installation;

on_both_databases!(
    of_redemptions_at_once_at_two_nodes_one_wins_and_its_grant_is_revoked,
    a_code_used_again_later_revokes_what_it_gave_also_after_its_time,
    a_request_that_does_not_fit_does_not_use_the_code_up,
    a_session_that_ended_meanwhile_gives_no_tokens,
    a_sign_out_beside_a_redemption_leaves_no_tokens,
    an_account_disabled_meanwhile_gets_no_tokens,
    a_disablement_beside_a_redemption_leaves_no_tokens,
    a_client_that_changed_meanwhile_gets_no_tokens,
    a_code_lives_a_minute_and_leaves_nothing_when_it_has_expired,
    a_code_of_another_client_is_unknown,
);

async fn with_alice(backend: Backend) -> (Installation, TestBrowser) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    let browser = signed_in(&at, ALICE).await;
    (at, browser)
}

/// Whether the tokens are worth something.
async fn are_good(at: &Installation, tokens: &anteroom_oidc::token::TokenResponse) -> bool {
    let access = tokens.access_token.as_str().into();
    let is_good = userinfo(&at.call(), &access).await.is_ok();
    if let Some(refresh) = &tokens.refresh_token {
        assert_eq!(web().refresh(&at.call(), refresh).await.is_ok(), is_good);
    }
    is_good
}

async fn of_redemptions_at_once_at_two_nodes_one_wins_and_its_grant_is_revoked(backend: Backend) {
    let (first, browser) = with_alice(backend).await;
    let second = first.another_node().await;
    let application = web();
    for _ in 0..3 {
        let code = application.code(&first, &browser, "openid offline_access").await;
        let calls = [first.call(), second.call(), first.call(), second.call()];
        let results = join_all(calls.iter().map(|call| application.redeem(call, &code))).await;
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|lost| matches!(lost, Err(TokenRequestError::CodeReplayed))), "{lost:?}");
        // RFC 6749 §4.1.2: what the code gave is revoked.
        assert!(!are_good(&second, won[0].as_ref().unwrap()).await);
    }
    assert_eq!(first.audited("code_redeemed").await.len(), 3);
    assert_eq!(first.audited("code_replayed").await.len(), 3);
}

async fn a_code_used_again_later_revokes_what_it_gave_also_after_its_time(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    for later in [SignedDuration::from_secs(30), SignedDuration::from_secs(61)] {
        let code = web().code(&at, &browser, "openid").await;
        let tokens = web().redeem(&at.call(), &code).await.unwrap();
        assert!(userinfo(&at.call(), &tokens.access_token.as_str().into()).await.is_ok());
        at.advance(later);
        let replayed = web().redeem(&at.call(), &code).await;
        assert!(matches!(replayed, Err(TokenRequestError::CodeReplayed)), "{replayed:?}");
        assert!(!are_good(&at, &tokens).await);
    }
    assert_eq!(at.audited("code_replayed").await.len(), 2);
}

async fn a_request_that_does_not_fit_does_not_use_the_code_up(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let code = web().code(&at, &browser, "openid").await;
    let callback = "https://web.example/callback";
    let (right, wrong) = (anteroom_testkit::VERIFIER, "a-verifier-that-is-long-enough-and-another-one");
    for (redirect_uri, verifier, expected) in [
        ("https://web.example/other", right, CodeRefusal::RedirectUri),
        (callback, wrong, CodeRefusal::VerifierWrong),
        (callback, "", CodeRefusal::VerifierMissing),
    ] {
        let mut fields =
            vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", redirect_uri)];
        fields.extend((!verifier.is_empty()).then_some(("code_verifier", verifier)));
        match web().request_token(&at.call(), &fields).await {
            Err(TokenRequestError::Code(refusal)) => assert_eq!(refusal, expected),
            other => panic!("{expected:?}: {other:?}"),
        }
    }
    assert!(web().redeem(&at.call(), &code).await.is_ok());
}

async fn a_session_that_ended_meanwhile_gives_no_tokens(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let codes =
        [web().code(&at, &browser, "openid").await, web().code(&at, &browser, "openid offline_access").await];
    sign_out::end_all_of_browser(&browser.visit(&at)).await.unwrap();
    for code in codes {
        let refused = web().redeem(&at.call(), &code).await;
        let is_of_session = matches!(
            refused,
            Err(TokenRequestError::Code(
                CodeRefusal::Session | CodeRefusal::Grant(InvalidGrantReason::SessionEnded)
            ))
        );
        assert!(is_of_session, "{refused:?}");
    }
    assert!(at.audited("code_redeemed").await.is_empty());
}

async fn a_sign_out_beside_a_redemption_leaves_no_tokens(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let code = web().code(&at, &browser, "openid").await;
    let (visit, call, application) = (browser.visit(&at), at.call(), web());
    let (signed_out, redeemed) =
        tokio::join!(sign_out::end_all_of_browser(&visit), application.redeem(&call, &code));
    signed_out.unwrap();
    if let Ok(tokens) = redeemed {
        assert!(!are_good(&at, &tokens).await);
    }
    assert!(web().redeem(&at.call(), &code).await.is_err());
}

async fn an_account_disabled_meanwhile_gets_no_tokens(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let code = web().code(&at, &browser, "openid").await;
    let address = EmailAddress::parse(ALICE).unwrap();
    admin::disable(&at.local(), &address).await.unwrap();
    assert!(web().redeem(&at.call(), &code).await.is_err());
    // Nor once it is active again: the epoch is another one.
    admin::enable(&at.local(), &address).await.unwrap();
    assert!(web().redeem(&at.call(), &code).await.is_err());
    assert!(at.audited("code_redeemed").await.is_empty());
}

async fn a_disablement_beside_a_redemption_leaves_no_tokens(backend: Backend) {
    let (first, browser) = with_alice(backend).await;
    let second = first.another_node().await;
    let code = web().code(&first, &browser, "openid offline_access").await;
    let address = EmailAddress::parse(ALICE).unwrap();
    let (local, call, application) = (first.local(), second.call(), web());
    let (disabled, redeemed) =
        tokio::join!(admin::disable(&local, &address), application.redeem(&call, &code));
    disabled.unwrap();
    if let Ok(tokens) = redeemed {
        assert!(!are_good(&second, &tokens).await);
    }
}

async fn a_client_that_changed_meanwhile_gets_no_tokens(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let code = web().code(&at, &browser, "openid").await;
    let before = at.node.snapshot();
    let clients = before.clients.configured().map(|client| {
        let mut client = client.as_ref().clone();
        client.version = ClientVersion(client.version.0.wrapping_add(1));
        client
    });
    let clients = Clients::new(clients.collect());
    at.node.replace_snapshot(Snapshot { clients, ..before.as_ref().clone() });
    let refused = web().redeem(&at.call(), &code).await;
    assert!(matches!(refused, Err(TokenRequestError::Code(CodeRefusal::ClientChanged))), "{refused:?}");
}

async fn a_code_lives_a_minute_and_leaves_nothing_when_it_has_expired(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let (used, expired) =
        (web().code(&at, &browser, "openid").await, web().code(&at, &browser, "openid").await);
    at.advance(SignedDuration::from_secs(59));
    assert!(web().redeem(&at.call(), &used).await.is_ok());
    at.advance(SignedDuration::from_secs(1));
    let refused = web().redeem(&at.call(), &expired).await;
    assert!(matches!(refused, Err(TokenRequestError::Code(CodeRefusal::Expired))), "{refused:?}");
    assert_eq!(at.audited("code_redeemed").await.len(), 1);
}

async fn a_code_of_another_client_is_unknown(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let code = web().code(&at, &browser, "openid").await;
    for (application, text) in [(native(), code.as_str()), (web(), "no-code")] {
        let fields = [("grant_type", "authorization_code"), ("code", text)];
        let refused = application.request_token(&at.call(), &fields).await;
        assert!(matches!(refused, Err(TokenRequestError::UnknownCode)), "{refused:?}");
    }
    assert!(web().redeem(&at.call(), &code).await.is_ok());
}
