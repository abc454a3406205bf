//! The response for each [`Next`]: the one match from outcome to page.

use anteroom_domain::next_step::SignInReason;
use anteroom_flows::interaction::next::{Next, Step, StepPage, proceed};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::interaction::reopen::open;
use anteroom_pages::SignInNotice;
use axum::http::StatusCode;
use axum::response::Response;

use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::pages::sign_in_form::SignInForm;
use crate::pages::step_view::StepView;
use crate::pages::verify_pages::StepNotices;
use crate::pages::{add_phone_page, new_password_page, verify_pages};
use crate::paths::{COMPLETE_REGISTRATION, CONTINUE, FACTORS};
use crate::paths::{DASHBOARD, SIGN_IN, with_interaction};
use crate::respond::{redirect_in_browser, see_other, to_application};

/// The response to a GET: the page itself.
pub(crate) fn show_page(context: &PageContext, next: Next) -> Result<Response, PageError> {
    show_saying(context, next, StepNotices::default())
}

fn show_saying(context: &PageContext, next: Next, say: StepNotices) -> Result<Response, PageError> {
    match next {
        Next::Page(page) => step_page(context, *page, say),
        Next::Application(response) => Ok(to_application(context, &response)),
        Next::Dashboard => Ok(see_other(DASHBOARD)),
        Next::AuthenticatorApps(_) => Ok(see_other(FACTORS)),
        Next::ApplicationGone => Err(PageError::application_gone()),
        Next::AnsweredBefore(before) => Err(PageError::answered_before(before.client.as_deref())),
        Next::AccountMismatch(other) => {
            let handle = other.interaction.form_value(&context.visit)?;
            let again = handle
                .map_or_else(|| DASHBOARD.to_owned(), |handle| with_interaction(CONTINUE, Some(&handle)));
            Err(PageError::account_mismatch(&other.account, &again))
        }
    }
}

/// The response to a form: a redirect, so that refresh and Back work.
pub(crate) fn respond_to_form(context: &PageContext, next: Next) -> Result<Response, PageError> {
    match next {
        Next::Page(page) if page.not_persisted => step_page(context, *page, StepNotices::default()),
        Next::Page(page) => Ok(redirect_in_browser(context, &continue_address(context, &page)?)),
        // The same form was sent twice: both get the same response, whichever of them the browser shows.
        Next::AnsweredBefore(before) => match before.repeat {
            Some(response) => Ok(to_application(context, &response)),
            None => Err(PageError::answered_before(before.client.as_deref())),
        },
        elsewhere => show_page(context, elsewhere),
    }
}

pub(crate) fn continue_address(context: &PageContext, page: &StepPage) -> Result<String, PageError> {
    let handle = page.interaction.form_value(&context.visit)?;
    Ok(handle.map_or_else(|| SIGN_IN.to_owned(), |handle| format!("{CONTINUE}?interaction={handle}")))
}

/// `GET /continue?interaction=…`: the page of the interaction's present step.
pub(crate) async fn resume(query: axum::extract::RawQuery, context: PageContext) -> Response {
    finish(&context, resumed(&context, query.0.as_deref().unwrap_or_default()).await).await
}

async fn resumed(context: &PageContext, query: &str) -> Result<Response, PageError> {
    let interaction_ref = interaction_in(query).ok_or_else(PageError::interaction_expired)?;
    let Ok(interaction) = open(&context.visit, &interaction_ref).await? else {
        return Err(PageError::interaction_expired());
    };
    show_saying(context, proceed(&context.visit, interaction).await?, StepNotices::from_query(query))
}

/// The interaction that an address names.
pub(crate) fn interaction_in(query: &str) -> Option<InteractionRef> {
    let form = anteroom_oidc::form::UrlEncodedForm::decode(query.as_bytes()).ok()?;
    InteractionRef::parse(form.once("interaction").ok()??)
}

fn step_page(context: &PageContext, page: StepPage, say: StepNotices) -> Result<Response, PageError> {
    let shown = StepView::of(context, &page)?;
    let StepPage { step, client, interaction, .. } = page;
    let locales =
        interaction.state.request().map(|request| request.ask.ui_locales.clone()).unwrap_or_default();
    Ok(match step {
        Step::SignIn { reason, email } => {
            let reset = interaction.state.recovery.as_ref().is_some_and(|note| note.done);
            let StepView { interaction, application, .. } = shown;
            let notice = if reset { Some(SignInNotice::PasswordChanged) } else { notice(reason) };
            let (problem, ui_locales) = (None, locales);
            let form = SignInForm { interaction, application, email, problem, notice, ui_locales };
            form.respond(context, StatusCode::OK)
        }
        Step::ChooseAccount(live) => shown.choose_account(&live),
        Step::Consent { scope, person } => {
            shown.consent(&scope, say.changed, &person.account, client.as_deref())
        }
        Step::NotEntitled(account) => shown.not_entitled(&account),
        Step::ExpiredPassword { account, set_at } => shown.expired_password(&account, set_at),
        Step::CompleteRegistration => see_other(COMPLETE_REGISTRATION),
        Step::Verify(verification) => verify_pages::page(shown, &verification, say),
        Step::NoSecondFactor { purpose, why } => shown.no_phone(verify_pages::reason(purpose, false), why),
        Step::AddPhones { phones, .. } => add_phone_page::page(shown, &phones, None),
        Step::NewPassword { reason, account, session } => {
            new_password_page::page(shown.of_session(session.as_deref()), reason, &account, None)
        }
    })
}

fn notice(reason: SignInReason) -> Option<SignInNotice> {
    match reason {
        SignInReason::NotSignedIn | SignInReason::AccountInactive => None,
        SignInReason::LoginRequested | SignInReason::MaxAgeExceeded | SignInReason::OtherAccount => {
            Some(SignInNotice::Reauthenticate)
        }
        SignInReason::SessionNotCurrent => Some(SignInNotice::AnotherAccountSince),
    }
}
