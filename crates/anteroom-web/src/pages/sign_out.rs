//! `POST /sign-out`, `GET /signed-out` and the end-session endpoint (RP-Initiated Logout 1.0).

use anteroom_domain::ids::BrowserId;
use anteroom_flows::end_session::{EndSessionOutcome, LogoutError, end_session};
use anteroom_flows::sign_out::everywhere;
use anteroom_oidc::form::Form;
use anteroom_oidc::logout::EndSessionRequest;
use anteroom_pages::{ErrorKind, HiddenField, SignOutPage, SignedOutPage};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish, to_sign_in};
use crate::form_token::{FormName, Stale};
use crate::forms::{Posted, token_for};
use crate::pages::step::DASHBOARD;
use crate::respond::{Frame, see_other, with_cookies};

/// Carried through the question "sign out?".
const CARRIED: [&str; 4] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

/// The dashboard's button, or the answer "Sign Out" to the question.
pub(crate) async fn submit(posted: Posted) -> Response {
    let result = submitted(&posted).await;
    finish(&posted.asker, result).await
}

async fn submitted(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    if let Err(Stale) = posted.check_token(FormName::SignOut) {
        return Err(Failure::stale_form(DASHBOARD));
    }
    let pairs =
        CARRIED.map(|name| (name, posted.field(name))).into_iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> = pairs.collect();
    if !pairs.is_empty() {
        return answer(asker, &anteroom_oidc::form::encode(pairs), true).await;
    }
    everywhere(&asker.web.provider, &asker.visitor).await?;
    Ok(forget_sessions(asker, Vec::new(), see_other("/signed-out")))
}

/// Where signing out ends when no application waits for it.
pub(crate) async fn done(asker: Asker) -> Response {
    let page = SignedOutPage { continue_href: "/sign-in".to_owned(), application_name: None };
    Frame::of(&asker).page(StatusCode::OK, &page)
}

pub(crate) async fn end_session_get(asker: Asker, query: RawQuery) -> Response {
    let result = answer(&asker, query.0.as_deref().unwrap_or_default(), false).await;
    finish(&asker, result).await
}

async fn answer(asker: &Asker, query: &str, confirmed: bool) -> Result<Response, Failure> {
    let invalid = || Failure::page(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, to_sign_in());
    let form = Form::decode(query.as_bytes()).map_err(|_| invalid())?;
    let request = EndSessionRequest::parse(&form).map_err(|_| invalid())?;
    match end_session(&asker.web.provider, &asker.visitor, &request, confirmed).await? {
        EndSessionOutcome::Ask { client } => {
            let page = SignOutPage {
                form_token: token_for(asker, FormName::SignOut),
                application_name: client.map(|client| client.display_name().to_owned()),
                fields: carried(&form),
                stay_href: DASHBOARD.to_owned(),
            };
            Ok(Frame::of(asker).leads_to_client().page(StatusCode::OK, &page))
        }
        EndSessionOutcome::SignedOut { back: Some(back), remaining, .. } => {
            Ok(forget_sessions(asker, remaining, see_other(&back)))
        }
        EndSessionOutcome::SignedOut { back: None, remaining, .. } => {
            Ok(forget_sessions(asker, remaining, see_other("/signed-out")))
        }
        EndSessionOutcome::Refused(error) => Err(refused(&error)),
    }
}

fn carried(form: &Form) -> Vec<HiddenField> {
    let field = |name: &'static str| {
        let value = form.once(name).ok().flatten().filter(|value| !value.is_empty())?;
        Some(HiddenField { name: name.to_owned(), value: value.to_owned() })
    };
    CARRIED.into_iter().filter_map(field).collect()
}

fn refused(error: &LogoutError) -> Failure {
    let kind = match error {
        LogoutError::UnknownClient { .. } => ErrorKind::UnknownClient,
        LogoutError::UnregisteredRedirect { .. } => ErrorKind::RedirectUriMismatch,
        LogoutError::ClientMismatch { .. } | LogoutError::RedirectWithoutClient => ErrorKind::InvalidRequest,
    };
    Failure::page(StatusCode::BAD_REQUEST, kind, to_sign_in())
}

fn forget_sessions(asker: &Asker, remaining: Vec<anteroom_crypto::Token>, response: Response) -> Response {
    let mut jar = asker.jar.clone();
    jar.sessions = remaining;
    // Journeys of whoever has left do not wait here for the next person.
    jar.browser = BrowserId(asker.web.provider.random.uuid_v4());
    with_cookies(response, &[jar.session_cookie(asker.web.secure_cookies())])
}
