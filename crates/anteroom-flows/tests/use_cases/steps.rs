//! The steps of a person on the way to a new password, as their pages lead from one to the next.

use anteroom_flows::interaction::next::{Next, Step, StepPage};
use anteroom_flows::interaction::open_interaction::OpenInteraction;
use anteroom_flows::interaction::verification::{EnterOutcome, EnteredCode, SendOutcome, enter, send};
use anteroom_flows::interaction::verification_model::CodeMethodChoice;
use anteroom_flows::people::new_password::{EnteredPassword, NewPasswordOutcome, set};
use anteroom_flows::people::recover::{
    FollowLinkOutcome, RecoveryRequest, RequestRecoveryOutcome, ask, follow_link,
};

use crate::browser::{TestBrowser, page, reference};
use crate::installation::Installation;

/// Requests a mail for a forgotten password.
pub(crate) async fn forget(at: &Installation, browser: &TestBrowser, address: &str) -> OpenInteraction {
    let asking = RecoveryRequest { address: address.to_owned(), interaction_ref: None };
    match ask(&browser.form(at), asking).await.unwrap() {
        RequestRecoveryOutcome::Asked(interaction) => interaction,
        other => panic!("{other:?}"),
    }
}

/// Follows the newest mailed link: the page that verifies the identity.
pub(crate) async fn follow(at: &Installation, browser: &TestBrowser) -> Box<StepPage> {
    let (token, _) = at.recovery_mail().await;
    followed(follow_link(&browser.form(at), &token).await.unwrap())
}

pub(crate) fn followed(outcome: FollowLinkOutcome) -> Box<StepPage> {
    match outcome {
        FollowLinkOutcome::Next(next) => page(next),
        FollowLinkOutcome::LinkInvalid => panic!("the link is not valid"),
    }
}

/// Has a code sent by the first way that the page offers: the page where it is entered.
pub(crate) async fn have_code_sent(
    at: &Installation,
    browser: &TestBrowser,
    page_before: &StepPage,
) -> Box<StepPage> {
    match try_send(at, browser, page_before).await {
        SendOutcome::Next(next) => page(next),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn try_send(at: &Installation, browser: &TestBrowser, page: &StepPage) -> SendOutcome {
    let (visit, interaction_ref) = browser.form_of(at, page);
    send(&visit, interaction_ref, Some(first_way(page))).await.unwrap()
}

pub(crate) fn first_way(page: &StepPage) -> CodeMethodChoice {
    let Step::Verify(verification) = &page.step else { panic!("no verification: {:?}", page.step) };
    verification.destinations[0].choice()
}

pub(crate) async fn enter_code(
    at: &Installation,
    browser: &TestBrowser,
    page: &StepPage,
    code: &str,
) -> EnterOutcome {
    let (visit, interaction_ref) = browser.form_of(at, page);
    Box::pin(enter(&visit, interaction_ref, EnteredCode::Sent(code))).await.unwrap()
}

/// From a page that verifies the identity, through a code, to the next page.
pub(crate) async fn verify(
    at: &Installation,
    browser: &mut TestBrowser,
    page_before: &StepPage,
) -> Box<StepPage> {
    let waiting = have_code_sent(at, browser, page_before).await;
    let digits = at.digits().await;
    match enter_code(at, browser, &waiting, &digits).await {
        EnterOutcome::Next(next) => page(next),
        EnterOutcome::SteppedUp { cookies, next } => {
            browser.remember(&cookies);
            page(next)
        }
        other => panic!("{other:?}"),
    }
}

/// The whole way of a recovery to the page of the new password.
pub(crate) async fn at_new_password(
    at: &Installation,
    browser: &mut TestBrowser,
    address: &str,
) -> Box<StepPage> {
    forget(at, browser, address).await;
    let page = follow(at, browser).await;
    verify(at, browser, &page).await
}

/// Enters the same new password twice on its page.
pub(crate) async fn choose(
    at: &Installation,
    browser: &TestBrowser,
    page: &StepPage,
    password: &str,
) -> NewPasswordOutcome {
    choose_both(at, browser, page, [password, password]).await
}

pub(crate) async fn choose_both(
    at: &Installation,
    browser: &TestBrowser,
    page: &StepPage,
    [new, confirmed]: [&str; 2],
) -> NewPasswordOutcome {
    let (visit, interaction_ref) = browser.form_of(at, page);
    let entered = EnteredPassword { new: new.into(), confirmed: confirmed.into() };
    Box::pin(set(&visit, interaction_ref, entered)).await.unwrap()
}

/// Digits that are not these; each number gives others.
pub(crate) fn other_digits(digits: &str, number: u32) -> String {
    let right: u32 = digits.parse().unwrap();
    format!("{:06}", (right + 7 * (number + 1)) % 1_000_000)
}

/// What comes next, in a word.
pub(crate) fn name(next: &Next) -> &'static str {
    let page = match next {
        Next::Page(page) => page,
        Next::Application(_) => return "application",
        Next::Dashboard => return "dashboard",
        Next::AuthenticatorApps(_) => return "authenticator_apps",
        Next::ApplicationGone => return "application_gone",
        Next::AnsweredBefore(before) => {
            return if before.repeat.is_some() { "repeated" } else { "answered_before" };
        }
        Next::AccountMismatch(_) => return "account_mismatch",
    };
    match &page.step {
        Step::SignIn { .. } => "sign_in",
        Step::ChooseAccount(_) => "choose_account",
        Step::Consent { .. } => "consent",
        Step::NotEntitled(_) => "not_entitled",
        Step::ExpiredPassword { .. } => "expired_password",
        Step::CompleteRegistration => "complete_registration",
        Step::Verify(_) => "verify",
        Step::NoSecondFactor { .. } => "no_second_factor",
        Step::AddPhones { .. } => "add_phones",
        Step::NewPassword { .. } => "new_password",
    }
}

/// What the form of an interaction, and not of a page, names it by.
pub(crate) fn visit_of(
    at: &Installation,
    browser: &TestBrowser,
    interaction: &OpenInteraction,
) -> (
    anteroom_flows::context::call::Visit,
    Option<anteroom_flows::interaction::open_interaction::InteractionRef>,
) {
    let visit = browser.form(at);
    let interaction_ref = reference(&visit, interaction);
    (visit, interaction_ref)
}
