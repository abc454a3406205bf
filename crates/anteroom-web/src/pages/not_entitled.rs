//! `POST /not-entitled`: "Back to the application", which learns `access_denied`.

use anteroom_flows::interaction::not_entitled::back_to_application;
use anteroom_flows::interaction::open_interaction::Waiting;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, Sent};
use crate::pages::step::{DASHBOARD, go};

pub(crate) struct Back {
    waiting: Waiting,
}

impl FormFields for Back {
    const NAME: FormName = FormName::NotEntitled;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        Ok(Self { waiting: sent.what_waits()? })
    }

    fn again(sent: &Sent) -> String {
        sent.again(DASHBOARD)
    }
}

pub(crate) async fn submit(Form { asker, fields }: Form<Back>) -> Response {
    finish(&asker, submitted(&asker, fields).await).await
}

async fn submitted(asker: &Asker, Back { waiting }: Back) -> Result<Response, Failure> {
    match back_to_application(&asker.visit, waiting).await? {
        Some(onward) => go(asker, onward),
        None => Err(Failure::interaction_expired()),
    }
}
