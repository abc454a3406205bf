use serde::Serialize;

use super::{Application, Page, SAMPLE_TOKEN};
use crate::when::Wait;

/// `POST /sign-in` with `email`, `password`, `form_token` and `interaction`.
#[derive(Clone, Serialize)]
pub struct SignInPage {
    pub form_token: String,
    pub interaction: Option<String>,
    /// What was entered, or the client's `login_hint`; empty if there is neither.
    pub email: String,
    /// The interaction's application.
    #[serde(flatten)]
    pub application: Application,
    pub problem: Option<SignInProblem>,
    pub notice: Option<SignInNotice>,
    pub forgot_password_href: String,
    pub registration_href: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum SignInProblem {
    /// Wrong, locked, disabled, unregistered and unknown: one text for all, so that the page reveals nothing.
    Refused,
    /// Shown only to a known device of that account.
    LockedHere,
    /// The password was right, but the browser keeps no cookies, so the person cannot be signed in.
    NoCookies,
    RateLimited {
        wait: Wait,
    },
    /// The password was right, but too many sign-ins to the account came from unknown browsers.
    TooManySignIns {
        wait: Wait,
    },
    /// The queue for password checks is full.
    Busy,
    /// The page was out of date; the entered password was not checked.
    Stale,
    Missing {
        email: bool,
        password: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInNotice {
    SignedOut,
    /// The session was idle for too long.
    SessionEnded,
    /// The session reached its maximum duration, despite activity.
    SessionTooOld,
    /// The password was changed by a completed reset.
    PasswordChanged,
    /// The client requires a new sign-in.
    Reauthenticate,
    /// The account is signed in in this browser, and another account has used the browser since.
    AnotherAccountSince,
}

impl Page for SignInPage {
    const TEMPLATE: &'static str = "sign-in";

    fn samples() -> Vec<Self> {
        let plain = SignInPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            interaction: Some("interaction-handle".to_owned()),
            email: "alice@demo.example".to_owned(),
            application: Application::configured("Schedule"),
            problem: None,
            notice: None,
            forgot_password_href: "/forgot-password".to_owned(),
            registration_href: "/complete-registration".to_owned(),
        };
        let fresh = SignInPage {
            email: String::new(),
            interaction: None,
            application: Application::unnamed(),
            ..plain.clone()
        };
        let self_registered = SignInPage {
            application: Application::with_hosts("Recall Reminders", &["reminders.example".to_owned()]),
            ..plain.clone()
        };
        let problems = [
            SignInProblem::Refused,
            SignInProblem::LockedHere,
            SignInProblem::NoCookies,
            SignInProblem::RateLimited { wait: Wait::seconds(240) },
            SignInProblem::TooManySignIns { wait: Wait::seconds(60) },
            SignInProblem::TooManySignIns { wait: Wait::seconds(240) },
            SignInProblem::Busy,
            SignInProblem::Stale,
            SignInProblem::Missing { email: false, password: true },
        ];
        let notices = [
            SignInNotice::SignedOut,
            SignInNotice::SessionEnded,
            SignInNotice::SessionTooOld,
            SignInNotice::PasswordChanged,
            SignInNotice::Reauthenticate,
            SignInNotice::AnotherAccountSince,
        ];
        let with_problem = problems.map(|problem| SignInPage { problem: Some(problem), ..plain.clone() });
        let untouched = SignInProblem::Missing { email: true, password: true };
        let empty = SignInPage { problem: Some(untouched), ..fresh.clone() };
        let with_notice = notices.map(|notice| SignInPage { notice: Some(notice), ..plain.clone() });
        [plain, fresh, self_registered, empty].into_iter().chain(with_problem).chain(with_notice).collect()
    }
}
