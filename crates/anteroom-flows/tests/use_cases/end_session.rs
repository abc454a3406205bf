//! A sign-out that an application asks for: when it happens at once, when the person is asked, and when nothing ends.

use anteroom_flows::context::call::Visit;
use anteroom_flows::protocol::end_session::{
    EndSessionConfirmation, EndSessionOutcome, LogoutError, NothingToEnd, end_session,
};
use anteroom_flows::protocol::front_channel::AfterSignOut;
use anteroom_flows::protocol::sign_out;
use anteroom_oidc::logout::EndSessionRequest;
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use jiff::SignedDuration;

use crate::application::{form, web};
use crate::browser::{TestBrowser, signed_in};
use crate::installation::Installation;
use crate::{ALICE, BOB};

on_both_databases!(
    without_a_hint_the_person_is_asked_and_the_answer_counts,
    a_hint_of_this_browsers_session_ends_it_at_once_and_no_other,
    a_hint_of_another_account_asks,
    a_hint_ends_the_session_of_another_browser_while_it_is_young_alone,
    a_redirect_that_is_not_registered_ends_nothing_without_the_person,
    a_request_with_nothing_to_end_says_why,
    of_two_requests_at_once_both_are_answered_and_the_session_ends_once,
    a_request_that_contradicts_itself_is_refused,
);

fn request(fields: &[(&str, &str)]) -> EndSessionRequest {
    EndSessionRequest::parse(&form(fields)).unwrap()
}

/// What came of it, in a word, and how many accounts the question names.
async fn ended(visit: &Visit, fields: &[(&str, &str)], confirmed: bool) -> (&'static str, usize) {
    let request = request(fields);
    let confirmed = confirmed.then_some(EndSessionConfirmation { no_redirect: false });
    match end_session(visit, &request, confirmed).await.unwrap() {
        EndSessionOutcome::Ask(question) => {
            (if question.redirect_refused { "asked, stays" } else { "asked" }, question.accounts.len())
        }
        EndSessionOutcome::SignedOut(result) => match result.next {
            AfterSignOut::Application(_) => ("to the application", result.remaining.len()),
            AfterSignOut::FrontChannelPage(_) | AfterSignOut::Here => ("signed out", result.remaining.len()),
        },
        EndSessionOutcome::Refused(_) => ("refused", 0),
    }
}

async fn refusal(visit: &Visit, fields: &[(&str, &str)]) -> LogoutError {
    let request = request(fields);
    match end_session(visit, &request, None).await.unwrap() {
        EndSessionOutcome::Refused(error) => error,
        other => panic!("{other:?}"),
    }
}

async fn hint(at: &Installation, browser: &TestBrowser) -> String {
    web().tokens(at, browser, "openid").await.id_token.unwrap()
}

async fn with_alice(backend: Backend) -> (Installation, TestBrowser) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    let browser = signed_in(&at, ALICE).await;
    (at, browser)
}

async fn without_a_hint_the_person_is_asked_and_the_answer_counts(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    for fields in [vec![], vec![("client_id", "web")]] {
        assert_eq!(ended(&browser.visit(&at), &fields, false).await, ("asked", 1));
        assert!(browser.is_signed_in(&at).await);
    }
    let back = [("client_id", "web"), ("post_logout_redirect_uri", "https://web.example/signed-out")];
    assert_eq!(ended(&browser.form(&at), &back, true).await, ("to the application", 0));
    assert!(!browser.is_signed_in(&at).await);
}

async fn a_hint_of_this_browsers_session_ends_it_at_once_and_no_other(backend: Backend) {
    let (at, mut browser) = with_alice(backend).await;
    let bob = at.person(BOB).create().await;
    let hint = hint(&at, &browser).await;
    browser.sign_in(&at, BOB, PASSWORD).await;
    // Also where the ID token has expired.
    at.advance(SignedDuration::from_mins(20));
    assert_eq!(ended(&browser.visit(&at), &[("id_token_hint", &hint)], false).await, ("signed out", 1));
    assert_eq!((at.sessions(bob).await, at.audited("signed_out").await.len()), (1, 1));
}

async fn a_hint_of_another_account_asks(backend: Backend) {
    let (at, alices) = with_alice(backend).await;
    at.person(BOB).create().await;
    let hint = hint(&at, &alices).await;
    let bobs = signed_in(&at, BOB).await;
    assert_eq!(ended(&bobs.visit(&at), &[("id_token_hint", &hint)], false).await, ("asked", 1));
    assert!(bobs.is_signed_in(&at).await && alices.is_signed_in(&at).await);
}

async fn a_hint_ends_the_session_of_another_browser_while_it_is_young_alone(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let young = hint(&at, &browser).await;
    at.advance(SignedDuration::from_mins(10));
    let old = [("id_token_hint", young.as_str())];
    let refused = refusal(&at.browser().visit(&at), &old).await;
    assert_eq!(refused, LogoutError::NothingToEnd(NothingToEnd::OldHint));
    // In the browser of the session, which has lost its cookie, the person is asked.
    let lost = TestBrowser { sessions: Vec::new(), ..browser.clone() };
    assert_eq!(ended(&lost.visit(&at), &old, false).await, ("asked", 0));
    assert!(browser.is_signed_in(&at).await);
    let young = hint(&at, &browser).await;
    let fields = [("id_token_hint", young.as_str())];
    assert_eq!(ended(&at.browser().visit(&at), &fields, false).await, ("signed out", 0));
    assert!(!browser.is_signed_in(&at).await);
}

async fn a_redirect_that_is_not_registered_ends_nothing_without_the_person(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let hint = hint(&at, &browser).await;
    let fields =
        [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", "https://web.example/elsewhere")];
    assert_eq!(ended(&browser.visit(&at), &fields, false).await, ("asked, stays", 1));
    assert!(browser.is_signed_in(&at).await);
    assert_eq!(ended(&browser.form(&at), &fields, true).await, ("signed out", 0));
    assert!(!browser.is_signed_in(&at).await);
}

async fn a_request_with_nothing_to_end_says_why(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let hint = hint(&at, &browser).await;
    let stranger = at.browser();
    let visit = stranger.visit(&at);
    let (header, _) = hint.rsplit_once('.').unwrap();
    let forged = format!("{header}.AAAA");
    for (fields, expected) in [
        (vec![], NothingToEnd::NoHint),
        (vec![("id_token_hint", "no-token")], NothingToEnd::NoGoodHint),
        (vec![("id_token_hint", forged.as_str())], NothingToEnd::NoGoodHint),
    ] {
        assert_eq!(refusal(&visit, &fields).await, LogoutError::NothingToEnd(expected));
    }
    sign_out::end_all_of_browser(&browser.visit(&at)).await.unwrap();
    let refused = refusal(&visit, &[("id_token_hint", &hint)]).await;
    assert_eq!(refused, LogoutError::NothingToEnd(NothingToEnd::NoSession));
    // The browser in which it has ended already is told that it has.
    assert_eq!(ended(&browser.visit(&at), &[("id_token_hint", &hint)], false).await, ("signed out", 0));
    assert_eq!(at.audited("signed_out").await.len(), 1);
}

async fn of_two_requests_at_once_both_are_answered_and_the_session_ends_once(backend: Backend) {
    let (first, browser) = with_alice(backend).await;
    let second = first.another_node().await;
    let hint = hint(&first, &browser).await;
    let fields = [("id_token_hint", hint.as_str())];
    let (visit, other) = (browser.visit(&first), browser.visit(&second));
    let (one, other) = tokio::join!(ended(&visit, &fields, false), ended(&other, &fields, false));
    assert_eq!([one, other], [("signed out", 0); 2]);
    assert!(!browser.is_signed_in(&first).await);
    assert_eq!(first.audited("signed_out").await.len(), 1);
}

async fn a_request_that_contradicts_itself_is_refused(backend: Backend) {
    let (at, browser) = with_alice(backend).await;
    let hint = hint(&at, &browser).await;
    let visit = browser.visit(&at);
    let other = [("id_token_hint", hint.as_str()), ("client_id", "partner")];
    assert!(matches!(refusal(&visit, &other).await, LogoutError::ClientMismatch { .. }));
    let unknown = [("client_id", "unknown")];
    assert!(matches!(refusal(&visit, &unknown).await, LogoutError::UnknownClient { .. }));
    let of_no_client = [("post_logout_redirect_uri", "https://web.example/signed-out")];
    assert_eq!(refusal(&at.browser().visit(&at), &of_no_client).await, LogoutError::RedirectWithoutClient);
    // The person who is signed in may still want to sign out.
    assert_eq!(ended(&visit, &of_no_client, false).await, ("asked, stays", 1));
    assert!(browser.is_signed_in(&at).await);
}
