//! "Verify your identity" and "Enter your code": the two pages of one step.

use anteroom_domain::account::PhoneKind;
use anteroom_domain::one_time_code::CodePurpose;
use anteroom_domain::phone::DeliveryMethod;
use anteroom_flows::interaction::verification_model::{
    CodeDestination, Delivery, SendFailure, SentCode, Verification,
};
use anteroom_pages::{
    ChoiceChannel, DeliveryChoice, EnterCodeNotice, EnterCodePage, EnterCodeProblem, VerifyIdentityPage,
    VerifyProblem, VerifyReason,
};
use axum::http::StatusCode;
use axum::response::Response;

use crate::form_token::FormName;
use crate::page_token::token_for;
use crate::pages::step_view::StepView;
use crate::paths::{CONTINUE, DASHBOARD};

/// The choice for which no code is sent.
pub(super) const APP: &str = "totp";

/// Options of the step's page, from the query of its address: which of its views is shown, and notices.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StepNotices {
    /// "Change Delivery Method": show the choice although a code is being sent.
    pub(crate) choose: bool,
    /// The authenticator app was chosen.
    pub(crate) app: bool,
    pub(crate) sent_again: bool,
    /// The client's registration has changed since its consent page was shown.
    pub(crate) changed: bool,
}

impl StepNotices {
    pub(crate) fn from_query(query: &str) -> Self {
        let form = anteroom_oidc::form::UrlEncodedForm::decode(query.as_bytes()).ok();
        let says = |name| {
            form.as_ref().is_some_and(|form| form.once(name).ok().flatten().is_some_and(|value| value == "1"))
        };
        Self { choose: says("choose"), app: says("app"), sent_again: says("again"), changed: says("changed") }
    }
}

pub(crate) fn page(shown: StepView<'_>, verification: &Verification, say: StepNotices) -> Response {
    let only_app = verification.destinations.is_empty();
    if !verification.apps.is_empty() && (only_app || (say.app && !say.choose)) {
        return entry(shown, verification, Read::InApp, None, None, StatusCode::OK);
    }
    match verification.sent.as_ref().filter(|_| !say.choose) {
        Some(sent) => {
            let notice = say.sent_again.then_some(EnterCodeNotice::SentAgain);
            entry(shown, verification, Read::OnPhone(sent), None, notice, StatusCode::OK)
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
        VerifyReason::StepUp if verification.changes_authenticators => VerifyReason::ManageFactors,
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

pub(super) fn choice(
    shown: StepView<'_>,
    verification: &Verification,
    problem: Option<VerifyProblem>,
    status: StatusCode,
) -> Response {
    let before = verification.sent.as_ref().map(|sent| &sent.offer);
    // The app costs nothing, and its codes are visible only on the person's own phone.
    let app = (!verification.apps.is_empty()).then(|| DeliveryChoice {
        value: APP.to_owned(),
        channel: ChoiceChannel::Totp,
        number: String::new(),
        landline: false,
        selected: before.is_none(),
    });
    let preferred = before.or(verification.destinations.first().filter(|_| app.is_none()));
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
        methods: app.into_iter().chain(verification.destinations.iter().map(offered)).collect(),
        dashboard_href,
        sign_in_href,
        problem,
    };
    shown.frame.page(status, &view)
}

/// Links away from the step: the dashboard for a person who is signed in and may see it without the code, sign-in for
/// one whose password has expired.
fn ways_back(shown: &StepView<'_>, verification: &Verification) -> (Option<String>, Option<String>) {
    let is_signed_in = verification.active_session().is_some() && !verification.new_device;
    let has_expired = verification.purpose == CodePurpose::ExpiredPassword;
    (is_signed_in.then(|| DASHBOARD.to_owned()), has_expired.then(|| shown.sign_in_anew()))
}

/// Where the person reads the code.
#[derive(Clone, Copy)]
pub(super) enum Read<'a> {
    OnPhone(&'a SentCode),
    InApp,
}

pub(super) fn entry(
    shown: StepView<'_>,
    verification: &Verification,
    read: Read<'_>,
    problem: Option<EnterCodeProblem>,
    notice: Option<EnterCodeNotice>,
    status: StatusCode,
) -> Response {
    let lifetime = shown.context.visit.snapshot().policy.codes.lifetime;
    let handle = shown.interaction.clone().unwrap_or_default();
    let (channel, number, method, other_ways) = match read {
        Read::OnPhone(SentCode { offer, .. }) => {
            let others = verification.destinations.len() > 1 || !verification.apps.is_empty();
            (channel(offer.method), offer.phone.number.masked(), value(offer), others)
        }
        Read::InApp => {
            (ChoiceChannel::Totp, String::new(), APP.to_owned(), !verification.destinations.is_empty())
        }
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
        change_href: format!("{CONTINUE}?interaction={handle}&choose=1"),
        resend_wait_seconds: u32::try_from(wait).unwrap_or(u32::MAX),
        dashboard_href,
        sign_in_href,
        problem: problem.or(of_sent),
        notice,
    };
    shown.frame.page(status, &view)
}

/// The delivery problem of a code that was sent, independent of what is entered.
fn problem_of(sent: &SentCode) -> Option<EnterCodeProblem> {
    let problem = match sent.delivery {
        Delivery::UnderWay | Delivery::HandedOver => None,
        Delivery::Trying => Some(EnterCodeProblem::Trying),
        Delivery::Failed(SendFailure::TextRefused) => Some(EnterCodeProblem::TextRefused),
        Delivery::Failed(SendFailure::NotSent) => Some(EnterCodeProblem::NotSent),
    };
    sent.expired.then_some(EnterCodeProblem::Expired).or(problem)
}
