//! Steps that this release does not take people through: each says so, and whom to ask.

use anteroom_pages::{Step, StepUnavailablePage};
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::respond::Frame;

pub(crate) const CHANGE_PASSWORD: &str = "/change-password";

pub(crate) async fn forgot_password(asker: Asker) -> Response {
    unavailable(&asker, Step::Recovery)
}

pub(crate) async fn complete_registration(asker: Asker) -> Response {
    unavailable(&asker, Step::Registration)
}

pub(crate) async fn change_password(asker: Asker) -> Response {
    unavailable(&asker, Step::NewPassword)
}

fn unavailable(asker: &Asker, step: Step) -> Response {
    Frame::of(asker).page(StatusCode::OK, &StepUnavailablePage { step, back_href: "/sign-in".to_owned() })
}
