//! What is refused behind a link or a session: codes, numbers, new passwords, authenticator apps.

use anteroom_flows::error::FlowError;
use anteroom_flows::interaction::verification::{EnterOutcome, EnteredCode, EntryProblem, enter, send};
use anteroom_flows::people::authenticator_apps::{BeginOutcome, begin, confirm};
use anteroom_flows::people::new_password::{EnteredPassword, NewPasswordOutcome, set};
use anteroom_flows::people::register::{NewNumber, PhoneOutcome, accept, add_phone};
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};

use super::mails::{accepted, invite};
use super::{ALL, Form, Nodes, reference};
use crate::browser::{page, signed_in};
use crate::installation::Installation;
use crate::steps::{at_new_password, first_way, follow, forget, have_code_sent, other_digits, try_send};
use crate::{ALICE, CELL};

on_both_databases!(
    a_refused_number_is_one_entry,
    a_refused_new_password_is_one_entry,
    a_code_that_is_not_taken_is_one_entry,
    a_code_that_is_not_sent_is_one_entry,
    an_app_is_begun_once,
);

async fn a_refused_number_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    let token = invite(&at, ALICE).await;
    for how in ALL {
        let browser = at.first.browser();
        let next = accepted(accept(&browser.form(&at.first), &token).await.unwrap());
        let page = page(next);
        let interaction_ref = reference(&at, &page.interaction);
        let form = Form::on(&at, &browser, &page);
        let submit = async |node: &Installation| {
            let entered = NewNumber { text: "twelve".to_owned(), kind: None };
            add_phone(&form.visit(node), interaction_ref.clone(), entered).await.unwrap()
        };
        let (outcomes, entries, _) = at.traces(how, "phone_refused", submit).await;
        assert_eq!(entries, 1, "{how:?}");
        for outcome in outcomes {
            assert!(matches!(outcome, PhoneOutcome::Problem { .. }), "{outcome:?}");
        }
    }
}

async fn a_refused_new_password_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    for (number, how) in ALL.into_iter().enumerate() {
        let address = format!("person{number}@practice.example");
        at.first.person(&address).phone(CELL).create().await;
        let mut browser = at.first.browser();
        let page = at_new_password(&at.first, &mut browser, &address).await;
        let interaction_ref = reference(&at, &page.interaction);
        let form = Form::on(&at, &browser, &page);
        let submit = async |node: &Installation| {
            let entered = EnteredPassword { new: PASSWORD.into(), confirmed: PASSWORD.into() };
            set(&form.visit(node), Some(interaction_ref.clone()), entered).await.unwrap()
        };
        let (outcomes, entries, _) = at.traces(how, "new_password_refused", submit).await;
        assert_eq!(entries, 1, "{how:?}");
        for outcome in outcomes {
            assert!(matches!(outcome, NewPasswordOutcome::Problem { .. }), "{outcome:?}");
        }
    }
}

async fn a_code_that_is_not_taken_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    for (number, how) in ALL.into_iter().enumerate() {
        let address = format!("person{number}@practice.example");
        at.first.person(&address).phone(CELL).create().await;
        let browser = at.first.browser();
        forget(&at.first, &browser, &address).await;
        let page = follow(&at.first, &browser).await;
        let page = have_code_sent(&at.first, &browser, &page).await;
        let digits = at.first.digits().await;
        let interaction_ref = reference(&at, &page.interaction);
        // The fifth uses up the tries, and has its own entry alone; the next one is not compared.
        for tries in 1..=6 {
            let wrong = other_digits(&digits, tries);
            let form = Form::on(&at, &browser, &page);
            let submit = async |node: &Installation| {
                let entered = EnteredCode::Sent(&wrong);
                enter(&form.visit(node), Some(interaction_ref.clone()), entered).await.unwrap()
            };
            let not_taken = at.first.audited("code_not_taken").await.len();
            let (outcomes, refused, _) = at.traces(how, "code_refused", submit).await;
            let not_taken = at.first.audited("code_not_taken").await.len() - not_taken;
            let expected = if tries <= 5 { (1, 0) } else { (0, 1) };
            assert_eq!((refused, not_taken), expected, "{how:?} {tries}");
            let problems = outcomes.map(|outcome| match outcome {
                EnterOutcome::Problem { problem, .. } => problem,
                other => panic!("{other:?}"),
            });
            assert_eq!(problems[0], problems[1], "{how:?} {tries}");
            assert_eq!(matches!(problems[0], EntryProblem::LimitReached(_)), tries >= 5);
        }
    }
}

async fn a_code_that_is_not_sent_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    for (number, how) in ALL.into_iter().enumerate() {
        let address = format!("person{number}@practice.example");
        at.first.person(&address).phone(CELL).create().await;
        let browser = at.first.browser();
        forget(&at.first, &browser, &address).await;
        let page = follow(&at.first, &browser).await;
        for _ in 0..3 {
            try_send(&at.first, &browser, &page).await;
        }
        let interaction_ref = reference(&at, &page.interaction);
        let form = Form::on(&at, &browser, &page);
        let submit = async |node: &Installation| {
            let way = Some(first_way(&page));
            send(&form.visit(node), Some(interaction_ref.clone()), way).await.unwrap();
        };
        assert_eq!(at.traces(how, "code_not_sent", submit).await.1, 1, "{how:?}");
    }
}

async fn an_app_is_begun_once(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).create().await;
    let browser = signed_in(&at.first, ALICE).await;
    for how in ALL {
        let form = Form::new(&at, &browser);
        let submit = async |node: &Installation| begin(&form.visit(node)).await.unwrap();
        let ids = at.send(how, submit).await.map(|outcome| match outcome {
            BeginOutcome::Begun(id) => id,
            other => panic!("{other:?}"),
        });
        assert_eq!(ids[0], ids[1], "{how:?}");
        assert!(at.first.node.store.app(ids[0]).await.unwrap().is_some());
        let form = Form::new(&at, &browser);
        let submit = async |node: &Installation| -> Result<(), FlowError> {
            confirm(&form.visit(node), ids[0], "no code").await.map(drop)
        };
        assert_eq!(at.traces(how, "code_not_taken", submit).await.1, 1, "{how:?}");
    }
}
