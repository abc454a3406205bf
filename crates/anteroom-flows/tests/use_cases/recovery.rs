//! A forgotten password, from the request for a mail to the followed link; and the rounds that answer requests for mails.

use anteroom_domain::address::EmailAddress;
use anteroom_flows::interaction::verification::{SendOutcome, send};
use anteroom_flows::people::admin;
use anteroom_flows::people::mail_requests;
use anteroom_flows::people::new_password::NewPasswordOutcome;
use anteroom_flows::people::recover::{
    FollowLinkOutcome, MailedCodeOutcome, RecoveryRequest, RequestRecoveryOutcome, ask, enter_mailed_code,
    follow_link, is_reset_completed,
};
use anteroom_flows::people::register::{RequestInvitationOutcome, request_invitation};
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use futures_util::future::join_all;
use jiff::SignedDuration;
use std::collections::BTreeMap;

use crate::application::web;
use crate::browser::{TestBrowser, page, signed_in};
use crate::installation::Installation;
use crate::steps::{choose, first_way, follow, followed, forget, name, verify, visit_of};
use crate::{ALICE, BOB, CELL, NEW};

on_both_databases!(
    an_unknown_address_leaves_the_same_rows_as_a_known_one,
    a_link_serves_the_browser_that_followed_it_and_no_other,
    of_two_browsers_that_follow_a_link_at_once_one_goes_on,
    a_followed_link_is_over_in_its_browser_once_another_account_was_there,
    a_link_ends_with_its_time_a_reset_and_a_disablement,
    a_token_that_is_no_recovery_opens_nothing,
    the_code_of_a_mail_is_accepted_in_the_browser_that_asked_and_no_other,
    of_codes_at_once_ten_are_compared,
    the_sixth_mail_for_an_address_is_not_sent_and_the_answer_is_the_same,
    one_form_sent_twice_at_once_asks_once,
    requests_answered_at_two_nodes_at_once_are_answered_once,
    the_tab_that_waits_goes_on_once_its_reset_is_complete,
    beyond_the_rate_no_request_is_written,
    a_link_followed_elsewhere_leads_to_the_dashboard_and_here_to_the_application,
);

fn grown(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    let grown = after.iter().map(|(table, rows)| (table.clone(), rows - before[table]));
    grown.filter(|(_, rows)| *rows != 0).collect()
}

async fn follow_in(at: &Installation, browser: &TestBrowser, token: &str) -> FollowLinkOutcome {
    Box::pin(follow_link(&browser.form(at), token)).await.unwrap()
}

fn is_over(outcome: &FollowLinkOutcome) -> bool {
    matches!(outcome, FollowLinkOutcome::LinkInvalid)
}

async fn an_unknown_address_leaves_the_same_rows_as_a_known_one(backend: Backend) {
    let at = Installation::start(backend.clone()).await;
    at.person(ALICE).phone(CELL).create().await;
    at.person("invited@practice.example").invited().create().await;
    at.person("disabled@practice.example").disabled().create().await;
    // The counters of this network are rows already.
    forget(&at, &at.browser(), "else@practice.example").await;
    mail_requests::queue_requested_mails(&at.local()).await.unwrap();
    let mut first: Option<[BTreeMap<String, i64>; 2]> = None;
    let addresses = [ALICE, "unknown@practice.example", "no address", "invited@practice.example"];
    for address in addresses.into_iter().chain(["disabled@practice.example"]) {
        let before = backend.rows().await;
        forget(&at, &at.browser(), address).await;
        let asked = backend.rows().await;
        assert_eq!(mail_requests::queue_requested_mails(&at.local()).await.unwrap(), 1, "{address}");
        let answered = backend.rows().await;
        let rows = [grown(&before, &asked), grown(&asked, &answered)];
        assert_eq!(first.get_or_insert_with(|| rows.clone()), &rows, "{address}");
    }
    // Two of the five are sent: to the account that is active, and to the one that was invited.
    assert_eq!((at.count_messages("recovery").await, at.count_messages("invitation").await), (1, 1));
}

async fn a_link_serves_the_browser_that_followed_it_and_no_other(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    let (owner, thief) = (at.browser(), at.browser());
    forget(&at, &owner, ALICE).await;
    let (token, _) = at.recovery_mail().await;
    // It may be followed in another browser than the one that asked.
    assert_eq!(name_of(follow_in(&at, &owner, &token).await), "verify");
    assert!(is_over(&follow_in(&at, &thief, &token).await));
    assert_eq!(name_of(follow_in(&at, &owner, &token).await), "verify");
    assert_eq!(at.count_audited("link_refused", "used").await, 1);
}

fn name_of(outcome: FollowLinkOutcome) -> &'static str {
    match outcome {
        FollowLinkOutcome::Next(next) => name(&next),
        FollowLinkOutcome::LinkInvalid => "invalid",
    }
}

async fn of_two_browsers_that_follow_a_link_at_once_one_goes_on(backend: Backend) {
    let first = Installation::start(backend).await;
    let second = first.another_node().await;
    first.person(ALICE).phone(CELL).create().await;
    forget(&first, &first.browser(), ALICE).await;
    let (token, _) = first.recovery_mail().await;
    let browsers: Vec<TestBrowser> = (0..4).map(|_| first.browser()).collect();
    let nodes = [&first, &second];
    let attempts =
        browsers.iter().enumerate().map(|(number, browser)| follow_in(nodes[number % 2], browser, &token));
    let over = join_all(attempts).await.iter().filter(|outcome| is_over(outcome)).count();
    assert_eq!(over, 3);
    assert_eq!(first.audited("link_pressed").await.len(), 1);
}

async fn a_followed_link_is_over_in_its_browser_once_another_account_was_there(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    at.person(BOB).create().await;
    let mut browser = at.browser();
    forget(&at, &browser, ALICE).await;
    let (token, _) = at.recovery_mail().await;
    let proven = followed(follow_in(&at, &browser, &token).await);
    at.advance(SignedDuration::from_secs(1));
    browser.sign_in(&at, BOB, PASSWORD).await;
    assert!(is_over(&follow_in(&at, &browser, &token).await));
    // Nor does the page behind it go on with the proof.
    let (visit, interaction_ref) = browser.form_of(&at, &proven);
    let way = Some(first_way(&proven));
    let sent = send(&visit, interaction_ref, way).await.unwrap();
    assert!(!matches!(&sent, SendOutcome::Next(next) if name(next) == "verify"), "{sent:?}");
    assert!(at.audited("code_sent").await.is_empty());
}

async fn a_link_ends_with_its_time_a_reset_and_a_disablement(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    forget(&at, &at.browser(), ALICE).await;
    let (expired, _) = at.recovery_mail().await;
    at.advance(SignedDuration::from_mins(30));
    assert!(is_over(&follow_in(&at, &at.browser(), &expired).await));
    assert_eq!(at.count_audited("link_refused", "expired").await, 1);

    forget(&at, &at.browser(), ALICE).await;
    let (completed, _) = at.recovery_mail().await;
    let mut browser = at.browser();
    let verifying = followed(follow_in(&at, &browser, &completed).await);
    let form = verify(&at, &mut browser, &verifying).await;
    let outcome = choose(&at, &browser, &form, NEW).await;
    assert!(matches!(outcome, NewPasswordOutcome::Reset { .. }), "{outcome:?}");
    assert!(is_over(&follow_in(&at, &browser, &completed).await));
    assert_eq!(at.count_audited("link_refused", "ended").await, 1);

    forget(&at, &at.browser(), ALICE).await;
    let (disabled, _) = at.recovery_mail().await;
    admin::disable(&at.local(), &EmailAddress::parse(ALICE).unwrap()).await.unwrap();
    assert!(is_over(&follow_in(&at, &at.browser(), &disabled).await));
    admin::enable(&at.local(), &EmailAddress::parse(ALICE).unwrap()).await.unwrap();
    assert!(is_over(&follow_in(&at, &at.browser(), &disabled).await));
}

async fn a_token_that_is_no_recovery_opens_nothing(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person("invited@practice.example").invited().create().await;
    request_invitation(&at.browser().form(&at), "invited@practice.example").await.unwrap();
    let invitation = at.invitation().await;
    for token in [invitation.as_str(), "", "no token", &at.node.random.token().encode()] {
        assert!(is_over(&follow_in(&at, &at.browser(), token).await), "{token}");
    }
    assert_eq!(at.audited("link_refused").await.len(), 4);
}

async fn the_code_of_a_mail_is_accepted_in_the_browser_that_asked_and_no_other(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    let (browser, other) = (at.browser(), at.browser());
    let asked = forget(&at, &browser, ALICE).await;
    let (_, code) = at.recovery_mail().await;
    let (visit, interaction_ref) = visit_of(&at, &other, &asked);
    let outcome = enter_mailed_code(&visit, interaction_ref.unwrap(), &code).await.unwrap();
    assert!(matches!(outcome, MailedCodeOutcome::MailRequestedElsewhere(_)), "{outcome:?}");
    // An interaction of its own has no mail with this code.
    let own = forget(&at, &other, "unknown@practice.example").await;
    let (visit, interaction_ref) = visit_of(&at, &other, &own);
    let outcome = enter_mailed_code(&visit, interaction_ref.unwrap(), &code).await.unwrap();
    assert!(matches!(outcome, MailedCodeOutcome::Wrong(_)), "{outcome:?}");
    let (visit, interaction_ref) = visit_of(&at, &browser, &asked);
    let outcome = enter_mailed_code(&visit, interaction_ref.unwrap(), &code).await.unwrap();
    assert!(matches!(&outcome, MailedCodeOutcome::Next(next) if name(next) == "verify"), "{outcome:?}");
}

async fn of_codes_at_once_ten_are_compared(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    let browser = at.browser();
    let asked = forget(&at, &browser, ALICE).await;
    let (_, code) = at.recovery_mail().await;
    let guess = async |text: String| {
        let (visit, interaction_ref) = visit_of(&at, &browser, &asked);
        Box::pin(enter_mailed_code(&visit, interaction_ref.unwrap(), &text)).await.unwrap()
    };
    let guesses = (0..12).map(|number| guess(format!("AAAAA-AAA{number:02}")));
    for outcome in join_all(guesses).await {
        assert!(matches!(outcome, MailedCodeOutcome::Wrong(_)), "{outcome:?}");
    }
    let outcome = guess(code).await;
    assert!(matches!(outcome, MailedCodeOutcome::Wrong(_)), "{outcome:?}");
    // Its link still serves.
    assert_eq!(name_of(follow_in(&at, &browser, &at.recovery_mail().await.0).await), "verify");
}

async fn the_sixth_mail_for_an_address_is_not_sent_and_the_answer_is_the_same(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    for _ in 0..6 {
        forget(&at, &at.browser(), ALICE).await;
    }
    assert_eq!(at.count_messages("recovery").await, 5);
    assert_eq!(at.count_audited("recovery_asked", "\"mailed\":false").await, 1);
    at.advance(SignedDuration::from_mins(30));
    forget(&at, &at.browser(), ALICE).await;
    assert_eq!(at.count_messages("recovery").await, 6);
}

async fn one_form_sent_twice_at_once_asks_once(backend: Backend) {
    let at = Installation::start(backend.clone()).await;
    at.person(ALICE).phone(CELL).create().await;
    let browser = at.browser();
    let send = || {
        let visit = browser.form_with(&at, "the form");
        let asking = RecoveryRequest { address: ALICE.to_owned(), interaction_ref: None };
        async move { Box::pin(ask(&visit, asking)).await.unwrap() }
    };
    let (one, other) = tokio::join!(send(), send());
    let handles = [one, other].map(|outcome| match outcome {
        RequestRecoveryOutcome::Asked(interaction) => interaction.form_value(&at.local()).unwrap(),
        other => panic!("{other:?}"),
    });
    assert_eq!(handles[0], handles[1]);
    assert_eq!((at.count_messages("recovery").await, at.audited("recovery_asked").await.len()), (1, 1));
    assert_eq!(backend.rows().await["interactions"], 1);
}

async fn requests_answered_at_two_nodes_at_once_are_answered_once(backend: Backend) {
    let first = Installation::start(backend).await;
    let second = first.another_node().await;
    first.person(ALICE).phone(CELL).create().await;
    for address in [ALICE, "unknown@practice.example", ALICE] {
        forget(&first, &first.browser(), address).await;
    }
    let (one, other) = (first.local(), second.local());
    let (one, other) = tokio::join!(
        mail_requests::queue_requested_mails(&one),
        mail_requests::queue_requested_mails(&other)
    );
    assert!(one.unwrap() + other.unwrap() >= 3);
    assert_eq!((first.count_messages("recovery").await, first.audited("ask_answered").await.len()), (2, 3));
}

async fn the_tab_that_waits_goes_on_once_its_reset_is_complete(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    let (waiting, mut phone) = (at.browser(), at.browser());
    let asked = forget(&at, &waiting, ALICE).await;
    let strangers = forget(&at, &at.browser(), "unknown@practice.example").await;
    let may_go_on = async |interaction| {
        let (visit, interaction_ref) = visit_of(&at, &waiting, interaction);
        is_reset_completed(&visit, interaction_ref.unwrap()).await.unwrap()
    };
    let page = follow(&at, &phone).await;
    assert!(!may_go_on(&asked).await);
    let form = verify(&at, &mut phone, &page).await;
    assert!(!may_go_on(&asked).await);
    choose(&at, &phone, &form, NEW).await;
    assert!(may_go_on(&asked).await && !may_go_on(&strangers).await);
}

async fn beyond_the_rate_no_request_is_written(backend: Backend) {
    let at = Installation::with(backend.clone(), |it| it.set("policy.recovery.rate.max", "2")).await;
    at.person(ALICE).phone(CELL).create().await;
    for _ in 0..2 {
        forget(&at, &at.browser(), ALICE).await;
    }
    let before = backend.rows().await;
    let asking = RecoveryRequest { address: ALICE.to_owned(), interaction_ref: None };
    let outcome = ask(&at.browser().form(&at), asking).await.unwrap();
    assert!(matches!(outcome, RequestRecoveryOutcome::RateLimited { .. }), "{outcome:?}");
    assert_eq!(grown(&before, &backend.rows().await), BTreeMap::new());
    // An invitation has a rate of its own.
    let outcome = request_invitation(&at.browser().form(&at), ALICE).await.unwrap();
    assert_eq!(outcome, RequestInvitationOutcome::Asked);
}

async fn a_link_followed_elsewhere_leads_to_the_dashboard_and_here_to_the_application(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    let (desk, phone) = (at.browser(), at.browser());
    let request = page(web().authorize(&at, &desk, &[]).await);
    for (browser, waits_here) in [(&desk, true), (&phone, false)] {
        let (visit, interaction_ref) = desk.form_of(&at, &request);
        let asking = RecoveryRequest { address: ALICE.to_owned(), interaction_ref };
        ask(&visit, asking).await.unwrap();
        let page = follow(&at, browser).await;
        let state = &page.interaction.state;
        assert_eq!(state.request().is_some(), waits_here);
        assert_eq!(state.recovery.as_ref().map(|note| note.waits_elsewhere), Some(!waits_here));
    }
    // A browser in which another account is signed in resets the account of the link all the same.
    at.person(BOB).create().await;
    let bobs = signed_in(&at, BOB).await;
    forget(&at, &bobs, ALICE).await;
    let page = follow(&at, &bobs).await;
    assert_eq!(page.owner().account, page.interaction.proof().map(|proof| proof.account));
}
