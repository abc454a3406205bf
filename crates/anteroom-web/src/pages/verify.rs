//! "Verify your identity" and "Enter your code": the two pages of one step, `POST /verify/send` and `POST /verify/code`.

use anteroom_domain::account::PhoneKind;
use anteroom_domain::one_time_code::CodePurpose;
use anteroom_domain::phone::DeliveryMethod;
use anteroom_domain::rate::Wait;
use anteroom_flows::interaction::next::{Next, Step, StepPage};
use anteroom_flows::interaction::open_interaction::InteractionRef;
use anteroom_flows::interaction::verification::{
    EnterOutcome, EnteredCode, EntryProblem, SendOutcome, SendProblem, enter as enter_code, send as send_code,
};
use anteroom_flows::interaction::verification_model::CodeDestination;
use anteroom_flows::interaction::verification_model::{
    CodeMethodChoice, Delivery, SendFailure, SentCode, Verification,
};
use anteroom_pages::{
    ChoiceChannel, DeliveryChoice, EnterCodeNotice, EnterCodePage, EnterCodeProblem, VerifyIdentityPage,
    VerifyProblem, VerifyReason,
};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use crate::failure::{PageError, finish};
use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm as SentForm, token_for};
use crate::page_context::PageContext;
use crate::pages::forgot_password::{retry_after, wait_text};
use crate::pages::sign_in::remember;
use crate::pages::step::{DASHBOARD, StepView, continue_address, go, show};
use crate::respond::{moment, redirect_in_browser};

/// The value of the choice that is sent nothing.
const APP: &str = "totp";

/// What the step is to say beside what it is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StepNotices {
    /// "Change Delivery Method": the choice, although a code is on its way.
    pub(crate) choose: bool,
    /// The authenticator app was chosen.
    pub(crate) app: bool,
    pub(crate) sent_again: bool,
    /// The application has changed since its consent page was shown.
    pub(crate) changed: bool,
}

impl StepNotices {
    pub(crate) fn asked_in(query: &str) -> Self {
        let form = anteroom_oidc::form::UrlEncodedForm::decode(query.as_bytes()).ok();
        let says = |name| {
            form.as_ref().is_some_and(|form| form.once(name).ok().flatten().is_some_and(|value| value == "1"))
        };
        Self { choose: says("choose"), app: says("app"), sent_again: says("again"), changed: says("changed") }
    }
}

pub(crate) fn page(shown: StepView<'_>, verification: &Verification, say: StepNotices) -> Response {
    let only_app = verification.offers.is_empty();
    if !verification.apps.is_empty() && (only_app || (say.app && !say.choose)) {
        return entry(shown, (verification, Read::InApp), (None, None), StatusCode::OK);
    }
    match verification.sent.as_ref().filter(|_| !say.choose) {
        Some(sent) => {
            let notice = say.sent_again.then_some(EnterCodeNotice::SentAgain);
            entry(shown, (verification, Read::OnPhone(sent)), (None, notice), StatusCode::OK)
        }
        None => choice(shown, verification, None, StatusCode::OK),
    }
}

pub(crate) const fn reason(purpose: CodePurpose, new_device: bool) -> VerifyReason {
    match purpose {
        CodePurpose::Recovery => VerifyReason::Recovery,
        CodePurpose::ExpiredPassword => VerifyReason::ExpiredPassword,
        CodePurpose::StepUp if new_device => VerifyReason::NewDevice,
        CodePurpose::StepUp => VerifyReason::StepUp,
        CodePurpose::Registration => VerifyReason::Registration,
    }
}

const fn reason_of(verification: &Verification) -> VerifyReason {
    if verification.resumed {
        return VerifyReason::RegistrationResumed;
    }
    match reason(verification.purpose, verification.new_device) {
        VerifyReason::StepUp if verification.own_proofs => VerifyReason::OwnProofs,
        reason => reason,
    }
}

fn channel(method: DeliveryMethod) -> ChoiceChannel {
    match method {
        DeliveryMethod::Text => ChoiceChannel::Text,
        DeliveryMethod::Call => ChoiceChannel::Call,
    }
}

fn value(offer: &CodeDestination) -> String {
    format!("{}:{}", offer.method.as_str(), offer.phone.id)
}

fn choice(
    shown: StepView<'_>,
    verification: &Verification,
    problem: Option<VerifyProblem>,
    status: StatusCode,
) -> Response {
    let before = verification.sent.as_ref().map(|sent| &sent.offer);
    // The app costs nothing and reads nowhere but on the person's own phone.
    let app = (!verification.apps.is_empty()).then(|| DeliveryChoice {
        value: APP.to_owned(),
        channel: ChoiceChannel::Totp,
        number: String::new(),
        landline: false,
        selected: before.is_none(),
    });
    let preferred = before.or(verification.offers.first().filter(|_| app.is_none()));
    let offered = |offer: &CodeDestination| DeliveryChoice {
        value: value(offer),
        channel: channel(offer.method),
        number: offer.phone.number.masked(),
        landline: offer.phone.kind == PhoneKind::Landline,
        selected: Some(offer) == preferred,
    };
    let (dashboard_href, sign_in_href) = ways_back(&shown, verification);
    let view = VerifyIdentityPage {
        form_token: token_for(shown.context, FormName::VerifySend, shown.owner),
        interaction: shown.interaction,
        reason: reason_of(verification),
        methods: app.into_iter().chain(verification.offers.iter().map(offered)).collect(),
        dashboard_href,
        sign_in_href,
        problem,
    };
    shown.frame.page(status, &view)
}

/// The dashboard, for a person who is signed in and may see it without the code, and sign-in, for one whose password has expired.
fn ways_back(shown: &StepView<'_>, verification: &Verification) -> (Option<String>, Option<String>) {
    let is_signed_in = verification.live.is_some() && !verification.new_device;
    let has_expired = verification.purpose == CodePurpose::ExpiredPassword;
    (is_signed_in.then(|| DASHBOARD.to_owned()), has_expired.then(|| shown.sign_in_anew()))
}

/// Where the code that is entered can be read.
#[derive(Clone, Copy)]
enum Read<'a> {
    OnPhone(&'a SentCode),
    InApp,
}

fn entry(
    shown: StepView<'_>,
    (verification, read): (&Verification, Read<'_>),
    (problem, notice): (Option<EnterCodeProblem>, Option<EnterCodeNotice>),
    status: StatusCode,
) -> Response {
    let lifetime = shown.context.visit.snapshot().policy.codes.lifetime;
    let handle = shown.interaction.clone().unwrap_or_default();
    let (channel, number, method, other_ways) = match read {
        Read::OnPhone(SentCode { offer, .. }) => {
            let others = verification.offers.len() > 1 || !verification.apps.is_empty();
            (channel(offer.method), offer.phone.number.masked(), value(offer), others)
        }
        Read::InApp => (ChoiceChannel::Totp, String::new(), APP.to_owned(), !verification.offers.is_empty()),
    };
    let (wait, of_sent) = match read {
        Read::OnPhone(sent) => (sent.wait.map_or(0, |wait| wait.0.as_secs().max(1)), problem_of(sent)),
        Read::InApp => (0, None),
    };
    let (dashboard_href, sign_in_href) = ways_back(&shown, verification);
    let view = EnterCodePage {
        form_token: token_for(shown.context, FormName::VerifyCode, shown.owner),
        resend_form_token: token_for(shown.context, FormName::VerifySend, shown.owner),
        interaction: shown.interaction,
        reason: reason_of(verification),
        channel,
        handed_over: matches!(read, Read::OnPhone(SentCode { delivery: Delivery::HandedOver, .. })),
        number,
        method,
        minutes: u32::try_from(lifetime.as_mins()).unwrap_or(u32::MAX),
        can_change: other_ways,
        change_href: format!("/continue?interaction={handle}&choose=1"),
        resend_wait_seconds: u32::try_from(wait).unwrap_or(u32::MAX),
        dashboard_href,
        sign_in_href,
        problem: problem.or(of_sent),
        notice,
    };
    shown.frame.page(status, &view)
}

/// What stands in the way of a code that was sent, whatever is entered.
fn problem_of(sent: &SentCode) -> Option<EnterCodeProblem> {
    let problem = match sent.delivery {
        Delivery::UnderWay | Delivery::HandedOver => None,
        Delivery::Trying => Some(EnterCodeProblem::Trying),
        Delivery::Failed(SendFailure::TextRefused) => Some(EnterCodeProblem::TextRefused),
        Delivery::Failed(SendFailure::NotSent) => Some(EnterCodeProblem::NotSent),
    };
    sent.expired.then_some(EnterCodeProblem::Expired).or(problem)
}

pub(crate) struct SendCode {
    chosen: Option<CodeMethodChoice>,
    /// It was sent before.
    again: bool,
    interaction_ref: Option<InteractionRef>,
}

impl FormFields for SendCode {
    const NAME: FormName = FormName::VerifySend;

    fn read(sent: &SentForm) -> Result<Self, PageError> {
        Ok(Self {
            chosen: parse_choice(sent.field("method")),
            again: sent.field("again") == "1",
            interaction_ref: sent.interaction_ref()?,
        })
    }

    fn reload_path(sent: &SentForm) -> String {
        sent.again("/sign-in")
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
        SendOutcome::Onward(next) => sent_to(context, next, again),
        SendOutcome::App(page) => {
            Ok(redirect_in_browser(context, &format!("{}&app=1", continue_address(context, &page)?)))
        }
        SendOutcome::Problem { problem, page } => not_sent(context, *page, (problem, chosen)),
        SendOutcome::Gone => Err(PageError::interaction_expired()),
    }
}

fn sent_to(context: &PageContext, next: Next, again: bool) -> Result<Response, PageError> {
    match &next {
        // Not where cookies were lost, and the way begins anew.
        Next::Page(page) if again && matches!(page.step, Step::Verify(_)) => {
            let handle = page.interaction.form_value(&context.visit)?.unwrap_or_default();
            Ok(redirect_in_browser(context, &format!("/continue?interaction={handle}&again=1")))
        }
        _ => go(context, next),
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
    (problem, chosen): (SendProblem, Option<CodeMethodChoice>),
) -> Result<Response, PageError> {
    let shown = StepView::of(context, &page)?;
    let Step::Verify(verification) = page.step else {
        return show(context, Next::Page(Box::new(page)));
    };
    let until = |at: Timestamp| Wait(at.duration_since(context.visit.now));
    let (status, wait) = match problem {
        SendProblem::Choose | SendProblem::Refused => (StatusCode::UNPROCESSABLE_ENTITY, None),
        SendProblem::Wait(wait) => (StatusCode::TOO_MANY_REQUESTS, Some(wait)),
        SendProblem::BudgetSpent(at) => (StatusCode::TOO_MANY_REQUESTS, Some(until(at))),
    };
    // A person who asked for the same way again stays on the page where the code is entered.
    let same_way = |sent: &&SentCode| chosen == Some(sent.offer.choice());
    let response = if let Some(sent) = verification.sent.as_ref().filter(same_way) {
        let problem = match problem {
            SendProblem::Choose | SendProblem::Refused => EnterCodeProblem::NotSent,
            SendProblem::Wait(wait) => EnterCodeProblem::Wait { wait: wait_text(wait) },
            SendProblem::BudgetSpent(at) => EnterCodeProblem::BudgetSpent { until: moment(context, at) },
        };
        entry(shown, (&verification, Read::OnPhone(sent)), (Some(problem), None), status)
    } else {
        let problem = match problem {
            SendProblem::Choose => VerifyProblem::ChooseMethod,
            SendProblem::Refused => VerifyProblem::Refused,
            SendProblem::Wait(wait) => VerifyProblem::Wait { wait: wait_text(wait) },
            SendProblem::BudgetSpent(at) => VerifyProblem::BudgetSpent { until: moment(context, at) },
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

    fn read(sent: &SentForm) -> Result<Self, PageError> {
        Ok(Self {
            code: sent.field("code").to_owned(),
            from_app: sent.field("method") == APP,
            interaction_ref: sent.interaction_ref()?,
        })
    }

    fn reload_path(sent: &SentForm) -> String {
        sent.again("/sign-in")
    }
}

/// In a task of its own: a browser that hangs up after a wrong code is counted all the same.
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
        EnterOutcome::Onward(next) => go(context, next),
        EnterOutcome::SteppedUp { cookies, next } => {
            Ok(remember(context, cookies, finish(context, go(context, next)).await))
        }
        EnterOutcome::Problem { problem, page } => not_accepted(context, *page, (problem, code)),
        EnterOutcome::Gone => Err(PageError::interaction_expired()),
    }
}

fn not_accepted(
    context: &PageContext,
    page: StepPage,
    (problem, entered): (EntryProblem, EnteredCode<'_>),
) -> Result<Response, PageError> {
    let shown = StepView::of(context, &page)?;
    let Step::Verify(verification) = page.step else {
        return show(context, Next::Page(Box::new(page)));
    };
    let (problem, status) = match problem {
        EntryProblem::Missing => (EnterCodeProblem::Missing, StatusCode::UNPROCESSABLE_ENTITY),
        EntryProblem::Wrong { left } => (EnterCodeProblem::Wrong { left }, StatusCode::UNPROCESSABLE_ENTITY),
        EntryProblem::Expired => (EnterCodeProblem::Expired, StatusCode::UNPROCESSABLE_ENTITY),
        EntryProblem::Used => (EnterCodeProblem::Used, StatusCode::UNPROCESSABLE_ENTITY),
        EntryProblem::BudgetSpent(at) => {
            (EnterCodeProblem::BudgetSpent { until: moment(context, at) }, StatusCode::TOO_MANY_REQUESTS)
        }
    };
    Ok(match (entered, &verification.sent) {
        (EnteredCode::FromApp(_), _) if !verification.apps.is_empty() => {
            entry(shown, (&verification, Read::InApp), (Some(problem), None), status)
        }
        (_, Some(sent)) => entry(shown, (&verification, Read::OnPhone(sent)), (Some(problem), None), status),
        (_, None) => {
            let problem = Some(VerifyProblem::ChooseMethod);
            choice(shown, &verification, problem, StatusCode::UNPROCESSABLE_ENTITY)
        }
    })
}
