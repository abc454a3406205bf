//! Sign-ins at the same time: guesses at two nodes, one form sent twice, two tabs of one browser.

use anteroom_domain::interaction::Destination;
use anteroom_flows::interaction::next::Next;
use anteroom_flows::people::sign_in::{RefusalDisclosure, SignInOutcome};
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use futures_util::future::join_all;

use crate::application::{code_in, web};
use crate::browser::{attempt, page};
use crate::installation::Installation;
use crate::sign_in::{disclosure, fail, is_signed_in};
use crate::{ALICE, BOB};

on_both_databases!(
    of_guesses_at_once_at_two_nodes_six_are_compared,
    a_right_password_beside_the_sixth_wrong_one_is_decided_by_the_order,
    one_form_sent_twice_at_once_is_one_session,
    a_wrong_password_in_one_form_sent_twice_is_counted_once,
    sign_ins_at_once_in_one_browser_leave_every_account_signed_in,
);

async fn of_guesses_at_once_at_two_nodes_six_are_compared(backend: Backend) {
    let first = Installation::start(backend).await;
    let second = first.another_node().await;
    let alice = first.person(ALICE).create().await;
    let guesses = (0..16).map(|number| {
        let node = if number % 2 == 0 { &first } else { &second };
        attempt(node.browser().form(node), ALICE, "wrong", None)
    });
    for outcome in join_all(guesses).await {
        assert_eq!(disclosure(&outcome.unwrap()), RefusalDisclosure::Nothing);
    }
    assert_eq!(first.lockout(alice).await.unknown_failures, 6);
    assert_eq!(first.count_audited("sign_in_refused", "wrong_password").await, 6);
    assert_eq!(first.count_audited("sign_in_refused", "locked_for_unknown_devices").await, 10);
    assert_eq!(
        (first.audited("account_locked").await.len(), first.count_messages("account_locked").await),
        (1, 1)
    );
}

async fn a_right_password_beside_the_sixth_wrong_one_is_decided_by_the_order(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    fail(&at, &mut at.browser(), 5).await;
    let (right, wrong) = tokio::join!(
        attempt(at.browser().form(&at), ALICE, PASSWORD, None),
        attempt(at.browser().form(&at), ALICE, "wrong", None),
    );
    let (right, wrong) = (right.unwrap(), wrong.unwrap());
    assert_eq!(disclosure(&wrong), RefusalDisclosure::Nothing);
    let lockout = at.lockout(alice).await;
    if is_signed_in(&right) {
        // The right one came first and cleared the counter.
        assert_eq!((lockout.unknown_failures, lockout.unknown_locked_at), (1, None));
        assert_eq!(at.sessions(alice).await, 1);
    } else {
        assert_eq!((lockout.unknown_failures, lockout.unknown_locked_at), (6, Some(at.now())));
        assert_eq!((disclosure(&right), at.sessions(alice).await), (RefusalDisclosure::Nothing, 0));
    }
}

async fn one_form_sent_twice_at_once_is_one_session(backend: Backend) {
    let first = Installation::start(backend).await;
    let second = first.another_node().await;
    let alice = first.person(ALICE).create().await;
    let browser = first.browser();
    let (one, other) = tokio::join!(
        attempt(browser.form_with(&first, "the form"), ALICE, PASSWORD, None),
        attempt(browser.form_with(&second, "the form"), ALICE, PASSWORD, None),
    );
    let cookies = [one, other].map(|outcome| match outcome.unwrap() {
        SignInOutcome::SignedIn { cookies, .. } => cookies,
        other => panic!("{other:?}"),
    });
    assert_eq!(cookies[0].sessions, cookies[1].sessions);
    assert_eq!(cookies[0].device, cookies[1].device);
    assert_eq!(first.sessions(alice).await, 1);
}

async fn a_wrong_password_in_one_form_sent_twice_is_counted_once(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    let browser = at.browser();
    let twice = (0..3).map(|_| attempt(browser.form_with(&at, "the form"), ALICE, "wrong", None));
    for outcome in join_all(twice).await {
        assert_eq!(disclosure(&outcome.unwrap()), RefusalDisclosure::Nothing);
    }
    assert_eq!(at.lockout(alice).await.unknown_failures, 1);
    // Another entry in the same form is another try.
    attempt(browser.form_with(&at, "the form"), ALICE, "wrong again", None).await.unwrap();
    assert_eq!(at.lockout(alice).await.unknown_failures, 2);
}

async fn sign_ins_at_once_in_one_browser_leave_every_account_signed_in(backend: Backend) {
    let at = Installation::start(backend).await;
    let (alice, bob) = (at.person(ALICE).create().await, at.person(BOB).create().await);
    let browser = at.browser();
    let request = page(web().authorize(&at, &browser, &[]).await);
    assert!(matches!(request.interaction.state.destination, Destination::Application(_)));
    let on_page = |address| {
        let (visit, interaction_ref) = browser.form_of(&at, &request);
        attempt(visit, address, PASSWORD, interaction_ref)
    };
    let (one, other) = tokio::join!(on_page(ALICE), on_page(BOB));
    let next = [one, other].map(|outcome| match outcome.unwrap() {
        SignInOutcome::SignedIn { next, .. } => next,
        other => panic!("{other:?}"),
    });
    assert_eq!((at.sessions(alice).await, at.sessions(bob).await), (1, 1));
    // One request is answered once: the code is of one of the two.
    let answered = next.iter().filter(|next| matches!(next, Next::Application(_)));
    let codes: Vec<String> = answered.map(code_in).collect();
    assert_eq!(codes.len(), 1, "{next:?}");
}
