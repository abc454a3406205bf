//! In: the home page, the way to the provider, and the answer that comes back.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::App;
use crate::cookies::AppCookie;
use crate::pages;
use crate::problem::Problem;
use crate::sign_ins::{BrowserId, NotPending, PendingSignIn};

pub(super) async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let now = app.clock.now();
    match app.session(&headers, now) {
        Some(session) => pages::home(&app.config, session.claims(), now).into_response(),
        None => app.start(&headers, Destination::home(&app), now).await,
    }
}

/// For tests and curious developers.
pub(super) async fn claims(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match app.session(&headers, app.clock.now()) {
        Some(session) => Json(session.claims()).into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(json!({"error": "no session"}))).into_response(),
    }
}

/// Third-party-initiated login (Core 4).
#[derive(Deserialize)]
pub(super) struct InitiateLogin {
    iss: Option<String>,
    login_hint: Option<String>,
    target_link_uri: Option<String>,
}

pub(super) async fn initiate_login(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: Result<Query<InitiateLogin>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = query else { return app.refuse(&Problem::UnreadableParameters) };
    if asked.iss.as_deref() != Some(app.config.issuer.as_str()) {
        return app.refuse(&Problem::OtherIssuer);
    }
    let target = own_target(app.config.home(), asked.target_link_uri.as_deref());
    let destination = Destination { target, login_hint: asked.login_hint };
    app.start(&headers, destination, app.clock.now()).await
}

/// A POST from another site comes without the browser's cookie, so it is turned into a GET, which has it.
pub(super) async fn initiate_login_by_post(
    State(app): State<Arc<App>>,
    form: Result<Form<InitiateLogin>, FormRejection>,
) -> Response {
    let Ok(Form(asked)) = form else { return app.refuse(&Problem::UnreadableParameters) };
    let mut url = app.config.registration().initiate_login_uri;
    let parameters =
        [("iss", asked.iss), ("login_hint", asked.login_hint), ("target_link_uri", asked.target_link_uri)];
    let given = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
    url.query_pairs_mut().extend_pairs(given);
    Redirect::to(url.as_str()).into_response()
}

/// The authorization response (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Deserialize)]
pub(super) struct Answer {
    state: Option<String>,
    iss: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

pub(super) async fn callback(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: Result<Query<Answer>, QueryRejection>,
) -> Response {
    let Ok(Query(answer)) = query else { return app.refuse(&Problem::UnreadableParameters) };
    let now = app.clock.now();
    match app.finish(&headers, answer, now).await {
        Ok(finished) => finished,
        // Back, a refresh or a double click after the sign-in was done: what they want is already there.
        Err(Problem::NotPending(NotPending::Unknown)) if app.session(&headers, now).is_some() => {
            Redirect::to("/").into_response()
        }
        Err(problem) => app.refuse(&problem),
    }
}

/// Where a sign-in is to end, and for whom it is meant.
struct Destination {
    target: Url,
    login_hint: Option<String>,
}

impl Destination {
    fn home(app: &App) -> Self {
        Self { target: app.config.home(), login_hint: None }
    }
}

impl App {
    /// Sends the browser to the authorization endpoint.
    async fn start(&self, headers: &HeaderMap, destination: Destination, now: Timestamp) -> Response {
        let request = match self.relying_party.authorize(destination.login_hint, now).await {
            Ok(request) => request,
            Err(error) => return self.refuse(&error.into()),
        };
        let browser = BrowserId::known_or_new(AppCookie::Browser.read(&self.config, headers));
        let cookie = AppCookie::Browser.set(&self.config, browser.as_str());
        let pending = PendingSignIn {
            browser,
            nonce: request.nonce,
            verifier: request.verifier,
            target: destination.target,
        };
        self.sign_ins.begin(&request.state, pending, now);
        let mut response = Redirect::to(request.url.as_str()).into_response();
        cookie.append_to(response.headers_mut());
        response
    }

    /// `state` first, then who answered, and only then what the answer says.
    async fn finish(&self, headers: &HeaderMap, answer: Answer, now: Timestamp) -> Result<Response, Problem> {
        let browser = AppCookie::Browser.read(&self.config, headers).and_then(BrowserId::parse);
        let state = answer.state.unwrap_or_default();
        let pending = self.sign_ins.finish(&state, browser.as_ref(), now).map_err(Problem::NotPending)?;
        self.relying_party.check_issuer(answer.iss.as_deref(), now).await?;
        if let Some(error) = answer.error {
            return Err(Problem::Refused { error, description: answer.error_description });
        }
        let code = answer.code.ok_or(Problem::EmptyAnswer)?;
        let signed_in = self.relying_party.redeem(code, &pending.nonce, pending.verifier, now).await?;
        let former = AppCookie::Session.read(&self.config, headers);
        let session = self.sessions.begin(signed_in, former.as_deref(), now)?;
        let mut response = Redirect::to(pending.target.as_str()).into_response();
        AppCookie::Session.set(&self.config, &session).append_to(response.headers_mut());
        Ok(response)
    }
}

/// The page to end at, if it is one of this origin; else the home page. It is put together from this
/// application's own origin, so that no path can lead elsewhere.
fn own_target(home: Url, wanted: Option<&str>) -> Url {
    let wanted = wanted.and_then(|wanted| Url::parse(wanted).ok());
    let Some(wanted) = wanted.filter(|wanted| wanted.origin() == home.origin()) else { return home };
    let mut target = home;
    target.set_path(wanted.path());
    target.set_query(wanted.query());
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_4_target_link_uri_cannot_lead_to_another_origin() {
        let home = Url::parse("http://127.0.0.1:4711/").unwrap();
        let cases = [
            (None, "http://127.0.0.1:4711/"),
            (Some("http://127.0.0.1:4711/claims.json?a=b"), "http://127.0.0.1:4711/claims.json?a=b"),
            (Some("http://127.0.0.1:4711//evil.example/x"), "http://127.0.0.1:4711//evil.example/x"),
            (Some("http://evil.example@127.0.0.1:4711/x#y"), "http://127.0.0.1:4711/x"),
            (Some("http://127.0.0.1:4712/x"), "http://127.0.0.1:4711/"),
            (Some("https://127.0.0.1:4711/x"), "http://127.0.0.1:4711/"),
            (Some("http://127.0.0.1.evil.example:4711/x"), "http://127.0.0.1:4711/"),
            (Some("javascript:alert(1)"), "http://127.0.0.1:4711/"),
            (Some("/x"), "http://127.0.0.1:4711/"),
        ];
        for (wanted, expected) in cases {
            assert_eq!(own_target(home.clone(), wanted).as_str(), expected, "{wanted:?}");
        }
    }
}
