//! The routes, what they share, and the headers on every answer.

mod session_ends;
mod sign_in;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::config::PracticeAppConfig;
use crate::cookies::AppCookie;
use crate::http_client::HttpClient;
use crate::pages;
use crate::problem::Problem;
use crate::relying_party::RelyingParty;
use crate::sessions::{Session, Sessions};
use crate::sign_ins::SignIns;

/// A logout token or the parameters of a login initiation are far smaller.
const MAX_BODY: usize = 32 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the HTTP client could not be made")]
    HttpClient(#[from] reqwest::Error),
    #[error("the issuer's origin cannot be named in a Content-Security-Policy")]
    Issuer,
    #[error("serving ended")]
    Serve(#[from] io::Error),
}

struct App {
    config: Arc<PracticeAppConfig>,
    clock: Clock,
    relying_party: RelyingParty,
    sign_ins: SignIns,
    sessions: Sessions,
}

impl App {
    fn new(config: PracticeAppConfig, clock: Clock) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let relying_party = RelyingParty::new(config.clone(), HttpClient::new(&config.issuer)?);
        Ok(Self { config, clock, relying_party, sign_ins: SignIns::new(), sessions: Sessions::new() })
    }

    fn session(&self, headers: &HeaderMap, now: Timestamp) -> Option<Arc<Session>> {
        self.sessions.find(&AppCookie::Session.read(&self.config, headers)?, now)
    }

    fn refuse(&self, problem: &Problem) -> Response {
        tracing::warn!(app = self.config.screen.slug(), problem = %chain(problem), "shown to the person");
        pages::problem(&self.config, problem).into_response()
    }
}

/// The application, ready to be served. Nothing is fetched from the provider before a person signs in.
pub fn router(config: PracticeAppConfig, clock: Clock) -> Result<Router, StartError> {
    let policy = content_security_policy(&config)?;
    let app = Arc::new(App::new(config, clock)?);
    Ok(Router::new()
        .route("/", get(sign_in::home))
        .route("/callback", get(sign_in::callback))
        .route("/initiate-login", get(sign_in::initiate_login).post(sign_in::initiate_login_by_post))
        .route("/claims.json", get(sign_in::claims))
        .route("/sign-out", post(session_ends::sign_out))
        .route("/signed-out", get(session_ends::signed_out))
        .route("/backchannel-logout", post(session_ends::backchannel_logout))
        .route("/frontchannel-logout", get(session_ends::frontchannel_logout))
        .route("/healthz", get(|| async { "ok" }))
        .route("/assets/app.css", get(stylesheet))
        .route("/assets/icon.svg", get(icon))
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response_with_state(policy, guard))
        .with_state(app))
}

/// Serves the application until `shutdown` is done.
pub async fn serve(
    config: PracticeAppConfig,
    clock: Clock,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    let router = router(config, clock)?;
    Ok(axum::serve(listener, router).with_graceful_shutdown(shutdown).await?)
}

/// The sign-out form ends at the provider, and browsers hold `form-action` against redirects, too.
fn content_security_policy(config: &PracticeAppConfig) -> Result<HeaderValue, StartError> {
    let origin = config.issuer.url().origin();
    if !origin.is_tuple() {
        return Err(StartError::Issuer);
    }
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; frame-ancestors 'none'; \
         base-uri 'none'",
        origin.ascii_serialization()
    );
    HeaderValue::try_from(policy).map_err(|_| StartError::Issuer)
}

async fn guard(State(policy): State<HeaderValue>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`, which makes browsers send `Origin: null` with the sign-out form.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn stylesheet() -> impl IntoResponse {
    (asset_headers("text/css; charset=utf-8"), pages::STYLESHEET)
}

async fn icon(State(app): State<Arc<App>>) -> impl IntoResponse {
    (asset_headers("image/svg+xml"), pages::icon(app.config.screen))
}

fn asset_headers(content_type: &'static str) -> [(header::HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "public, max-age=300")]
}

async fn not_found(State(app): State<Arc<App>>) -> Response {
    app.refuse(&Problem::NotFound)
}

/// An error with everything that caused it. None of the errors here carries a token or a code.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
