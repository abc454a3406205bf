//! `POST /expired-password`: on to a new password, which begins with a code sent to a phone.

use anteroom_flows::expired_password::go_on;
use axum::response::Response;

use crate::failure::{Failure, finish};
use crate::form_token::{FormName, Stale};
use crate::forms::Posted;
use crate::pages::choose_account::again;
use crate::pages::step::go;

pub(crate) async fn submit(posted: Posted) -> Response {
    let result = submitted(&posted).await;
    finish(&posted.asker, result).await
}

async fn submitted(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    if let Err(Stale) = posted.check_token(FormName::ExpiredPassword) {
        return Err(Failure::stale_form(&again(posted, "/sign-in")));
    }
    let waiting = posted.waiting()?.ok_or_else(Failure::interaction_expired)?;
    match go_on(&asker.web.provider, &asker.visitor, waiting).await? {
        Some(onward) => go(asker, onward),
        None => Err(Failure::interaction_expired()),
    }
}
