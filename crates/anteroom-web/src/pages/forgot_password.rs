//! `GET` and `POST /forgot-password`, the page that is the same for every address, and the request with which its tab
//! waits.

use anteroom_flows::interaction::open_interaction::{InteractionNotFound, InteractionRef, OpenInteraction};
use anteroom_flows::interaction::reopen::{open, open_or_dashboard};
use anteroom_flows::people::recover::{RecoveryRequest, RequestRecoveryOutcome, ask, is_reset_completed};
use anteroom_pages::{
    ForgotPasswordPage, ForgotPasswordProblem, RecoveryAskedProblem, RecoveryRequestedPage,
};
use axum::Json;
use axum::extract::RawQuery;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::form_token::FormName;
use crate::forms::{FormFields, FormOrStale, ReceivedForm, SubmittedFields};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::page_token::token_without_account;
use crate::pages::step::interaction_in;
use crate::pages::step_view::application;
use crate::paths::{CONTINUE, FORGOT_PASSWORD, RECOVERY_ASKED, RECOVERY_WAITING, SIGN_IN, with_interaction};
use crate::respond::{PageResponse, redirect_in_browser, retry_after, wait_text};

const MAX_EMAIL_CHARS: usize = 320;

pub(crate) async fn form(query: RawQuery, context: PageContext) -> Response {
    let result = opened(&context, query.0.as_deref().unwrap_or_default()).await;
    finish(&context, result).await
}

async fn opened(context: &PageContext, query: &str) -> Result<Response, PageError> {
    let interaction = match open_or_dashboard(&context.visit, interaction_in(query).as_ref()).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Err(PageError::interaction_expired()),
    };
    shown(context, &interaction, String::new(), None)
}

fn shown(
    context: &PageContext,
    interaction: &OpenInteraction,
    email: String,
    problem: Option<ForgotPasswordProblem>,
) -> Result<Response, PageError> {
    let provider = &context.web.provider;
    let request = interaction.state.request();
    let snapshot = provider.snapshot();
    let client = request.and_then(|request| snapshot.clients.get(&request.ask.client_id));
    let hint = request.and_then(|request| request.ask.login_hint.clone()).unwrap_or_default();
    let status = match problem {
        None => StatusCode::OK,
        Some(ForgotPasswordProblem::RateLimited { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let interaction = interaction.form_value(&context.visit)?;
    // A person who remembers the password continues to the same client.
    let sign_in_href = match &interaction {
        Some(handle) => format!("{CONTINUE}?interaction={handle}"),
        None => SIGN_IN.to_owned(),
    };
    let view = ForgotPasswordPage {
        form_token: token_without_account(context, FormName::ForgotPassword),
        interaction,
        email: if email.is_empty() { hint } else { email },
        application: application(context, client.map(|client| &**client)),
        problem,
        sign_in_href,
    };
    let locales = request.map(|request| request.ask.ui_locales.clone()).unwrap_or_default();
    Ok(PageResponse::of(context).in_language_of(&locales).page(status, &view))
}

pub(crate) struct ForgotPasswordForm {
    email: String,
    interaction_ref: Option<InteractionRef>,
}

impl FormFields for ForgotPasswordForm {
    const NAME: FormName = FormName::ForgotPassword;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { email: sent.line("email", MAX_EMAIL_CHARS), interaction_ref: sent.interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        with_interaction(FORGOT_PASSWORD, Some(sent.field("interaction")).filter(|handle| !handle.is_empty()))
    }
}

/// Runs in a task of its own, so that the request is counted even if the browser closes the connection.
pub(crate) async fn submit(FormOrStale { context, fields }: FormOrStale<ForgotPasswordForm>) -> Response {
    let attempt = tokio::spawn(async move { finish(&context, submitted(&context, fields).await).await });
    attempt.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn submitted(
    context: &PageContext,
    fields: SubmittedFields<ForgotPasswordForm>,
) -> Result<Response, PageError> {
    let visit = &context.visit;
    let (ForgotPasswordForm { email, interaction_ref }, problem) = match fields {
        SubmittedFields::InvalidToken(fields) => (fields, Some(ForgotPasswordProblem::Stale)),
        SubmittedFields::Valid(fields) if fields.email.is_empty() => {
            (fields, Some(ForgotPasswordProblem::Missing))
        }
        SubmittedFields::Valid(fields) => (fields, None),
    };
    if problem.is_some() {
        let Ok(interaction) = open_or_dashboard(visit, interaction_ref.as_ref()).await? else {
            return Err(PageError::interaction_expired());
        };
        return shown(context, &interaction, email, problem);
    }
    match ask(visit, RecoveryRequest { address: email.clone(), interaction_ref }).await? {
        RequestRecoveryOutcome::Asked(interaction) => {
            let handle = interaction.form_value(&context.visit)?.unwrap_or_default();
            Ok(redirect_in_browser(context, &format!("{RECOVERY_ASKED}?interaction={handle}")))
        }
        RequestRecoveryOutcome::RateLimited { wait, interaction } => {
            let problem = ForgotPasswordProblem::RateLimited { wait: wait_text(wait) };
            let response = shown(context, &interaction, email, Some(problem))?;
            Ok(retry_after(response, wait))
        }
        RequestRecoveryOutcome::InteractionNotFound => Err(PageError::interaction_expired()),
    }
}

/// `GET /forgot-password/sent?interaction=…`.
pub(crate) async fn asked(query: RawQuery, context: PageContext) -> Response {
    let result = recovery_asked(&context, query.0.as_deref().unwrap_or_default()).await;
    finish(&context, result).await
}

async fn recovery_asked(context: &PageContext, query: &str) -> Result<Response, PageError> {
    let interaction = match interaction_in(query) {
        Some(interaction_ref) => open(&context.visit, &interaction_ref).await?.ok(),
        None => None,
    };
    match interaction {
        Some(interaction) => asked_page(context, &interaction, None),
        None => Err(PageError::mail_requested_elsewhere(context, None)?),
    }
}

pub(crate) fn asked_page(
    context: &PageContext,
    interaction: &OpenInteraction,
    problem: Option<RecoveryAskedProblem>,
) -> Result<Response, PageError> {
    let provider = &context.web.provider;
    let handle = interaction.form_value(&context.visit)?;
    // The page may also be requested, with a problem, by a browser that lost its cookies.
    let Some(note) = &interaction.state.recovery else {
        return Err(PageError::mail_requested_elsewhere(context, Some(interaction))?);
    };
    let minutes = provider.snapshot().policy.recovery.link_lifetime.as_mins();
    let on = |path: &str| with_interaction(path, handle.as_deref());
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let view = RecoveryRequestedPage {
        form_token: token_without_account(context, FormName::MailedCode),
        again_form_token: token_without_account(context, FormName::ForgotPassword),
        email: note.address.clone(),
        minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
        problem,
        sign_in_href: on(CONTINUE),
        waiting_href: on(RECOVERY_WAITING),
        interaction: handle,
    };
    let request = interaction.state.request();
    let locales = request.map(|request| request.ask.ui_locales.clone()).unwrap_or_default();
    Ok(PageResponse::of(context).in_language_of(&locales).page(status, &view))
}

#[derive(Serialize)]
struct ResetStatus {
    go: bool,
}

/// `GET /forgot-password/waiting?interaction=…`: answers "go on" or "wait", and nothing else.
pub(crate) async fn poll(query: RawQuery, context: PageContext) -> Response {
    let interaction_ref = interaction_in(query.0.as_deref().unwrap_or_default());
    let result = match interaction_ref {
        Some(interaction_ref) => is_reset_completed(&context.visit, interaction_ref).await,
        None => Ok(false),
    };
    let answer = result.map_err(PageError::from).map(|go| {
        ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(ResetStatus { go })).into_response()
    });
    finish(&context, answer).await
}
