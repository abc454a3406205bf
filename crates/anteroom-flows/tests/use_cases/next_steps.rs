//! The step that comes next, for each situation of a browser and each target; and what a request without a page gets.

use anteroom_domain::interaction::Destination;
use anteroom_flows::context::provider::{Clients, Snapshot};
use anteroom_flows::interaction::choose_account::{ChooseOutcome, ChosenAccount, choose};
use anteroom_flows::interaction::next::{Next, Step, proceed};
use anteroom_flows::interaction::open_interaction::OpenInteraction;
use anteroom_flows::people::sign_in::SignInOutcome;
use anteroom_flows::protocol::sign_out;
use anteroom_testkit::{Backend, Builder, PASSWORD, on_both_databases};
use jiff::SignedDuration;

use crate::application::{Application, answer, code_in, imaging, partner, web};
use crate::browser::{TestBrowser, page, signed_in};
use crate::installation::Installation;
use crate::steps::{follow, forget, name};
use crate::{ALICE, BOB, CELL};

on_both_databases!(
    each_situation_has_its_step_for_each_target,
    a_request_without_a_page_gets_the_error_of_its_step,
    a_request_asks_for_a_new_sign_in_where_it_says_so,
    a_hint_decides_among_the_accounts_that_are_signed_in,
    a_new_device_passes_a_second_factor_before_any_target,
    a_recovery_leads_to_its_new_password_whatever_the_target,
    a_client_that_changed_is_asked_by_its_present_registration,
    of_two_tabs_with_one_request_one_is_answered,
);

const MFA: &str = r#"{"id_token":{"acr":{"essential":true,"values":["urn:anteroom:acr:mfa"]}}}"#;

async fn at_own_page(at: &Installation, browser: &TestBrowser, destination: Destination) -> &'static str {
    let visit = browser.visit(at);
    let mut interaction = OpenInteraction::to_dashboard(&visit);
    interaction.state.destination = destination;
    name(&proceed(&visit, interaction).await.unwrap())
}

/// For the dashboard, a new password, authenticator apps, the practice's own application, one of others, and one for clinicians.
async fn steps(at: &Installation, browser: &TestBrowser) -> [&'static str; 6] {
    [
        at_own_page(at, browser, Destination::Dashboard).await,
        at_own_page(at, browser, Destination::ChangePassword).await,
        at_own_page(at, browser, Destination::AuthenticatorApps).await,
        name(&web().authorize(at, browser, &[]).await),
        name(&partner().authorize(at, browser, &[]).await),
        name(&imaging().authorize(at, browser, &[]).await),
    ]
}

async fn each_situation_has_its_step_for_each_target(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    at.person(BOB).phone(CELL).groups(&["staff", "clinicians"]).create().await;
    assert_eq!(steps(&at, &at.browser()).await, ["sign_in"; 6], "no account");

    let mut browser = signed_in(&at, ALICE).await;
    let alone = ["dashboard", "new_password", "authenticator_apps", "application", "consent", "not_entitled"];
    assert_eq!(steps(&at, &browser).await, alone, "an account without a factor, in no group");

    let bobs = signed_in(&at, BOB).await;
    let with_factor = ["dashboard", "verify", "verify", "application", "consent", "application"];
    assert_eq!(steps(&at, &bobs).await, with_factor, "an account with a phone, in the group");

    browser.sign_in(&at, BOB, PASSWORD).await;
    let of_two = steps(&at, &browser).await;
    assert_eq!(of_two[..3], with_factor[..3], "two accounts: the pages of the present one");
    assert_eq!(of_two[3..], ["choose_account"; 3], "two accounts: the application asks");

    sign_out::end_all_of_browser(&browser.visit(&at)).await.unwrap();
    assert_eq!(steps(&at, &browser).await, ["sign_in"; 6], "signed out");
    at.advance(SignedDuration::from_mins(30));
    assert_eq!(steps(&at, &bobs).await, ["sign_in"; 6], "idle for too long");
}

async fn error(at: &Installation, application: &Application, browser: &TestBrowser) -> String {
    let next = application.authorize(at, browser, &[("prompt", "none")]).await;
    let answer = answer(&next);
    answer.get("error").cloned().unwrap_or_default()
}

async fn a_request_without_a_page_gets_the_error_of_its_step(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    at.person(BOB).create().await;
    assert_eq!(error(&at, &web(), &at.browser()).await, "login_required");
    let mut browser = signed_in(&at, ALICE).await;
    assert_eq!(error(&at, &web(), &browser).await, "");
    assert_eq!(error(&at, &partner(), &browser).await, "consent_required");
    assert_eq!(error(&at, &imaging(), &browser).await, "access_denied");
    browser.sign_in(&at, BOB, PASSWORD).await;
    assert_eq!(error(&at, &web(), &browser).await, "account_selection_required");
    // One that no account has consented to is not told so much.
    assert_eq!(error(&at, &partner(), &browser).await, "consent_required");
    let essential = [("prompt", "none"), ("claims", MFA), ("login_hint", BOB)];
    let next = web().authorize(&at, &browser, &essential).await;
    assert_eq!(answer(&next)["error"], "interaction_required");
}

async fn a_request_asks_for_a_new_sign_in_where_it_says_so(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    let mut browser = signed_in(&at, ALICE).await;
    at.advance(SignedDuration::from_secs(61));
    for (changes, expected) in [
        ([("max_age", "60")], "sign_in"),
        ([("max_age", "120")], "application"),
        ([("max_age", "0")], "sign_in"),
        ([("prompt", "login")], "sign_in"),
        ([("prompt", "select_account")], "choose_account"),
        ([("prompt", "consent")], "consent"),
        ([("claims", MFA)], "no_second_factor"),
    ] {
        assert_eq!(name(&web().authorize(&at, &browser, &changes).await), expected, "{changes:?}");
    }
    // The sign-in that is made for it counts.
    let request = page(web().authorize(&at, &browser, &[("prompt", "login")]).await);
    let outcome = browser.sign_in_on(&at, &request, ALICE, PASSWORD).await;
    let SignInOutcome::SignedIn { next, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(name(&next), "application");
}

async fn a_hint_decides_among_the_accounts_that_are_signed_in(backend: Backend) {
    let at = Installation::start(backend).await;
    let alice = at.person(ALICE).create().await;
    at.person(BOB).create().await;
    let mut browser = signed_in(&at, ALICE).await;
    let alices = web().tokens(&at, &browser, "openid").await.id_token.unwrap();
    browser.sign_in(&at, BOB, PASSWORD).await;
    let hinted = [("id_token_hint", alices.as_str())];
    code_in(&web().authorize(&at, &browser, &hinted).await);
    // An account that is not signed in here has to sign in, and no other one will do.
    let mut bobs = signed_in(&at, BOB).await;
    let request = page(web().authorize(&at, &bobs, &hinted).await);
    assert!(matches!(request.step, Step::SignIn { .. }), "{:?}", request.step);
    at.advance(SignedDuration::from_secs(1));
    let outcome = bobs.sign_in_on(&at, &request, BOB, PASSWORD).await;
    let SignInOutcome::SignedIn { next, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer(&next)["error"], "login_required");
    // The chosen one of several is the one that is answered for.
    let asked = page(web().authorize(&at, &browser, &[]).await);
    let Step::ChooseAccount(accounts) = &asked.step else { panic!("{:?}", asked.step) };
    let chosen = accounts.iter().find(|live| live.account.id == alice).unwrap();
    let (visit, interaction_ref) = browser.form_of(&at, &asked);
    let choice = ChosenAccount::Session(chosen.session.id);
    let outcome = choose(&visit, interaction_ref, choice).await.unwrap();
    let ChooseOutcome::Chosen { next, sessions } = outcome else { panic!("{outcome:?}") };
    assert_eq!((name(&next), sessions.len()), ("application", 2));
    assert_eq!(sessions[0], chosen.token);
}

async fn a_new_device_passes_a_second_factor_before_any_target(backend: Backend) {
    let strict = |it: Builder| it.set("policy.new_devices_step_up", "true");
    let at = Installation::with(backend, strict).await;
    at.person(ALICE).phone(CELL).create().await;
    at.person(BOB).create().await;
    for (address, expected) in [(ALICE, "verify"), (BOB, "no_second_factor")] {
        let mut browser = at.browser();
        let outcome = browser.sign_in(&at, address, PASSWORD).await;
        let SignInOutcome::SignedIn { next, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(name(&next), expected, "{address}");
        let steps = steps(&at, &browser).await;
        // Whom the application does not admit is told so first.
        assert_eq!((&steps[..5], steps[5]), (&[expected; 5][..], "not_entitled"), "{address}");
    }
}

async fn a_recovery_leads_to_its_new_password_whatever_the_target(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).phone(CELL).create().await;
    at.person(BOB).create().await;
    for (address, expected) in [(ALICE, "verify"), (BOB, "no_second_factor")] {
        let browser = at.browser();
        forget(&at, &browser, address).await;
        let proven = follow(&at, &browser).await;
        for destination in [Destination::Dashboard, Destination::ChangePassword] {
            let mut interaction = proven.interaction.clone();
            interaction.state.destination = destination;
            let next = proceed(&browser.visit(&at), interaction).await.unwrap();
            assert_eq!(name(&next), expected, "{address}");
        }
        // The proof is of this interaction alone.
        assert_eq!(steps(&at, &browser).await, ["sign_in"; 6]);
    }
}

async fn a_client_that_changed_is_asked_by_its_present_registration(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    let mut browser = at.browser();
    let request = page(web().authorize(&at, &browser, &[("scope", "openid email")]).await);
    let before = at.node.snapshot();
    let change = |change: &dyn Fn(&mut anteroom_domain::client::Client)| {
        let clients = before.clients.configured().map(|client| {
            let mut client = client.as_ref().clone();
            if client.id().as_str() == "web" {
                change(&mut client);
            }
            client
        });
        let clients = Clients::new(clients.collect());
        at.node.replace_snapshot(Snapshot { clients, ..before.as_ref().clone() });
    };
    browser.sign_in(&at, ALICE, PASSWORD).await;
    let proceed_here = async || {
        let next = proceed(&browser.visit(&at), request.interaction.clone()).await.unwrap();
        (name(&next), next)
    };
    change(&|client| client.metadata.redirect_uris.clear());
    assert_eq!(proceed_here().await.0, "application_gone");
    change(&|client| client.metadata.require_pushed_authorization_requests = true);
    assert_eq!(proceed_here().await.0, "application_gone");
    change(&|client| client.metadata.scope = "profile".parse().unwrap());
    assert_eq!(proceed_here().await.0, "application_gone");
    change(&|client| client.policy.first_party = false);
    assert_eq!(proceed_here().await.0, "consent");
    change(&|client| client.metadata.scope = "openid".parse().unwrap());
    let (step, next) = proceed_here().await;
    assert_eq!(step, "application");
    let tokens = web().redeem(&at.call(), &code_in(&next)).await.unwrap();
    assert_eq!(tokens.scope.to_string(), "openid");
}

async fn of_two_tabs_with_one_request_one_is_answered(backend: Backend) {
    let at = Installation::start(backend).await;
    at.person(ALICE).create().await;
    let mut browser = at.browser();
    let request = page(web().authorize(&at, &browser, &[]).await);
    let mut other_tab = browser.clone();
    let first = browser.sign_in_on(&at, &request, ALICE, PASSWORD).await;
    let SignInOutcome::SignedIn { next: Next::Application(_), .. } = &first else { panic!("{first:?}") };
    // Within a moment the same browser gets the same answer, and afterwards none.
    let again = other_tab.sign_in_on(&at, &request, ALICE, PASSWORD).await;
    let SignInOutcome::SignedIn { next, .. } = again else { panic!("{again:?}") };
    assert_eq!(name(&next), "repeated");
    at.advance(SignedDuration::from_secs(31));
    let late = other_tab.sign_in_on(&at, &request, ALICE, PASSWORD).await;
    let SignInOutcome::SignedIn { next, .. } = late else { panic!("{late:?}") };
    assert_eq!(name(&next), "answered_before");
}
