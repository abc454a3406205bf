//! The form for a new password, in every flow that needs one.

use serde::Serialize;

use super::{Application, Page, SAMPLE_TOKEN};

/// `POST /new-password` with `new_password`, `confirm_password`, `form_token` and `interaction`.
#[derive(Clone, Serialize)]
pub struct NewPasswordPage {
    pub form_token: String,
    pub interaction: Option<String>,
    pub reason: NewPasswordReason,
    /// In a field of its own, so that password managers store the password under it.
    pub email: String,
    pub min_length: u32,
    pub max_length: u32,
    /// How many of the last passwords are refused; 0 for none.
    pub remembered: u32,
    pub problem: Option<NewPasswordProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewPasswordReason {
    Recovery,
    Expired,
    /// A person who is signed in changes the password.
    #[serde(rename = "change")]
    Chosen,
    Registration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum NewPasswordProblem {
    Missing,
    Mismatch,
    TooShort,
    TooLong,
    /// On the list of common passwords.
    Common,
    /// Contains the address, the name or the practice.
    Personal,
    /// Too easily guessed.
    Weak,
    /// Has control characters or other invisible ones.
    Characters,
    /// One of the account's last passwords.
    Used,
    /// The same as the current password.
    Current,
    /// Too soon after the last change.
    TooYoung {
        hours: u32,
    },
    Stale,
    /// The queue for hashing is full.
    Busy,
}

/// The last page of a reset. Recovery does not sign the person in, so it leads back to sign-in.
#[derive(Clone, Serialize)]
pub struct PasswordChangedPage {
    pub continue_href: String,
    #[serde(flatten)]
    pub application: Application,
    /// The interaction belongs to the browser in which the reset was started, which is another one.
    pub waits_elsewhere: bool,
}

impl Page for NewPasswordPage {
    const TEMPLATE: &'static str = "new-password";
    const IN_SESSION: bool = true;

    fn samples() -> Vec<Self> {
        let plain = NewPasswordPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            interaction: Some("interaction-handle".to_owned()),
            reason: NewPasswordReason::Recovery,
            email: "alice@demo.example".to_owned(),
            min_length: 12,
            max_length: 128,
            remembered: 10,
            problem: None,
        };
        let bare = NewPasswordPage { interaction: None, remembered: 0, ..plain.clone() };
        let reasons =
            [NewPasswordReason::Expired, NewPasswordReason::Chosen, NewPasswordReason::Registration];
        let problems = [
            NewPasswordProblem::Missing,
            NewPasswordProblem::Mismatch,
            NewPasswordProblem::TooShort,
            NewPasswordProblem::TooLong,
            NewPasswordProblem::Common,
            NewPasswordProblem::Personal,
            NewPasswordProblem::Weak,
            NewPasswordProblem::Characters,
            NewPasswordProblem::Used,
            NewPasswordProblem::Current,
            NewPasswordProblem::TooYoung { hours: 7 },
            NewPasswordProblem::Stale,
            NewPasswordProblem::Busy,
        ];
        let others = reasons.map(|reason| NewPasswordPage { reason, ..plain.clone() });
        let with_problem =
            problems.map(|problem| NewPasswordPage { problem: Some(problem), ..plain.clone() });
        [plain, bare].into_iter().chain(others).chain(with_problem).collect()
    }
}

impl Page for PasswordChangedPage {
    const TEMPLATE: &'static str = "password-changed";

    fn samples() -> Vec<Self> {
        let named = PasswordChangedPage {
            continue_href: "/sign-in?interaction=interaction-handle".to_owned(),
            application: Application::configured("Schedule"),
            waits_elsewhere: false,
        };
        let elsewhere = PasswordChangedPage { waits_elsewhere: true, ..named.clone() };
        let nameless = PasswordChangedPage { application: Application::unnamed(), ..named.clone() };
        let nameless_elsewhere =
            PasswordChangedPage { application: Application::unnamed(), ..elsewhere.clone() };
        let self_registered = PasswordChangedPage {
            application: Application::with_hosts("Recall Reminders", &["reminders.example".to_owned()]),
            ..named.clone()
        };
        vec![named, elsewhere, self_registered, nameless, nameless_elsewhere]
    }
}
