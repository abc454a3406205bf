//! Out: by the person's button, and by the provider's word.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use openidconnect::CsrfToken;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{App, chain};
use crate::cookies::AppCookie;
use crate::pages::{self, HowSignedOut};
use crate::problem::Problem;

/// RP-Initiated Logout 1.0: ends the session here first, so that it is over whatever the provider does.
pub(super) async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if !is_own_form(&app.config.base_url, &headers) {
        return app.refuse(&Problem::ForeignSignOut);
    }
    let id = AppCookie::Session.read(&app.config, &headers);
    let session = id.and_then(|id| app.sessions.end(&id));
    let state = CsrfToken::new_random_len(32);
    let provider = match &session {
        Some(session) => {
            let id_token = &session.signed_in.id_token;
            app.relying_party.end_session_url(id_token, &state, app.clock.now()).await
        }
        None => None,
    };
    let next = provider.as_ref().map_or("/signed-out", Url::as_str);
    let mut response = Redirect::to(next).into_response();
    AppCookie::Session.clear(&app.config).append_to(response.headers_mut());
    AppCookie::SignOut.set(&app.config, state.secret()).append_to(response.headers_mut());
    response
}

#[derive(Deserialize)]
pub(super) struct SignedOut {
    state: Option<String>,
}

pub(super) async fn signed_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: Result<Query<SignedOut>, QueryRejection>,
) -> Response {
    if app.session(&headers, app.clock.now()).is_some() {
        return Redirect::to("/").into_response();
    }
    let state = query.ok().and_then(|Query(answer)| answer.state);
    let sent = AppCookie::SignOut.read(&app.config, &headers);
    let how = if state.is_some() && state == sent { HowSignedOut::Everywhere } else { HowSignedOut::Here };
    pages::signed_out(&app.config, how).into_response()
}

#[derive(Deserialize)]
pub(super) struct LogoutRequest {
    logout_token: String,
}

/// Back-Channel Logout 1.0 sections 2.5 to 2.8. A session that is already gone is no error.
pub(super) async fn backchannel_logout(
    State(app): State<Arc<App>>,
    form: Result<Form<LogoutRequest>, FormRejection>,
) -> Response {
    let now = app.clock.now();
    let Ok(Form(request)) = form else { return refused("logout_token is missing") };
    let notice = match app.relying_party.logout_notice(&request.logout_token, now).await {
        Ok(notice) => notice,
        Err(error) => {
            tracing::warn!(app = app.config.screen.slug(), error = %chain(&error), "logout token refused");
            return refused(&chain(&error));
        }
    };
    match app.sessions.end_by_notice(&notice, now) {
        Ok(ended) => {
            tracing::info!(app = app.config.screen.slug(), ended, "signed out over the back channel");
            StatusCode::OK.into_response()
        }
        Err(replayed) => refused(&replayed.to_string()),
    }
}

#[derive(Deserialize)]
pub(super) struct FrontChannel {
    iss: String,
    sid: String,
}

/// Front-Channel Logout 1.0 section 2, in a frame of the provider's page. The cookie of this application does not
/// reach a frame on another site, so `sid` alone says which session is meant; no other site knows it.
pub(super) async fn frontchannel_logout(
    State(app): State<Arc<App>>,
    query: Result<Query<FrontChannel>, QueryRejection>,
) -> Response {
    let provider = &app.config.issuer;
    let Some(asked) = query.ok().map(|Query(asked)| asked).filter(|asked| asked.iss == provider.as_str())
    else {
        return refused("iss and sid of this application's provider are needed");
    };
    let ended = app.sessions.end_by_sid(&asked.sid, app.clock.now());
    tracing::info!(app = app.config.screen.slug(), ended, "signed out over the front channel");
    let origin = provider.url().origin().ascii_serialization();
    let policy = format!("default-src 'none'; frame-ancestors {origin}; base-uri 'none'");
    ([(header::CONTENT_SECURITY_POLICY, policy)], StatusCode::OK).into_response()
}

fn refused(description: &str) -> Response {
    let body = json!({"error": "invalid_request", "error_description": description});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// Cookies know neither ports nor, for SameSite, a difference between them, so a page of another application on
/// this host could post this form. Browsers say where a form comes from; what says nothing is no browser.
fn is_own_form(base: &Url, headers: &HeaderMap) -> bool {
    let says = |name: &str, expected: &str| headers.get(name).is_none_or(|value| value == expected);
    let origin = base.origin().ascii_serialization();
    says("sec-fetch-site", "same-origin") && says(header::ORIGIN.as_str(), &origin)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_this_applications_own_form_signs_out() {
        let base = Url::parse("http://127.0.0.1:4711").unwrap();
        let cases = [
            (None, None, true),
            (Some("same-origin"), Some("http://127.0.0.1:4711"), true),
            (Some("same-site"), Some("http://127.0.0.1:4712"), false),
            (Some("cross-site"), None, false),
            (None, Some("http://127.0.0.1:4712"), false),
            (None, Some("null"), false),
        ];
        for (site, origin, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_own_form(&base, &headers), expected, "{site:?} {origin:?}");
        }
    }
}
