//! `POST /expired-password`: on to a new password, which begins with a code sent to a phone.

use anteroom_flows::interaction::expired_password::go_on;
use anteroom_flows::interaction::open_interaction::Waiting;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, Sent};
use crate::pages::step::go;

pub(crate) struct GoOn {
    waiting: Waiting,
}

impl FormFields for GoOn {
    const NAME: FormName = FormName::ExpiredPassword;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        Ok(Self { waiting: sent.what_waits()? })
    }

    fn again(sent: &Sent) -> String {
        sent.again("/sign-in")
    }
}

pub(crate) async fn submit(Form { asker, fields }: Form<GoOn>) -> Response {
    finish(&asker, submitted(&asker, fields).await).await
}

async fn submitted(asker: &Asker, GoOn { waiting }: GoOn) -> Result<Response, Failure> {
    match go_on(&asker.visit, waiting).await? {
        Some(onward) => go(asker, onward),
        None => Err(Failure::interaction_expired()),
    }
}
