//! `POST /verify/send` and `POST /verify/code`.

use anteroom_domain::phone::DeliveryMethod;
use anteroom_domain::rate::Wait;
use anteroom_flows::interaction::next::{Next, Step, StepPage};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::interaction::verification::{
    EnterOutcome, EnteredCode, EntryProblem, SendOutcome, SendProblem, enter as enter_code, send as send_code,
};
use anteroom_flows::interaction::verification_model::{CodeMethodChoice, SentCode};
use anteroom_pages::{EnterCodeProblem, VerifyProblem};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::pages::sign_in::remember;
use crate::pages::step::{continue_address, respond_to_form, show_page};
use crate::pages::step_view::StepView;
use crate::pages::verify_pages::{APP, Read, choice, entry};
use crate::paths::{CONTINUE, SIGN_IN};
use crate::respond::{moment, redirect_in_browser, retry_after, wait_text};

pub(crate) struct SendCode {
    chosen: Option<CodeMethodChoice>,
    /// A code was sent before.
    again: bool,
    interaction_ref: Option<InteractionRef>,
}

impl FormFields for SendCode {
    const NAME: FormName = FormName::VerifySend;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self {
            chosen: parse_choice(sent.field("method")),
            again: sent.field("again") == "1",
            interaction_ref: sent.interaction_ref()?,
        })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(SIGN_IN)
    }
}

pub(crate) async fn send(Form { context, fields }: Form<SendCode>) -> Response {
    finish(&context, sent(&context, fields).await).await
}

async fn sent(
    context: &PageContext,
    SendCode { chosen, again, interaction_ref }: SendCode,
) -> Result<Response, PageError> {
    match send_code(&context.visit, interaction_ref, chosen).await? {
        SendOutcome::Next(next) => sent_to(context, next, again),
        SendOutcome::App(page) => {
            Ok(redirect_in_browser(context, &format!("{}&app=1", continue_address(context, &page)?)))
        }
        SendOutcome::Problem { problem, page } => not_sent(context, *page, problem, chosen),
        SendOutcome::InteractionNotFound => Err(PageError::interaction_expired()),
    }
}

fn sent_to(context: &PageContext, next: Next, again: bool) -> Result<Response, PageError> {
    match &next {
        // Not if the cookies were lost and the interaction starts over.
        Next::Page(page) if again && matches!(page.step, Step::Verify(_)) => {
            let handle = page.interaction.form_value(&context.visit)?.unwrap_or_default();
            Ok(redirect_in_browser(context, &format!("{CONTINUE}?interaction={handle}&again=1")))
        }
        _ => respond_to_form(context, next),
    }
}

fn parse_choice(text: &str) -> Option<CodeMethodChoice> {
    if text == APP {
        return Some(CodeMethodChoice::App);
    }
    let (method, phone) = text.split_once(':')?;
    Some(CodeMethodChoice::Phone { method: DeliveryMethod::parse(method)?, phone: phone.parse().ok()? })
}

fn not_sent(
    context: &PageContext,
    page: StepPage,
    problem: SendProblem,
    chosen: Option<CodeMethodChoice>,
) -> Result<Response, PageError> {
    let shown = StepView::of(context, &page)?;
    let Step::Verify(verification) = page.step else {
        return show_page(context, Next::Page(Box::new(page)));
    };
    let until = |at: Timestamp| Wait(at.duration_since(context.visit.now));
    let (status, wait) = match problem {
        SendProblem::Choose | SendProblem::Refused => (StatusCode::UNPROCESSABLE_ENTITY, None),
        SendProblem::Wait(wait) => (StatusCode::TOO_MANY_REQUESTS, Some(wait)),
        SendProblem::LimitReached(at) => (StatusCode::TOO_MANY_REQUESTS, Some(until(at))),
    };
    // A person who requests a code by the same method again stays on the page for entering it.
    let same_way = |sent: &&SentCode| chosen == Some(sent.offer.choice());
    let response = if let Some(sent) = verification.sent.as_ref().filter(same_way) {
        let problem = match problem {
            SendProblem::Choose | SendProblem::Refused => EnterCodeProblem::NotSent,
            SendProblem::Wait(wait) => EnterCodeProblem::Wait { wait: wait_text(wait) },
            SendProblem::LimitReached(at) => EnterCodeProblem::TooManyAttempts { until: moment(context, at) },
        };
        entry(shown, &verification, Read::OnPhone(sent), Some(problem), None, status)
    } else {
        let problem = match problem {
            SendProblem::Choose => VerifyProblem::ChooseMethod,
            SendProblem::Refused => VerifyProblem::Refused,
            SendProblem::Wait(wait) => VerifyProblem::Wait { wait: wait_text(wait) },
            SendProblem::LimitReached(at) => VerifyProblem::TooManyAttempts { until: moment(context, at) },
        };
        choice(shown, &verification, Some(problem), status)
    };
    Ok(match wait {
        Some(wait) => retry_after(response, wait),
        None => response,
    })
}

pub(crate) struct EnterCode {
    code: String,
    from_app: bool,
    interaction_ref: Option<InteractionRef>,
}

impl FormFields for EnterCode {
    const NAME: FormName = FormName::VerifyCode;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        Ok(Self {
            code: sent.field("code").to_owned(),
            from_app: sent.field("method") == APP,
            interaction_ref: sent.interaction_ref()?,
        })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(SIGN_IN)
    }
}

/// Runs in a task of its own, so that a wrong code is counted even if the browser closes the connection.
pub(crate) async fn enter(Form { context, fields }: Form<EnterCode>) -> Response {
    let attempt = tokio::spawn(async move { finish(&context, entered(&context, fields).await).await });
    attempt
        .await
        .unwrap_or_else(|_| axum::response::IntoResponse::into_response(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn entered(
    context: &PageContext,
    EnterCode { code, from_app, interaction_ref }: EnterCode,
) -> Result<Response, PageError> {
    let code = if from_app { EnteredCode::FromApp(&code) } else { EnteredCode::Sent(&code) };
    match enter_code(&context.visit, interaction_ref, code).await? {
        EnterOutcome::Next(next) => respond_to_form(context, next),
        EnterOutcome::SteppedUp { cookies, next } => {
            Ok(remember(context, cookies, finish(context, respond_to_form(context, next)).await))
        }
        EnterOutcome::Problem { problem, page } => not_accepted(context, *page, problem, code),
        EnterOutcome::InteractionNotFound => Err(PageError::interaction_expired()),
    }
}

fn not_accepted(
    context: &PageContext,
    page: StepPage,
    problem: EntryProblem,
    entered: EnteredCode<'_>,
) -> Result<Response, PageError> {
    let shown = StepView::of(context, &page)?;
    let Step::Verify(verification) = page.step else {
        return show_page(context, Next::Page(Box::new(page)));
    };
    let (problem, status) = match problem {
        EntryProblem::Missing => (EnterCodeProblem::Missing, StatusCode::UNPROCESSABLE_ENTITY),
        EntryProblem::Wrong { left } => (EnterCodeProblem::Wrong { left }, StatusCode::UNPROCESSABLE_ENTITY),
        EntryProblem::Expired => (EnterCodeProblem::Expired, StatusCode::UNPROCESSABLE_ENTITY),
        EntryProblem::Used => (EnterCodeProblem::Used, StatusCode::UNPROCESSABLE_ENTITY),
        EntryProblem::LimitReached(at) => {
            (EnterCodeProblem::TooManyAttempts { until: moment(context, at) }, StatusCode::TOO_MANY_REQUESTS)
        }
    };
    Ok(match (entered, &verification.sent) {
        (EnteredCode::FromApp(_), _) if !verification.apps.is_empty() => {
            entry(shown, &verification, Read::InApp, Some(problem), None, status)
        }
        (_, Some(sent)) => entry(shown, &verification, Read::OnPhone(sent), Some(problem), None, status),
        (_, None) => {
            let problem = Some(VerifyProblem::ChooseMethod);
            choice(shown, &verification, problem, StatusCode::UNPROCESSABLE_ENTITY)
        }
    })
}
