//! `GET /complete-registration`: the link of an invitation, which changes nothing; without a link the page tells how to
//! get another one. `POST /register` is the link's button.

use anteroom_flows::people::register::{
    InvitationOutcome, RequestInvitationOutcome, accept as accept_invitation, invited, request_invitation,
};
use anteroom_pages::{
    CompleteRegistrationPage, ErrorKind, ForgotPasswordProblem, InvitationPage, NextLink, NextLinkKind,
};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, FormOrStale, ReceivedForm, SubmittedFields};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::page_token::token_without_account;
use crate::pages::recover::token_in;
use crate::pages::step::respond_to_form;
use crate::paths::{COMPLETE_REGISTRATION, SIGN_IN};
use crate::respond::{PageResponse, retry_after, wait_text};

const MAX_EMAIL_CHARS: usize = 320;

pub(crate) async fn invitation(query: RawQuery, context: PageContext) -> Response {
    let result = opened(&context, &token_in(query.0.as_deref().unwrap_or_default())).await;
    finish(&context, result).await
}

async fn opened(context: &PageContext, token: &str) -> Result<Response, PageError> {
    if token.is_empty() {
        return Ok(page(context, String::new(), false, None));
    }
    let Some(invited) = invited(&context.visit, token).await? else {
        return Err(link_invalid());
    };
    let view = InvitationPage {
        form_token: token_without_account(context, FormName::Register),
        token: token.to_owned(),
        name: invited.profile.given_name.clone().or_else(|| invited.profile.name.clone()),
        email: invited.primary_address.as_str().to_owned(),
    };
    Ok(PageResponse::of(context).page(StatusCode::OK, &view))
}

fn link_invalid() -> PageError {
    let forward = NextLink { kind: NextLinkKind::Recover, href: COMPLETE_REGISTRATION.to_owned() };
    PageError::page(StatusCode::GONE, ErrorKind::InvalidLink, forward)
}

fn page(
    context: &PageContext,
    email: String,
    asked: bool,
    problem: Option<ForgotPasswordProblem>,
) -> Response {
    let status = match problem {
        None => StatusCode::OK,
        Some(ForgotPasswordProblem::RateLimited { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let view = CompleteRegistrationPage {
        form_token: token_without_account(context, FormName::CompleteRegistration),
        email,
        asked,
        problem,
        sign_in_href: SIGN_IN.to_owned(),
    };
    PageResponse::of(context).page(status, &view)
}

pub(crate) struct InvitationRequestForm {
    email: String,
}

impl FormFields for InvitationRequestForm {
    const NAME: FormName = FormName::CompleteRegistration;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { email: sent.line("email", MAX_EMAIL_CHARS) })
    }

    fn reload_path(_: &ReceivedForm) -> String {
        COMPLETE_REGISTRATION.to_owned()
    }
}

/// `POST /complete-registration`: requests another invitation.
pub(crate) async fn again(FormOrStale { context, fields }: FormOrStale<InvitationRequestForm>) -> Response {
    finish(&context, asked_again(&context, fields).await).await
}

async fn asked_again(
    context: &PageContext,
    fields: SubmittedFields<InvitationRequestForm>,
) -> Result<Response, PageError> {
    let email = match fields {
        SubmittedFields::InvalidToken(InvitationRequestForm { email }) => {
            return Ok(page(context, email, false, Some(ForgotPasswordProblem::Stale)));
        }
        SubmittedFields::Valid(InvitationRequestForm { email }) if email.is_empty() => {
            return Ok(page(context, email, false, Some(ForgotPasswordProblem::Missing)));
        }
        SubmittedFields::Valid(InvitationRequestForm { email }) => email,
    };
    Ok(match request_invitation(&context.visit, &email).await? {
        RequestInvitationOutcome::Asked => page(context, email, true, None),
        RequestInvitationOutcome::RateLimited(wait) => {
            let problem = ForgotPasswordProblem::RateLimited { wait: wait_text(wait) };
            retry_after(page(context, email, false, Some(problem)), wait)
        }
    })
}

pub(crate) struct AcceptInvitationForm {
    token: String,
}

impl FormFields for AcceptInvitationForm {
    const NAME: FormName = FormName::Register;
    const NEEDS_COOKIES: bool = true;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { token: sent.field("token").to_owned() })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        format!("{COMPLETE_REGISTRATION}?{}", anteroom_oidc::form::encode([("token", sent.field("token"))]))
    }
}

pub(crate) async fn accept(Form { context, fields }: Form<AcceptInvitationForm>) -> Response {
    finish(&context, accepted(&context, &fields.token).await).await
}

async fn accepted(context: &PageContext, token: &str) -> Result<Response, PageError> {
    match accept_invitation(&context.visit, token).await? {
        InvitationOutcome::Next(next) => respond_to_form(context, next),
        InvitationOutcome::LinkInvalid => Err(link_invalid()),
    }
}
