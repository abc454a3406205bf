//! `GET` and `POST /choose-account`.

use anteroom_flows::choose_account::{Choice, ChooseOutcome, choices as signed_in_here, choose};
use anteroom_pages::ChooseAccountPage;
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::{FormName, Stale};
use crate::forms::{Posted, token_for};
use crate::pages::session_time::nobody_signed_in;
use crate::pages::step::{choices, go};
use crate::respond::{Frame, see_next, see_other, with_cookies};

/// From the dashboard: whoever is signed in here, to change to.
pub(crate) async fn form(asker: Asker) -> Response {
    finish(&asker, shown(&asker).await).await
}

async fn shown(asker: &Asker) -> Result<Response, Failure> {
    let live = signed_in_here(&asker.web.provider, &asker.visitor).await?;
    if live.is_empty() {
        return nobody_signed_in(asker).await;
    }
    let view = ChooseAccountPage {
        form_token: token_for(asker, FormName::ChooseAccount),
        interaction: None,
        application_name: None,
        accounts: choices(&live),
    };
    Ok(Frame::of(asker).page(StatusCode::OK, &view))
}

pub(crate) async fn submit(posted: Posted) -> Response {
    let result = submitted(&posted).await;
    finish(&posted.asker, result).await
}

async fn submitted(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    if let Err(Stale) = posted.check_token(FormName::ChooseAccount) {
        return Err(Failure::stale_form(&again(posted, "/choose-account")));
    }
    let choice = match posted.field("account").parse() {
        Ok(session) => Choice::Session(session),
        Err(_) => Choice::Another,
    };
    let waiting = posted.waiting()?;
    let to_dashboard = waiting.is_none();
    match choose(&asker.web.provider, &asker.visitor, waiting, choice).await? {
        ChooseOutcome::Chosen { sessions, onward } => {
            let mut jar = asker.jar.clone();
            jar.sessions = sessions;
            let cookies = jar.of_other_sessions(asker.web.secure_cookies());
            Ok(with_cookies(go(asker, onward)?, &cookies))
        }
        ChooseOutcome::SignIn(_) if to_dashboard => Ok(see_other("/sign-in?another=1")),
        ChooseOutcome::SignIn(onward) => another(asker, onward),
        ChooseOutcome::Gone => Err(Failure::interaction_expired()),
    }
}

/// Sign-in as somebody else, on the way to the same application.
fn another(asker: &Asker, onward: anteroom_flows::onward::Onward) -> Result<Response, Failure> {
    let anteroom_flows::onward::Onward::Page(page) = onward else { return go(asker, onward) };
    let handle = page.carried.field(&asker.web.provider)?.unwrap_or_default();
    Ok(see_next(asker, &format!("/sign-in?another=1&interaction={handle}")))
}

/// Where a stale form of a journey can be opened anew.
pub(crate) fn again(posted: &Posted, without: &str) -> String {
    match posted.field("interaction") {
        "" => without.to_owned(),
        handle => format!("/continue?{}", anteroom_oidc::form::encode([("interaction", handle)])),
    }
}
