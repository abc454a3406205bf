//! Authenticator apps of somebody who is signed in.

use serde::Serialize;

use super::{Page, SAMPLE_TOKEN};
use crate::when::Date;

/// `POST /account/factors/add` with `form_token`; `POST /account/factors/remove` with `factor` and `form_token`.
#[derive(Clone, Serialize)]
pub struct FactorsPage {
    pub form_token: String,
    pub factors: Vec<Factor>,
    pub dashboard_href: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Factor {
    pub id: String,
    pub label: String,
    pub added_on: Date,
}

/// `POST /account/factors/confirm` with `code` and `form_token`.
#[derive(Clone, Serialize)]
pub struct EnrolFactorPage {
    pub form_token: String,
    /// For whoever types it: Base32 in groups of four.
    pub secret: String,
    /// An image of ours: pages load no `data:`.
    pub qr_href: String,
    pub problem: Option<EnrolProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum EnrolProblem {
    Missing,
    Wrong,
    Stale,
}

impl Page for FactorsPage {
    const TEMPLATE: &'static str = "factors";

    fn samples() -> Vec<Self> {
        let factor = |id: &str, day| Factor {
            id: id.to_owned(),
            label: format!("Authenticator app {id}"),
            added_on: Date { year: 2026, month: 11, day },
        };
        let some = FactorsPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            factors: vec![factor("1", 3), factor("2", 20)],
            dashboard_href: "/dashboard".to_owned(),
        };
        let none = FactorsPage { factors: Vec::new(), ..some.clone() };
        vec![some, none]
    }
}

impl Page for EnrolFactorPage {
    const TEMPLATE: &'static str = "enrol-factor";

    fn samples() -> Vec<Self> {
        let plain = EnrolFactorPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            secret: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP".to_owned(),
            qr_href: "/account/factors/qr.svg".to_owned(),
            problem: None,
        };
        let problems = [EnrolProblem::Missing, EnrolProblem::Wrong, EnrolProblem::Stale];
        let told = problems.map(|problem| EnrolFactorPage { problem: Some(problem), ..plain.clone() });
        [plain].into_iter().chain(told).collect()
    }
}
