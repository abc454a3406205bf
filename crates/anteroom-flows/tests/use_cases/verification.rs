//! Codes to a phone: sent, entered, and both at once.

use anteroom_domain::address::EmailAddress;
use anteroom_domain::interaction::Destination;
use anteroom_flows::context::call::Visit;
use anteroom_flows::interaction::next::{Next, StepPage, proceed};
use anteroom_flows::interaction::open_interaction::OpenInteraction;
use anteroom_flows::interaction::verification::{
    EnterOutcome, EnteredCode, EntryProblem, SendOutcome, SendProblem, enter, send,
};
use anteroom_flows::people::admin;
use anteroom_testkit::{Backend, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;

use crate::browser::{TestBrowser, page, signed_in};
use crate::installation::Installation;
use crate::steps::{
    enter_code, first_way, follow, forget, have_code_sent, name, other_digits, try_send, verify,
};
use crate::{ALICE, CELL};

on_both_databases!(
    a_code_entered_at_once_in_two_forms_is_used_once,
    a_code_expires_after_its_lifetime,
    five_wrong_codes_use_up_the_day_and_the_right_one_comes_too_late,
    of_wrong_codes_at_once_five_are_compared,
    a_wrong_code_in_one_form_sent_twice_is_counted_once,
    a_wrong_code_of_an_app_sent_twice_around_the_end_of_its_step_is_counted_once,
    a_new_code_replaces_the_one_before,
    what_is_no_code_is_not_counted,
    a_code_of_another_browser_is_none_here,
    after_three_codes_the_next_one_waits,
    one_form_sent_twice_at_once_sends_one_code,
    sends_at_once_are_limited_as_sends_in_turn,
    a_disablement_meanwhile_ends_the_verification,
    a_step_up_in_two_tabs_at_once_keeps_one_session,
    each_purpose_has_a_budget_of_its_own,
);

/// A recovery whose page verifies the identity.
async fn verifying(at: &Installation) -> (TestBrowser, Box<StepPage>) {
    let browser = at.browser();
    forget(at, &browser, ALICE).await;
    let page = follow(at, &browser).await;
    (browser, page)
}

async fn with_alice(backend: Backend) -> Installation {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    at
}

fn problem(outcome: &EnterOutcome) -> EntryProblem {
    match outcome {
        EnterOutcome::Problem { problem, .. } => *problem,
        other => panic!("no problem: {other:?}"),
    }
}

fn leads_to(outcome: &EnterOutcome) -> &'static str {
    match outcome {
        EnterOutcome::Next(next) | EnterOutcome::SteppedUp { next, .. } => name(next),
        EnterOutcome::Problem { .. } => "problem",
        EnterOutcome::InteractionNotFound => "gone",
    }
}

async fn a_code_entered_at_once_in_two_forms_is_used_once(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    let page = have_code_sent(&at, &browser, &page).await;
    let digits = at.digits().await;
    let entries = (0..3).map(|_| enter_code(&at, &browser, &page, &digits));
    for outcome in join_all(entries).await {
        assert_eq!(leads_to(&outcome), "new_password", "{outcome:?}");
    }
    assert_eq!((at.audited("code_accepted").await.len(), at.audited("code_refused").await.len()), (1, 0));
}

async fn a_code_expires_after_its_lifetime(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    let page = have_code_sent(&at, &browser, &page).await;
    let digits = at.digits().await;
    at.advance(SignedDuration::from_mins(10));
    for text in [digits.clone(), other_digits(&digits, 0)] {
        let outcome = enter_code(&at, &browser, &page, &text).await;
        assert_eq!(problem(&outcome), EntryProblem::Expired);
    }
    assert_eq!(at.count_audited("code_not_taken", "expired").await, 2);
    assert!(at.audited("code_refused").await.is_empty());
}

async fn five_wrong_codes_use_up_the_day_and_the_right_one_comes_too_late(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    let page = have_code_sent(&at, &browser, &page).await;
    let digits = at.digits().await;
    for (number, left) in (0..).zip([4, 3, 2, 1]) {
        let wrong = other_digits(&digits, number);
        let outcome = enter_code(&at, &browser, &page, &wrong).await;
        assert_eq!(problem(&outcome), EntryProblem::Wrong { left });
    }
    let until = at.now() + SignedDuration::from_hours(24);
    let last = enter_code(&at, &browser, &page, &other_digits(&digits, 4)).await;
    assert_eq!(problem(&last), EntryProblem::LimitReached(until));
    let right = enter_code(&at, &browser, &page, &digits).await;
    assert_eq!(problem(&right), EntryProblem::LimitReached(until));
    // Neither another code nor another recovery gives guesses back.
    at.advance(SignedDuration::from_mins(1));
    let (other, page) = verifying(&at).await;
    let outcome = try_send(&at, &other, &page).await;
    let SendOutcome::Problem { problem: SendProblem::LimitReached(at_last), .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(at_last, until);
    at.advance(SignedDuration::from_hours(24));
    let (mut other, page) = verifying(&at).await;
    let next = verify(&at, &mut other, &page).await;
    assert_eq!(name(&Next::Page(next)), "new_password");
}

async fn of_wrong_codes_at_once_five_are_compared(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    let page = have_code_sent(&at, &browser, &page).await;
    let digits = at.digits().await;
    let wrong: Vec<String> = (0..9).map(|number| other_digits(&digits, number)).collect();
    let entries = wrong.iter().map(|text| enter_code(&at, &browser, &page, text));
    for outcome in join_all(entries).await {
        let problem = problem(&outcome);
        assert!(matches!(problem, EntryProblem::Wrong { .. } | EntryProblem::LimitReached(_)), "{problem:?}");
    }
    assert_eq!(at.audited("code_refused").await.len(), 5);
    assert_eq!(at.count_audited("code_not_taken", "budget_spent").await, 4);
    assert_eq!(leads_to(&enter_code(&at, &browser, &page, &digits).await), "problem");
}

async fn a_wrong_code_in_one_form_sent_twice_is_counted_once(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    let page = have_code_sent(&at, &browser, &page).await;
    let wrong = other_digits(&at.digits().await, 0);
    let (visit, interaction_ref) = browser.form_of(&at, &page);
    let entries = (0..3).map(|_| Box::pin(enter(&visit, interaction_ref.clone(), EnteredCode::Sent(&wrong))));
    for outcome in join_all(entries).await {
        assert_eq!(problem(&outcome.unwrap()), EntryProblem::Wrong { left: 4 });
    }
    assert_eq!(at.audited("code_refused").await.len(), 1);
}

async fn a_wrong_code_of_an_app_sent_twice_around_the_end_of_its_step_is_counted_once(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    at.add_app(alice).await;
    let browser = signed_in(&at, ALICE).await;
    let page = stepping_up(&at, &browser).await;
    at.advance(SignedDuration::from_secs(29 - at.now().as_second().rem_euclid(30)));
    let (visit, interaction_ref) = browser.form_of(&at, &page);
    // After a minute the same digits are compared with other codes.
    for (later, left) in [(0, 4), (2, 4), (60, 3)] {
        at.advance(SignedDuration::from_secs(later));
        let visit = Visit { call: at.call(), ..visit.clone() };
        let entered = EnteredCode::FromApp("000000");
        let outcome = Box::pin(enter(&visit, interaction_ref.clone(), entered)).await.unwrap();
        assert_eq!(problem(&outcome), EntryProblem::Wrong { left });
    }
    assert_eq!(at.audited("code_refused").await.len(), 2);
}

async fn a_new_code_replaces_the_one_before(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    let page = have_code_sent(&at, &browser, &page).await;
    let first = at.digits().await;
    at.advance(SignedDuration::from_secs(31));
    let page = have_code_sent(&at, &browser, &page).await;
    let second = at.digits().await;
    assert_ne!(first, second);
    assert_eq!(problem(&enter_code(&at, &browser, &page, &first).await), EntryProblem::Wrong { left: 4 });
    assert_eq!(leads_to(&enter_code(&at, &browser, &page, &second).await), "new_password");
}

async fn what_is_no_code_is_not_counted(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    // Nothing was sent yet.
    assert_eq!(problem(&enter_code(&at, &browser, &page, "123456").await), EntryProblem::Expired);
    let page = have_code_sent(&at, &browser, &page).await;
    let digits = at.digits().await;
    assert_eq!(problem(&enter_code(&at, &browser, &page, "  ").await), EntryProblem::Missing);
    assert!(at.audited("code_refused").await.is_empty());
    // As people enter it.
    let (first, second) = digits.split_at(3);
    let grouped = format!(" {first}-{second} ");
    assert_eq!(leads_to(&enter_code(&at, &browser, &page, &grouped).await), "new_password");
}

async fn a_code_of_another_browser_is_none_here(backend: Backend) {
    let at = with_alice(backend).await;
    let (owner, owners_page) = verifying(&at).await;
    let (thief, thiefs_page) = verifying(&at).await;
    have_code_sent(&at, &owner, &owners_page).await;
    let digits = at.digits().await;
    let outcome = enter_code(&at, &thief, &thiefs_page, &digits).await;
    assert_eq!(problem(&outcome), EntryProblem::Expired);
    // The owner's page in the thief's browser is worth its request alone, which is none.
    let outcome = enter_code(&at, &thief, &owners_page, &digits).await;
    assert!(!matches!(leads_to(&outcome), "new_password" | "problem"), "{outcome:?}");
}

async fn after_three_codes_the_next_one_waits(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, mut page) = verifying(&at).await;
    let (visit, interaction_ref) = browser.form_of(&at, &page);
    let outcome = send(&visit, interaction_ref, None).await.unwrap();
    assert!(matches!(outcome, SendOutcome::Problem { problem: SendProblem::Choose, .. }), "{outcome:?}");
    for _ in 0..3 {
        page = have_code_sent(&at, &browser, &page).await;
    }
    let outcome = try_send(&at, &browser, &page).await;
    let SendOutcome::Problem { problem: SendProblem::Wait(wait), .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(wait.0, SignedDuration::from_secs(30));
    assert_eq!(at.audited("code_sent").await.len(), 3);
    at.advance(SignedDuration::from_secs(30));
    have_code_sent(&at, &browser, &page).await;
}

async fn one_form_sent_twice_at_once_sends_one_code(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    let (visit, interaction_ref) = browser.form_of(&at, &page);
    let way = Some(first_way(&page));
    let twice = (0..3).map(|_| Box::pin(send(&visit, interaction_ref.clone(), way)));
    for outcome in join_all(twice).await {
        let outcome = outcome.unwrap();
        assert!(matches!(&outcome, SendOutcome::Next(next) if name(next) == "verify"), "{outcome:?}");
    }
    assert_eq!((at.audited("code_sent").await.len(), at.outbox().await.len()), (1, 2));
}

async fn sends_at_once_are_limited_as_sends_in_turn(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    let sends = (0..6).map(|_| Box::pin(try_send(&at, &browser, &page)));
    let outcomes = join_all(sends).await;
    let sent = outcomes.iter().filter(|outcome| matches!(outcome, SendOutcome::Next(_))).count();
    assert_eq!((sent, at.audited("code_sent").await.len()), (3, 3), "{outcomes:?}");
}

async fn a_disablement_meanwhile_ends_the_verification(backend: Backend) {
    let at = with_alice(backend).await;
    let (browser, page) = verifying(&at).await;
    let waiting = have_code_sent(&at, &browser, &page).await;
    let digits = at.digits().await;
    admin::disable(&at.local(), &EmailAddress::parse(ALICE).unwrap()).await.unwrap();
    assert_eq!(leads_to(&enter_code(&at, &browser, &waiting, &digits).await), "sign_in");
    let outcome = try_send(&at, &browser, &waiting).await;
    assert!(matches!(&outcome, SendOutcome::Next(next) if name(next) == "sign_in"), "{outcome:?}");
    // Nor does it serve once the account is active again.
    admin::enable(&at.local(), &EmailAddress::parse(ALICE).unwrap()).await.unwrap();
    assert_eq!(leads_to(&enter_code(&at, &browser, &waiting, &digits).await), "sign_in");
    assert!(at.audited("code_accepted").await.is_empty());
}

/// The page on which the account that is signed in must pass a second factor.
async fn stepping_up(at: &Installation, browser: &TestBrowser) -> Box<StepPage> {
    let visit = browser.visit(at);
    let mut interaction = OpenInteraction::to_dashboard(&visit);
    interaction.state.destination = Destination::ChangePassword;
    page(proceed(&visit, interaction).await.unwrap())
}

async fn a_step_up_in_two_tabs_at_once_keeps_one_session(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).phone(CELL).create().await;
    let browser = signed_in(&at, ALICE).await;
    let page = stepping_up(&at, &browser).await;
    let page = have_code_sent(&at, &browser, &page).await;
    let digits = at.digits().await;
    let (visit, interaction_ref) = browser.form_of(&at, &page);
    let enter = || Box::pin(enter(&visit, interaction_ref.clone(), EnteredCode::Sent(&digits)));
    let (one, other) = tokio::join!(enter(), enter());
    let sessions = [one, other].map(|outcome| match outcome.unwrap() {
        EnterOutcome::SteppedUp { cookies, .. } => cookies.sessions,
        other => panic!("{other:?}"),
    });
    assert_eq!(sessions[0], sessions[1]);
    assert_ne!(sessions[0], browser.sessions);
    assert_eq!((at.sessions(alice).await, at.audited("code_accepted").await.len()), (1, 1));
    assert!(!browser.is_signed_in(&at).await, "the secret of before is over");
}

async fn each_purpose_has_a_budget_of_its_own(backend: Backend) {
    let at = with_alice(backend).await;
    let (stranger, page) = verifying(&at).await;
    let page = have_code_sent(&at, &stranger, &page).await;
    let digits = at.digits().await;
    for number in 0..5 {
        enter_code(&at, &stranger, &page, &other_digits(&digits, number)).await;
    }
    let mut owner = signed_in(&at, ALICE).await;
    let page = stepping_up(&at, &owner).await;
    at.advance(SignedDuration::from_secs(31));
    verify(&at, &mut owner, &page).await;
    assert_eq!(at.count_audited("code_accepted", "step_up").await, 1);
}
