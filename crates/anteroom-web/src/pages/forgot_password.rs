//! `GET` and `POST /forgot-password`, the page that says the same for every address, and what its tab waits for.

use anteroom_domain::rate::Wait;
use anteroom_flows::interaction::open_interaction::{InteractionNotFound, InteractionRef, OpenInteraction};
use anteroom_flows::interaction::reopen::{open, open_or_dashboard};
use anteroom_flows::people::recover::{RecoveryRequest, RequestRecoveryOutcome, ask, is_reset_completed};
use anteroom_pages::{
    ForgotPasswordPage, ForgotPasswordProblem, RecoveryAskedPage, RecoveryAskedProblem, Wait as WaitText,
};
use axum::Json;
use axum::extract::RawQuery;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::asker::PageContext;
use crate::failure::{PageError, finish};
use crate::form_token::FormName;
use crate::forms::{FormFields, FormOrStale, ReceivedForm, SubmittedFields, token_without_account};
use crate::pages::step::{FORGOT_PASSWORD, application, on_with, waiting_in};
use crate::respond::{PageResponse, redirect_in_browser};

pub(crate) const ASKED: &str = "/forgot-password/sent";
pub(crate) const WAITING: &str = "/forgot-password/waiting";
const SIGN_IN: &str = "/sign-in";
const MAX_EMAIL_CHARS: usize = 320;

pub(crate) async fn form(asker: PageContext, query: RawQuery) -> Response {
    let result = opened(&asker, query.0.as_deref().unwrap_or_default()).await;
    finish(&asker, result).await
}

async fn opened(asker: &PageContext, query: &str) -> Result<Response, PageError> {
    let carried = match open_or_dashboard(&asker.visit, waiting_in(query)).await? {
        Ok(carried) => carried,
        Err(InteractionNotFound) => return Err(PageError::interaction_expired()),
    };
    shown(asker, &carried, (String::new(), None))
}

fn shown(
    asker: &PageContext,
    carried: &OpenInteraction,
    (email, problem): (String, Option<ForgotPasswordProblem>),
) -> Result<Response, PageError> {
    let provider = &asker.web.provider;
    let request = carried.journey.request();
    let snapshot = provider.snapshot();
    let client = request.and_then(|request| snapshot.clients.get(&request.client_id));
    let hint = request.and_then(|request| request.login_hint.clone()).unwrap_or_default();
    let status = match problem {
        None => StatusCode::OK,
        Some(ForgotPasswordProblem::RateLimited { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let interaction = carried.form_value(&asker.visit)?;
    // A person who remembers the password after all carries on to the same application.
    let sign_in_href = match &interaction {
        Some(handle) => format!("/continue?interaction={handle}"),
        None => SIGN_IN.to_owned(),
    };
    let view = ForgotPasswordPage {
        form_token: token_without_account(asker, FormName::ForgotPassword),
        interaction,
        email: if email.is_empty() { hint } else { email },
        application: application(asker, client.map(|client| &**client)),
        problem,
        sign_in_href,
    };
    let locales = request.map(|request| request.ui_locales.clone()).unwrap_or_default();
    Ok(PageResponse::of(asker).in_language_of(&locales).page(status, &view))
}

pub(crate) struct ForgotPasswordForm {
    email: String,
    waiting: Option<InteractionRef>,
}

impl FormFields for ForgotPasswordForm {
    const NAME: FormName = FormName::ForgotPassword;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { email: sent.line("email", MAX_EMAIL_CHARS), waiting: sent.interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        on_with(FORGOT_PASSWORD, Some(sent.field("interaction")).filter(|handle| !handle.is_empty()))
    }
}

/// In a task of its own: a browser that hangs up is counted all the same.
pub(crate) async fn submit(FormOrStale { asker, fields }: FormOrStale<ForgotPasswordForm>) -> Response {
    let attempt = tokio::spawn(async move { finish(&asker, submitted(&asker, fields).await).await });
    attempt.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn submitted(
    asker: &PageContext,
    fields: SubmittedFields<ForgotPasswordForm>,
) -> Result<Response, PageError> {
    let visit = &asker.visit;
    let (ForgotPasswordForm { email, waiting }, problem) = match fields {
        SubmittedFields::Stale(fields) => (fields, Some(ForgotPasswordProblem::Stale)),
        SubmittedFields::Good(fields) if fields.email.is_empty() => {
            (fields, Some(ForgotPasswordProblem::Missing))
        }
        SubmittedFields::Good(fields) => (fields, None),
    };
    if problem.is_some() {
        let Ok(carried) = open_or_dashboard(visit, waiting).await? else {
            return Err(PageError::interaction_expired());
        };
        return shown(asker, &carried, (email, problem));
    }
    match ask(visit, RecoveryRequest { address: email.clone(), waiting }).await? {
        RequestRecoveryOutcome::Asked(carried) => {
            let handle = carried.form_value(&asker.visit)?.unwrap_or_default();
            Ok(redirect_in_browser(asker, &format!("{ASKED}?interaction={handle}")))
        }
        RequestRecoveryOutcome::RateLimited { wait, carried } => {
            let problem = ForgotPasswordProblem::RateLimited { wait: wait_text(wait) };
            let response = shown(asker, &carried, (email, Some(problem)))?;
            Ok(retry_after(response, wait))
        }
        RequestRecoveryOutcome::Gone => Err(PageError::interaction_expired()),
    }
}

pub(crate) fn wait_text(wait: Wait) -> WaitText {
    WaitText::seconds(u64::try_from(wait.0.as_secs()).unwrap_or(1).max(1))
}

pub(crate) fn retry_after(mut response: Response, wait: Wait) -> Response {
    let seconds = u64::try_from(wait.0.as_secs()).unwrap_or(1).max(1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// `GET /forgot-password/sent?interaction=…`.
pub(crate) async fn asked(asker: PageContext, query: RawQuery) -> Response {
    let result = asked_in(&asker, query.0.as_deref().unwrap_or_default()).await;
    finish(&asker, result).await
}

async fn asked_in(asker: &PageContext, query: &str) -> Result<Response, PageError> {
    let carried = match waiting_in(query) {
        Some(waiting) => open(&asker.visit, waiting).await?.ok(),
        None => None,
    };
    match carried {
        Some(carried) => asked_page(asker, &carried, None),
        None => Err(PageError::not_asked_here(asker, None)?),
    }
}

pub(crate) fn asked_page(
    asker: &PageContext,
    carried: &OpenInteraction,
    problem: Option<RecoveryAskedProblem>,
) -> Result<Response, PageError> {
    let provider = &asker.web.provider;
    let handle = carried.form_value(&asker.visit)?;
    // The page with a problem may be asked for in a browser that lost its cookies, too.
    let Some(note) = &carried.journey.recovery else {
        return Err(PageError::not_asked_here(asker, Some(carried))?);
    };
    let minutes = provider.snapshot().policy.recovery.link_lifetime.as_mins();
    let on = |path: &str| on_with(path, handle.as_deref());
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let view = RecoveryAskedPage {
        form_token: token_without_account(asker, FormName::RecoveryCode),
        again_form_token: token_without_account(asker, FormName::ForgotPassword),
        email: note.address.clone(),
        minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
        problem,
        sign_in_href: on("/continue"),
        waiting_href: on(WAITING),
        interaction: handle,
    };
    let request = carried.journey.request();
    let locales = request.map(|request| request.ui_locales.clone()).unwrap_or_default();
    Ok(PageResponse::of(asker).in_language_of(&locales).page(status, &view))
}

#[derive(Serialize)]
struct ResetStatus {
    go: bool,
}

/// `GET /forgot-password/waiting?interaction=…`: "go on" or "wait", and nothing else.
pub(crate) async fn waiting(asker: PageContext, query: RawQuery) -> Response {
    let waiting = waiting_in(query.0.as_deref().unwrap_or_default());
    let result = match waiting {
        Some(waiting) => is_reset_completed(&asker.visit, waiting).await,
        None => Ok(false),
    };
    let answer = result.map_err(PageError::from).map(|go| {
        ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(ResetStatus { go })).into_response()
    });
    finish(&asker, answer).await
}
