//! `POST /expired-password`: on to a new password, which begins with a code sent to a phone.

use anteroom_pages::{Step, StepUnavailablePage};
use axum::http::StatusCode;
use axum::response::Response;

use crate::failure::{Failure, finish};
use crate::form_token::{FormName, Stale};
use crate::forms::Posted;
use crate::pages::choose_account::again;
use crate::respond::Frame;

pub(crate) async fn submit(posted: Posted) -> Response {
    let result = submitted(&posted);
    finish(&posted.asker, result).await
}

fn submitted(posted: &Posted) -> Result<Response, Failure> {
    if let Err(Stale) = posted.check_token(FormName::ExpiredPassword) {
        return Err(Failure::stale_form(&again(posted, "/sign-in")));
    }
    let page = StepUnavailablePage { step: Step::PhoneCode, back_href: "/sign-in".to_owned() };
    Ok(Frame::of(&posted.asker).page(StatusCode::OK, &page))
}
