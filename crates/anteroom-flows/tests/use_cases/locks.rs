//! Locks of browsers in which only an earlier password was right.

use anteroom_crypto::QueueKey;
use anteroom_domain::interaction::Destination;
use anteroom_flows::interaction::next::proceed;
use anteroom_flows::interaction::open_interaction::OpenInteraction;
use anteroom_flows::people::new_password::NewPasswordOutcome;
use anteroom_flows::people::sign_in::RefusalDisclosure;
use anteroom_testkit::{Backend, on_both_databases};
use std::sync::Arc;
use std::sync::mpsc;

use crate::browser::{TestBrowser, attempt, page, signed_in};
use crate::installation::Installation;
use crate::new_password::{change_page, days};
use crate::sign_in::{disclosure, fail, is_signed_in};
use crate::steps::{at_new_password, choose, verify};
use crate::{ALICE, CELL, NEW};

on_both_databases!(
    a_device_that_has_locked_itself_waits_with_strangers,
    a_refusal_at_a_device_of_an_earlier_password_says_why,
);

/// A browser in which a second factor was passed.
pub(crate) async fn stepped_up(at: &Installation) -> TestBrowser {
    let mut browser = signed_in(at, ALICE).await;
    let visit = browser.visit(at);
    let mut interaction = OpenInteraction::to_dashboard(&visit);
    interaction.state.destination = Destination::ChangePassword;
    let verification = page(proceed(&visit, interaction).await.unwrap());
    verify(at, &mut browser, &verification).await;
    browser
}

async fn a_device_that_has_locked_itself_waits_with_strangers(backend: Backend) {
    const FLOOD: usize = 6;
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).phone(CELL).create().await;
    let mut thief = stepped_up(&at).await;
    let mut owner = at.browser();
    let form = at_new_password(&at, &mut owner, ALICE).await;
    let NewPasswordOutcome::Reset { device, .. } = choose(&at, &owner, &form, NEW).await else {
        panic!("no reset")
    };
    owner.remember_device(device);
    assert!(is_signed_in(&owner.sign_in(&at, ALICE, NEW).await));
    fail(&at, &mut thief, 5).await;
    assert_eq!(disclosure(&thief.sign_in(&at, ALICE, "wrong").await), RefusalDisclosure::Locked);

    let mut held = at.hold_hashes().await;
    let flood: Vec<_> =
        (0..FLOOD).map(|_| tokio::spawn(attempt(thief.form(&at), ALICE, "wrong", None))).collect();
    held.wait_for(FLOOD).await;
    let owners = tokio::spawn(attempt(owner.form(&at), ALICE, NEW, None));
    held.wait_for(FLOOD + 1).await;
    // The one thread that is let go is kept again after the owner's hash.
    let (release, wait) = mpsc::channel::<()>();
    let node = Arc::clone(&at.node);
    let behind = tokio::spawn(async move {
        let work = move || {
            // Also over once the sender is dropped.
            let _ = wait.recv();
        };
        node.hashing.run(QueueKey::KnownDevice(alice.0.as_u128()), work).await.unwrap();
    });
    held.wait_for(FLOOD + 2).await;
    held.release_one().await;
    assert!(is_signed_in(&owners.await.unwrap().unwrap()));
    let waiting = at.node.hashing.queued();
    drop(release);
    held.release().await;
    behind.await.unwrap();
    for attempt in flood {
        assert_eq!(disclosure(&attempt.await.unwrap().unwrap()), RefusalDisclosure::Locked);
    }
    assert!(waiting >= FLOOD, "{waiting}");
}

async fn a_refusal_at_a_device_of_an_earlier_password_says_why(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).password_set(days(2)).create().await;
    let (mut thief, mut desk) = (signed_in(&at, ALICE).await, signed_in(&at, ALICE).await);
    let owner = signed_in(&at, ALICE).await;
    let form = change_page(&at, &owner).await;
    let outcome = choose(&at, &owner, &form, NEW).await;
    assert!(matches!(outcome, NewPasswordOutcome::SignedIn { .. }), "{outcome:?}");
    // Six that such devices have together, and six as strangers.
    fail(&at, &mut thief, 11).await;
    assert_eq!(disclosure(&thief.sign_in(&at, ALICE, "wrong").await), RefusalDisclosure::Locked);
    assert!(at.lockout(alice).await.unknown_locked_at.is_some());
    assert_eq!(disclosure(&desk.sign_in(&at, ALICE, NEW).await), RefusalDisclosure::Locked);
    assert_eq!(disclosure(&at.browser().sign_in(&at, ALICE, NEW).await), RefusalDisclosure::Nothing);
    assert_eq!(at.count_audited("sign_in_refused", "locked_for_earlier_devices").await, 1);
    assert_eq!(at.count_audited("sign_in_refused", "locked_for_unknown_devices").await, 1);
}
