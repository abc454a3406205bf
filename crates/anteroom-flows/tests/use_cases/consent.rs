//! The decision on the consent page, and what changes while the page is open.

use anteroom_domain::client::ClientVersion;
use anteroom_flows::context::provider::{Clients, Snapshot};
use anteroom_flows::interaction::consent::{ConsentOutcome, consent};
use anteroom_flows::interaction::consent_decision_record::ConsentDecision;
use anteroom_flows::interaction::next::{Next, StepPage};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::protocol::sign_out;
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use jiff::SignedDuration;
use serde_json::json;

use crate::application::{Application, answer, code_in, parameters, partner};
use crate::browser::{TestBrowser, page, signed_in};
use crate::client_registration::{CALLBACK, open, register, update};
use crate::installation::Installation;
use crate::steps::name;
use crate::{ALICE, BOB};

on_both_databases!(
    what_is_allowed_is_remembered_and_what_is_denied_is_not,
    of_two_decisions_at_once_the_one_that_is_answered_is_kept_alone,
    one_form_sent_twice_gets_one_code_twice_and_for_a_moment_only,
    a_configured_client_that_changed_meanwhile_is_asked_for_anew,
    a_client_that_changed_at_another_node_is_asked_for_anew,
    an_update_and_a_decision_at_once_leave_no_consent_to_what_was_not_shown,
    a_client_that_is_gone_gets_no_consent,
    another_account_does_not_answer_the_page_of_the_first,
    a_session_that_ended_meanwhile_leads_to_sign_in,
    an_interaction_that_is_over_is_gone,
);

async fn decide(
    at: &Installation,
    browser: &TestBrowser,
    page: &StepPage,
    decision: ConsentDecision,
) -> ConsentOutcome {
    let (visit, interaction_ref) = browser.form_of(at, page);
    Box::pin(consent(&visit, interaction_ref.unwrap(), decision)).await.unwrap()
}

fn next(outcome: ConsentOutcome) -> Next {
    match outcome {
        ConsentOutcome::Next(next) => next,
        other => panic!("{other:?}"),
    }
}

async fn asked(at: &Installation, application: &Application, browser: &TestBrowser) -> Box<StepPage> {
    let next = application.authorize(at, browser, &[("scope", "openid email")]).await;
    assert_eq!(name(&next), "consent");
    page(next)
}

/// Alice is signed in, and the partner's page is open.
async fn with_page(at: &Installation) -> (TestBrowser, Box<StepPage>) {
    at.person(ALICE).create().await;
    let browser = signed_in(at, ALICE).await;
    let page = asked(at, &partner(), &browser).await;
    (browser, page)
}

async fn what_is_allowed_is_remembered_and_what_is_denied_is_not(backend: Backend) {
    let at = Installation::start(backend).await;
    let (browser, page) = with_page(&at).await;
    let denied = next(decide(&at, &browser, &page, ConsentDecision::Deny).await);
    assert_eq!(answer(&denied)["error"], "access_denied");
    let page = asked(&at, &partner(), &browser).await;
    let allowed = next(decide(&at, &browser, &page, ConsentDecision::Allow).await);
    assert!(partner().redeem(&at.call(), &code_in(&allowed)).await.is_ok());
    partner().code(&at, &browser, "openid email").await;
    // A scope beyond it is asked for.
    let more = partner().authorize(&at, &browser, &[("scope", "openid email profile")]).await;
    assert_eq!(name(&more), "consent");
    let counts = (at.audited("consent_denied").await.len(), at.audited("consent_given").await.len());
    assert_eq!(counts, (1, 1));
}

async fn of_two_decisions_at_once_the_one_that_is_answered_is_kept_alone(backend: Backend) {
    let at = Installation::start(backend).await;
    let (browser, page) = with_page(&at).await;
    let (allow, deny) = tokio::join!(
        decide(&at, &browser, &page, ConsentDecision::Allow),
        decide(&at, &browser, &page, ConsentDecision::Deny),
    );
    let (allow, deny) = (next(allow), next(deny));
    let names = [name(&allow), name(&deny)];
    let won = names.iter().filter(|name| **name == "application").count();
    assert_eq!(won, 1, "{names:?}");
    let is_allowed = names[0] == "application";
    assert_eq!(at.audited("consent_given").await.len(), usize::from(is_allowed));
    assert_eq!(at.audited("consent_denied").await.len(), usize::from(!is_allowed));
    let after = partner().authorize(&at, &browser, &[("scope", "openid email")]).await;
    assert_eq!(name(&after), if is_allowed { "application" } else { "consent" });
}

async fn one_form_sent_twice_gets_one_code_twice_and_for_a_moment_only(backend: Backend) {
    let at = Installation::start(backend).await;
    let (browser, page) = with_page(&at).await;
    let first = next(decide(&at, &browser, &page, ConsentDecision::Allow).await);
    let again = next(decide(&at, &browser, &page, ConsentDecision::Allow).await);
    let Next::AnsweredBefore(before) = &again else { panic!("{again:?}") };
    let repeated = parameters(before.repeat.as_ref().unwrap());
    assert_eq!(repeated["code"], code_in(&first));
    at.advance(SignedDuration::from_secs(30));
    let late = next(decide(&at, &browser, &page, ConsentDecision::Allow).await);
    assert_eq!(name(&late), "answered_before");
    assert_eq!(at.audited("consent_given").await.len(), 1);
}

/// The configuration with another version of this client: the operator has changed it.
fn changed(snapshot: &Snapshot, id: &str) -> Snapshot {
    let clients = snapshot.clients.configured().map(|client| {
        let mut client = client.as_ref().clone();
        if client.id().as_str() == id {
            client.version = ClientVersion(client.version.0.wrapping_add(1));
        }
        client
    });
    Snapshot { clients: Clients::new(clients.collect()), ..snapshot.clone() }
}

async fn a_configured_client_that_changed_meanwhile_is_asked_for_anew(backend: Backend) {
    let at = Installation::start(backend).await;
    let (browser, page) = with_page(&at).await;
    at.node.replace_snapshot(changed(&at.node.snapshot(), "partner"));
    let anew = match decide(&at, &browser, &page, ConsentDecision::Allow).await {
        ConsentOutcome::AskedAnew(page) => page,
        other => panic!("{other:?}"),
    };
    assert!(at.audited("consent_given").await.is_empty());
    // What the new page says can be agreed to; and a refusal is one whatever the client has become.
    code_in(&next(decide(&at, &browser, &anew, ConsentDecision::Allow).await));
    let page = match partner().authorize(&at, &browser, &[("prompt", "consent")]).await {
        Next::Page(page) => page,
        other => panic!("{other:?}"),
    };
    at.node.replace_snapshot(changed(&at.node.snapshot(), "partner"));
    let denied = next(decide(&at, &browser, &page, ConsentDecision::Deny).await);
    assert_eq!(answer(&denied)["error"], "access_denied");
}

async fn a_client_that_changed_at_another_node_is_asked_for_anew(backend: Backend) {
    let first = Installation::with(backend, open).await;
    let second = first.another_node().await;
    let registered = register(&first, &json!({})).await;
    first.person(ALICE).create().await;
    let browser = signed_in(&second, ALICE).await;
    let page = asked(&second, &registered.application(), &browser).await;
    let elsewhere = json!({ "redirect_uris": [CALLBACK, "https://elsewhere.example/callback"] });
    update(&first, &registered, &elsewhere).await.unwrap();
    let outcome = decide(&second, &browser, &page, ConsentDecision::Allow).await;
    assert!(matches!(outcome, ConsentOutcome::AskedAnew(_)), "{outcome:?}");
    assert!(first.audited("consent_given").await.is_empty());
}

async fn an_update_and_a_decision_at_once_leave_no_consent_to_what_was_not_shown(backend: Backend) {
    let first = Installation::with(backend, open).await;
    let second = first.another_node().await;
    first.person(ALICE).create().await;
    let browser = signed_in(&second, ALICE).await;
    for _ in 0..3 {
        let registered = register(&first, &json!({})).await;
        let application = registered.application();
        let page = asked(&second, &application, &browser).await;
        let elsewhere = json!({ "redirect_uris": [CALLBACK, "https://elsewhere.example/callback"] });
        let (_, updated) = tokio::join!(
            decide(&second, &browser, &page, ConsentDecision::Allow),
            update(&first, &registered, &elsewhere),
        );
        updated.unwrap();
        // A consent from before the update was deleted by it.
        asked(&second, &application, &browser).await;
    }
}

async fn a_client_that_is_gone_gets_no_consent(backend: Backend) {
    let at = Installation::start(backend).await;
    let (browser, page) = with_page(&at).await;
    let snapshot = at.node.snapshot();
    let others = snapshot.clients.configured().filter(|client| client.id().as_str() != "partner");
    let clients = Clients::new(others.map(|client| client.as_ref().clone()).collect());
    at.node.replace_snapshot(Snapshot { clients, ..snapshot.as_ref().clone() });
    for decision in [ConsentDecision::Allow, ConsentDecision::Deny] {
        assert_eq!(name(&next(decide(&at, &browser, &page, decision).await)), "application_gone");
    }
    assert!(at.audited("consent_given").await.is_empty() && at.audited("consent_denied").await.is_empty());
}

async fn another_account_does_not_answer_the_page_of_the_first(backend: Backend) {
    let at = Installation::start(backend).await;
    let (mut browser, page) = with_page(&at).await;
    at.person(BOB).create().await;
    browser.sign_out(&at).await;
    browser.sign_in(&at, BOB, PASSWORD).await;
    for decision in [ConsentDecision::Allow, ConsentDecision::Deny] {
        assert_eq!(name(&next(decide(&at, &browser, &page, decision).await)), "account_mismatch");
    }
    assert!(at.audited("consent_given").await.is_empty() && at.audited("consent_denied").await.is_empty());
}

async fn a_session_that_ended_meanwhile_leads_to_sign_in(backend: Backend) {
    let at = Installation::start(backend).await;
    let (browser, page) = with_page(&at).await;
    sign_out::end_all_of_browser(&browser.visit(&at)).await.unwrap();
    assert_eq!(name(&next(decide(&at, &browser, &page, ConsentDecision::Allow).await)), "sign_in");
    assert!(at.audited("consent_given").await.is_empty());
}

async fn an_interaction_that_is_over_is_gone(backend: Backend) {
    let at = Installation::start(backend).await;
    let (mut browser, page) = with_page(&at).await;
    at.advance(SignedDuration::from_hours(25));
    browser.sign_in(&at, ALICE, PASSWORD).await;
    let outcome = decide(&at, &browser, &page, ConsentDecision::Allow).await;
    assert!(matches!(outcome, ConsentOutcome::InteractionNotFound), "{outcome:?}");
    let made_up = InteractionRef::parse(&at.node.random.token().encode()).unwrap();
    let outcome = consent(&browser.form(&at), made_up, ConsentDecision::Allow).await.unwrap();
    assert!(matches!(outcome, ConsentOutcome::InteractionNotFound), "{outcome:?}");
}
