//! Sign-ins, chosen accounts, and the pages that they lead to.

use anteroom_flows::interaction::choose_account::{ChooseOutcome, ChosenAccount, choose};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::people::sign_in::SignInOutcome;
use anteroom_flows::sessions::browser_sessions::active_sessions;
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use jiff::SignedDuration;

use super::{ALL, Form, Nodes, address_of, next_of, reference};
use crate::application::{Application, imaging, partner, web};
use crate::browser::{TestBrowser, page, signed_in};
use crate::installation::Installation;
use crate::locks::stepped_up;
use crate::sign_in::disclosure;
use crate::steps::name;
use crate::{ALICE, BOB, CELL};

on_both_databases!(
    a_sign_in_is_one_entry,
    a_form_that_another_browser_sends_is_another_sign_in,
    a_refused_sign_in_is_one_entry_whatever_the_reason,
    wrong_passwords_of_two_forms_in_turn_are_counted_once_each,
    an_expired_password_is_one_entry_and_one_row,
    a_sign_in_that_leads_to_a_second_factor_is_one_row,
    a_sign_in_that_leads_to_consent_is_one_row,
    a_sign_in_to_what_the_account_may_not_use_is_one_entry,
    a_chosen_account_is_one_entry,
    accounts_that_one_form_chooses_in_turn_are_an_entry_each,
);

/// The page of an application's request, after a wrong password: it is in a row.
async fn after_a_wrong_password(
    at: &Nodes,
    browser: &mut TestBrowser,
    application: &Application,
) -> InteractionRef {
    let changes = [("scope", "openid")];
    let request = page(application.authorize(&at.first, browser, &changes).await);
    match browser.sign_in_on(&at.first, &request, ALICE, "wrong").await {
        SignInOutcome::Refused { interaction, .. } => reference(at, &interaction),
        other => panic!("{other:?}"),
    }
}

async fn a_sign_in_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).create().await;
    for how in ALL {
        let mut browser = at.first.browser();
        // The second time the account is signed in already, and its session is renewed.
        for again in [false, true] {
            let form = Form::new(&at, &browser);
            let submit = async |node: &Installation| form.sign_in(node, ALICE, PASSWORD, None).await;
            let (outcomes, entries, _) = at.traces(how, "signed_in", submit).await;
            assert_eq!(entries, 1, "{how:?} {again}");
            for outcome in outcomes {
                let SignInOutcome::SignedIn { cookies, .. } = outcome else { panic!("{outcome:?}") };
                browser.remember(&cookies);
            }
        }
    }
}

async fn a_refused_sign_in_is_one_entry_whatever_the_reason(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).create().await;
    at.first.person("locked@practice.example").locked().create().await;
    at.first.person("disabled@practice.example").disabled().create().await;
    for how in ALL {
        for (address, password, keeps_cookies) in [
            (ALICE, "wrong", true),
            (ALICE, PASSWORD, false),
            ("unknown@practice.example", PASSWORD, true),
            ("locked@practice.example", PASSWORD, true),
            ("locked@practice.example", "wrong", true),
            ("disabled@practice.example", PASSWORD, true),
        ] {
            let browser = TestBrowser { keeps_cookies, ..at.first.browser() };
            let form = Form::new(&at, &browser);
            let submit = async |node: &Installation| {
                disclosure(&form.sign_in(node, address, password, None).await);
            };
            let (_, entries, _) = at.traces(how, "sign_in_refused", submit).await;
            assert_eq!(entries, 1, "{how:?} {address} {password}");
        }
    }
}

async fn an_expired_password_is_one_entry_and_one_row(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).password_set(SignedDuration::from_hours(24 * 90)).create().await;
    for how in ALL {
        for in_row in [false, true] {
            let mut browser = at.first.browser();
            let row =
                if in_row { Some(after_a_wrong_password(&at, &mut browser, &web()).await) } else { None };
            let form = Form::new(&at, &browser);
            let submit = async |node: &Installation| form.sign_in(node, ALICE, PASSWORD, row.as_ref()).await;
            let (outcomes, entries, rows) = at.traces(how, "password_expired_noticed", submit).await;
            let addresses = outcomes.map(|outcome| address_of(&at, next_of(outcome), "expired_password"));
            assert_eq!((entries, rows), (1, 1), "{how:?} {in_row}");
            assert_eq!(addresses[0], addresses[1], "{how:?} {in_row}");
        }
    }
}

async fn a_sign_in_that_leads_to_a_second_factor_is_one_row(backend: Backend) {
    let at = Nodes::with(backend, |it| it.set("policy.new_devices_step_up", "true")).await;
    at.first.person(ALICE).phone(CELL).create().await;
    for how in ALL {
        let browser = at.first.browser();
        let form = Form::new(&at, &browser);
        let submit = async |node: &Installation| form.sign_in(node, ALICE, PASSWORD, None).await;
        let (outcomes, entries, rows) = at.traces(how, "signed_in", submit).await;
        let addresses = outcomes.map(|outcome| address_of(&at, next_of(outcome), "verify"));
        assert_eq!((entries, rows), (1, 1), "{how:?}");
        assert_eq!(addresses[0], addresses[1], "{how:?}");
    }
}

async fn a_sign_in_that_leads_to_consent_is_one_row(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).create().await;
    for how in ALL {
        let mut browser = at.first.browser();
        let row = after_a_wrong_password(&at, &mut browser, &partner()).await;
        let form = Form::new(&at, &browser);
        let submit = async |node: &Installation| form.sign_in(node, ALICE, PASSWORD, Some(&row)).await;
        let (outcomes, entries, rows) = at.traces(how, "signed_in", submit).await;
        let addresses = outcomes.map(|outcome| address_of(&at, next_of(outcome), "consent"));
        assert_eq!((entries, rows), (1, 1), "{how:?}");
        assert_eq!(addresses[0], addresses[1], "{how:?}");
    }
}

async fn a_sign_in_to_what_the_account_may_not_use_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).create().await;
    for how in ALL {
        let mut browser = at.first.browser();
        let row = after_a_wrong_password(&at, &mut browser, &imaging()).await;
        let form = Form::new(&at, &browser);
        let submit = async |node: &Installation| form.sign_in(node, ALICE, PASSWORD, Some(&row)).await;
        let (outcomes, entries, _) = at.traces(how, "access_refused", submit).await;
        for outcome in outcomes {
            assert_eq!(name(&next_of(outcome)), "not_entitled");
        }
        assert_eq!(entries, 1, "{how:?}");
    }
}

async fn a_chosen_account_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).create().await;
    at.first.person(BOB).create().await;
    for how in ALL {
        let mut browser = signed_in(&at.first, ALICE).await;
        browser.sign_in(&at.first, BOB, PASSWORD).await;
        let live = active_sessions(&browser.visit(&at.first)).await.unwrap();
        let choice = ChosenAccount::Session(live[1].session.id);
        let form = Form::new(&at, &browser);
        let submit = async |node: &Installation| choose(&form.visit(node), None, choice).await.unwrap();
        let (outcomes, entries, _) = at.traces(how, "account_chosen", submit).await;
        assert_eq!(entries, 1, "{how:?}");
        for outcome in outcomes {
            assert!(matches!(outcome, ChooseOutcome::Chosen { .. }), "{outcome:?}");
        }
    }
}

async fn wrong_passwords_of_two_forms_in_turn_are_counted_once_each(backend: Backend) {
    let at = Nodes::start(backend).await;
    let alice = at.first.person(ALICE).create().await;
    let (one, other) = (at.first.browser(), at.first.browser());
    let forms = [(Form::new(&at, &one), "wrong"), (Form::new(&at, &other), "also wrong")];
    for _ in 0..3 {
        for (form, password) in &forms {
            disclosure(&form.sign_in(&at.first, ALICE, password, None).await);
        }
    }
    assert_eq!(at.first.lockout(alice).await.unknown_failures, 2);
    assert_eq!(at.first.audited("sign_in_refused").await.len(), 2);
    // After a moment the same form is another try, and has another entry.
    at.first.advance(SignedDuration::from_secs(31));
    disclosure(&forms[0].0.sign_in(&at.first, ALICE, "wrong", None).await);
    assert_eq!(at.first.lockout(alice).await.unknown_failures, 3);
    assert_eq!(at.first.audited("sign_in_refused").await.len(), 3);
}

async fn accounts_that_one_form_chooses_in_turn_are_an_entry_each(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).create().await;
    at.first.person(BOB).create().await;
    let mut browser = signed_in(&at.first, ALICE).await;
    browser.sign_in(&at.first, BOB, PASSWORD).await;
    let token = Form::new(&at, &browser).token;
    for _ in 0..4 {
        let live = active_sessions(&browser.visit(&at.first)).await.unwrap();
        let choice = ChosenAccount::Session(live[1].session.id);
        match choose(&browser.form_with(&at.first, &token), None, choice).await.unwrap() {
            ChooseOutcome::Chosen { sessions, .. } => browser.sessions = sessions,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(at.first.audited("account_chosen").await.len(), 4);
}

async fn a_form_that_another_browser_sends_is_another_sign_in(backend: Backend) {
    let at = Nodes::with(backend, |it| it.set("policy.new_devices_step_up", "true")).await;
    let alice = at.first.person(ALICE).phone(CELL).create().await;
    let owner = stepped_up(&at.first).await;
    let thief = at.first.browser();
    let token = Form::new(&at, &owner).token;
    let form = |browser| Form { token: token.clone(), ..Form::new(&at, browser) };
    let first = form(&owner).sign_in(&at.first, ALICE, PASSWORD, None).await;
    let SignInOutcome::SignedIn { cookies: owners, next, .. } = first else { panic!("{first:?}") };
    assert_eq!(name(&next), "dashboard");
    let second = form(&thief).sign_in(&at.first, ALICE, PASSWORD, None).await;
    let SignInOutcome::SignedIn { cookies: thiefs, next, .. } = second else { panic!("{second:?}") };
    assert_eq!(name(&next), "verify");
    assert!(thiefs.device != owners.device);
    assert!(
        !owners
            .sessions
            .iter()
            .any(|owners| thiefs.sessions.iter().any(|thiefs| thiefs.encode() == owners.encode()))
    );
    assert_eq!(at.first.sessions(alice).await, 2);
}
