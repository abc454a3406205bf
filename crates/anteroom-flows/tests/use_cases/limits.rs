//! A form that the browser sends twice is counted once: where the first was the last that a limit allows, both get its answer.

use anteroom_domain::limits::Limit;
use anteroom_flows::context::limits::{CountedFor, FormToken, spend_form, spend_sign_out};
use anteroom_flows::error::FlowError;
use anteroom_flows::people::new_password::{EnteredPassword, NewPasswordOutcome, set};
use anteroom_flows::people::recover::{RecoveryRequest, RequestRecoveryOutcome, ask};
use anteroom_flows::people::register::{RequestInvitationOutcome, request_invitation};
use anteroom_flows::people::sign_in::{RefusalDisclosure, SignInOutcome};
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::browser::{TestBrowser, attempt, signed_in};
use crate::installation::Installation;
use crate::new_password::{change_page, days};
use crate::sign_in::disclosure;
use crate::steps::{choose, name};
use crate::{ALICE, NEW};

on_both_databases!(
    the_last_new_password_of_the_limit_sent_twice_is_set_in_both_answers,
    the_last_sign_in_of_the_limit_sent_twice_gets_one_answer,
    the_last_right_password_of_the_limit_sent_twice_proves_in_both_answers,
    the_last_request_for_a_mail_of_the_limit_sent_twice_gets_one_answer,
    the_last_form_of_the_limit_sent_twice_is_allowed_twice,
    one_form_sent_at_once_at_two_nodes_is_counted_once,
    a_form_is_one_over_the_end_of_its_window_and_another_after_it,
    a_form_is_sent_a_few_times_for_one_count,
);

async fn limited(backend: Backend, setting: &str, max: &str) -> Installation {
    Installation::with(backend, |it| it.set(setting, max)).await
}

async fn the_last_new_password_of_the_limit_sent_twice_is_set_in_both_answers(backend: Backend) {
    let at = limited(backend, "policy.limits.new_password.max", "2").await;
    let alice = at.person(ALICE).password_set(days(2)).create().await;
    let browser = signed_in(&at, ALICE).await;
    let form = change_page(&at, &browser).await;
    let outcome = choose(&at, &browser, &form, "short-1").await;
    assert!(matches!(outcome, NewPasswordOutcome::Problem { .. }), "{outcome:?}");
    let (visit, interaction_ref) = browser.form_of(&at, &form);
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let entered = EnteredPassword { new: NEW.into(), confirmed: NEW.into() };
        match Box::pin(set(&visit, interaction_ref.clone(), entered)).await.unwrap() {
            NewPasswordOutcome::SignedIn { cookies, .. } => sessions.push(cookies.sessions),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sessions[0], sessions[1]);
    assert_eq!((at.sessions(alice).await, at.audited("password_changed").await.len()), (1, 1));
    // Another form is one too many.
    let again = TestBrowser { sessions: sessions.remove(0), ..browser };
    at.advance(SignedDuration::from_secs(61));
    let form = change_page(&at, &again).await;
    let (visit, interaction_ref) = again.form_of(&at, &form);
    let entered = EnteredPassword { new: PASSWORD.into(), confirmed: PASSWORD.into() };
    let refused = Box::pin(set(&visit, interaction_ref, entered)).await;
    assert!(matches!(refused, Err(FlowError::Limited { limit: Limit::NewPassword, .. })), "{refused:?}");
}

async fn the_last_sign_in_of_the_limit_sent_twice_gets_one_answer(backend: Backend) {
    let at = limited(backend, "policy.sign_in.rate.max", "2").await;
    let alice = at.person(ALICE).create().await;
    let browser = at.browser();
    for password in ["wrong", PASSWORD] {
        let form = browser.form(&at);
        let first = attempt(form.clone(), ALICE, password, None).await.unwrap();
        let second = attempt(form, ALICE, password, None).await.unwrap();
        match (&first, &second) {
            (SignInOutcome::SignedIn { cookies, .. }, SignInOutcome::SignedIn { cookies: again, .. }) => {
                assert_eq!(cookies.sessions, again.sessions);
            }
            (first, second) => assert_eq!([first, second].map(disclosure), [RefusalDisclosure::Nothing; 2]),
        }
    }
    assert_eq!((at.sessions(alice).await, at.lockout(alice).await.unknown_failures), (1, 0));
    let outcome = at.browser().sign_in(&at, ALICE, PASSWORD).await;
    assert!(matches!(outcome, SignInOutcome::RateLimited { .. }), "{outcome:?}");
}

async fn the_last_right_password_of_the_limit_sent_twice_proves_in_both_answers(backend: Backend) {
    let at = limited(backend, "policy.limits.right_password.max", "1").await;
    at.person(ALICE).password_set(days(90)).create().await;
    let form = at.browser().form(&at);
    for _ in 0..2 {
        let outcome = attempt(form.clone(), ALICE, PASSWORD, None).await.unwrap();
        let SignInOutcome::Proven { next } = outcome else { panic!("{outcome:?}") };
        assert_eq!(name(&next), "expired_password");
    }
    let outcome = at.browser().sign_in(&at, ALICE, PASSWORD).await;
    assert!(matches!(outcome, SignInOutcome::TooManySignIns { .. }), "{outcome:?}");
}

async fn the_last_request_for_a_mail_of_the_limit_sent_twice_gets_one_answer(backend: Backend) {
    let at = limited(backend, "policy.recovery.rate.max", "1").await;
    at.person(ALICE).create().await;
    at.person("invited@practice.example").invited().create().await;
    let form = at.browser().form(&at);
    let request = || RecoveryRequest { address: ALICE.to_owned(), interaction_ref: None };
    for _ in 0..2 {
        let outcome = ask(&form, request()).await.unwrap();
        assert!(matches!(outcome, RequestRecoveryOutcome::Asked(_)), "{outcome:?}");
        let outcome = request_invitation(&form, "invited@practice.example").await.unwrap();
        assert_eq!(outcome, RequestInvitationOutcome::Asked);
    }
    assert_eq!((at.count_messages("recovery").await, at.count_messages("invitation").await), (1, 1));
    let outcome = ask(&at.browser().form(&at), request()).await.unwrap();
    assert!(matches!(outcome, RequestRecoveryOutcome::RateLimited { .. }), "{outcome:?}");
}

async fn the_last_form_of_the_limit_sent_twice_is_allowed_twice(backend: Backend) {
    let at = Installation::with(backend, |it| {
        it.set("policy.limits.form_of_address.max", "1")
            .set("policy.limits.form_of_session.max", "1")
            .set("policy.limits.sign_out.max", "1")
    })
    .await;
    let alice = at.person(ALICE).create().await;
    let live = signed_in(&at, ALICE).await;
    let session =
        anteroom_flows::sessions::browser_sessions::active_sessions(&live.visit(&at)).await.unwrap();
    let of_session = CountedFor::Session(session[0].session.id, alice);
    let of_proof = CountedFor::Proven(Uuid::from_u128(7), alice);
    for counted_for in [CountedFor::Address, of_session, of_proof] {
        let form = live.form(&at);
        for _ in 0..2 {
            spend_form(&form, counted_for, FormToken::Valid).await.unwrap();
        }
        let another = spend_form(&live.form(&at), counted_for, FormToken::Valid).await;
        assert!(matches!(another, Err(FlowError::Limited { .. })), "{counted_for:?}");
        // The session that sent the form may have ended by it: the same form counts for nothing else.
        spend_form(&form, CountedFor::Address, FormToken::Valid).await.unwrap();
    }
    let form = live.form(&at);
    for _ in 0..2 {
        spend_sign_out(&form, of_session, FormToken::Valid).await.unwrap();
    }
    let another = spend_sign_out(&live.form(&at), of_session, FormToken::Valid).await;
    assert!(matches!(another, Err(FlowError::Limited { limit: Limit::SignOut, .. })));
}

/// Whether the form is allowed.
async fn is_counted(visit: &anteroom_flows::context::call::Visit) -> bool {
    match spend_form(visit, CountedFor::Address, FormToken::Valid).await {
        Ok(()) => true,
        Err(FlowError::Limited { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

const OF_ADDRESS: &str = "policy.limits.form_of_address.max";

async fn one_form_sent_at_once_at_two_nodes_is_counted_once(backend: Backend) {
    let first = limited(backend, OF_ADDRESS, "2").await;
    let second = first.another_node().await;
    let browser = first.browser();
    let forms = [browser.form_with(&first, "the form"), browser.form_with(&second, "the form")];
    let (one, other) = tokio::join!(is_counted(&forms[0]), is_counted(&forms[1]));
    assert!(one && other);
    assert!(is_counted(&browser.form(&first)).await);
    assert!(!is_counted(&browser.form(&first)).await);
}

async fn a_form_is_one_over_the_end_of_its_window_and_another_after_it(backend: Backend) {
    let at = limited(backend, OF_ADDRESS, "1").await;
    let browser = at.browser();
    at.advance(SignedDuration::from_secs(29 - at.now().as_second().rem_euclid(30)));
    assert!(is_counted(&browser.form_with(&at, "the form")).await);
    at.advance(SignedDuration::from_secs(2));
    assert!(is_counted(&browser.form_with(&at, "the form")).await);
    at.advance(SignedDuration::from_secs(60));
    assert!(!is_counted(&browser.form_with(&at, "the form")).await);
}

async fn a_form_is_sent_a_few_times_for_one_count(backend: Backend) {
    let at = limited(backend, OF_ADDRESS, "2").await;
    let form = at.browser().form(&at);
    let mut counted = 0;
    for _ in 0..12 {
        counted += usize::from(is_counted(&form).await);
    }
    // Four for the first count. The fifth is another one, and the last.
    assert_eq!(counted, 5);
}
