//! A person who was invited: the mailed link, phones, a password.

use anteroom_domain::account::{AccountStatus, PhoneKind, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_flows::interaction::next::{Next, StepPage};
use anteroom_flows::interaction::verification::EnterOutcome;
use anteroom_flows::people::admin::{self, Invitee};
use anteroom_flows::people::new_password::NewPasswordOutcome;
use anteroom_flows::people::register::{
    InvitationOutcome, NewNumber, PhoneOutcome, PhoneProblem, accept, add_phone, done, invited,
};
use anteroom_flows::people::sign_in::SignInOutcome;
use anteroom_testkit::{Backend, on_both_databases};
use std::collections::BTreeSet;

use crate::browser::{TestBrowser, page};
use crate::installation::Installation;
use crate::steps::{choose, enter_code, have_code_sent, name, verify};
use crate::{ALICE, CELL, NEW};

on_both_databases!(
    opening_an_invitation_changes_nothing_and_accepting_it_begins,
    what_is_no_number_has_its_problem_and_is_not_stored,
    of_two_browsers_that_verify_a_phone_at_once_one_goes_on,
    a_phone_is_added_once_however_many_forms_name_it_at_once,
    an_invitation_that_was_sent_anew_ends_what_was_begun_behind_the_first,
    a_disablement_ends_an_invitation_and_what_was_begun_behind_it,
    of_two_browsers_that_complete_a_registration_at_once_one_does,
    the_password_comes_after_a_verified_phone_alone,
    an_address_that_is_not_invited_says_why_and_what_to_do,
);

async fn invite(at: &Installation) -> String {
    let invitee = Invitee {
        address: EmailAddress::parse(ALICE).unwrap(),
        profile: Profile::default(),
        groups: BTreeSet::new(),
        locale: None,
    };
    admin::invite(&at.local(), invitee).await.unwrap();
    at.invitation().await
}

async fn accepted(at: &Installation, browser: &TestBrowser, token: &str) -> Box<StepPage> {
    match accept(&browser.form(at), token).await.unwrap() {
        InvitationOutcome::Next(next) => page(next),
        InvitationOutcome::LinkInvalid => panic!("the invitation has ended"),
    }
}

async fn is_dead(at: &Installation, token: &str) -> bool {
    matches!(accept(&at.browser().form(at), token).await.unwrap(), InvitationOutcome::LinkInvalid)
}

async fn name_phone(
    at: &Installation,
    browser: &TestBrowser,
    page: &StepPage,
    text: &str,
    kind: Option<PhoneKind>,
) -> PhoneOutcome {
    let (visit, interaction_ref) = browser.form_of(at, page);
    Box::pin(add_phone(&visit, interaction_ref.unwrap(), NewNumber { text: text.to_owned(), kind }))
        .await
        .unwrap()
}

async fn named(at: &Installation, browser: &TestBrowser, before: &StepPage) -> Box<StepPage> {
    match name_phone(at, browser, before, CELL, Some(PhoneKind::Cell)).await {
        PhoneOutcome::Next(next) => page(next),
        other => panic!("{other:?}"),
    }
}

async fn phones_done(at: &Installation, browser: &TestBrowser, before: &StepPage) -> Box<StepPage> {
    let (visit, interaction_ref) = browser.form_of(at, before);
    match done(&visit, interaction_ref.unwrap()).await.unwrap() {
        PhoneOutcome::Next(next) => page(next),
        other => panic!("{other:?}"),
    }
}

fn name_of(page: Box<StepPage>) -> &'static str {
    name(&Next::Page(page))
}

async fn opening_an_invitation_changes_nothing_and_accepting_it_begins(backend: Backend) {
    let at = Installation::start(backend).await;
    let token = invite(&at).await;
    let browser = at.browser();
    for _ in 0..2 {
        let account = invited(&browser.visit(&at), &token).await.unwrap().unwrap();
        assert_eq!(account.status, AccountStatus::Invited);
    }
    assert!(at.audited("link_pressed").await.is_empty());
    assert_eq!(name_of(accepted(&at, &browser, &token).await), "add_phones");
    // It may be followed again, also elsewhere, until the registration is complete.
    assert_eq!(name_of(accepted(&at, &at.browser(), &token).await), "add_phones");
    assert!(is_dead(&at, "no token").await);
}

async fn what_is_no_number_has_its_problem_and_is_not_stored(backend: Backend) {
    let at = Installation::with(backend, |it| {
        it.unset("voice.provider").unset("voice.http.url").unset("voice.http.waits_for_key")
    })
    .await;
    let token = invite(&at).await;
    let browser = at.browser();
    let page = accepted(&at, &browser, &token).await;
    let (cell, landline) = (Some(PhoneKind::Cell), Some(PhoneKind::Landline));
    for (text, kind, expected) in [
        ("", None, PhoneProblem::Missing { number: true, kind: true }),
        (CELL, None, PhoneProblem::Missing { number: false, kind: true }),
        (" ", cell, PhoneProblem::Missing { number: true, kind: false }),
        ("twelve", cell, PhoneProblem::NotANumber),
        ("(202) 555-0143 ext. 7", cell, PhoneProblem::Extension),
        ("+79161234567", cell, PhoneProblem::NotAllowed),
        (CELL, landline, PhoneProblem::Unreached),
    ] {
        match name_phone(&at, &browser, &page, text, kind).await {
            PhoneOutcome::Problem { problem, page } => {
                assert_eq!((problem, name_of(page)), (expected, "add_phones"), "{text:?}");
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let account = page.owner().account.unwrap();
    assert!(at.node.store.phones_of(account).await.unwrap().is_empty());
    assert_eq!(at.audited("phone_refused").await.len(), 7);
}

async fn of_two_browsers_that_verify_a_phone_at_once_one_goes_on(backend: Backend) {
    let first = Installation::start(backend).await;
    let second = first.another_node().await;
    let token = invite(&first).await;
    let mut ready = Vec::new();
    for (node, number) in [(&first, CELL), (&second, "+12025550166")] {
        let browser = node.browser();
        ready.push((node, number, accepted(node, &browser, &token).await, browser));
    }
    let mut entries = Vec::new();
    for (node, number, page_before, browser) in &ready {
        let next = name_phone(node, browser, page_before, number, Some(PhoneKind::Cell)).await;
        let PhoneOutcome::Next(next) = next else { panic!("{next:?}") };
        let waiting = have_code_sent(node, browser, &page(next)).await;
        entries.push((node, browser, waiting, node.digits().await));
    }
    let attempts =
        entries.iter().map(|(node, browser, page, digits)| enter_code(node, browser, page, digits));
    let outcomes = futures_util::future::join_all(attempts).await;
    let names: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            EnterOutcome::Next(next) => name(next),
            // The phone was verified between the page and the unit of the other one.
            EnterOutcome::Problem { page, .. }
                if matches!(page.step, anteroom_flows::interaction::next::Step::Verify(_)) =>
            {
                "verify"
            }
            other => panic!("{other:?}"),
        })
        .collect();
    // The other one must prove the phone that was verified.
    assert_eq!(names.iter().filter(|name| **name == "add_phones").count(), 1, "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "verify").count(), 1, "{names:?}");
    assert_eq!(first.audited("phone_verified").await.len(), 1);
}

async fn a_phone_is_added_once_however_many_forms_name_it_at_once(backend: Backend) {
    let at = Installation::start(backend).await;
    let token = invite(&at).await;
    let browsers = [at.browser(), at.browser(), at.browser()];
    let mut pages = Vec::new();
    for browser in &browsers {
        pages.push(accepted(&at, browser, &token).await);
    }
    let account = pages[0].owner().account.unwrap();
    let forms = browsers.iter().zip(&pages).map(|(browser, page)| Box::pin(named(&at, browser, page)));
    for page in futures_util::future::join_all(forms).await {
        assert_eq!(name_of(page), "verify");
    }
    assert_eq!(at.node.store.phones_of(account).await.unwrap().len(), 1);
    assert_eq!(at.audited("phone_added").await.len(), 1);
}

async fn an_invitation_that_was_sent_anew_ends_what_was_begun_behind_the_first(backend: Backend) {
    let at = Installation::start(backend).await;
    let token = invite(&at).await;
    let mut stranger = at.browser();
    let page = accepted(&at, &stranger, &token).await;
    let page = named(&at, &stranger, &page).await;
    let begun = verify(&at, &mut stranger, &page).await;
    let anew = invite(&at).await;
    assert!(is_dead(&at, &token).await);
    let (visit, interaction_ref) = stranger.form_of(&at, &begun);
    assert!(matches!(done(&visit, interaction_ref.unwrap()).await.unwrap(), PhoneOutcome::Gone));
    let outcome = choose(&at, &stranger, &begun, NEW).await;
    assert!(!matches!(outcome, NewPasswordOutcome::SignedIn { .. }), "{outcome:?}");
    // The phone that was verified behind the first mail is gone.
    let page = accepted(&at, &at.browser(), &anew).await;
    let phones = at.node.store.phones_of(page.owner().account.unwrap()).await.unwrap();
    assert_eq!((phones.len(), name_of(page)), (0, "add_phones"));
}

async fn a_disablement_ends_an_invitation_and_what_was_begun_behind_it(backend: Backend) {
    let at = Installation::start(backend).await;
    let token = invite(&at).await;
    let mut browser = at.browser();
    let page = accepted(&at, &browser, &token).await;
    let page = named(&at, &browser, &page).await;
    let begun = verify(&at, &mut browser, &page).await;
    let address = EmailAddress::parse(ALICE).unwrap();
    admin::disable(&at.local(), &address).await.unwrap();
    assert!(is_dead(&at, &token).await);
    admin::enable(&at.local(), &address).await.unwrap();
    assert!(is_dead(&at, &token).await);
    let (visit, interaction_ref) = browser.form_of(&at, &begun);
    assert!(matches!(done(&visit, interaction_ref.unwrap()).await.unwrap(), PhoneOutcome::Gone));
    let account = at.node.store.account_by_address(&address.folded()).await.unwrap().unwrap();
    assert_eq!(account.status, AccountStatus::Invited);
    assert!(at.node.store.phones_of(account.id).await.unwrap().is_empty());
}

async fn of_two_browsers_that_complete_a_registration_at_once_one_does(backend: Backend) {
    let first = Installation::start(backend).await;
    let second = first.another_node().await;
    let token = invite(&first).await;
    let mut ready = Vec::new();
    for (node, password) in [(&first, NEW), (&second, "maple-window-stone-77")] {
        let mut browser = node.browser();
        let mut page = accepted(node, &browser, &token).await;
        if ready.is_empty() {
            page = named(node, &browser, &page).await;
        }
        let page = verify(node, &mut browser, &page).await;
        let form = phones_done(node, &browser, &page).await;
        ready.push((node, browser, form, password));
    }
    let attempts =
        ready.iter().map(|(node, browser, form, password)| Box::pin(choose(node, browser, form, password)));
    let outcomes = futures_util::future::join_all(attempts).await;
    let mut won = 0;
    for ((node, .., password), outcome) in ready.iter().zip(outcomes) {
        let is_won = matches!(outcome, NewPasswordOutcome::SignedIn { .. });
        won += u32::from(is_won);
        let signed_in = node.browser().sign_in(node, ALICE, password).await;
        assert_eq!(matches!(signed_in, SignInOutcome::SignedIn { .. }), is_won, "{password}");
    }
    assert_eq!((won, first.audited("registration_completed").await.len()), (1, 1));
    assert!(is_dead(&first, &token).await);
}

async fn the_password_comes_after_a_verified_phone_alone(backend: Backend) {
    let at = Installation::start(backend).await;
    let token = invite(&at).await;
    let browser = at.browser();
    let page = accepted(&at, &browser, &token).await;
    assert_eq!(name_of(phones_done(&at, &browser, &page).await), "add_phones");
    let waiting = named(&at, &browser, &page).await;
    assert_eq!(name_of(phones_done(&at, &browser, &waiting).await), "add_phones");
    let outcome = choose(&at, &browser, &page, NEW).await;
    assert!(matches!(outcome, NewPasswordOutcome::Next(_)), "{outcome:?}");
    assert!(at.audited("registration_completed").await.is_empty());
}

async fn an_address_that_is_not_invited_says_why_and_what_to_do(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person("active@practice.example").create().await;
    for (account, command) in [
        ("active@practice.example", "`anteroom user group add`"),
        ("left@practice.example", "whose person has registered; `anteroom user enable`"),
        ("never@practice.example", "whose person has not registered; `anteroom user enable`"),
    ] {
        let address = EmailAddress::parse(account).unwrap();
        match account {
            "left@practice.example" => drop(at.person(account).disabled().create().await),
            "never@practice.example" => {
                at.person(account).invited().create().await;
                admin::disable(&at.local(), &address).await.unwrap();
            }
            _ => {}
        }
        let invitee = || Invitee {
            address: address.clone(),
            profile: Profile::default(),
            groups: BTreeSet::new(),
            locale: None,
        };
        let refused = admin::invite(&at.local(), invitee()).await.unwrap_err().to_string();
        assert!(refused.contains(command), "{refused}");
        // What the message names is what helps.
        admin::enable(&at.local(), &address).await.unwrap();
        let invited = admin::invite(&at.local(), invitee()).await;
        assert_eq!(invited.is_ok(), account == "never@practice.example", "{account}");
    }
}
