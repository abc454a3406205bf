//! A forgotten password, from the first page to the page of the emailed link.

use serde::Serialize;

use super::{Application, Page, SAMPLE_TOKEN};
use crate::when::Wait;

/// `POST /forgot-password` with `email`, `form_token` and `interaction`.
#[derive(Clone, Serialize)]
pub struct ForgotPasswordPage {
    pub form_token: String,
    pub interaction: Option<String>,
    /// The entered address; empty at first.
    pub email: String,
    /// The interaction's application.
    #[serde(flatten)]
    pub application: Application,
    pub problem: Option<ForgotPasswordProblem>,
    pub sign_in_href: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum ForgotPasswordProblem {
    Missing,
    RateLimited {
        wait: Wait,
    },
    /// The page was out of date; no mail was requested.
    Stale,
}

/// The page is the same for every address. `POST /recover/code` with `code`, `form_token` and `interaction`; `POST
/// /forgot-password` with `email`, `again_form_token` as `form_token`, and `interaction` requests another email.
#[derive(Clone, Serialize)]
pub struct RecoveryRequestedPage {
    pub form_token: String,
    pub again_form_token: String,
    pub interaction: Option<String>,
    pub email: String,
    /// Minutes until link and code expire.
    pub minutes: u32,
    pub problem: Option<RecoveryAskedProblem>,
    pub sign_in_href: String,
    /// Answers `{"go": true}` once the reset is complete, in whichever browser. A script requests it while the page is
    /// visible.
    pub waiting_href: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum RecoveryAskedProblem {
    Missing,
    Wrong,
    RateLimited { wait: Wait },
    Stale,
}

/// The page of the emailed link. It changes nothing, since mail scanners open links: `POST /recover` with `token` and
/// `form_token` does.
#[derive(Clone, Serialize)]
pub struct RecoveryLinkPage {
    pub form_token: String,
    pub token: String,
}

impl Page for ForgotPasswordPage {
    const TEMPLATE: &'static str = "forgot-password";

    fn samples() -> Vec<Self> {
        let plain = ForgotPasswordPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            interaction: Some("interaction-handle".to_owned()),
            email: "alice@demo.example".to_owned(),
            application: Application::configured("Schedule"),
            problem: None,
            sign_in_href: "/sign-in".to_owned(),
        };
        let fresh = ForgotPasswordPage {
            email: String::new(),
            interaction: None,
            application: Application::unnamed(),
            ..plain.clone()
        };
        let missing = ForgotPasswordPage { problem: Some(ForgotPasswordProblem::Missing), ..fresh.clone() };
        let problems =
            [ForgotPasswordProblem::RateLimited { wait: Wait::seconds(240) }, ForgotPasswordProblem::Stale];
        let with_problem =
            problems.map(|problem| ForgotPasswordPage { problem: Some(problem), ..plain.clone() });
        let self_registered = ForgotPasswordPage {
            application: Application::with_hosts("Recall Reminders", &["reminders.example".to_owned()]),
            ..plain.clone()
        };
        [plain, fresh, missing, self_registered].into_iter().chain(with_problem).collect()
    }
}

impl Page for RecoveryRequestedPage {
    const TEMPLATE: &'static str = "recovery-asked";

    fn samples() -> Vec<Self> {
        let plain = RecoveryRequestedPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            again_form_token: SAMPLE_TOKEN.chars().rev().collect(),
            interaction: Some("interaction-handle".to_owned()),
            email: "alice@demo.example".to_owned(),
            minutes: 30,
            problem: None,
            sign_in_href: "/sign-in?interaction=interaction-handle".to_owned(),
            waiting_href: "/recover/waiting?interaction=interaction-handle".to_owned(),
        };
        let bare = RecoveryRequestedPage { interaction: None, ..plain.clone() };
        let problems = [
            RecoveryAskedProblem::Wrong,
            RecoveryAskedProblem::Missing,
            RecoveryAskedProblem::RateLimited { wait: Wait::seconds(240) },
            RecoveryAskedProblem::Stale,
        ];
        let with_problem =
            problems.map(|problem| RecoveryRequestedPage { problem: Some(problem), ..plain.clone() });
        [plain, bare].into_iter().chain(with_problem).collect()
    }
}

impl Page for RecoveryLinkPage {
    const TEMPLATE: &'static str = "recovery-link";

    fn samples() -> Vec<Self> {
        vec![RecoveryLinkPage { form_token: SAMPLE_TOKEN.to_owned(), token: "SAMPLE".to_owned() }]
    }
}
