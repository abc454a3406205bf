//! Pages of a sign-in that cannot continue, or not yet.

use serde::Serialize;

use super::{Application, Page, SAMPLE_TOKEN};
use crate::when::Date;

/// The account is not allowed to use the application. `POST /not-entitled` with `form_token` and `interaction` leads
/// back to the application with `access_denied`.
#[derive(Clone, Serialize)]
pub struct NotEntitledPage {
    pub form_token: String,
    /// `None` if there is no interaction: the page then offers the dashboard only.
    pub interaction: Option<String>,
    #[serde(flatten)]
    pub application: Application,
    pub dashboard_href: String,
}

/// `POST /expired-password` with `form_token` and `interaction`.
#[derive(Clone, Serialize)]
pub struct PasswordExpiredPage {
    pub form_token: String,
    pub interaction: Option<String>,
    pub email: String,
    /// After how many days a password expires.
    pub days: u32,
    pub set_on: Date,
}

impl Page for NotEntitledPage {
    const TEMPLATE: &'static str = "not-entitled";

    fn samples() -> Vec<Self> {
        let full = NotEntitledPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            interaction: Some("interaction-handle".to_owned()),
            application: Application::configured("Imaging"),
            dashboard_href: "/dashboard".to_owned(),
        };
        let bare = NotEntitledPage { interaction: None, ..full.clone() };
        let self_registered = NotEntitledPage {
            application: Application::with_hosts("Recall Reminders", &["reminders.example".to_owned()]),
            ..full.clone()
        };
        vec![full, bare, self_registered]
    }
}

impl Page for PasswordExpiredPage {
    const TEMPLATE: &'static str = "password-expired";

    fn samples() -> Vec<Self> {
        let full = PasswordExpiredPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            interaction: Some("interaction-handle".to_owned()),
            email: "dave@demo.example".to_owned(),
            days: 90,
            set_on: Date { year: 2026, month: 8, day: 3 },
        };
        let bare = PasswordExpiredPage { interaction: None, ..full.clone() };
        vec![full, bare]
    }
}
