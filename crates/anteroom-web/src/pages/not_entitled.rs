//! `POST /not-entitled`: "Back to the application", which learns `access_denied`.

use anteroom_flows::interaction::not_entitled::back_to_application;
use anteroom_flows::interaction::open_interaction::InteractionRef;
use axum::response::Response;

use crate::asker::PageContext;
use crate::failure::{PageError, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::pages::step::{DASHBOARD, go};

pub(crate) struct NotEntitledForm {
    waiting: InteractionRef,
}

impl FormFields for NotEntitledForm {
    const NAME: FormName = FormName::NotEntitled;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { waiting: sent.require_interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.again(DASHBOARD)
    }
}

pub(crate) async fn submit(Form { asker, fields }: Form<NotEntitledForm>) -> Response {
    finish(&asker, submitted(&asker, fields).await).await
}

async fn submitted(
    asker: &PageContext,
    NotEntitledForm { waiting }: NotEntitledForm,
) -> Result<Response, PageError> {
    match back_to_application(&asker.visit, waiting).await? {
        Some(onward) => go(asker, onward),
        None => Err(PageError::interaction_expired()),
    }
}
