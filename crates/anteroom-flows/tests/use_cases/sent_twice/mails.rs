//! Mails that are requested, and what is done with their links and codes.

use anteroom_flows::interaction::next::Next;
use anteroom_flows::interaction::open_interaction::OpenInteraction;
use anteroom_flows::people::recover::{
    FollowLinkOutcome, MailedCodeOutcome, RecoveryRequest, RequestRecoveryOutcome, ask, enter_mailed_code,
    follow_link,
};
use anteroom_flows::people::register::{InvitationOutcome, accept, request_invitation};
use anteroom_testkit::{Backend, on_both_databases};
use jiff::SignedDuration;

use super::{ALL, Form, Nodes, Twice, address_of};
use crate::installation::Installation;
use crate::steps::{forget, visit_of};
use crate::{ALICE, BOB, CELL};

on_both_databases!(
    a_followed_link_is_one_entry_and_one_row,
    a_link_that_is_over_is_one_entry,
    a_mail_beyond_the_limit_is_one_entry,
    a_typed_code_of_a_mail_is_one_entry,
    an_accepted_invitation_is_one_entry_and_one_row,
    another_entry_in_the_form_and_a_later_one_are_another_try,
);

fn followed(outcome: FollowLinkOutcome) -> Next {
    match outcome {
        FollowLinkOutcome::Next(next) => next,
        FollowLinkOutcome::LinkInvalid => panic!("the link is not valid"),
    }
}

async fn a_followed_link_is_one_entry_and_one_row(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).phone(CELL).create().await;
    for how in ALL {
        let browser = at.first.browser();
        forget(&at.first, &browser, ALICE).await;
        let (token, _) = at.first.recovery_mail().await;
        // Its page is opened again a minute later.
        for _ in 0..2 {
            let form = Form::new(&at, &browser);
            let submit = async |node: &Installation| follow_link(&form.visit(node), &token).await.unwrap();
            let (outcomes, entries, rows) = at.traces(how, "link_pressed", submit).await;
            let addresses = outcomes.map(|outcome| address_of(&at, followed(outcome), "verify"));
            assert_eq!((entries, rows), (1, 1), "{how:?}");
            assert_eq!(addresses[0], addresses[1], "{how:?}");
            at.first.advance(SignedDuration::from_mins(1));
        }
    }
}

async fn a_link_that_is_over_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    for how in ALL {
        let browser = at.first.browser();
        let recovery = Form::new(&at, &browser);
        let submit = async |node: &Installation| {
            let outcome = follow_link(&recovery.visit(node), "no token").await.unwrap();
            assert!(matches!(outcome, FollowLinkOutcome::LinkInvalid), "{outcome:?}");
        };
        assert_eq!(at.traces(how, "link_refused", submit).await.1, 1, "{how:?}");
        let invitation = Form::new(&at, &browser);
        let submit = async |node: &Installation| {
            let outcome = accept(&invitation.visit(node), "no token").await.unwrap();
            assert!(matches!(outcome, InvitationOutcome::LinkInvalid), "{outcome:?}");
        };
        assert_eq!(at.traces(how, "link_refused", submit).await.1, 1, "{how:?}");
    }
}

async fn request_mail(form: &Form<'_>, node: &Installation, address: &str) -> OpenInteraction {
    let asking = RecoveryRequest { address: address.to_owned(), interaction_ref: None };
    match ask(&form.visit(node), asking).await.unwrap() {
        RequestRecoveryOutcome::Asked(interaction) => interaction,
        other => panic!("{other:?}"),
    }
}

async fn a_mail_beyond_the_limit_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    for _ in 0..5 {
        forget(&at.first, &at.first.browser(), ALICE).await;
        request_invitation(&at.first.browser().form(&at.first), ALICE).await.unwrap();
    }
    for how in ALL {
        let browser = at.first.browser();
        let form = Form::new(&at, &browser);
        let submit = async |node: &Installation| request_mail(&form, node, ALICE).await;
        let (interactions, entries, rows) = at.traces(how, "recovery_asked", submit).await;
        assert_eq!((entries, rows), (1, 1), "{how:?}");
        assert_eq!(
            interactions[0].form_value(&at.first.local()).unwrap(),
            interactions[1].form_value(&at.first.local()).unwrap()
        );
        let form = Form::new(&at, &browser);
        let submit = async |node: &Installation| {
            request_invitation(&form.visit(node), ALICE).await.unwrap();
        };
        assert_eq!(at.traces(how, "invitation_asked", submit).await.1, 1, "{how:?}");
    }
    assert_eq!(at.first.count_audited("recovery_asked", "\"mailed\":false").await, 3);
}

async fn a_typed_code_of_a_mail_is_one_entry(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).phone(CELL).create().await;
    for how in ALL {
        let browser = at.first.browser();
        let asked = forget(&at.first, &browser, ALICE).await;
        let (_, code) = at.first.recovery_mail().await;
        let interaction_ref = visit_of(&at.first, &browser, &asked).1.unwrap();
        for (kind, entered) in [("link_refused", "AAAAA-AAAAA"), ("link_pressed", &code)] {
            let form = Form::new(&at, &browser);
            let submit = async |node: &Installation| {
                enter_mailed_code(&form.visit(node), interaction_ref.clone(), entered).await.unwrap()
            };
            let (outcomes, entries, rows) = at.traces(how, kind, submit).await;
            let is_right = kind == "link_pressed";
            assert_eq!((entries, rows), (1, i64::from(is_right)), "{how:?} {kind}");
            for outcome in outcomes {
                assert_eq!(matches!(outcome, MailedCodeOutcome::Next(_)), is_right, "{outcome:?}");
            }
        }
    }
}

pub(crate) async fn invite(at: &Nodes, address: &str) -> String {
    at.first.person(address).invited().create().await;
    request_invitation(&at.first.browser().form(&at.first), address).await.unwrap();
    at.first.invitation().await
}

pub(crate) fn accepted(outcome: InvitationOutcome) -> Next {
    match outcome {
        InvitationOutcome::Next(next) => next,
        InvitationOutcome::LinkInvalid => panic!("the invitation has ended"),
    }
}

async fn an_accepted_invitation_is_one_entry_and_one_row(backend: Backend) {
    let at = Nodes::start(backend).await;
    let token = invite(&at, ALICE).await;
    for how in ALL {
        let browser = at.first.browser();
        let form = Form::new(&at, &browser);
        let submit = async |node: &Installation| accept(&form.visit(node), &token).await.unwrap();
        let (outcomes, entries, rows) = at.traces(how, "link_pressed", submit).await;
        let addresses = outcomes.map(|outcome| address_of(&at, accepted(outcome), "add_phones"));
        assert_eq!((entries, rows), (1, 1), "{how:?}");
        assert_eq!(addresses[0], addresses[1], "{how:?}");
    }
}

async fn another_entry_in_the_form_and_a_later_one_are_another_try(backend: Backend) {
    let at = Nodes::start(backend).await;
    at.first.person(ALICE).phone(CELL).create().await;
    let browser = at.first.browser();
    let form = Form::new(&at, &browser);
    for (password, entries) in [("wrong", 1), ("wrong again", 1)] {
        let submit = async |node: &Installation| form.sign_in(node, ALICE, password, None).await;
        assert_eq!(at.traces(Twice::InTurn, "sign_in_refused", submit).await.1, entries);
    }
    at.first.advance(SignedDuration::from_secs(31));
    let submit = async |node: &Installation| form.sign_in(node, ALICE, "wrong", None).await;
    assert_eq!(at.traces(Twice::InTurnAtTwoNodes, "sign_in_refused", submit).await.1, 1);
    // A page from the history, with another address: it has a row of its own, and one.
    let form = Form::new(&at, &browser);
    for address in [ALICE, BOB] {
        let submit = async |node: &Installation| request_mail(&form, node, address).await;
        let (interactions, entries, rows) = at.traces(Twice::AtOnce, "recovery_asked", submit).await;
        assert_eq!((entries, rows), (1, 1), "{address}");
        let [one, other] = interactions.map(|it| it.form_value(&at.first.local()).unwrap());
        assert_eq!(one, other, "{address}");
    }
}
