//! `POST /not-entitled`: "Back to the application", which learns `access_denied`.

use anteroom_flows::not_entitled::back_to_application;
use axum::response::Response;

use crate::failure::{Failure, finish};
use crate::form_token::{FormName, Stale};
use crate::forms::Posted;
use crate::pages::choose_account::again;
use crate::pages::step::{DASHBOARD, go};

pub(crate) async fn submit(posted: Posted) -> Response {
    let result = submitted(&posted).await;
    finish(&posted.asker, result).await
}

async fn submitted(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    if let Err(Stale) = posted.check_token(FormName::NotEntitled) {
        return Err(Failure::stale_form(&again(posted, DASHBOARD)));
    }
    let waiting = posted.waiting()?.ok_or_else(Failure::interaction_expired)?;
    match back_to_application(&asker.web.provider, &asker.visitor, waiting).await? {
        Some(onward) => go(asker, onward),
        None => Err(Failure::interaction_expired()),
    }
}
