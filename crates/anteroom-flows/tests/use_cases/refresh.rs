//! Refresh tokens: rotation, a lost answer, a replay, and requests at the same time.

use anteroom_domain::address::EmailAddress;
use anteroom_flows::people::admin;
use anteroom_flows::protocol::sign_out;
use anteroom_flows::protocol::token::TokenRequestError;
use anteroom_oidc::token::TokenResponse;
use anteroom_testkit::{Backend, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;
use std::net::{IpAddr, Ipv4Addr};

use crate::ALICE;
use crate::application::{Application, native, web};
use crate::browser::signed_in;
use crate::installation::Installation;

on_both_databases!(
    a_token_that_was_just_used_gives_its_successor_again_three_times,
    a_token_used_again_after_its_window_ends_the_family,
    a_token_used_again_after_its_successor_was_ends_the_family,
    of_two_refreshes_at_once_at_two_nodes_both_get_one_successor,
    of_many_refreshes_at_once_no_more_are_answered_than_in_turn,
    of_replays_at_once_one_ends_the_family,
    a_refresh_beside_a_disablement_leaves_no_tokens,
    a_grant_without_offline_access_ends_with_its_session_and_another_does_not,
    a_scope_beyond_the_grant_is_refused_and_rotates_nothing,
    a_family_that_was_not_used_for_long_has_expired,
    a_token_of_another_client_is_unknown_and_stays_good,
    a_repeat_from_another_network_at_a_public_client_is_told_to_the_person,
);

const PUBLIC: &str = r#"
[[clients]]
client_id = "public"
first_party = true
redirect_uris = ["https://public.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
scope = "openid offline_access"
"#;

fn public() -> Application {
    Application::new("public", "https://public.example/callback", None)
}

async fn with_tokens(backend: Backend, application: &Application) -> (Installation, TokenResponse) {
    let at = Installation::with(backend, |it| it.clients(PUBLIC)).await;
    at.person(ALICE).create().await;
    let browser = signed_in(&at, ALICE).await;
    let tokens = application.tokens(&at, &browser, "openid offline_access").await;
    (at, tokens)
}

fn refresh_token(tokens: &TokenResponse) -> &str {
    tokens.refresh_token.as_deref().unwrap()
}

async fn a_token_that_was_just_used_gives_its_successor_again_three_times(backend: Backend) {
    let (at, tokens) = with_tokens(backend, &web()).await;
    let first = web().refresh(&at.call(), refresh_token(&tokens)).await.unwrap();
    assert_ne!(first.refresh_token, tokens.refresh_token);
    for _ in 0..3 {
        at.advance(SignedDuration::from_secs(10));
        let again = web().refresh(&at.call(), refresh_token(&tokens)).await.unwrap();
        assert_eq!(again.refresh_token, first.refresh_token);
    }
    let replayed = web().refresh(&at.call(), refresh_token(&tokens)).await;
    assert!(matches!(replayed, Err(TokenRequestError::RefreshReplayed)), "{replayed:?}");
    assert!(web().refresh(&at.call(), refresh_token(&first)).await.is_err());
    assert_eq!(
        (at.audited("refresh_repeated").await.len(), at.audited("refresh_replayed").await.len()),
        (3, 1)
    );
}

async fn a_token_used_again_after_its_window_ends_the_family(backend: Backend) {
    let (at, tokens) = with_tokens(backend, &web()).await;
    let first = web().refresh(&at.call(), refresh_token(&tokens)).await.unwrap();
    at.advance(SignedDuration::from_secs(61));
    let replayed = web().refresh(&at.call(), refresh_token(&tokens)).await;
    assert!(matches!(replayed, Err(TokenRequestError::RefreshReplayed)), "{replayed:?}");
    let refused = web().refresh(&at.call(), refresh_token(&first)).await;
    assert!(matches!(refused, Err(TokenRequestError::InvalidGrant(_))), "{refused:?}");
}

async fn a_token_used_again_after_its_successor_was_ends_the_family(backend: Backend) {
    let (at, tokens) = with_tokens(backend, &web()).await;
    let first = web().refresh(&at.call(), refresh_token(&tokens)).await.unwrap();
    let second = web().refresh(&at.call(), refresh_token(&first)).await.unwrap();
    let replayed = web().refresh(&at.call(), refresh_token(&tokens)).await;
    assert!(matches!(replayed, Err(TokenRequestError::RefreshReplayed)), "{replayed:?}");
    for token in [&first, &second] {
        assert!(web().refresh(&at.call(), refresh_token(token)).await.is_err());
    }
}

async fn of_two_refreshes_at_once_at_two_nodes_both_get_one_successor(backend: Backend) {
    let (first, mut tokens) = with_tokens(backend, &web()).await;
    let second = first.another_node().await;
    let application = web();
    for _ in 0..4 {
        let (call, other) = (first.call(), second.call());
        let (one, other) = tokio::join!(
            application.refresh(&call, refresh_token(&tokens)),
            application.refresh(&other, refresh_token(&tokens)),
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.refresh_token, other.refresh_token);
        assert_ne!(one.refresh_token, tokens.refresh_token);
        tokens = one;
    }
    assert_eq!(first.audited("refresh_repeated").await.len(), 4);
    assert!(first.audited("refresh_replayed").await.is_empty());
}

async fn of_many_refreshes_at_once_no_more_are_answered_than_in_turn(backend: Backend) {
    let (first, tokens) = with_tokens(backend, &web()).await;
    let second = first.another_node().await;
    let calls: Vec<_> =
        (0..8).map(|number| if number % 2 == 0 { first.call() } else { second.call() }).collect();
    let application = web();
    let results = join_all(calls.iter().map(|call| application.refresh(call, refresh_token(&tokens)))).await;
    let answered: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert!((1..=4).contains(&answered.len()), "{}", answered.len());
    for tokens in &answered {
        assert_eq!(tokens.refresh_token, answered[0].refresh_token);
    }
    let repeats = first.audited("refresh_repeated").await.len();
    assert_eq!(repeats + 1, answered.len());
    assert_eq!(first.audited("token_refreshed").await.len(), 1);
}

async fn of_replays_at_once_one_ends_the_family(backend: Backend) {
    let (at, tokens) = with_tokens(backend, &web()).await;
    web().refresh(&at.call(), refresh_token(&tokens)).await.unwrap();
    at.advance(SignedDuration::from_secs(61));
    let (calls, application) = ([at.call(), at.call(), at.call()], web());
    let results = join_all(calls.iter().map(|call| application.refresh(call, refresh_token(&tokens)))).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(at.audited("refresh_replayed").await.len(), 1);
}

async fn a_refresh_beside_a_disablement_leaves_no_tokens(backend: Backend) {
    let (first, tokens) = with_tokens(backend, &web()).await;
    let second = first.another_node().await;
    let address = EmailAddress::parse(ALICE).unwrap();
    let (local, call, application) = (first.local(), second.call(), web());
    let (disabled, refreshed) =
        tokio::join!(admin::disable(&local, &address), application.refresh(&call, refresh_token(&tokens)),);
    disabled.unwrap();
    let last = refreshed.unwrap_or(tokens);
    assert!(web().refresh(&first.call(), refresh_token(&last)).await.is_err());
    admin::enable(&local, &address).await.unwrap();
    assert!(web().refresh(&first.call(), refresh_token(&last)).await.is_err());
}

async fn a_grant_without_offline_access_ends_with_its_session_and_another_does_not(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    let browser = signed_in(&at, ALICE).await;
    let short = web().tokens(&at, &browser, "openid").await;
    let long = web().tokens(&at, &browser, "openid offline_access").await;
    sign_out::end_all_of_browser(&browser.visit(&at)).await.unwrap();
    let refused = web().refresh(&at.call(), refresh_token(&short)).await;
    assert!(matches!(refused, Err(TokenRequestError::InvalidGrant(_))), "{refused:?}");
    assert!(web().refresh(&at.call(), refresh_token(&long)).await.is_ok());
}

async fn a_scope_beyond_the_grant_is_refused_and_rotates_nothing(backend: Backend) {
    let (at, tokens) = with_tokens(backend, &web()).await;
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token(&tokens)),
        ("scope", "openid email"),
    ];
    let refused = web().request_token(&at.call(), &fields).await;
    assert!(matches!(refused, Err(TokenRequestError::Scope(_))), "{refused:?}");
    at.advance(SignedDuration::from_secs(61));
    assert!(web().refresh(&at.call(), refresh_token(&tokens)).await.is_ok());
    assert!(at.audited("refresh_repeated").await.is_empty());
}

async fn a_family_that_was_not_used_for_long_has_expired(backend: Backend) {
    let (at, tokens) = with_tokens(backend, &web()).await;
    at.advance(SignedDuration::from_hours(24 * 30 - 1));
    let next = web().refresh(&at.call(), refresh_token(&tokens)).await.unwrap();
    at.advance(SignedDuration::from_hours(24 * 30));
    let expired = web().refresh(&at.call(), refresh_token(&next)).await;
    assert!(matches!(expired, Err(TokenRequestError::RefreshExpired)), "{expired:?}");
}

async fn a_token_of_another_client_is_unknown_and_stays_good(backend: Backend) {
    let (at, tokens) = with_tokens(backend, &web()).await;
    let mut tampered = refresh_token(&tokens).to_owned();
    tampered.replace_range(0..1, if tampered.starts_with('A') { "B" } else { "A" });
    for (application, token) in [(native(), refresh_token(&tokens)), (web(), &tampered), (web(), "no-token")]
    {
        let refused = application.refresh(&at.call(), token).await;
        assert!(matches!(refused, Err(TokenRequestError::UnknownRefreshToken)), "{refused:?}");
    }
    assert!(web().refresh(&at.call(), refresh_token(&tokens)).await.is_ok());
}

async fn a_repeat_from_another_network_at_a_public_client_is_told_to_the_person(backend: Backend) {
    let (at, tokens) = with_tokens(backend, &public()).await;
    let first = public().refresh(&at.call(), refresh_token(&tokens)).await.unwrap();
    public().refresh(&at.call(), refresh_token(&tokens)).await.unwrap();
    assert_eq!(at.count_messages("tokens_asked_elsewhere").await, 0);
    let elsewhere = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9));
    let again = public().refresh(&at.call_from(elsewhere), refresh_token(&tokens)).await.unwrap();
    assert_eq!(again.refresh_token, first.refresh_token);
    assert_eq!(at.count_messages("tokens_asked_elsewhere").await, 1);
}
