//! Signing in with a password: each outcome, the counters, and what changes while the password is hashed.

use anteroom_crypto::{PasswordHash, PasswordHasher};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::AccountId;
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::password_text::PasswordForm;
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::people::admin;
use anteroom_flows::people::sign_in::{RefusalDisclosure, SignInOutcome};
use anteroom_storage::{Credential, StoreError};
use anteroom_testkit::{Backend, Builder, PASSWORD, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;

use crate::ALICE;
use crate::application::web;
use crate::browser::{TestBrowser, attempt, page, signed_in};
use crate::installation::Installation;
use crate::steps::name;

on_both_databases!(
    a_right_password_begins_a_session_and_makes_the_device_known,
    a_refusal_has_one_outcome_and_its_reason_is_in_the_trail_alone,
    an_expired_password_proves_and_begins_no_session,
    a_form_whose_interaction_is_gone_is_told_so_and_nothing_is_counted,
    a_browser_without_cookies_gets_no_session_for_a_right_password,
    beyond_the_rate_of_the_address_nothing_is_compared,
    beyond_the_right_passwords_of_an_account_a_new_browser_waits_and_a_known_one_does_not,
    the_sixth_wrong_password_locks_out_unknown_browsers_alone,
    the_sixth_wrong_password_at_a_known_browser_locks_everywhere_and_says_so,
    guesses_at_unknown_browsers_count_together_however_many_there_are,
    a_password_replaced_after_its_hash_was_read_is_neither_believed_nor_counted,
    an_account_disabled_while_its_hash_is_computed_is_refused,
    a_hash_of_weaker_parameters_is_replaced_once_however_many_sign_in,
    a_password_that_was_hashed_anew_meanwhile_is_believed_and_a_wrong_one_counted,
    a_rehash_leaves_a_password_that_was_set_meanwhile,
);

pub(crate) fn is_signed_in(outcome: &SignInOutcome) -> bool {
    matches!(outcome, SignInOutcome::SignedIn { .. })
}

pub(crate) fn disclosure(outcome: &SignInOutcome) -> RefusalDisclosure {
    match outcome {
        SignInOutcome::Refused { disclosure, .. } => *disclosure,
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) async fn fail(at: &Installation, browser: &mut TestBrowser, times: usize) {
    for number in 0..times {
        let outcome = browser.sign_in(at, ALICE, "wrong").await;
        assert_eq!(disclosure(&outcome), RefusalDisclosure::Nothing, "{number}");
    }
}

async fn a_right_password_begins_a_session_and_makes_the_device_known(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    let mut browser = at.browser();
    let SignInOutcome::SignedIn { cookies, next } = browser.sign_in(&at, ALICE, PASSWORD).await else {
        panic!("not signed in")
    };
    assert_eq!((cookies.sessions.len(), name(&next)), (1, "dashboard"));
    assert_eq!((browser.devices.as_slice(), at.sessions(alice).await), (&[cookies.device][..], 1));
    assert_eq!(at.count_audited("signed_in", "\"new_device\":true").await, 1);
    // Once more: the session stays, its secret is another one, and the device is a known one.
    let before = browser.sessions.clone();
    assert!(is_signed_in(&browser.sign_in(&at, ALICE, PASSWORD).await));
    assert_ne!(browser.sessions, before);
    assert_eq!((browser.devices.as_slice(), at.sessions(alice).await), (&[cookies.device][..], 1));
    assert_eq!(at.count_audited("signed_in", "\"new_device\":false").await, 1);
}

async fn a_refusal_has_one_outcome_and_its_reason_is_in_the_trail_alone(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    at.person("locked@practice.example").locked().create().await;
    at.person("disabled@practice.example").disabled().create().await;
    at.person("invited@practice.example").invited().create().await;
    for (address, password, reason) in [
        (ALICE, "wrong", "wrong_password"),
        ("unknown@practice.example", PASSWORD, "unknown_address"),
        ("no address", PASSWORD, "unknown_address"),
        ("locked@practice.example", PASSWORD, "\"locked\""),
        ("disabled@practice.example", PASSWORD, "disabled"),
        ("invited@practice.example", PASSWORD, "not_registered"),
    ] {
        let before = at.count_audited("sign_in_refused", reason).await;
        let hashes = at.node.hashing.hasher().hashes_computed();
        let outcome = at.browser().sign_in(&at, address, password).await;
        assert_eq!(disclosure(&outcome), RefusalDisclosure::Nothing, "{address}");
        assert_eq!(at.node.hashing.hasher().hashes_computed(), hashes + 1, "{address}");
        assert_eq!(at.count_audited("sign_in_refused", reason).await, before + 1, "{address}");
    }
    assert!(at.outbox().await.is_empty());
}

async fn an_expired_password_proves_and_begins_no_session(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).password_set(SignedDuration::from_hours(24 * 90)).create().await;
    let mut browser = at.browser();
    let SignInOutcome::Proven { next } = browser.sign_in(&at, ALICE, PASSWORD).await else {
        panic!("not proven")
    };
    assert_eq!((name(&next), at.sessions(alice).await), ("expired_password", 0));
    let interaction = page(next).interaction;
    assert_eq!(interaction.proof().map(|proof| proof.account), Some(alice));
    // A wrong password proves nothing.
    assert_eq!(disclosure(&at.browser().sign_in(&at, ALICE, "wrong").await), RefusalDisclosure::Nothing);
}

async fn a_form_whose_interaction_is_gone_is_told_so_and_nothing_is_counted(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    let browser = at.browser();
    let made_up = InteractionRef::parse(&at.node.random.token().encode()).unwrap();
    for reference in [made_up, InteractionRef::Sealed("AAAA".to_owned())] {
        let outcome = attempt(browser.form(&at), ALICE, "wrong", Some(reference)).await.unwrap();
        assert!(matches!(outcome, SignInOutcome::InteractionNotFound), "{outcome:?}");
    }
    let request = page(web().authorize(&at, &browser, &[]).await);
    at.advance(SignedDuration::from_hours(25));
    let mut late = browser.clone();
    let outcome = late.sign_in_on(&at, &request, ALICE, PASSWORD).await;
    assert!(matches!(outcome, SignInOutcome::InteractionNotFound), "{outcome:?}");
    assert_eq!((at.lockout(alice).await.unknown_failures, at.sessions(alice).await), (0, 0));
}

async fn a_browser_without_cookies_gets_no_session_for_a_right_password(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    let mut browser = TestBrowser { keeps_cookies: false, ..at.browser() };
    assert_eq!(disclosure(&browser.sign_in(&at, ALICE, PASSWORD).await), RefusalDisclosure::NoCookies);
    assert_eq!(disclosure(&browser.sign_in(&at, ALICE, "wrong").await), RefusalDisclosure::Nothing);
    assert_eq!(at.sessions(alice).await, 0);
    assert_eq!(at.count_audited("sign_in_refused", "no_cookies").await, 1);
}

async fn beyond_the_rate_of_the_address_nothing_is_compared(backend: Backend) {
    let at = Installation::with(backend, |it| it.set("policy.sign_in.rate.max", "2")).await;
    let alice = at.person(ALICE).create().await;
    let mut browser = at.browser();
    fail(&at, &mut browser, 2).await;
    let hashes = at.node.hashing.hasher().hashes_computed();
    for password in [PASSWORD, "wrong"] {
        let outcome = browser.sign_in(&at, ALICE, password).await;
        let SignInOutcome::RateLimited { wait, .. } = outcome else { panic!("{outcome:?}") };
        assert!(wait.0.is_positive());
    }
    assert_eq!(at.node.hashing.hasher().hashes_computed(), hashes);
    assert_eq!(at.lockout(alice).await.unknown_failures, 2);
    at.advance(SignedDuration::from_mins(11));
    assert!(is_signed_in(&browser.sign_in(&at, ALICE, PASSWORD).await));
}

async fn beyond_the_right_passwords_of_an_account_a_new_browser_waits_and_a_known_one_does_not(
    backend: Backend,
) {
    let at = Installation::with(backend, |it| it.set("policy.limits.right_password.max", "2")).await;
    let alice = at.person(ALICE).create().await;
    let mut known = signed_in(&at, ALICE).await;
    signed_in(&at, ALICE).await;
    let outcome = at.browser().sign_in(&at, ALICE, PASSWORD).await;
    let SignInOutcome::TooManySignIns { wait, .. } = outcome else { panic!("{outcome:?}") };
    assert!(wait.0.is_positive());
    assert_eq!((at.sessions(alice).await, at.lockout(alice).await.unknown_failures), (2, 0));
    assert!(is_signed_in(&known.sign_in(&at, ALICE, PASSWORD).await));
    assert_eq!(at.count_audited("sign_in_refused", "too_many_sign_ins").await, 1);
}

async fn the_sixth_wrong_password_locks_out_unknown_browsers_alone(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    let mut known = signed_in(&at, ALICE).await;
    let mut unknown = at.browser();
    fail(&at, &mut unknown, 5).await;
    assert_eq!(at.lockout(alice).await.unknown_locked_at, None);
    fail(&at, &mut unknown, 1).await;
    assert_eq!(at.lockout(alice).await.unknown_locked_at, Some(at.now()));
    assert_eq!(disclosure(&at.browser().sign_in(&at, ALICE, PASSWORD).await), RefusalDisclosure::Nothing);
    assert!(is_signed_in(&known.sign_in(&at, ALICE, PASSWORD).await));
    // A lock has no timer.
    at.advance(SignedDuration::from_hours(24 * 30));
    assert_eq!(disclosure(&at.browser().sign_in(&at, ALICE, PASSWORD).await), RefusalDisclosure::Nothing);
    assert_eq!((at.audited("account_locked").await.len(), at.count_messages("account_locked").await), (1, 1));
}

async fn the_sixth_wrong_password_at_a_known_browser_locks_everywhere_and_says_so(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    let mut known = signed_in(&at, ALICE).await;
    let mut other = signed_in(&at, ALICE).await;
    fail(&at, &mut known, 5).await;
    assert_eq!(disclosure(&known.sign_in(&at, ALICE, "wrong").await), RefusalDisclosure::Locked);
    assert_eq!(at.lockout(alice).await.locked_at, Some(at.now()));
    assert_eq!(disclosure(&other.sign_in(&at, ALICE, PASSWORD).await), RefusalDisclosure::Locked);
    assert_eq!(disclosure(&at.browser().sign_in(&at, ALICE, PASSWORD).await), RefusalDisclosure::Nothing);
    // What runs goes on.
    assert!(known.is_signed_in(&at).await && other.is_signed_in(&at).await);
}

async fn guesses_at_unknown_browsers_count_together_however_many_there_are(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    for _ in 0..6 {
        fail(&at, &mut at.browser(), 1).await;
    }
    assert_eq!(at.lockout(alice).await.unknown_failures, 6);
    assert_eq!(disclosure(&at.browser().sign_in(&at, ALICE, PASSWORD).await), RefusalDisclosure::Nothing);
}

/// A sign-in whose hash waits while something is done to the account.
async fn sign_in_during(
    at: &Installation,
    password: &'static str,
    meanwhile: impl Future<Output = ()>,
) -> SignInOutcome {
    let held = at.hold_hashes().await;
    let attempt = tokio::spawn(attempt(at.browser().form(at), ALICE, password, None));
    held.wait_for(1).await;
    meanwhile.await;
    held.release().await;
    attempt.await.unwrap().unwrap()
}

async fn set_password(at: &Installation, account: AccountId, hash: PasswordHash) {
    let (now, retired) = (at.now(), at.local().new_id());
    let facts = PasswordFacts { set_at: now, jitter_days: 0 };
    let credential = Credential { hash, form: Some(PasswordForm::OpaqueString), facts };
    let set = at.node.store.write(move |tx| {
        let credential = credential.clone();
        async move {
            tx.set_password(account, &credential, retired, 10, now).await?;
            tx.raise_epoch(account).await
        }
    });
    let set: Result<_, StoreError> = set.await;
    set.unwrap();
}

async fn a_password_replaced_after_its_hash_was_read_is_neither_believed_nor_counted(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    for password in [PASSWORD, "wrong"] {
        let new = at.hash("another-password-1").await;
        let outcome = sign_in_during(&at, password, set_password(&at, alice, new)).await;
        assert_eq!(disclosure(&outcome), RefusalDisclosure::Nothing);
        set_password(&at, alice, at.hash(PASSWORD).await).await;
    }
    assert_eq!((at.sessions(alice).await, at.lockout(alice).await.unknown_failures), (0, 0));
    assert_eq!(at.count_audited("sign_in_refused", "credential_changed").await, 2);
}

async fn an_account_disabled_while_its_hash_is_computed_is_refused(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    let local = at.local();
    let address = EmailAddress::parse(ALICE).unwrap();
    let disable = async { admin::disable(&local, &address).await.unwrap() };
    let outcome = sign_in_during(&at, PASSWORD, disable).await;
    assert_eq!((disclosure(&outcome), at.sessions(alice).await), (RefusalDisclosure::Nothing, 0));
    assert_eq!(at.count_audited("sign_in_refused", "disabled").await, 1);
}

/// Made with weaker parameters than those of a node with real hashing.
fn weaker(at: &Installation) -> PasswordHash {
    let hasher = PasswordHasher::cheap_for_tests(&at.node.keyring, at.node.random.clone());
    hasher.hash(&PASSWORD.into()).unwrap()
}

async fn stored(at: &Installation, account: AccountId) -> String {
    at.node.store.credential(account).await.unwrap().unwrap().hash.encode()
}

async fn a_hash_of_weaker_parameters_is_replaced_once_however_many_sign_in(backend: Backend) {
    let at = Installation::with(backend, Builder::real_hashing).await;
    let old = weaker(&at);
    let alice = at.person(ALICE).hash(old.clone()).create().await;
    let computed = || at.node.hashing.hasher().hashes_computed();
    // A wrong password replaces nothing.
    let wrong = at.browser().sign_in(&at, ALICE, "wrong").await;
    assert_eq!((disclosure(&wrong), stored(&at, alice).await), (RefusalDisclosure::Nothing, old.encode()));
    assert_eq!(computed(), 1);
    let attempts = (0..3).map(|_| attempt(at.browser().form(&at), ALICE, PASSWORD, None));
    for outcome in join_all(attempts).await {
        // Also one that has read the old hash and is decided after the replacement.
        let outcome = outcome.unwrap();
        assert!(is_signed_in(&outcome), "{outcome:?}");
    }
    let (new, before) = (stored(&at, alice).await, computed());
    assert_ne!(new, old.encode());
    assert!(is_signed_in(&at.browser().sign_in(&at, ALICE, PASSWORD).await));
    assert_eq!((stored(&at, alice).await, computed()), (new, before + 1));
    assert_eq!(at.lockout(alice).await.unknown_failures, 0);
}

async fn a_password_that_was_hashed_anew_meanwhile_is_believed_and_a_wrong_one_counted(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    for (password, signed_in) in [(PASSWORD, true), ("wrong", false)] {
        let (old, new) =
            (at.node.store.credential(alice).await.unwrap().unwrap().hash, at.hash(PASSWORD).await);
        let rehash = async {
            let replaced = at.node.store.write(move |tx| {
                let (old, new) = (old.clone(), new.clone());
                async move { tx.replace_hash(alice, &old, &new).await }
            });
            let replaced: Result<bool, StoreError> = replaced.await;
            assert!(replaced.unwrap());
        };
        let outcome = sign_in_during(&at, password, rehash).await;
        assert_eq!(is_signed_in(&outcome), signed_in, "{outcome:?}");
    }
    assert_eq!((at.sessions(alice).await, at.lockout(alice).await.unknown_failures), (1, 1));
    assert_eq!(at.count_audited("sign_in_refused", "credential_changed").await, 0);
}

async fn a_rehash_leaves_a_password_that_was_set_meanwhile(backend: Backend) {
    let at = Installation::with(backend, Builder::real_hashing).await;
    let alice = at.person(ALICE).hash(weaker(&at)).create().await;
    let new = at.hash("another-password-1").await;
    let set = set_password(&at, alice, new.clone());
    assert_eq!(disclosure(&sign_in_during(&at, PASSWORD, set).await), RefusalDisclosure::Nothing);
    assert_eq!(stored(&at, alice).await, new.encode());
}
