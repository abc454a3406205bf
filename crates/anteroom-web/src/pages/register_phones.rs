//! The phones of a registration: `POST /register/phone` and its neighbours.

use anteroom_domain::account::PhoneKind;
use anteroom_domain::phone::Phone;
use anteroom_flows::onward::{Onward, Step, StepPage};
use anteroom_flows::register::{
    NewNumber, PhoneOutcome, PhoneProblem, add_phone, another_phone, done as phones_done,
    verify as verify_phone,
};
use anteroom_pages::{AddPhonePage, AddPhoneProblem, PhoneKindChoice, PhoneOnFile};
use axum::http::StatusCode;
use axum::response::Response;

use crate::asker::Asker;
use crate::failure::{Failure, finish};
use crate::form_token::{FormName, Stale};
use crate::forms::{Posted, token_for};
use crate::pages::choose_account::again;
use crate::pages::step::{COMPLETE_REGISTRATION, Shown, go, show};

const MAX_NUMBER_CHARS: usize = 64;

/// What was entered, shown once more with what is wrong with it.
pub(crate) struct Refused {
    entered: NewNumber,
    problem: AddPhoneProblem,
}

pub(crate) fn page(shown: Shown<'_>, phones: &[Phone], refused: Option<Refused>) -> Response {
    let on_file = |phone: &Phone| PhoneOnFile {
        number: phone.number.masked(),
        landline: phone.kind == PhoneKind::Landline,
        verified: phone.verified_at.is_some(),
        verify_value: phone.verified_at.is_none().then(|| phone.id.to_string()),
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let kind = refused.as_ref().and_then(|refused| refused.entered.kind);
    let view = AddPhonePage {
        form_token: token_for(shown.asker, FormName::RegisterPhone),
        done_form_token: token_for(shown.asker, FormName::PhonesDone),
        interaction: shown.interaction,
        phones: phones.iter().map(on_file).collect(),
        can_continue: phones.iter().any(|phone| phone.verified_at.is_some()),
        phone: refused.as_ref().map(|refused| refused.entered.text.clone()).unwrap_or_default(),
        kind: kind.map(|kind| match kind {
            PhoneKind::Cell => PhoneKindChoice::Cell,
            PhoneKind::Landline => PhoneKindChoice::Landline,
        }),
        problem: refused.map(|refused| refused.problem),
    };
    shown.frame.page(status, &view)
}

pub(crate) async fn add(posted: Posted) -> Response {
    let result = added(&posted).await;
    finish(&posted.asker, result).await
}

async fn added(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    check(posted, FormName::RegisterPhone)?;
    let waiting = posted.waiting()?.ok_or_else(Failure::registration_interrupted)?;
    let entered = NewNumber {
        text: posted.field("phone").chars().take(MAX_NUMBER_CHARS).collect(),
        kind: PhoneKind::parse(posted.field("phone_kind")),
    };
    let outcome = add_phone(&asker.web.provider, &asker.visitor, waiting, entered.clone()).await?;
    answer(asker, outcome, entered)
}

pub(crate) async fn verify(posted: Posted) -> Response {
    let result = verified(&posted).await;
    finish(&posted.asker, result).await
}

async fn verified(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    check(posted, FormName::RegisterPhone)?;
    let waiting = posted.waiting()?.ok_or_else(Failure::registration_interrupted)?;
    let phone = posted.field("phone_id").parse().map_err(|_| Failure::interaction_expired())?;
    let outcome = verify_phone(&asker.web.provider, &asker.visitor, waiting, phone).await?;
    answer(asker, outcome, NewNumber::empty())
}

pub(crate) async fn another(posted: Posted) -> Response {
    let result = changed_mind(&posted).await;
    finish(&posted.asker, result).await
}

async fn changed_mind(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    check(posted, FormName::VerifySend)?;
    let waiting = posted.waiting()?.ok_or_else(Failure::registration_interrupted)?;
    let outcome = another_phone(&asker.web.provider, &asker.visitor, waiting).await?;
    answer(asker, outcome, NewNumber::empty())
}

pub(crate) async fn done(posted: Posted) -> Response {
    let result = finished(&posted).await;
    finish(&posted.asker, result).await
}

async fn finished(posted: &Posted) -> Result<Response, Failure> {
    let asker = &posted.asker;
    check(posted, FormName::PhonesDone)?;
    let waiting = posted.waiting()?.ok_or_else(Failure::registration_interrupted)?;
    let outcome = phones_done(&asker.web.provider, &asker.visitor, waiting).await?;
    answer(asker, outcome, NewNumber::empty())
}

fn check(posted: &Posted, form: FormName) -> Result<(), Failure> {
    posted.check_token(form).map_err(|Stale| Failure::stale_form(&again(posted, COMPLETE_REGISTRATION)))
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
