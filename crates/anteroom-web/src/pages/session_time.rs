//! `GET` and `POST /session`, for the script that warns before a session ends, and the redirect after a session reached
//! its time limit.

use anteroom_domain::session::{SessionEnd, SessionRemaining};
use anteroom_flows::sessions::session_time::{keep_alive, lapsed, remaining_time};
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
use crate::paths::{DASHBOARD, SIGN_IN};
use crate::respond::see_other;
use crate::session_clock::seconds;
use crate::session_clock::{IDLE_TIMEOUT_PATH, MAX_AGE_PATH};

#[derive(Serialize)]
struct Remaining {
    seconds: u64,
}

/// `GET /session?session=…`: this request does not count as activity.
pub(crate) async fn remaining(query: RawQuery, context: PageContext) -> Response {
    let form = anteroom_oidc::form::UrlEncodedForm::decode(query.0.unwrap_or_default().as_bytes()).ok();
    let session =
        form.as_ref().and_then(|form| form.once("session").ok()?).and_then(|text| text.parse().ok());
    let result = match session {
        Some(session) => remaining_time(&context.visit, session).await,
        None => Ok(None),
    };
    finish(&context, result.map_err(PageError::from).map(answer)).await
}

/// The session is the one that the page showed, current or not.
pub(crate) struct ExtendSessionForm;

impl FormFields for ExtendSessionForm {
    const NAME: FormName = FormName::Stay;

    fn read(_: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self)
    }

    fn reload_path(_: &ReceivedForm) -> String {
        DASHBOARD.to_owned()
    }
}

/// `POST /session`: the person wants to stay signed in.
pub(crate) async fn extend(FormOrStale { context, fields }: FormOrStale<ExtendSessionForm>) -> Response {
    let SubmittedFields::Valid(ExtendSessionForm) = fields else {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    };
    let result = match context.visit.form.session {
        Some(session) => keep_alive(&context.visit, session).await,
        None => Ok(None),
    };
    finish(&context, result.map_err(PageError::from).map(answer)).await
}

/// The script takes 0 for an ended session. So a session that has ended answers 0, and a live one at least 1.
fn answer(left: Option<SessionRemaining>) -> Response {
    let left = Remaining { seconds: left.map_or(0, |left| seconds(left.left).max(1)) };
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(left)).into_response()
}

/// Redirects to sign-in, which names the reason if a time limit ended the session.
pub(crate) async fn redirect_to_sign_in(context: &PageContext) -> Result<Response, PageError> {
    Ok(see_other(match lapsed(&context.visit).await? {
        Some(SessionEnd::Idle) => IDLE_TIMEOUT_PATH,
        Some(SessionEnd::TooOld) => MAX_AGE_PATH,
        Some(
            SessionEnd::SignedOut
            | SessionEnd::PasswordChanged
            | SessionEnd::Disabled
            | SessionEnd::DatabaseAccepted
            | SessionEnd::RequestedByClient
            | SessionEnd::TooMany,
        )
        | None => SIGN_IN,
    }))
}
