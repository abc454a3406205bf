//! The phones of a registration: `POST /register/phone` and related forms.

use anteroom_domain::account::PhoneKind;
use anteroom_domain::ids::PhoneId;
use anteroom_flows::error::FlowError;
use anteroom_flows::interaction::next::{Next, Step, StepPage};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::people::register::{
    NewNumber, PhoneOutcome, PhoneProblem, add_phone, another_phone, done as phones_done,
    verify as verify_phone,
};
use anteroom_pages::AddPhoneProblem;
use axum::response::Response;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::pages::add_phone_page;
use crate::pages::add_phone_page::RefusedPhone;
use crate::pages::step::{respond_to_form, show_page};
use crate::pages::step_view::StepView;
use crate::paths::COMPLETE_REGISTRATION;

const MAX_NUMBER_CHARS: usize = 64;

/// Without an interaction the person has to open the invitation's link again.
fn registration(sent: &ReceivedForm) -> Result<InteractionRef, PageError> {
    sent.interaction_ref()?.ok_or_else(PageError::registration_interrupted)
}

pub(crate) struct AddPhoneForm {
    entered: NewNumber,
    interaction_ref: InteractionRef,
}

impl FormFields for AddPhoneForm {
    const NAME: FormName = FormName::RegisterPhone;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let entered = NewNumber {
            text: sent.field("phone").chars().take(MAX_NUMBER_CHARS).collect(),
            kind: PhoneKind::parse(sent.field("phone_kind")),
        };
        Ok(Self { entered, interaction_ref: registration(sent)? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(COMPLETE_REGISTRATION)
    }
}

pub(crate) async fn add(Form { context, fields }: Form<AddPhoneForm>) -> Response {
    let AddPhoneForm { entered, interaction_ref } = fields;
    let outcome = add_phone(&context.visit, interaction_ref, entered.clone()).await;
    let response = outcome.map_err(PageError::from).and_then(|outcome| answer(&context, outcome, entered));
    finish(&context, response).await
}

pub(crate) struct VerifyPhoneForm {
    phone: PhoneId,
    interaction_ref: InteractionRef,
}

impl FormFields for VerifyPhoneForm {
    const NAME: FormName = FormName::RegisterPhone;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let interaction_ref = registration(sent)?;
        let phone = sent.field("phone_id").parse().map_err(|_| PageError::interaction_expired())?;
        Ok(Self { phone, interaction_ref })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(COMPLETE_REGISTRATION)
    }
}

pub(crate) async fn verify(Form { context, fields }: Form<VerifyPhoneForm>) -> Response {
    let VerifyPhoneForm { phone, interaction_ref } = fields;
    let outcome = verify_phone(&context.visit, interaction_ref, phone).await;
    answered(&context, outcome).await
}

/// Use another phone than the one to which a code was sent.
pub(crate) struct OtherPhoneForm {
    interaction_ref: InteractionRef,
}

impl FormFields for OtherPhoneForm {
    const NAME: FormName = FormName::VerifySend;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { interaction_ref: registration(sent)? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(COMPLETE_REGISTRATION)
    }
}

pub(crate) async fn another(Form { context, fields }: Form<OtherPhoneForm>) -> Response {
    let outcome = another_phone(&context.visit, fields.interaction_ref).await;
    answered(&context, outcome).await
}

pub(crate) struct PhonesDone {
    interaction_ref: InteractionRef,
}

impl FormFields for PhonesDone {
    const NAME: FormName = FormName::PhonesDone;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self { interaction_ref: registration(sent)? })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(COMPLETE_REGISTRATION)
    }
}

pub(crate) async fn done(Form { context, fields }: Form<PhonesDone>) -> Response {
    let outcome = phones_done(&context.visit, fields.interaction_ref).await;
    answered(&context, outcome).await
}

async fn answered(context: &PageContext, outcome: Result<PhoneOutcome, FlowError>) -> Response {
    let response = outcome.map_err(PageError::from);
    finish(context, response.and_then(|outcome| answer(context, outcome, NewNumber::empty()))).await
}

fn answer(context: &PageContext, outcome: PhoneOutcome, entered: NewNumber) -> Result<Response, PageError> {
    match outcome {
        PhoneOutcome::Next(next) => respond_to_form(context, next),
        PhoneOutcome::Problem { problem, page } => {
            refused(context, *page, RefusedPhone { entered, problem: shown_as(problem) })
        }
        PhoneOutcome::Gone => Err(PageError::registration_interrupted()),
    }
}

const fn shown_as(problem: PhoneProblem) -> AddPhoneProblem {
    match problem {
        PhoneProblem::Missing { number, kind } => AddPhoneProblem::Missing { phone: number, kind },
        PhoneProblem::NotANumber => AddPhoneProblem::NotANumber,
        PhoneProblem::Extension => AddPhoneProblem::Extension,
        PhoneProblem::NotAllowed => AddPhoneProblem::NotAllowed,
        PhoneProblem::Unreached => AddPhoneProblem::Unreached,
        PhoneProblem::TooMany => AddPhoneProblem::TooMany,
    }
}

fn refused(context: &PageContext, page: StepPage, refused: RefusedPhone) -> Result<Response, PageError> {
    let shown = StepView::of(context, &page)?;
    match &page.step {
        Step::AddPhones { phones, .. } => Ok(add_phone_page::page(shown, phones, Some(refused))),
        _ => show_page(context, Next::Page(Box::new(page))),
    }
}
