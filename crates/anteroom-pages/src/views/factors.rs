//! Authenticator apps of the account that is signed in.

use serde::Serialize;

use super::{Page, SAMPLE_TOKEN};
use crate::when::{Date, Moment};

/// `POST /account/factors/add` with `form_token`; `POST /account/factors/remove` with `factor` and `form_token`.
#[derive(Clone, Serialize)]
pub struct FactorsPage {
    pub form_token: String,
    pub factors: Vec<AuthenticatorAppItem>,
    /// False if the account has the most apps allowed.
    pub can_add: bool,
    pub notice: Option<FactorsNotice>,
    pub problem: Option<FactorsProblem>,
    pub dashboard_href: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct AuthenticatorAppItem {
    pub id: String,
    /// 1 is the oldest.
    pub number: u32,
    pub added_on: Date,
    /// When its codes are accepted, if that is still to come.
    pub serves_from: Option<Moment>,
    /// The only usable second factor cannot be removed.
    pub can_remove: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactorsNotice {
    Added,
    Removed,
    /// The app no longer existed, so nothing was changed.
    NotThere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum FactorsProblem {
    /// The page with the key was open for too long.
    TooLate,
}

/// `POST /account/factors/confirm` with `code`, `factor` and `form_token`.
#[derive(Clone, Serialize)]
pub struct EnrolFactorPage {
    pub form_token: String,
    pub factor: String,
    /// For a person who types the key: Base32 in groups of four.
    pub secret: String,
    /// An image on this host: pages load no `data:` URLs.
    pub qr_href: String,
    pub problem: Option<EnrolProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum EnrolProblem {
    Missing,
    Wrong,
}

impl Page for FactorsPage {
    const TEMPLATE: &'static str = "factors";
    const IN_SESSION: bool = true;

    fn samples() -> Vec<Self> {
        let factor = |number: u32, day, serves_from| AuthenticatorAppItem {
            id: number.to_string(),
            number,
            added_on: Date { year: 2026, month: 11, day },
            serves_from,
            can_remove: true,
        };
        let date = Date { year: 2026, month: 11, day: 23 };
        let later = Moment { date, hour: 9, minute: 30, zone: "EST".to_owned() };
        let some = FactorsPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            factors: vec![factor(1, 3, None), factor(2, 20, Some(later))],
            can_add: true,
            notice: None,
            problem: None,
            dashboard_href: "/dashboard".to_owned(),
        };
        let none = FactorsPage { factors: Vec::new(), ..some.clone() };
        let full = FactorsPage { can_add: false, notice: Some(FactorsNotice::Added), ..some.clone() };
        let removed = FactorsPage { notice: Some(FactorsNotice::Removed), ..none.clone() };
        let late = FactorsPage { problem: Some(FactorsProblem::TooLate), ..some.clone() };
        let last = AuthenticatorAppItem { can_remove: false, ..factor(1, 3, None) };
        let last = FactorsPage { factors: vec![last], ..some.clone() };
        vec![some, none, full, removed, late, last]
    }
}

impl Page for EnrolFactorPage {
    const TEMPLATE: &'static str = "enrol-factor";
    const IN_SESSION: bool = true;

    fn samples() -> Vec<Self> {
        let plain = EnrolFactorPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            secret: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP".to_owned(),
            factor: "factor-handle".to_owned(),
            qr_href: "/account/factors/factor-handle/qr.svg".to_owned(),
            problem: None,
        };
        let problems = [EnrolProblem::Missing, EnrolProblem::Wrong];
        let with_problem =
            problems.map(|problem| EnrolFactorPage { problem: Some(problem), ..plain.clone() });
        [plain].into_iter().chain(with_problem).collect()
    }
}
