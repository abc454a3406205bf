//! `POST /sign-out`, `GET /signed-out` and the end-session endpoint (RP-Initiated Logout 1.0, Front-Channel Logout 1.0 §3).

use anteroom_flows::interaction::form_limits::form_owner;
use anteroom_flows::protocol::end_session::{
    EndSessionConfirmation, EndSessionOutcome, EndSessionQuestion, LogoutError, end_session,
};
use anteroom_flows::protocol::front_channel::{self, AfterSignOut, FrontChannelLogout};
use anteroom_flows::protocol::sign_out::{SignOutResult, end_all_of_browser};
use anteroom_oidc::form::{UrlEncodedForm, encode};
use anteroom_oidc::logout::EndSessionRequest;
use anteroom_oidc::protocol_values::language_tags;
use anteroom_pages::{ErrorKind, HiddenField, SignOutPage, SignedOutPage};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;
use url::Url;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::page_token::token_for;
use crate::pages::dashboard::person;
use crate::pages::step_view::application;
use crate::paths::{DASHBOARD, SIGN_IN, SIGNED_OUT, to_sign_in};
use crate::respond::{PageResponse, redirect_to, with_cookies};

const FRONT_CHANNEL_STATE: &str = "farewell";
const UI_LOCALES: &str = "ui_locales";

/// The value of a form whose page said that the browser stays here.
const NO_REDIRECT: &str = "stays";

/// Parameters that are carried through the page "sign out?".
const LOGOUT_PARAMETERS: [&str; 5] =
    ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", UI_LOCALES];

/// The dashboard's button, or the answer "Sign Out" on the page.
pub(crate) struct SignOut {
    /// The end-session request that the page was about.
    request: Vec<(&'static str, String)>,
    confirmed: EndSessionConfirmation,
}

impl FormFields for SignOut {
    const NAME: FormName = FormName::SignOut;
    const OF_CURRENT_SESSION: bool = true;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let fields = LOGOUT_PARAMETERS.map(|name| (name, sent.field(name).to_owned()));
        let request = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        Ok(Self {
            request,
            confirmed: EndSessionConfirmation { no_redirect: sent.field(NO_REDIRECT) == "1" },
        })
    }

    fn reload_path(_: &ReceivedForm) -> String {
        DASHBOARD.to_owned()
    }
}

pub(crate) async fn submit(Form { context, fields }: Form<SignOut>) -> Response {
    finish(&context, submitted(&context, &fields).await).await
}

async fn submitted(
    context: &PageContext,
    SignOut { request, confirmed }: &SignOut,
) -> Result<Response, PageError> {
    if !request.is_empty() {
        let pairs = request.iter().map(|(name, value)| (*name, value.as_str()));
        return answer(context, &encode(pairs), Some(*confirmed)).await;
    }
    let left = end_all_of_browser(&context.visit).await?;
    Ok(signed_out(context, left, &[]))
}

/// The page at the end of a sign-out without a redirect URI, and the page that notifies clients before it continues to
/// the redirect URI.
pub(crate) async fn done(query: RawQuery, context: PageContext) -> Response {
    let result = sign_out_result(&context, query.0.as_deref().unwrap_or_default()).await;
    finish(&context, result).await
}

async fn sign_out_result(context: &PageContext, query: &str) -> Result<Response, PageError> {
    let form = UrlEncodedForm::decode(query.as_bytes()).ok();
    let field = |name| form.as_ref().and_then(|form| form.once(name).ok().flatten()).unwrap_or_default();
    let (sealed, ui_locales) = (field(FRONT_CHANNEL_STATE), language_tags(field(UI_LOCALES)));
    let FrontChannelLogout { frames, back } = front_channel::open(&context.visit, sealed).await?;
    let response = PageResponse::of(context).in_language_of(&ui_locales);
    let response = response.with_frames_of(frames.iter().map(Url::origin));
    let page = SignedOutPage {
        continue_href: back.as_ref().map_or(SIGN_IN, |(_, location)| location).to_owned(),
        application: application(context, back.as_ref().map(|(client, _)| *client)),
        frames: frames.iter().map(ToString::to_string).collect(),
    };
    Ok(response.page(StatusCode::OK, &page))
}

/// Redirects to the page that notifies clients in this browser; if there are none, to the redirect URI or the page at
/// the end.
fn signed_out(context: &PageContext, left: SignOutResult, ui_locales: &[String]) -> Response {
    let locales = Some(ui_locales.join(" ")).filter(|tags| !tags.is_empty());
    let locales = locales.as_deref().map(|tags| (UI_LOCALES, tags));
    let next = match left.next {
        AfterSignOut::Application(location) => location,
        AfterSignOut::FrontChannelPage(sealed) => {
            format!(
                "{SIGNED_OUT}?{}",
                encode(std::iter::once((FRONT_CHANNEL_STATE, &*sealed)).chain(locales))
            )
        }
        AfterSignOut::Here => match locales {
            Some(locales) => format!("{SIGNED_OUT}?{}", encode([locales])),
            None => SIGNED_OUT.to_owned(),
        },
    };
    let mut jar = context.jar.clone();
    (jar.sessions, jar.browser) = (left.remaining, left.browser);
    with_cookies(redirect_to(context, &next), &jar.of_other_sessions(context.web.secure_cookies()))
}

pub(crate) async fn end_session_get(query: RawQuery, context: PageContext) -> Response {
    let result = answer(&context, query.0.as_deref().unwrap_or_default(), None).await;
    finish(&context, result).await
}

async fn answer(
    context: &PageContext,
    query: &str,
    confirmed: Option<EndSessionConfirmation>,
) -> Result<Response, PageError> {
    let invalid = || PageError::page(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, to_sign_in());
    let form = UrlEncodedForm::decode(query.as_bytes()).map_err(|_| invalid())?;
    let request = EndSessionRequest::parse(&form).map_err(|_| invalid())?;
    match end_session(&context.visit, &request, confirmed).await? {
        EndSessionOutcome::Ask(question) => ask(context, &form, &request.ui_locales, &question).await,
        EndSessionOutcome::SignedOut(left) => Ok(signed_out(context, left, &request.ui_locales)),
        EndSessionOutcome::Refused(error) => Err(refused(&error)),
    }
}

async fn ask(
    context: &PageContext,
    form: &UrlEncodedForm,
    ui_locales: &[String],
    question: &EndSessionQuestion<'_>,
) -> Result<Response, PageError> {
    let owner = form_owner(&context.visit).await?;
    let page = SignOutPage {
        form_token: token_for(context, FormName::SignOut, owner),
        application: application(context, question.client),
        fields: logout_fields(form, question.redirect_refused),
        people: question.accounts.iter().map(person).collect(),
        stays: question.redirect_refused,
        stay_href: DASHBOARD.to_owned(),
    };
    // The client's request is invalid, although the person can continue.
    let status = if question.redirect_refused { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(PageResponse::of(context).in_language_of(ui_locales).leads_to_client().page(status, &page))
}

fn logout_fields(form: &UrlEncodedForm, no_redirect: bool) -> Vec<HiddenField> {
    let field = |name: &'static str| {
        let value = form.once(name).ok().flatten().filter(|value| !value.is_empty())?;
        Some(HiddenField { name: name.to_owned(), value: value.to_owned() })
    };
    let no_redirect =
        no_redirect.then(|| HiddenField { name: NO_REDIRECT.to_owned(), value: "1".to_owned() });
    LOGOUT_PARAMETERS.into_iter().filter_map(field).chain(no_redirect).collect()
}

fn refused(error: &LogoutError) -> PageError {
    let kind = match error {
        LogoutError::UnknownClient { .. } => ErrorKind::UnknownClient,
        LogoutError::UnregisteredRedirect { .. } => ErrorKind::RedirectUriMismatch,
        LogoutError::ClientMismatch { .. } | LogoutError::RedirectWithoutClient => ErrorKind::InvalidRequest,
        LogoutError::NothingToEnd(_) | LogoutError::UnestablishedClientRedirect { .. } => {
            ErrorKind::NothingEnded
        }
    };
    PageError::page(StatusCode::BAD_REQUEST, kind, to_sign_in())
}
