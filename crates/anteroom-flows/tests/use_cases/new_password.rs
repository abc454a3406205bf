//! Setting a new password: each reason, what is refused, and what changes while the form is on its way.

use anteroom_domain::account::AccountStatus;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::interaction::Destination;
use anteroom_domain::limits::Limit;
use anteroom_domain::new_password::Weakness;
use anteroom_flows::error::FlowError;
use anteroom_flows::interaction::expired_password::acknowledge;
use anteroom_flows::interaction::next::{StepPage, proceed};
use anteroom_flows::interaction::open_interaction::OpenInteraction;
use anteroom_flows::people::admin;
use anteroom_flows::people::new_password::{EnteredPassword, NewPasswordOutcome, PasswordProblem, set};
use anteroom_flows::people::recover::{FollowLinkOutcome, follow_link};
use anteroom_flows::people::sign_in::SignInOutcome;
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use jiff::SignedDuration;

use crate::application::web;
use crate::browser::{TestBrowser, page, signed_in};
use crate::installation::Installation;
use crate::steps::{at_new_password, choose, choose_both, forget, name, verify};
use crate::{ALICE, BOB, CELL, NEW};

on_both_databases!(
    a_reset_signs_no_account_in_and_makes_the_browser_known,
    an_expired_password_is_replaced_behind_a_code_and_signs_in,
    a_password_is_changed_by_choice_where_no_factor_serves,
    what_is_no_new_password_has_its_problem_and_changes_nothing,
    a_young_password_is_kept_by_choice_and_not_by_a_reset,
    the_passwords_before_are_refused_and_the_one_beyond_them_is_not,
    forms_of_a_thief_of_the_password_do_not_count_for_the_mailed_link,
    an_account_disabled_while_its_password_is_hashed_keeps_the_old_one,
    of_two_resets_at_once_one_is_written,
    one_form_sent_twice_at_once_is_one_change_and_one_session,
    a_new_password_ends_sessions_grants_and_links_of_the_old_one,
    the_page_of_one_account_sets_no_password_of_another,
    a_reset_that_is_complete_is_said_to_be_so_in_another_tab,
);

/// The page on which the account that is signed in changes its password.
pub(crate) async fn change_page(at: &Installation, browser: &TestBrowser) -> Box<StepPage> {
    let visit = browser.visit(at);
    let mut interaction = OpenInteraction::to_dashboard(&visit);
    interaction.state.destination = Destination::ChangePassword;
    page(proceed(&visit, interaction).await.unwrap())
}

pub(crate) const fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

async fn can_sign_in(at: &Installation, password: &str) -> bool {
    matches!(at.browser().sign_in(at, ALICE, password).await, SignInOutcome::SignedIn { .. })
}

async fn a_reset_signs_no_account_in_and_makes_the_browser_known(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).phone(CELL).locked().create().await;
    let mut browser = at.browser();
    let form = at_new_password(&at, &mut browser, ALICE).await;
    let NewPasswordOutcome::Reset { device, .. } = choose(&at, &browser, &form, NEW).await else {
        panic!("no reset")
    };
    assert_eq!((at.sessions(alice).await, at.lockout(alice).await.locked_at), (0, None));
    browser.remember_device(device);
    assert!(!can_sign_in(&at, PASSWORD).await);
    let outcome = browser.sign_in(&at, ALICE, NEW).await;
    assert!(matches!(outcome, SignInOutcome::SignedIn { .. }), "{outcome:?}");
    assert_eq!(at.count_audited("signed_in", "\"new_device\":false").await, 1);
    assert_eq!(
        (at.audited("password_reset").await.len(), at.count_messages("password_changed").await),
        (1, 1)
    );
}

async fn an_expired_password_is_replaced_behind_a_code_and_signs_in(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).phone(CELL).password_set(days(90)).create().await;
    let mut browser = at.browser();
    let SignInOutcome::Proven { next } = browser.sign_in(&at, ALICE, PASSWORD).await else {
        panic!("not proven")
    };
    let expired = page(next);
    // Its form leads nowhere before the person has read that and a code was entered.
    let outcome = choose(&at, &browser, &expired, NEW).await;
    assert!(
        matches!(&outcome, NewPasswordOutcome::Next(next) if name(next) == "expired_password"),
        "{outcome:?}"
    );
    let (visit, interaction_ref) = browser.form_of(&at, &expired);
    let told = page(acknowledge(&visit, interaction_ref.unwrap()).await.unwrap().unwrap());
    let form = verify(&at, &mut browser, &told).await;
    let NewPasswordOutcome::SignedIn { cookies, next } = choose(&at, &browser, &form, NEW).await else {
        panic!("not signed in")
    };
    assert_eq!((cookies.sessions.len(), name(&next), at.sessions(alice).await), (1, "dashboard", 1));
    assert_eq!(at.count_audited("password_changed", "expired").await, 1);
    assert_eq!(at.count_audited("signed_in", "mfa").await, 1);
}

async fn a_password_is_changed_by_choice_where_no_factor_serves(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).password_set(days(2)).create().await;
    let (browser, other) = (signed_in(&at, ALICE).await, signed_in(&at, ALICE).await);
    let form = change_page(&at, &browser).await;
    let outcome = choose(&at, &browser, &form, NEW).await;
    assert!(matches!(outcome, NewPasswordOutcome::SignedIn { .. }), "{outcome:?}");
    assert_eq!(at.count_audited("password_changed", "chosen").await, 1);
    assert_eq!(at.sessions(alice).await, 1);
    assert!(!other.is_signed_in(&at).await);
}

async fn what_is_no_new_password_has_its_problem_and_changes_nothing(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    let mut browser = at.browser();
    let form = at_new_password(&at, &mut browser, ALICE).await;
    let long = "long-enough-Harbor-7 ".repeat(7);
    for (new, confirmed, expected) in [
        ("", "", PasswordProblem::Missing),
        (NEW, "", PasswordProblem::Missing),
        (NEW, "lemon-tide-harbor-93", PasswordProblem::Mismatch),
        ("short-1", "short-1", PasswordProblem::Weakness(Weakness::TooShort)),
        (&long, &long, PasswordProblem::Weakness(Weakness::TooLong)),
        ("password1234", "password1234", PasswordProblem::Weakness(Weakness::Common)),
        ("Alice-Example-1", "Alice-Example-1", PasswordProblem::Weakness(Weakness::Personal)),
        (PASSWORD, PASSWORD, PasswordProblem::Used),
    ] {
        match choose_both(&at, &browser, &form, [new, confirmed]).await {
            NewPasswordOutcome::Problem { problem, .. } => assert_eq!(problem, expected, "{new:?}"),
            other => panic!("{new:?}: {other:?}"),
        }
    }
    assert_eq!(at.audited("new_password_refused").await.len(), 8);
    assert!(can_sign_in(&at, PASSWORD).await);
    // The page still serves.
    let outcome = choose(&at, &browser, &form, NEW).await;
    assert!(matches!(outcome, NewPasswordOutcome::Reset { .. }), "{outcome:?}");
}

async fn a_young_password_is_kept_by_choice_and_not_by_a_reset(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    at.person(BOB).phone(CELL).create().await;
    let browser = signed_in(&at, ALICE).await;
    let form = change_page(&at, &browser).await;
    match choose(&at, &browser, &form, NEW).await {
        NewPasswordOutcome::Problem { problem: PasswordProblem::TooYoung(left), .. } => {
            assert_eq!(left, SignedDuration::from_hours(24));
        }
        other => panic!("{other:?}"),
    }
    let mut browser = at.browser();
    let form = at_new_password(&at, &mut browser, BOB).await;
    let outcome = choose(&at, &browser, &form, NEW).await;
    assert!(matches!(outcome, NewPasswordOutcome::Reset { .. }), "{outcome:?}");
}

async fn the_passwords_before_are_refused_and_the_one_beyond_them_is_not(backend: Backend) {
    let at = Installation::with(backend, |it| it.set("policy.new_password.remembered", "2")).await;
    at.person(ALICE).phone(CELL).create().await;
    let passwords = [NEW, "maple-window-stone-77", "velvet-orchard-cloud-31"];
    for (number, password) in passwords.iter().enumerate() {
        let mut browser = at.browser();
        let form = at_new_password(&at, &mut browser, ALICE).await;
        if number == 2 {
            for before in [PASSWORD, NEW, passwords[1]] {
                let outcome = choose(&at, &browser, &form, before).await;
                let used = PasswordProblem::Used;
                assert!(
                    matches!(outcome, NewPasswordOutcome::Problem { problem, .. } if problem == used),
                    "{before}"
                );
            }
        }
        let outcome = choose(&at, &browser, &form, password).await;
        assert!(matches!(outcome, NewPasswordOutcome::Reset { .. }), "{password}: {outcome:?}");
        at.advance(SignedDuration::from_mins(31));
    }
    // Two are remembered beside the present one, so that the first is free again.
    let mut browser = at.browser();
    let form = at_new_password(&at, &mut browser, ALICE).await;
    let outcome = choose(&at, &browser, &form, PASSWORD).await;
    assert!(matches!(outcome, NewPasswordOutcome::Reset { .. }), "{outcome:?}");
}

async fn forms_of_a_thief_of_the_password_do_not_count_for_the_mailed_link(backend: Backend) {
    let at = Installation::with(backend, |it| it.set("policy.limits.new_password.max", "2")).await;
    at.person(ALICE).password_set(days(2)).create().await;
    at.person(BOB).phone(CELL).password_set(days(2)).create().await;
    let thief = signed_in(&at, ALICE).await;
    let form = change_page(&at, &thief).await;
    for _ in 0..2 {
        let outcome = choose(&at, &thief, &form, "short-1").await;
        assert!(matches!(outcome, NewPasswordOutcome::Problem { .. }), "{outcome:?}");
    }
    let (visit, interaction_ref) = thief.form_of(&at, &form);
    let entered = EnteredPassword { new: NEW.into(), confirmed: NEW.into() };
    let refused = Box::pin(set(&visit, interaction_ref, entered)).await;
    let Err(FlowError::Limited { limit: Limit::NewPassword, .. }) = refused else { panic!("{refused:?}") };
    // Each link has a count of its own.
    for _ in 0..2 {
        let mut owner = at.browser();
        let form = at_new_password(&at, &mut owner, BOB).await;
        let outcome = choose(&at, &owner, &form, "short-1").await;
        assert!(matches!(outcome, NewPasswordOutcome::Problem { .. }), "{outcome:?}");
        at.advance(SignedDuration::from_secs(31));
    }
    let mut owner = at.browser();
    let form = at_new_password(&at, &mut owner, BOB).await;
    let outcome = choose(&at, &owner, &form, NEW).await;
    assert!(matches!(outcome, NewPasswordOutcome::Reset { .. }), "{outcome:?}");
}

async fn an_account_disabled_while_its_password_is_hashed_keeps_the_old_one(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).phone(CELL).create().await;
    let mut browser = at.browser();
    let form = at_new_password(&at, &mut browser, ALICE).await;
    let before = at.node.store.credential(alice).await.unwrap().unwrap().hash.encode();
    let held = at.hold_hashes().await;
    let (visit, interaction_ref) = browser.form_of(&at, &form);
    let entered = EnteredPassword { new: NEW.into(), confirmed: NEW.into() };
    let setting = tokio::spawn(async move { set(&visit, interaction_ref, entered).await });
    held.wait_for(1).await;
    admin::disable(&at.local(), &EmailAddress::parse(ALICE).unwrap()).await.unwrap();
    held.release().await;
    let outcome = setting.await.unwrap().unwrap();
    assert!(matches!(&outcome, NewPasswordOutcome::Next(next) if name(next) == "sign_in"), "{outcome:?}");
    let account = at.node.store.account(alice).await.unwrap().unwrap();
    assert_eq!(account.status, AccountStatus::Disabled);
    assert_eq!(at.node.store.credential(alice).await.unwrap().unwrap().hash.encode(), before);
    assert!(at.audited("password_reset").await.is_empty());
}

async fn of_two_resets_at_once_one_is_written(backend: Backend) {
    let first = Installation::start(backend).await;
    let second = first.another_node().await;
    first.person(ALICE).phone(CELL).create().await;
    let (mut one, mut other) = (first.browser(), second.browser());
    let form = at_new_password(&first, &mut one, ALICE).await;
    let other_form = at_new_password(&second, &mut other, ALICE).await;
    let passwords = [NEW, "maple-window-stone-77"];
    let (won, lost) = tokio::join!(
        choose(&first, &one, &form, passwords[0]),
        choose(&second, &other, &other_form, passwords[1]),
    );
    let won = [won, lost].map(|outcome| matches!(outcome, NewPasswordOutcome::Reset { .. }));
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    for (password, won) in passwords.into_iter().zip(won) {
        assert_eq!(can_sign_in(&first, password).await, won, "{password}");
    }
    assert_eq!(first.audited("password_reset").await.len(), 1);
}

async fn one_form_sent_twice_at_once_is_one_change_and_one_session(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).password_set(days(2)).create().await;
    let browser = signed_in(&at, ALICE).await;
    let form = change_page(&at, &browser).await;
    let (visit, interaction_ref) = browser.form_of(&at, &form);
    let send = || {
        let entered = EnteredPassword { new: NEW.into(), confirmed: NEW.into() };
        Box::pin(set(&visit, interaction_ref.clone(), entered))
    };
    let (one, other) = tokio::join!(send(), send());
    let sessions = [one, other].map(|outcome| match outcome.unwrap() {
        NewPasswordOutcome::SignedIn { cookies, .. } => cookies.sessions,
        other => panic!("{other:?}"),
    });
    assert_eq!(sessions[0], sessions[1]);
    assert_eq!((at.sessions(alice).await, at.audited("password_changed").await.len()), (1, 1));
}

async fn a_new_password_ends_sessions_grants_and_links_of_the_old_one(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    let desk = signed_in(&at, ALICE).await;
    let tokens = web().tokens(&at, &desk, "openid offline_access").await;
    let waiting_code = web().code(&at, &desk, "openid").await;
    // Another mail, whose link was not followed.
    forget(&at, &at.browser(), ALICE).await;
    let (other_link, _) = at.recovery_mail().await;
    let mut browser = at.browser();
    let form = at_new_password(&at, &mut browser, ALICE).await;
    assert!(desk.is_signed_in(&at).await);
    let outcome = choose(&at, &browser, &form, NEW).await;
    assert!(matches!(outcome, NewPasswordOutcome::Reset { .. }), "{outcome:?}");
    assert!(!desk.is_signed_in(&at).await);
    let refreshed = web().refresh(&at.call(), &tokens.refresh_token.unwrap()).await;
    assert!(refreshed.is_err());
    assert!(web().redeem(&at.call(), &waiting_code).await.is_err());
    let followed = follow_link(&at.browser().form(&at), &other_link).await;
    assert!(matches!(followed, Ok(FollowLinkOutcome::LinkInvalid)));
}

async fn the_page_of_one_account_sets_no_password_of_another(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).password_set(days(2)).create().await;
    at.person(BOB).password_set(days(2)).create().await;
    let mut browser = signed_in(&at, ALICE).await;
    let form = change_page(&at, &browser).await;
    browser.sign_in(&at, BOB, PASSWORD).await;
    let outcome = choose(&at, &browser, &form, NEW).await;
    assert!(
        matches!(&outcome, NewPasswordOutcome::Next(next) if name(next) == "account_mismatch"),
        "{outcome:?}"
    );
    assert!(at.audited("password_changed").await.is_empty());
}

async fn a_reset_that_is_complete_is_said_to_be_so_in_another_tab(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    let mut browser = at.browser();
    let form = at_new_password(&at, &mut browser, ALICE).await;
    let outcome = choose(&at, &browser, &form, NEW).await;
    let NewPasswordOutcome::Reset { device: reset, .. } = outcome else { panic!("{outcome:?}") };
    // The same page once more, with another password: it is not set.
    match choose(&at, &browser, &form, "maple-window-stone-77").await {
        NewPasswordOutcome::Done { device, .. } => assert_eq!(device, Some(reset)),
        other => panic!("{other:?}"),
    }
    assert!(can_sign_in(&at, NEW).await);
    // Its link is over.
    let (token, _) = at.recovery_mail().await;
    let followed = follow_link(&browser.form(&at), &token).await.unwrap();
    assert!(matches!(followed, FollowLinkOutcome::LinkInvalid));
}
