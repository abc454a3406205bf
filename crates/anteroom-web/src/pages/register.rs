//! `GET /complete-registration`: what an invitation's link opens, and which changes nothing; without a link, how to get
//! another one. `POST /register` is the link's button.

use anteroom_flows::people::register::{
    AgainOutcome, InvitationOutcome, accept as accept_invitation, ask_again, invited,
};
use anteroom_pages::{
    CompleteRegistrationPage, ErrorKind, ForgotPasswordProblem, Forward, ForwardKind, InvitationPage,
};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, FormOrStale, Sent, Token, token_of_nobody};
use crate::pages::forgot_password::{retry_after, wait_text};
use crate::pages::recover::token_in;
use crate::pages::step::{COMPLETE_REGISTRATION, go};
use crate::respond::Frame;

const MAX_EMAIL_CHARS: usize = 320;

pub(crate) async fn invitation(asker: Asker, query: RawQuery) -> Response {
    let result = opened(&asker, &token_in(query.0.as_deref().unwrap_or_default())).await;
    finish(&asker, result).await
}

async fn opened(asker: &Asker, token: &str) -> Result<Response, Failure> {
    if token.is_empty() {
        return Ok(page(asker, String::new(), false, None));
    }
    let Some(invited) = invited(&asker.visit, token).await? else {
        return Err(dead());
    };
    let view = InvitationPage {
        form_token: token_of_nobody(asker, FormName::Register),
        token: token.to_owned(),
        name: invited.profile.given_name.clone().or_else(|| invited.profile.name.clone()),
        email: invited.primary_address.as_str().to_owned(),
    };
    Ok(Frame::of(asker).page(StatusCode::OK, &view))
}

fn dead() -> Failure {
    let forward = Forward { kind: ForwardKind::Recover, href: COMPLETE_REGISTRATION.to_owned() };
    Failure::page(StatusCode::GONE, ErrorKind::LinkDead, forward)
}

fn page(asker: &Asker, email: String, asked: bool, problem: Option<ForgotPasswordProblem>) -> Response {
    let status = match problem {
        None => StatusCode::OK,
        Some(ForgotPasswordProblem::RateLimited { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let view = CompleteRegistrationPage {
        form_token: token_of_nobody(asker, FormName::CompleteRegistration),
        email,
        asked,
        problem,
        sign_in_href: "/sign-in".to_owned(),
    };
    Frame::of(asker).page(status, &view)
}

pub(crate) struct Address {
    email: String,
}

impl FormFields for Address {
    const NAME: FormName = FormName::CompleteRegistration;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        Ok(Self { email: sent.line("email", MAX_EMAIL_CHARS) })
    }

    fn again(_: &Sent) -> String {
        COMPLETE_REGISTRATION.to_owned()
    }
}

/// `POST /complete-registration`: another invitation.
pub(crate) async fn again(FormOrStale { asker, fields }: FormOrStale<Address>) -> Response {
    finish(&asker, asked_again(&asker, fields).await).await
}

async fn asked_again(asker: &Asker, fields: Token<Address>) -> Result<Response, Failure> {
    let email = match fields {
        Token::Stale(Address { email }) => {
            return Ok(page(asker, email, false, Some(ForgotPasswordProblem::Stale)));
        }
        Token::Good(Address { email }) if email.is_empty() => {
            return Ok(page(asker, email, false, Some(ForgotPasswordProblem::Missing)));
        }
        Token::Good(Address { email }) => email,
    };
    Ok(match ask_again(&asker.visit, &email).await? {
        AgainOutcome::Asked => page(asker, email, true, None),
        AgainOutcome::RateLimited(wait) => {
            let problem = ForgotPasswordProblem::RateLimited { wait: wait_text(wait) };
            retry_after(page(asker, email, false, Some(problem)), wait)
        }
    })
}

pub(crate) struct Accept {
    token: String,
}

impl FormFields for Accept {
    const NAME: FormName = FormName::Register;
    const NEEDS_COOKIES: bool = true;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        Ok(Self { token: sent.field("token").to_owned() })
    }

    fn again(sent: &Sent) -> String {
        format!("{COMPLETE_REGISTRATION}?{}", anteroom_oidc::form::encode([("token", sent.field("token"))]))
    }
}

pub(crate) async fn accept(Form { asker, fields }: Form<Accept>) -> Response {
    finish(&asker, accepted(&asker, &fields.token).await).await
}

async fn accepted(asker: &Asker, token: &str) -> Result<Response, Failure> {
    match accept_invitation(&asker.visit, token).await? {
        InvitationOutcome::Onward(onward) => go(asker, onward),
        InvitationOutcome::Dead => Err(dead()),
    }
}
