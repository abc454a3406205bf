//! `POST /consent`.

use anteroom_flows::interaction::consent::{ConsentOutcome, consent};
use anteroom_flows::interaction::consent_decision_record::ConsentDecision;
use anteroom_flows::interaction::open_interaction::InteractionRef;
use axum::response::Response;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::pages::step::{continue_address, respond_to_form};
use crate::paths::DASHBOARD;
use crate::respond::redirect_in_browser;

pub(crate) struct ConsentForm {
    decision: ConsentDecision,
    interaction_ref: InteractionRef,
}

impl FormFields for ConsentForm {
    const NAME: FormName = FormName::Consent;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        // Anything but an explicit "allow" is a denial.
        let decision =
            if sent.field("decision") == "allow" { ConsentDecision::Allow } else { ConsentDecision::Deny };
        Ok(Self { decision, interaction_ref: sent.require_interaction_ref()? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(DASHBOARD)
    }
}

pub(crate) async fn submit(Form { context, fields }: Form<ConsentForm>) -> Response {
    finish(&context, submitted(&context, fields).await).await
}

async fn submitted(
    context: &PageContext,
    ConsentForm { decision, interaction_ref }: ConsentForm,
) -> Result<Response, PageError> {
    match consent(&context.visit, interaction_ref, decision).await? {
        ConsentOutcome::Next(next) => respond_to_form(context, next),
        ConsentOutcome::AskedAnew(page) => {
            Ok(redirect_in_browser(context, &format!("{}&changed=1", continue_address(context, &page)?)))
        }
        ConsentOutcome::InteractionNotFound => Err(PageError::interaction_expired()),
    }
}
