//! `POST /expired-password`: starts the choice of a new password with a code sent to a phone.

use anteroom_flows::interaction::expired_password::acknowledge;
use anteroom_flows::interaction::open_interaction::InteractionRef;
use axum::response::Response;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::pages::step::respond_to_form;
use crate::paths::SIGN_IN;

pub(crate) struct ExpiredPasswordForm {
    interaction_ref: InteractionRef,
}

impl FormFields for ExpiredPasswordForm {
    const NAME: FormName = FormName::ExpiredPassword;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { interaction_ref: sent.require_interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(SIGN_IN)
    }
}

pub(crate) async fn submit(Form { context, fields }: Form<ExpiredPasswordForm>) -> Response {
    finish(&context, submitted(&context, fields).await).await
}

async fn submitted(
    context: &PageContext,
    ExpiredPasswordForm { interaction_ref }: ExpiredPasswordForm,
) -> Result<Response, PageError> {
    match acknowledge(&context.visit, interaction_ref).await? {
        Some(next) => respond_to_form(context, next),
        None => Err(PageError::interaction_expired()),
    }
}
