//! `POST /expired-password`: on to a new password, which begins with a code sent to a phone.

use anteroom_flows::interaction::expired_password::acknowledge;
use anteroom_flows::interaction::open_interaction::InteractionRef;
use axum::response::Response;

use crate::asker::PageContext;
use crate::failure::{PageError, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::pages::step::go;

pub(crate) struct ExpiredPasswordForm {
    waiting: InteractionRef,
}

impl FormFields for ExpiredPasswordForm {
    const NAME: FormName = FormName::ExpiredPassword;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { waiting: sent.require_interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.again("/sign-in")
    }
}

pub(crate) async fn submit(Form { asker, fields }: Form<ExpiredPasswordForm>) -> Response {
    finish(&asker, submitted(&asker, fields).await).await
}

async fn submitted(
    asker: &PageContext,
    ExpiredPasswordForm { waiting }: ExpiredPasswordForm,
) -> Result<Response, PageError> {
    match acknowledge(&asker.visit, waiting).await? {
        Some(onward) => go(asker, onward),
        None => Err(PageError::interaction_expired()),
    }
}
