//! `GET /complete-registration`: what an invitation's link opens, and which changes nothing; without a link, how to get
//! another one. `POST /register` is the link's button.

use anteroom_flows::register::{
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
use crate::form_token::{FormName, Stale};
use crate::forms::{Posted, token_for};
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
    let Some(invited) = invited(&asker.web.provider, &asker.visitor, token).await? else {
        return Err(dead());
    };
    let view = InvitationPage {
        form_token: token_for(asker, FormName::Register),
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
        form_token: token_for(asker, FormName::CompleteRegistration),
        email,
        asked,
        problem,
        sign_in_href: "/sign-in".to_owned(),
    };
    Frame::of(asker).page(status, &view)
}

/// `POST /complete-registration`: another invitation.
pub(crate) async fn again(posted: Posted) -> Response {
    let result = asked_again(&posted).await;
    finish(&posted.asker, result).await
}

async fn asked_again(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    let email: String = posted.field("email").trim().chars().take(MAX_EMAIL_CHARS).collect();
    let problem = match posted.check_token(FormName::CompleteRegistration) {
        Err(Stale) => Some(ForgotPasswordProblem::Stale),
        Ok(()) if email.is_empty() => Some(ForgotPasswordProblem::Missing),
        Ok(()) => None,
    };
    if problem.is_some() {
        return Ok(page(asker, email, false, problem));
    }
    Ok(match ask_again(&asker.web.provider, &asker.visitor, &email).await? {
        AgainOutcome::Asked => page(asker, email, true, None),
        AgainOutcome::RateLimited(wait) => {
            let problem = ForgotPasswordProblem::RateLimited { wait: wait_text(wait) };
            retry_after(page(asker, email, false, Some(problem)), wait)
        }
    })
}

pub(crate) async fn accept(posted: Posted) -> Response {
    let result = accepted(&posted).await;
    finish(&posted.asker, result).await
}

async fn accepted(posted: &Posted) -> Result<Response, Failure> {
    let (asker, token) = (&posted.asker, posted.field("token"));
    if let Err(Stale) = posted.check_token(FormName::Register) {
        let query = anteroom_oidc::form::encode([("token", token)]);
        return Err(Failure::stale_form(&format!("{COMPLETE_REGISTRATION}?{query}")));
    }
    match accept_invitation(&asker.web.provider, &asker.visitor, token).await? {
        InvitationOutcome::Onward(onward) => go(asker, onward),
        InvitationOutcome::Dead => Err(dead()),
    }
}
