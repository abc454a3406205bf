//! One-time codes: choosing the method, and entering the code. The same pages are used for a recovery, an expired
//! password, a second factor, a new device and a registration; each names its reason.

use serde::Serialize;

use super::{Page, SAMPLE_TOKEN};
use crate::when::{Date, Moment, Wait};

/// `POST /verify/send` with `method` (the value of a choice), `form_token` and `interaction`.
#[derive(Clone, Serialize)]
pub struct VerifyIdentityPage {
    pub form_token: String,
    pub interaction: Option<String>,
    pub reason: VerifyReason,
    /// In the order in which they are offered. The first should be preselected.
    pub methods: Vec<DeliveryChoice>,
    /// Links away from the step, if there are any: for a person who is signed in, and for one whose password has
    /// expired.
    pub dashboard_href: Option<String>,
    pub sign_in_href: Option<String>,
    pub problem: Option<VerifyProblem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeliveryChoice {
    /// `text:ID`, `call:ID` or `totp`.
    pub value: String,
    pub channel: ChoiceChannel,
    /// Masked; empty for an authenticator app.
    pub number: String,
    pub landline: bool,
    pub selected: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChoiceChannel {
    Text,
    Call,
    /// An authenticator app: no code is sent.
    Totp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyReason {
    Recovery,
    ExpiredPassword,
    StepUp,
    NewDevice,
    /// The person wants to change phones or authenticator apps.
    #[serde(rename = "own-proofs")]
    ManageFactors,
    Registration,
    /// A phone was verified in another browser for the same registration: its code is required first.
    RegistrationResumed,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum VerifyProblem {
    ChooseMethod,
    /// Codes were requested in quick succession.
    Wait {
        wait: Wait,
    },
    /// Too many wrong codes: no code is accepted before then.
    #[serde(rename = "budget-spent")]
    TooManyAttempts {
        until: Moment,
    },
    Stale,
    /// The phone does not accept texts.
    TextRefused,
    /// The message could not be delivered to this number.
    NotSent,
    /// The practice sends no messages to this number, or no more for now.
    Refused,
}

/// `POST /verify/code` with `code`, `form_token` and `interaction`; `POST /verify/send` with `method`,
/// `resend_form_token` as `form_token`, and `interaction` sends a new code. For an authenticator app no code is sent;
/// its code comes with `method`.
#[derive(Clone, Serialize)]
pub struct EnterCodePage {
    pub form_token: String,
    pub resend_form_token: String,
    pub interaction: Option<String>,
    pub reason: VerifyReason,
    pub channel: ChoiceChannel,
    /// Whether the provider has accepted the text or the call.
    pub handed_over: bool,
    /// The number to which the code is sent, masked; empty for an authenticator app.
    pub number: String,
    /// The current method, with which a code is sent again.
    pub method: String,
    /// Minutes until a code expires.
    pub minutes: u32,
    pub can_change: bool,
    pub change_href: String,
    /// Seconds until the next code may be requested; 0 for at once.
    pub resend_wait_seconds: u32,
    /// As on the page before.
    pub dashboard_href: Option<String>,
    pub sign_in_href: Option<String>,
    pub problem: Option<EnterCodeProblem>,
    pub notice: Option<EnterCodeNotice>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum EnterCodeProblem {
    Missing,
    /// How many tries are left.
    Wrong {
        left: u32,
    },
    Expired,
    /// The app's code was used before.
    Used,
    #[serde(rename = "budget-spent")]
    TooManyAttempts {
        until: Moment,
    },
    Wait {
        wait: Wait,
    },
    Stale,
    TextRefused,
    NotSent,
    /// The message was not sent yet, and is being retried.
    Trying,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnterCodeNotice {
    Sent,
    SentAgain,
}

/// An account without a usable phone: the code is always required, so the person has to ask the practice.
#[derive(Clone, Serialize)]
pub struct NoSecondFactorPage {
    pub reason: VerifyReason,
    pub sign_in_href: String,
    /// When a phone that was added already can be used.
    pub later: Option<Moment>,
    /// There may be phones, but no configured channel sends codes to them: only the practice can correct that.
    pub unreached: bool,
    /// Days before codes can be sent to a phone that is registered in person.
    pub new_phone_days: u32,
}

const REASONS: [VerifyReason; 7] = [
    VerifyReason::Recovery,
    VerifyReason::ExpiredPassword,
    VerifyReason::StepUp,
    VerifyReason::NewDevice,
    VerifyReason::ManageFactors,
    VerifyReason::Registration,
    VerifyReason::RegistrationResumed,
];

/// For the samples.
fn dashboard_of(reason: VerifyReason) -> Option<String> {
    matches!(reason, VerifyReason::StepUp | VerifyReason::ManageFactors).then(|| "/dashboard".to_owned())
}

fn sign_in_of(reason: VerifyReason) -> Option<String> {
    (reason == VerifyReason::ExpiredPassword).then(|| "/sign-in?another=1".to_owned())
}

fn tomorrow() -> Moment {
    let date = Date { year: 2026, month: 11, day: 24 };
    Moment { date, hour: 9, minute: 30, zone: "EST".to_owned() }
}

impl Page for VerifyIdentityPage {
    const TEMPLATE: &'static str = "verify-identity";

    fn samples() -> Vec<Self> {
        let choice = |value: &str, channel, number: &str, landline| DeliveryChoice {
            value: value.to_owned(),
            channel,
            number: number.to_owned(),
            landline,
            selected: value == "text:1",
        };
        let plain = VerifyIdentityPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            interaction: Some("interaction-handle".to_owned()),
            reason: VerifyReason::Recovery,
            methods: vec![
                choice("text:1", ChoiceChannel::Text, "•••-•••-••43", false),
                choice("call:1", ChoiceChannel::Call, "•••-•••-••43", false),
                choice("call:2", ChoiceChannel::Call, "•••-•••-••86", true),
                choice("totp", ChoiceChannel::Totp, "", false),
            ],
            dashboard_href: None,
            sign_in_href: None,
            problem: None,
        };
        let unchosen =
            plain.methods.iter().map(|choice| DeliveryChoice { selected: false, ..choice.clone() });
        let unchosen = VerifyIdentityPage {
            methods: unchosen.collect(),
            problem: Some(VerifyProblem::ChooseMethod),
            interaction: None,
            ..plain.clone()
        };
        let problems = [
            VerifyProblem::Wait { wait: Wait::seconds(60) },
            VerifyProblem::TooManyAttempts { until: tomorrow() },
            VerifyProblem::Stale,
            VerifyProblem::TextRefused,
            VerifyProblem::NotSent,
            VerifyProblem::Refused,
        ];
        let with_problem =
            problems.map(|problem| VerifyIdentityPage { problem: Some(problem), ..plain.clone() });
        let others = REASONS.map(|reason| VerifyIdentityPage {
            reason,
            dashboard_href: dashboard_of(reason),
            sign_in_href: sign_in_of(reason),
            ..plain.clone()
        });
        let others = others.into_iter().filter(|page| page.reason != plain.reason);
        [plain.clone(), unchosen].into_iter().chain(with_problem).chain(others).collect()
    }
}

impl Page for EnterCodePage {
    const TEMPLATE: &'static str = "enter-code";

    fn samples() -> Vec<Self> {
        let plain = EnterCodePage {
            form_token: SAMPLE_TOKEN.to_owned(),
            resend_form_token: SAMPLE_TOKEN.chars().rev().collect(),
            interaction: Some("interaction-handle".to_owned()),
            reason: VerifyReason::Recovery,
            channel: ChoiceChannel::Text,
            handed_over: true,
            number: "•••-•••-••43".to_owned(),
            method: "text:1".to_owned(),
            minutes: 10,
            can_change: true,
            change_href: "/verify?interaction=interaction-handle".to_owned(),
            resend_wait_seconds: 0,
            dashboard_href: None,
            sign_in_href: None,
            problem: None,
            notice: None,
        };
        let call = EnterCodePage {
            channel: ChoiceChannel::Call,
            method: "call:1".to_owned(),
            resend_wait_seconds: 45,
            notice: Some(EnterCodeNotice::SentAgain),
            ..plain.clone()
        };
        let app = EnterCodePage {
            channel: ChoiceChannel::Totp,
            number: String::new(),
            method: "totp".to_owned(),
            can_change: false,
            interaction: None,
            ..plain.clone()
        };
        let wrong_app = EnterCodePage { problem: Some(EnterCodeProblem::Wrong { left: 1 }), ..app.clone() };
        let used_app = EnterCodePage { problem: Some(EnterCodeProblem::Used), ..app.clone() };
        let sent = EnterCodePage { notice: Some(EnterCodeNotice::Sent), ..plain.clone() };
        let problems = [
            EnterCodeProblem::Missing,
            EnterCodeProblem::Wrong { left: 4 },
            EnterCodeProblem::Expired,
            EnterCodeProblem::TooManyAttempts { until: tomorrow() },
            EnterCodeProblem::Wait { wait: Wait::seconds(60) },
            EnterCodeProblem::Stale,
            EnterCodeProblem::TextRefused,
            EnterCodeProblem::NotSent,
            EnterCodeProblem::Trying,
        ];
        let with_problem = problems.map(|problem| EnterCodePage { problem: Some(problem), ..plain.clone() });
        let others = REASONS.map(|reason| EnterCodePage {
            reason,
            dashboard_href: dashboard_of(reason),
            sign_in_href: sign_in_of(reason),
            ..plain.clone()
        });
        let others = others.into_iter().filter(|page| page.reason != plain.reason);
        let under_way = EnterCodePage { handed_over: false, ..plain.clone() };
        [plain.clone(), under_way, call, app, wrong_app, used_app, sent]
            .into_iter()
            .chain(with_problem)
            .chain(others)
            .collect()
    }
}

impl Page for NoSecondFactorPage {
    const TEMPLATE: &'static str = "no-phone";

    fn samples() -> Vec<Self> {
        let sign_in_href = || "/sign-in".to_owned();
        let page = |reason| NoSecondFactorPage {
            reason,
            sign_in_href: sign_in_href(),
            later: None,
            unreached: false,
            new_phone_days: 3,
        };
        let later = NoSecondFactorPage { later: Some(tomorrow()), ..page(VerifyReason::Recovery) };
        let unreached = NoSecondFactorPage { unreached: true, ..page(VerifyReason::Recovery) };
        REASONS.map(page).into_iter().chain([later, unreached]).collect()
    }
}
