//! The phones of a registration: `POST /register/phone` and its neighbours.

use anteroom_domain::account::PhoneKind;
use anteroom_domain::ids::PhoneId;
use anteroom_domain::phone::{Method, Phone};
use anteroom_flows::error::FlowError;
use anteroom_flows::interaction::next::{Onward, Step, StepPage};
use anteroom_flows::interaction::open_interaction::Waiting;
use anteroom_flows::interaction::phones::methods;
use anteroom_flows::people::register::{
    NewNumber, PhoneOutcome, PhoneProblem, add_phone, another_phone, done as phones_done,
    verify as verify_phone,
};
use anteroom_pages::{AddPhonePage, AddPhoneProblem, PhoneKindChoice, PhoneOnFile, PhoneWays};
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, Sent, token_for};
use crate::pages::step::{COMPLETE_REGISTRATION, Shown, go, show};

const MAX_NUMBER_CHARS: usize = 64;

/// What was entered, shown once more with what is wrong with it.
pub(crate) struct Refused {
    entered: NewNumber,
    problem: AddPhoneProblem,
}

pub(crate) fn page(shown: Shown<'_>, phones: &[Phone], refused: Option<Refused>) -> Response {
    let ways = |kind| ways(methods(&shown.asker.visit, kind));
    let on_file = |phone: &Phone| {
        let to_verify = phone.verified_at.is_none() && ways(phone.kind).is_some();
        PhoneOnFile {
            number: phone.number.masked(),
            landline: phone.kind == PhoneKind::Landline,
            verified: phone.verified_at.is_some(),
            verify_value: to_verify.then(|| phone.id.to_string()),
        }
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let kind = refused.as_ref().and_then(|refused| refused.entered.kind);
    let view = AddPhonePage {
        form_token: token_for(shown.asker, FormName::RegisterPhone, shown.owner),
        done_form_token: token_for(shown.asker, FormName::PhonesDone, shown.owner),
        interaction: shown.interaction,
        phones: phones.iter().map(on_file).collect(),
        can_continue: phones.iter().any(|phone| phone.verified_at.is_some()),
        phone: refused.as_ref().map(|refused| refused.entered.text.clone()).unwrap_or_default(),
        kind: kind.map(|kind| match kind {
            PhoneKind::Cell => PhoneKindChoice::Cell,
            PhoneKind::Landline => PhoneKindChoice::Landline,
        }),
        problem: refused.map(|refused| refused.problem),
        cell: ways(PhoneKind::Cell),
        landline: ways(PhoneKind::Landline).is_some(),
    };
    shown.frame.page(status, &view)
}

/// `None`: no code gets to such a phone, so that it is not asked for.
fn ways(methods: impl Iterator<Item = Method>) -> Option<PhoneWays> {
    methods.fold(None, |ways, method| match (ways, method) {
        (None, Method::Text) => Some(PhoneWays::Texts),
        (None, Method::Call) => Some(PhoneWays::Calls),
        (Some(_), _) => Some(PhoneWays::Both),
    })
}

/// Without what waits, the way leads to the invitation's link.
fn registration(sent: &Sent) -> Result<Waiting, Failure> {
    sent.waiting()?.ok_or_else(Failure::registration_interrupted)
}

pub(crate) struct Added {
    entered: NewNumber,
    waiting: Waiting,
}

impl FormFields for Added {
    const NAME: FormName = FormName::RegisterPhone;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        let entered = NewNumber {
            text: sent.field("phone").chars().take(MAX_NUMBER_CHARS).collect(),
            kind: PhoneKind::parse(sent.field("phone_kind")),
        };
        Ok(Self { entered, waiting: registration(sent)? })
    }

    fn again(sent: &Sent) -> String {
        sent.again(COMPLETE_REGISTRATION)
    }
}

pub(crate) async fn add(Form { asker, fields }: Form<Added>) -> Response {
    let Added { entered, waiting } = fields;
    let outcome = add_phone(&asker.visit, waiting, entered.clone()).await;
    let response = outcome.map_err(Failure::from).and_then(|outcome| answer(&asker, outcome, entered));
    finish(&asker, response).await
}

pub(crate) struct ToVerify {
    phone: PhoneId,
    waiting: Waiting,
}

impl FormFields for ToVerify {
    const NAME: FormName = FormName::RegisterPhone;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        let waiting = registration(sent)?;
        let phone = sent.field("phone_id").parse().map_err(|_| Failure::interaction_expired())?;
        Ok(Self { phone, waiting })
    }

    fn again(sent: &Sent) -> String {
        sent.again(COMPLETE_REGISTRATION)
    }
}

pub(crate) async fn verify(Form { asker, fields }: Form<ToVerify>) -> Response {
    let ToVerify { phone, waiting } = fields;
    let outcome = verify_phone(&asker.visit, waiting, phone).await;
    answered(&asker, outcome).await
}

/// Another phone than the one whose code is awaited.
pub(crate) struct AnotherPhone {
    waiting: Waiting,
}

impl FormFields for AnotherPhone {
    const NAME: FormName = FormName::VerifySend;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        Ok(Self { waiting: registration(sent)? })
    }

    fn again(sent: &Sent) -> String {
        sent.again(COMPLETE_REGISTRATION)
    }
}

pub(crate) async fn another(Form { asker, fields }: Form<AnotherPhone>) -> Response {
    let outcome = another_phone(&asker.visit, fields.waiting).await;
    answered(&asker, outcome).await
}

pub(crate) struct PhonesDone {
    waiting: Waiting,
}

impl FormFields for PhonesDone {
    const NAME: FormName = FormName::PhonesDone;

    fn read(sent: &Sent) -> Result<Self, Failure> {
        Ok(Self { waiting: registration(sent)? })
    }

    fn again(sent: &Sent) -> String {
        sent.again(COMPLETE_REGISTRATION)
    }
}

pub(crate) async fn done(Form { asker, fields }: Form<PhonesDone>) -> Response {
    let outcome = phones_done(&asker.visit, fields.waiting).await;
    answered(&asker, outcome).await
}

async fn answered(asker: &Asker, outcome: Result<PhoneOutcome, FlowError>) -> Response {
    let response = outcome.map_err(Failure::from);
    finish(asker, response.and_then(|outcome| answer(asker, outcome, NewNumber::empty()))).await
}

fn answer(asker: &Asker, outcome: PhoneOutcome, entered: NewNumber) -> Result<Response, Failure> {
    match outcome {
        PhoneOutcome::Onward(onward) => go(asker, onward),
        PhoneOutcome::Problem { problem, page } => {
            refused(asker, *page, Refused { entered, problem: shown_as(problem) })
        }
        PhoneOutcome::Gone => Err(Failure::registration_interrupted()),
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

fn refused(asker: &Asker, page: StepPage, refused: Refused) -> Result<Response, Failure> {
    let shown = Shown::of(asker, &page)?;
    match &page.step {
        Step::AddPhones { phones, .. } => Ok(self::page(shown, phones, Some(refused))),
        _ => show(asker, Onward::Page(Box::new(page))),
    }
}
