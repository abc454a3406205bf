//! `POST /not-entitled`: "Back to the application", which gets `access_denied`.

use anteroom_flows::interaction::not_entitled::back_to_application;
use anteroom_flows::interaction::open_interaction::InteractionRef;
use axum::response::Response;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::pages::step::respond_to_form;
use crate::paths::DASHBOARD;

pub(crate) struct NotEntitledForm {
    interaction_ref: InteractionRef,
}

impl FormFields for NotEntitledForm {
    const NAME: FormName = FormName::NotEntitled;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { interaction_ref: sent.require_interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(DASHBOARD)
    }
}

pub(crate) async fn submit(Form { context, fields }: Form<NotEntitledForm>) -> Response {
    finish(&context, submitted(&context, fields).await).await
}

async fn submitted(
    context: &PageContext,
    NotEntitledForm { interaction_ref }: NotEntitledForm,
) -> Result<Response, PageError> {
    match back_to_application(&context.visit, interaction_ref).await? {
        Some(next) => respond_to_form(context, next),
        None => Err(PageError::interaction_expired()),
    }
}
