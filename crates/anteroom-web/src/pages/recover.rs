//! `GET /recover`, which a mailed link opens and which changes nothing; `POST /recover`, its button; `POST /recover/code`,
//! the code of the mail typed instead.

use anteroom_flows::journey::open;
use anteroom_flows::recover::{PressOutcome, TypedOutcome, press as press_link, type_code as typed};
use anteroom_pages::{ErrorKind, Forward, ForwardKind, RecoveryAskedProblem, RecoveryLinkPage};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::{FormName, Stale};
use crate::forms::{Posted, token_for};
use crate::pages::choose_account::again;
use crate::pages::forgot_password::asked_page;
use crate::pages::step::{FORGOT_PASSWORD, go};
use crate::respond::Frame;

const MAX_TOKEN_CHARS: usize = 128;

pub(crate) fn token_in(query: &str) -> String {
    let form = anteroom_oidc::form::Form::decode(query.as_bytes()).ok();
    let token = form.as_ref().and_then(|form| form.once("token").ok().flatten()).unwrap_or_default();
    token.chars().take(MAX_TOKEN_CHARS).collect()
}

/// Nothing is looked up: mail scanners open links, and every link shows the same.
pub(crate) async fn link(asker: Asker, query: RawQuery) -> Response {
    let view = RecoveryLinkPage {
        form_token: token_for(&asker, FormName::Recover),
        token: token_in(query.0.as_deref().unwrap_or_default()),
    };
    Frame::of(&asker).page(StatusCode::OK, &view)
}

pub(crate) async fn press(posted: Posted) -> Response {
    let result = pressed(&posted).await;
    finish(&posted.asker, result).await
}

async fn pressed(posted: &Posted) -> Result<Response, Failure> {
    let (asker, token) = (&posted.asker, posted.field("token"));
    if let Err(Stale) = posted.check_token(FormName::Recover) {
        let query = anteroom_oidc::form::encode([("token", token)]);
        return Err(Failure::stale_form(&format!("/recover?{query}")));
    }
    match press_link(&asker.web.provider, &asker.visitor, token).await? {
        PressOutcome::Onward(onward) => go(asker, onward),
        PressOutcome::Dead => Err(dead()),
    }
}

fn dead() -> Failure {
    let forward = Forward { kind: ForwardKind::Recover, href: FORGOT_PASSWORD.to_owned() };
    Failure::page(StatusCode::GONE, ErrorKind::LinkDead, forward)
}

pub(crate) async fn type_code(posted: Posted) -> Response {
    let result = entered(&posted).await;
    finish(&posted.asker, result).await
}

async fn entered(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    let (provider, visitor) = (&asker.web.provider, &asker.visitor);
    if let Err(Stale) = posted.check_token(FormName::RecoveryCode) {
        return Err(Failure::stale_form(&again(posted, FORGOT_PASSWORD)));
    }
    let waiting = posted.waiting()?.ok_or_else(Failure::interaction_expired)?;
    let code = posted.field("code").trim();
    if code.is_empty() {
        let Ok(carried) = open(provider, visitor, waiting).await? else {
            return Err(Failure::not_asked_here(asker, None)?);
        };
        return asked_page(asker, &carried, Some(RecoveryAskedProblem::Missing));
    }
    match typed(provider, visitor, waiting, code).await? {
        TypedOutcome::Onward(onward) => go(asker, onward),
        TypedOutcome::Wrong(carried) => asked_page(asker, &carried, Some(RecoveryAskedProblem::Wrong)),
        TypedOutcome::NotAskedHere(carried) => Err(Failure::not_asked_here(asker, Some(&carried))?),
        TypedOutcome::Gone => Err(Failure::not_asked_here(asker, None)?),
    }
}
