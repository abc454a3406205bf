//! Errors of requests by browsers, as pages: a sentence, a link and a reference. The reason is only in the log, under the
//! reference.

use anteroom_domain::account::Account;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::client::Client;
use anteroom_flows::context::refusals::record_refusal;
use anteroom_flows::error::FlowError;
use anteroom_flows::interaction::open_interaction::OpenInteraction;
use anteroom_pages::{ErrorKind, ErrorPage, NextLink, NextLinkKind};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::page_context::PageContext;
use crate::paths::{
    COMPLETE_REGISTRATION, DASHBOARD, FORGOT_PASSWORD, open_href, to_sign_in, with_interaction,
};
use crate::respond::{PageResponse, wait_text};

/// A request that ends on an error page.
#[derive(Debug)]
pub(crate) enum PageError {
    Page {
        status: StatusCode,
        kind: ErrorKind,
        forward: NextLink,
    },
    /// The form's page showed another account or session than the one that is signed in now.
    AccountMismatch {
        email: String,
        forward: NextLink,
    },
    Flow(FlowError),
}

impl From<FlowError> for PageError {
    fn from(error: FlowError) -> Self {
        Self::Flow(error)
    }
}

impl PageError {
    pub(crate) fn page(status: StatusCode, kind: ErrorKind, forward: NextLink) -> Self {
        Self::Page { status, kind, forward }
    }

    /// The interaction has expired: the person has to open the application again.
    pub(crate) fn interaction_expired() -> Self {
        Self::page(StatusCode::BAD_REQUEST, ErrorKind::InteractionExpired, to_sign_in())
    }

    /// The interaction's client is no longer configured. A person who signed in for it stays signed in.
    pub(crate) fn application_gone() -> Self {
        let forward = NextLink { kind: NextLinkKind::Dashboard, href: DASHBOARD.to_owned() };
        Self::page(StatusCode::BAD_REQUEST, ErrorKind::ApplicationGone, forward)
    }

    /// The client has its response already. The page leads to the client's tile if it has one, else to the dashboard.
    pub(crate) fn answered_before(client: Option<&Client>) -> Self {
        let tile = client.filter(|client| client.policy.tile.is_some());
        let forward = match tile {
            Some(client) => NextLink { kind: NextLinkKind::Application, href: open_href(client.id()) },
            None => NextLink { kind: NextLinkKind::Dashboard, href: DASHBOARD.to_owned() },
        };
        Self::page(StatusCode::BAD_REQUEST, ErrorKind::AnsweredBefore, forward)
    }

    /// The browser did not request this mail, or lost the cookie that says so. The page offers to request another one
    /// for the same interaction.
    pub(crate) fn mail_requested_elsewhere(
        context: &PageContext,
        interaction: Option<&OpenInteraction>,
    ) -> Result<Self, FlowError> {
        let handle =
            interaction.map(|interaction| interaction.form_value(&context.visit)).transpose()?.flatten();
        let href = with_interaction(FORGOT_PASSWORD, handle.as_deref());
        let forward = NextLink { kind: NextLinkKind::Recover, href };
        Ok(Self::page(StatusCode::BAD_REQUEST, ErrorKind::MailRequestedElsewhere, forward))
    }

    /// The account has what was entered so far; the invitation's link leads back to it.
    pub(crate) fn registration_interrupted() -> Self {
        let forward = NextLink { kind: NextLinkKind::Recover, href: COMPLETE_REGISTRATION.to_owned() };
        Self::page(StatusCode::BAD_REQUEST, ErrorKind::RegistrationInterrupted, forward)
    }

    /// The form's token was out of date: the form changed nothing, and its page can be opened again.
    pub(crate) fn stale_form(again: &str) -> Self {
        let forward = NextLink { kind: NextLinkKind::TryAgain, href: again.to_owned() };
        Self::page(StatusCode::UNPROCESSABLE_ENTITY, ErrorKind::StaleForm, forward)
    }

    /// The form changed nothing. Opening its page again sets the cookie, for a browser that only lost it.
    pub(crate) fn no_cookies(again: &str) -> Self {
        let forward = NextLink { kind: NextLinkKind::TryAgain, href: again.to_owned() };
        Self::page(StatusCode::UNPROCESSABLE_ENTITY, ErrorKind::NoCookies, forward)
    }

    /// The form changed nothing: `account` is signed in now and did not send it. Its page can be opened again.
    pub(crate) fn account_mismatch(account: &Account, again: &str) -> Self {
        let forward = NextLink { kind: NextLinkKind::TryAgain, href: again.to_owned() };
        Self::AccountMismatch { email: account.primary_address.as_str().to_owned(), forward }
    }

    /// Status and kind of the page, if the request itself is at fault.
    const fn shown(&self) -> Option<(StatusCode, ErrorKind)> {
        match self {
            Self::Page { status, kind, .. } => Some((*status, *kind)),
            Self::AccountMismatch { .. } => Some((StatusCode::CONFLICT, ErrorKind::AnotherPerson)),
            Self::Flow(_) => None,
        }
    }

    /// Writes the page's reference to the audit trail, then renders the page.
    pub(crate) async fn answer(self, context: &PageContext) -> Response {
        if let Some((status, kind)) = self.shown() {
            let (page, path) = (format!("{kind:?}"), Some(context.path.clone()));
            let event = Event::ErrorShown { status: status.as_u16(), page, path };
            let entry = context.visit.entry(Actor::Anonymous, event);
            if let Err(error) = record_refusal(&context.visit, entry).await {
                tracing::error!(reference = %context.visit.reference, "the audit entry could not be written: {error}");
            }
        }
        self.respond(context)
    }

    fn respond(self, context: &PageContext) -> Response {
        let reference = context.visit.reference;
        let person = match &self {
            Self::AccountMismatch { email, .. } => Some(email.clone()),
            Self::Page { .. } | Self::Flow(_) => None,
        };
        let (status, kind, forward, retry_after) = match self {
            Self::AccountMismatch { forward, .. } => {
                tracing::info!(%reference, "a form was refused: its page showed another account or session");
                (StatusCode::CONFLICT, ErrorKind::AnotherPerson, forward, None)
            }
            Self::Page { status, kind, forward } => {
                tracing::info!(%reference, status = status.as_u16(), ?kind, path = context.path, "error page");
                (status, kind, forward, None)
            }
            Self::Flow(FlowError::Busy { retry_after }) => {
                tracing::warn!(%reference, "the queue for password hashing is full");
                let wait = Some(retry_after.as_secs().max(1));
                (StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Busy, link_back(context), wait)
            }
            // Log and audit trail get a count once a minute instead of a line for each: unauthenticated requests must
            // not fill them.
            Self::Flow(FlowError::Limited { limit, wait }) => {
                tracing::debug!(%reference, limit = limit.name(), "too many requests");
                let seconds = wait.0.as_secs().max(1).unsigned_abs();
                let kind = ErrorKind::RateLimited { wait: wait_text(wait) };
                (StatusCode::TOO_MANY_REQUESTS, kind, link_back(context), Some(seconds))
            }
            // The node logged the reason once, when it found out.
            Self::Flow(FlowError::NotServing(reason)) => {
                tracing::info!(%reference, "request not served: {reason}");
                (StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Unavailable, link_back(context), Some(1))
            }
            Self::Flow(error) if error.is_temporary() => {
                if error.is_of_client() {
                    tracing::warn!(%reference, "temporarily unavailable: {error}");
                } else {
                    tracing::error!(%reference, "temporarily unavailable: {error}");
                }
                let kind = if error.is_outage() { ErrorKind::Unavailable } else { ErrorKind::Busy };
                (StatusCode::SERVICE_UNAVAILABLE, kind, link_back(context), Some(1))
            }
            Self::Flow(error) => {
                tracing::error!(%reference, "internal error: {error}");
                (StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::Internal, to_sign_in(), None)
            }
        };
        let page = ErrorPage { kind, forward, person, reference: Some(reference.to_string()) };
        let mut response = PageResponse::of(context).page(status, &page);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Back to the page of the submitted form, which keeps its interaction; else to sign-in.
fn link_back(context: &PageContext) -> NextLink {
    match &context.reload_path {
        Some(page) => NextLink { kind: NextLinkKind::TryAgain, href: page.clone() },
        None => to_sign_in(),
    }
}

/// Handlers return through this: an error is rendered for the request that caused it.
pub(crate) async fn finish(context: &PageContext, result: Result<Response, PageError>) -> Response {
    match result {
        Ok(response) => response,
        Err(failure) => failure.answer(context).await,
    }
}
