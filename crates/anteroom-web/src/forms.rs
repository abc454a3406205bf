//! Forms that people submit: parsed, sent from our own page, with a valid token.
//!
//! A handler takes [`Form`] of the form's type, and gets the fields only if origin and token are valid; the session and account
//! of the token are in [`anteroom_flows::context::call::Visit::form`]. A handler that shows the page again with what was entered
//! takes [`FormOrStale`], and has to handle a stale token. Requests that other sites may post have a type of their own:
//! `endpoints::authorize::CrossSitePost`.

use anteroom_flows::context::call::FormOwner;
use anteroom_flows::context::limits::{FormToken, spend_form, spend_sign_out};
use anteroom_flows::interaction::form_limits::{FormReferences, counted_for};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::sessions::browser_sessions::account_mismatch;
use anteroom_oidc::Issuer;
use anteroom_oidc::form::UrlEncodedForm;
use anteroom_pages::ErrorKind;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;

use crate::form_token::{self, FormName, InvalidFormToken, TokenCheck};
use crate::origin::{self, FormOrigin};
use crate::page_context::PageContext;
use crate::page_error::PageError;
use crate::page_token::here;
use crate::paths::{
    COMPLETE_REGISTRATION, CONTINUE, FORGOT_PASSWORD, SIGN_IN, SIGN_OUT, to_sign_in, with_interaction,
};
use crate::received::{BodyResult, read_body};
use crate::state::Web;

/// One form: its name, its fields, and the address of its page.
pub(crate) trait FormFields: Sized + Send {
    const NAME: FormName;
    /// The form acts on the browser's current session, so that must be the one that the page showed.
    const OF_CURRENT_SESSION: bool = false;
    /// The form uses up a link or an invitation, and the next step needs a cookie. So it is refused if the browser sent
    /// none.
    const NEEDS_COOKIES: bool = false;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError>;

    /// The address at which the page can be opened again.
    fn reload_path(sent: &ReceivedForm) -> String;
}

/// A form with a valid token.
pub(crate) struct Form<T> {
    pub context: PageContext,
    pub fields: T,
}

/// A form whose page is shown again if its token is missing, not genuine or too old.
pub(crate) struct FormOrStale<T> {
    pub context: PageContext,
    pub fields: SubmittedFields<T>,
}

pub(crate) enum SubmittedFields<T> {
    Valid(T),
    InvalidToken(T),
}

impl<T: FormFields> FromRequest<Arc<Web>> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        let (mut context, request) = opened(request, web).await?;
        match good(&mut context, request).await {
            Ok(fields) => Ok(Self { context, fields }),
            Err(failure) => Err(failure.answer(&context).await),
        }
    }
}

impl<T: FormFields> FromRequest<Arc<Web>> for FormOrStale<T> {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        let (mut context, request) = opened(request, web).await?;
        match good_or_stale(&mut context, request).await {
            Ok(fields) => Ok(Self { context, fields }),
            Err(failure) => Err(failure.answer(&context).await),
        }
    }
}

/// The body of a form, with the headers of its request.
struct FormRequest {
    parts: Parts,
    body: BodyResult,
}

async fn opened(request: Request, web: &Arc<Web>) -> Result<(PageContext, FormRequest), Response> {
    let (mut parts, body) = read_body(request, web).await?;
    Ok((PageContext::of(&mut parts, web), FormRequest { parts, body }))
}

async fn good<T: FormFields>(context: &mut PageContext, request: FormRequest) -> Result<T, PageError> {
    let (sent, token) = received::<T>(context, request).await?;
    context.visit.form = match token {
        Ok(owner) => owner,
        Err(InvalidFormToken) => return Err(PageError::stale_form(&T::reload_path(&sent))),
    };
    if T::NEEDS_COOKIES && !context.visit.browser.keeps_cookies {
        return Err(PageError::no_cookies(&T::reload_path(&sent)));
    }
    if T::OF_CURRENT_SESSION
        && let Some(other) = account_mismatch(&context.visit).await?
    {
        return Err(PageError::account_mismatch(&other.account, &T::reload_path(&sent)));
    }
    T::read(&sent)
}

async fn good_or_stale<T: FormFields>(
    context: &mut PageContext,
    request: FormRequest,
) -> Result<SubmittedFields<T>, PageError> {
    let (sent, token) = received::<T>(context, request).await?;
    match token {
        Ok(owner) => {
            context.visit.form = owner;
            T::read(&sent).map(SubmittedFields::Valid)
        }
        Err(InvalidFormToken) => T::read(&sent).map(SubmittedFields::InvalidToken),
    }
}

/// Counts the form against its limits before anything else is done: by whether its token verifies, and by the account
/// and session in it. Error pages after this call link back to the form's page.
async fn received<T: FormFields>(
    context: &mut PageContext,
    request: FormRequest,
) -> Result<(ReceivedForm, Result<FormOwner, InvalidFormToken>), PageError> {
    let path = request.parts.uri.path().to_owned();
    let sent = ReceivedForm::read(context, request)?;
    context.reload_path = Some(T::reload_path(&sent));
    let token = sent.check_token(context, T::NAME);
    if token.is_ok() {
        context.visit.sends_form(sent.token(), sent.fields.pairs());
    }
    count(context, &path, &sent, if token.is_ok() { FormToken::Valid } else { FormToken::Invalid }).await?;
    Ok((sent, token))
}

/// The fields of a form, sent from our own page as far as the browser says.
pub(crate) struct ReceivedForm {
    fields: UrlEncodedForm,
    origin: FormOrigin,
}

impl ReceivedForm {
    fn read(context: &PageContext, FormRequest { parts, body }: FormRequest) -> Result<Self, PageError> {
        let origin = own_page(&parts.headers, &context.visit.snapshot().issuer)?;
        if !is_form(&parts.headers) {
            return Err(malformed());
        }
        let body = body.map_err(|_| too_large())?;
        let fields = UrlEncodedForm::decode(&body).map_err(|_| malformed())?;
        Ok(Self { fields, origin })
    }

    fn check_token(&self, context: &PageContext, form: FormName) -> Result<FormOwner, InvalidFormToken> {
        let provider = &context.web.provider;
        let lifetime = provider.snapshot().policy.interaction.form_lifetime;
        let returned = TokenCheck { at: here(context), lifetime, origin: self.origin };
        form_token::check(&provider.keyring, form, self.token(), returned)
    }

    fn token(&self) -> &str {
        self.field("form_token")
    }

    /// A field's value; empty if the field is absent or was sent twice.
    pub(crate) fn field(&self, name: &'static str) -> &str {
        self.fields.once(name).ok().flatten().unwrap_or_default()
    }

    /// A field without surrounding spaces, cut to `max_chars` characters.
    pub(crate) fn line(&self, name: &'static str, max_chars: usize) -> String {
        self.field(name).trim().chars().take(max_chars).collect()
    }

    /// A field as it was entered, which may be empty; `None` if the form has no such field or has it twice.
    pub(crate) fn value_if_single(&self, name: &str) -> Option<&str> {
        self.fields.value_if_single(name)
    }

    /// The form's interaction, if it has one. An unreadable value is reported as an expired interaction.
    pub(crate) fn interaction_ref(&self) -> Result<Option<InteractionRef>, PageError> {
        match self.field("interaction") {
            "" => Ok(None),
            text => InteractionRef::parse(text).map(Some).ok_or_else(PageError::interaction_expired),
        }
    }

    /// The same for a form that requires an interaction.
    pub(crate) fn require_interaction_ref(&self) -> Result<InteractionRef, PageError> {
        self.interaction_ref()?.ok_or_else(PageError::interaction_expired)
    }

    /// The address at which the page of the interaction can be opened again.
    pub(crate) fn reload_path_or(&self, default: &str) -> String {
        match self.field("interaction") {
            "" => default.to_owned(),
            handle => with_interaction(CONTINUE, Some(handle)),
        }
    }
}

/// Forms that their use case counts by address.
const COUNTED_BY_ADDRESS: [&str; 3] = [SIGN_IN, FORGOT_PASSWORD, COMPLETE_REGISTRATION];

async fn count(
    context: &PageContext,
    path: &str,
    sent: &ReceivedForm,
    token: FormToken,
) -> Result<(), PageError> {
    if COUNTED_BY_ADDRESS.contains(&path) {
        return Ok(());
    }
    let visit = &context.visit;
    let brought = FormReferences { interaction: sent.field("interaction"), token: sent.field("token") };
    let counted_for = counted_for(visit, brought).await?;
    if path == SIGN_OUT {
        return Ok(spend_sign_out(visit, counted_for, token).await?);
    }
    Ok(spend_form(visit, counted_for, token).await?)
}

fn own_page(headers: &HeaderMap, issuer: &Issuer) -> Result<FormOrigin, PageError> {
    let cross_site = |_| PageError::page(StatusCode::FORBIDDEN, ErrorKind::CrossSite, to_sign_in());
    origin::of_form(headers, issuer).map_err(cross_site)
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn malformed() -> PageError {
    PageError::page(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, to_sign_in())
}

fn too_large() -> PageError {
    PageError::page(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::TooLarge, to_sign_in())
}
