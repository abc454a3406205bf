//! `GET /recover`, which a mailed link opens and which changes nothing; `POST /recover`, its button; `POST /recover/code`,
//! the code of the mail typed instead.

use anteroom_flows::interaction::open_interaction::Waiting;
use anteroom_flows::interaction::reopen::open;
use anteroom_flows::people::recover::{PressOutcome, TypedOutcome, press as press_link, type_code as typed};
use anteroom_pages::{ErrorKind, Forward, ForwardKind, RecoveryAskedProblem, RecoveryLinkPage};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, Sent, token_of_nobody};
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
        form_token: token_of_nobody(&asker, FormName::Recover),
        token: token_in(query.0.as_deref().unwrap_or_default()),
    };
    Frame::of(&asker).page(StatusCode::OK, &view)
}

pub(crate) struct Press {
    token: String,
}

impl FormFields for Press {
    const NAME: FormName = FormName::Recover;
    const NEEDS_COOKIES: bool = true;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        Ok(Self { token: sent.field("token").to_owned() })
    }

    fn again(sent: &Sent) -> String {
        format!("/recover?{}", anteroom_oidc::form::encode([("token", sent.field("token"))]))
    }
}

pub(crate) async fn press(Form { asker, fields }: Form<Press>) -> Response {
    finish(&asker, pressed(&asker, &fields.token).await).await
}

async fn pressed(asker: &Asker, token: &str) -> Result<Response, Failure> {
    match press_link(&asker.visit, token).await? {
        PressOutcome::Onward(onward) => go(asker, onward),
        PressOutcome::Dead => Err(dead()),
    }
}

fn dead() -> Failure {
    let forward = Forward { kind: ForwardKind::Recover, href: FORGOT_PASSWORD.to_owned() };
    Failure::page(StatusCode::GONE, ErrorKind::LinkDead, forward)
}

pub(crate) struct TypedCode {
    code: String,
    waiting: Waiting,
}

impl FormFields for TypedCode {
    const NAME: FormName = FormName::RecoveryCode;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        Ok(Self { code: sent.line("code", MAX_TOKEN_CHARS), waiting: sent.what_waits()? })
    }

    fn again(sent: &Sent) -> String {
        sent.again(FORGOT_PASSWORD)
    }
}

pub(crate) async fn type_code(Form { asker, fields }: Form<TypedCode>) -> Response {
    finish(&asker, entered(&asker, fields).await).await
}

async fn entered(asker: &Asker, TypedCode { code, waiting }: TypedCode) -> Result<Response, Failure> {
    let visit = &asker.visit;
    if code.is_empty() {
        let Ok(carried) = open(visit, waiting).await? else {
            return Err(Failure::not_asked_here(asker, None)?);
        };
        return asked_page(asker, &carried, Some(RecoveryAskedProblem::Missing));
    }
    match typed(visit, waiting, &code).await? {
        TypedOutcome::Onward(onward) => go(asker, onward),
        TypedOutcome::Wrong(carried) => asked_page(asker, &carried, Some(RecoveryAskedProblem::Wrong)),
        TypedOutcome::NotAskedHere(carried) => Err(Failure::not_asked_here(asker, Some(&carried))?),
        TypedOutcome::Gone => Err(Failure::not_asked_here(asker, None)?),
    }
}
