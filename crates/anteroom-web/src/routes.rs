//! The routes, all of them. Paths of the protocol are named once, in `anteroom_oidc::discovery::paths`.

use anteroom_oidc::discovery::paths;
use anteroom_pages::ErrorKind;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::endpoints::{
    authorize, check_session, cors, discovery, health, par, registration, token, twilio, userinfo,
};
use crate::page_context::PageContext;
use crate::page_error::PageError;
use crate::pages::{
    choose_account, consent, dashboard, expired_password, factors, forgot_password, new_password,
    not_entitled, profile, recover, register, register_phones, session_time, sign_in, sign_out, step, verify,
};
use crate::path_param::PathParam;
use crate::paths::{self as page, to_sign_in};
use crate::state::Web;
use crate::{development_outbox, every_request, fetch_metadata, request_checks, request_log};

/// All routes. Monitoring requests health without knowing the issuer's host name, so those routes are outside the host
/// check; so are the theme's files, which the error page of that check needs.
pub fn router(web: Arc<Web>) -> Router {
    let opened = pages()
        .route(paths::AUTHORIZATION, get(authorize::get).post(authorize::post))
        .route(paths::END_SESSION, get(sign_out::end_session_get).post(authorize::end_session_post))
        .layer(from_fn_with_state(Arc::clone(&web), fetch_metadata::only));
    let guarded = opened
        .merge(parts_of_pages())
        .merge(protocol(&web))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&web), request_checks::to_issuer));
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        // Compressing a page that has a secret beside reflected input would reveal the secret. So only files that are
        // the same for every browser are compressed.
        .route("/assets/{*path}", get(asset).layer(CompressionLayer::new()))
        .merge(guarded)
        .layer(from_fn_with_state(Arc::clone(&web), every_request::layer))
        .layer(DefaultBodyLimit::max(web.settings.max_body))
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(Arc::clone(&web), request_log::request))
        .with_state(web)
}

fn pages() -> Router<Arc<Web>> {
    Router::new()
        .route("/", get(dashboard::home))
        .route(page::SIGN_IN, get(sign_in::form).post(sign_in::submit))
        .route(page::CONTINUE, get(step::resume))
        .route(page::CHOOSE_ACCOUNT, get(choose_account::form).post(choose_account::submit))
        .route(page::CONSENT, get(dashboard::home).post(consent::submit))
        .route(page::NOT_ENTITLED, get(dashboard::home).post(not_entitled::submit))
        .route(page::EXPIRED_PASSWORD, get(dashboard::home).post(expired_password::submit))
        .route(page::DASHBOARD, get(dashboard::show))
        .route(page::PROFILE, get(profile::show).post(profile::submit))
        .route(page::FACTORS, get(factors::show))
        .route(page::ADD_FACTOR, get(factors::to_list).post(factors::add))
        .route(page::CONFIRM_FACTOR, get(factors::to_list).post(factors::confirm))
        .route(page::REMOVE_FACTOR, get(factors::to_list).post(factors::remove))
        .route("/account/factors/{id}", get(factors::enrol))
        .route("/open/{client}", get(dashboard::open))
        .route(page::SIGN_OUT, get(dashboard::home).post(sign_out::submit))
        .route(page::SIGNED_OUT, get(sign_out::done))
        .route(page::SESSION, get(session_time::remaining).post(session_time::extend))
        .merge(password_routes())
}

/// Responses that our own pages load as images or frames, so without the Fetch Metadata check; and the development outbox.
fn parts_of_pages() -> Router<Arc<Web>> {
    Router::new()
        .route("/account/factors/{id}/qr.svg", get(factors::qr_code))
        .route(page::OUTBOX, get(development_outbox::page))
        .route("/dev/outbox.json", get(development_outbox::json))
        .route("/dev/outbox/{id}", get(development_outbox::email))
}

/// Setting a password, and the verification of identity for it.
fn password_routes() -> Router<Arc<Web>> {
    Router::new()
        .route(page::FORGOT_PASSWORD, get(forgot_password::form).post(forgot_password::submit))
        .route(page::RECOVERY_ASKED, get(forgot_password::asked))
        .route(page::RECOVERY_WAITING, get(forgot_password::poll))
        .route(page::RECOVER, get(recover::link).post(recover::follow))
        .route(page::RECOVERY_CODE, get(dashboard::home).post(recover::type_code))
        .route(page::VERIFY_SEND, get(dashboard::home).post(verify::send))
        .route(page::VERIFY_CODE, get(dashboard::home).post(verify::enter))
        .route(page::NEW_PASSWORD, get(dashboard::home).post(new_password::submit))
        .route(page::PASSWORD_CHANGED, get(new_password::changed))
        .route(page::CHANGE_PASSWORD, get(new_password::change))
        .route(page::COMPLETE_REGISTRATION, get(register::invitation).post(register::again))
        .route(page::REGISTER, get(dashboard::home).post(register::accept))
        .route(page::REGISTER_PHONE, get(dashboard::home).post(register_phones::add))
        .route(page::VERIFY_PHONE, get(dashboard::home).post(register_phones::verify))
        .route(page::OTHER_PHONE, get(dashboard::home).post(register_phones::another))
        .route(page::PHONES_DONE, get(dashboard::home).post(register_phones::done))
}

fn protocol(web: &Arc<Web>) -> Router<Arc<Web>> {
    let public = Router::new()
        .route(paths::CONFIGURATION, get(discovery::document).options(preflight))
        .route(paths::AUTHORIZATION_SERVER, get(discovery::document).options(preflight))
        .route(paths::WEBFINGER, get(discovery::webfinger).options(preflight))
        .route(paths::JWKS, get(discovery::jwks).options(preflight))
        .layer(from_fn(cors::any_origin));
    let tokens = Router::new()
        .route(paths::TOKEN, post(token::token).options(preflight).fallback(token::only_post))
        .layer(from_fn_with_state(Arc::clone(web), cors::registered_with_credentials));
    let applications = Router::new()
        .route(paths::USERINFO, get(userinfo::get).post(userinfo::post).options(preflight))
        .route(paths::REVOCATION, post(token::revoke).options(preflight).fallback(token::only_post))
        .layer(from_fn_with_state(Arc::clone(web), cors::client_origins));
    Router::new()
        .merge(public)
        .merge(tokens)
        .merge(applications)
        .route("/callbacks/twilio/{message}", post(twilio::status))
        .route("/callbacks/twilio/{message}/key", post(twilio::key))
        .route(paths::INTROSPECTION, post(token::introspect).fallback(token::only_post))
        .route(paths::REGISTRATION, post(registration::register).fallback(token::only_post))
        .route(
            &format!("{}/{{client}}", paths::REGISTRATION),
            get(registration::read).put(registration::update).delete(registration::delete),
        )
        .route(paths::PUSHED_AUTHORIZATION, post(par::endpoint).fallback(token::only_post))
        .route(paths::CHECK_SESSION, get(check_session::page))
        .route("/check-session.js", get(check_session::script))
}

/// The CORS layer responds before this handler is reached.
async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn not_found(context: PageContext) -> Response {
    PageError::page(StatusCode::NOT_FOUND, ErrorKind::NotFound, to_sign_in()).answer(&context).await
}

async fn method_not_allowed(context: PageContext) -> Response {
    PageError::page(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::MethodNotAllowed, to_sign_in())
        .answer(&context)
        .await
}

/// Files of the theme. Their addresses have a digest of the content, so browsers may cache them permanently.
async fn asset(
    State(web): State<Arc<Web>>,
    PathParam(path): PathParam<String>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = web.theme().asset(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let etag = HeaderValue::from_str(&asset.etag).unwrap_or(HeaderValue::from_static("\"\""));
    let caching = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let caching = HeaderValue::from_static(caching);
    if headers.get(IF_NONE_MATCH) == Some(&etag) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag), (CACHE_CONTROL, caching)]).into_response();
    }
    let kind = HeaderValue::from_static(asset.content_type);
    ([(CONTENT_TYPE, kind), (ETAG, etag), (CACHE_CONTROL, caching)], asset.bytes.into_owned()).into_response()
}
