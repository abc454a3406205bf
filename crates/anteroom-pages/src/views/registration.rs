//! From an invitation to an account: the invitation's link, and phones. Code and password use the common pages.

use serde::Serialize;

use super::{ForgotPasswordProblem, Page, SAMPLE_TOKEN};
use crate::when::Wait;

/// The page of an invitation's link. It changes nothing; `POST /register` with `token` and `form_token` does.
#[derive(Clone, Serialize)]
pub struct InvitationPage {
    pub form_token: String,
    pub token: String,
    pub name: Option<String>,
    pub email: String,
}

/// `POST /register/phone` with `phone`, `phone_kind`, `form_token` and `interaction` adds a phone; `POST
/// /register/phone/verify` with `phone_id`, `form_token` and `interaction` verifies one that was skipped; `POST
/// /register/phones-done` with `done_form_token` as `form_token`, and `interaction` continues.
#[derive(Clone, Serialize)]
pub struct AddPhonePage {
    pub form_token: String,
    pub done_form_token: String,
    pub interaction: Option<String>,
    pub phones: Vec<PhoneOnFile>,
    /// Whether one phone is verified, which is enough.
    pub can_continue: bool,
    /// The entered number.
    pub phone: String,
    pub kind: Option<PhoneKindChoice>,
    pub problem: Option<AddPhoneProblem>,
    /// How codes can be sent to a cell phone; `None` if they cannot, and the page does not offer one.
    pub cell: Option<PhoneWays>,
    /// Whether codes can be sent to a landline.
    pub landline: bool,
}

/// The configured ways of sending codes to a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhoneWays {
    Texts,
    Calls,
    Both,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhoneOnFile {
    /// Masked.
    pub number: String,
    pub landline: bool,
    pub verified: bool,
    /// Identifies a phone that is still to be verified.
    pub verify_value: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhoneKindChoice {
    Cell,
    Landline,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum AddPhoneProblem {
    Missing {
        phone: bool,
        kind: bool,
    },
    NotANumber,
    /// A number with an extension: a call cannot press keys for it.
    Extension,
    /// Outside the regions to which the practice sends, or a premium number.
    NotAllowed,
    /// A landline, while the practice makes no calls.
    Unreached,
    TooMany,
    Stale,
}

/// The page without an invitation's link: `POST /complete-registration` with `email` and `form_token` requests another
/// one. The page that follows is the same for every address.
#[derive(Clone, Serialize)]
pub struct CompleteRegistrationPage {
    pub form_token: String,
    /// The entered address; empty at first.
    pub email: String,
    pub asked: bool,
    pub problem: Option<ForgotPasswordProblem>,
    pub sign_in_href: String,
}

impl Page for InvitationPage {
    const TEMPLATE: &'static str = "invitation";

    fn samples() -> Vec<Self> {
        let named = InvitationPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            token: "SAMPLE".to_owned(),
            name: Some("Erin Walsh".to_owned()),
            email: "erin@demo.example".to_owned(),
        };
        let nameless = InvitationPage { name: None, ..named.clone() };
        vec![named, nameless]
    }
}

impl Page for AddPhonePage {
    const TEMPLATE: &'static str = "add-phone";

    fn samples() -> Vec<Self> {
        let first = AddPhonePage {
            form_token: SAMPLE_TOKEN.to_owned(),
            done_form_token: SAMPLE_TOKEN.chars().rev().collect(),
            interaction: Some("interaction-handle".to_owned()),
            phones: Vec::new(),
            can_continue: false,
            phone: String::new(),
            kind: None,
            problem: None,
            cell: Some(PhoneWays::Both),
            landline: true,
        };
        let texts = AddPhonePage { cell: Some(PhoneWays::Texts), landline: false, ..first.clone() };
        let calls = AddPhonePage { cell: Some(PhoneWays::Calls), ..first.clone() };
        let cell = PhoneOnFile {
            number: "•••-•••-••43".to_owned(),
            landline: false,
            verified: true,
            verify_value: None,
        };
        let landline = PhoneOnFile {
            number: "•••-•••-••86".to_owned(),
            landline: true,
            verified: false,
            verify_value: Some("phone-2".to_owned()),
        };
        let unverified = AddPhonePage { phones: vec![landline.clone()], interaction: None, ..first.clone() };
        let verified = AddPhonePage { phones: vec![cell, landline], can_continue: true, ..first.clone() };
        let entered = AddPhonePage {
            phone: "202 555 0143 ext. 12".to_owned(),
            kind: Some(PhoneKindChoice::Landline),
            ..first.clone()
        };
        let untouched = AddPhoneProblem::Missing { phone: true, kind: true };
        let untouched = AddPhonePage { problem: Some(untouched), ..first.clone() };
        let kindless = AddPhonePage {
            phone: "202 555 0143".to_owned(),
            kind: Some(PhoneKindChoice::Cell),
            problem: Some(AddPhoneProblem::Missing { phone: false, kind: true }),
            ..first.clone()
        };
        let problems = [
            AddPhoneProblem::NotANumber,
            AddPhoneProblem::Extension,
            AddPhoneProblem::NotAllowed,
            AddPhoneProblem::Unreached,
            AddPhoneProblem::TooMany,
            AddPhoneProblem::Stale,
        ];
        let with_problem = problems.map(|problem| AddPhonePage { problem: Some(problem), ..entered.clone() });
        [first, unverified, verified, untouched, kindless, texts, calls]
            .into_iter()
            .chain(with_problem)
            .collect()
    }
}

impl Page for CompleteRegistrationPage {
    const TEMPLATE: &'static str = "complete-registration";

    fn samples() -> Vec<Self> {
        let fresh = CompleteRegistrationPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            email: String::new(),
            asked: false,
            problem: None,
            sign_in_href: "/sign-in".to_owned(),
        };
        let asked =
            CompleteRegistrationPage { email: "erin@demo.example".to_owned(), asked: true, ..fresh.clone() };
        let missing =
            CompleteRegistrationPage { problem: Some(ForgotPasswordProblem::Missing), ..fresh.clone() };
        let problems =
            [ForgotPasswordProblem::RateLimited { wait: Wait::seconds(240) }, ForgotPasswordProblem::Stale];
        let with_problem = problems.map(|problem| CompleteRegistrationPage {
            email: "erin@demo.example".to_owned(),
            problem: Some(problem),
            ..fresh.clone()
        });
        [fresh, asked, missing].into_iter().chain(with_problem).collect()
    }
}
