use serde::Serialize;

use super::{Application, Page, SAMPLE_TOKEN};

/// `POST /choose-account` with `account` (a handle, or `another`), `form_token` and `interaction`.
#[derive(Clone, Serialize)]
pub struct ChooseAccountPage {
    pub form_token: String,
    pub interaction: Option<String>,
    #[serde(flatten)]
    pub application: Application,
    pub accounts: Vec<AccountChoice>,
}

#[derive(Clone, Serialize)]
pub struct AccountChoice {
    pub name: String,
    pub email: String,
    /// Identifies the session of that account in this browser.
    pub handle: String,
}

impl Page for ChooseAccountPage {
    const TEMPLATE: &'static str = "choose-account";

    fn samples() -> Vec<Self> {
        let account = |name: &str, email: &str, handle: &str| AccountChoice {
            name: name.to_owned(),
            email: email.to_owned(),
            handle: handle.to_owned(),
        };
        let full = ChooseAccountPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            interaction: Some("interaction-handle".to_owned()),
            application: Application::configured("Schedule"),
            accounts: vec![
                account("Alice Moreno", "alice@demo.example", "session-1"),
                account("Bob Tran", "bob@demo.example", "session-2"),
            ],
        };
        let bare =
            ChooseAccountPage { interaction: None, application: Application::unnamed(), ..full.clone() };
        let self_registered = ChooseAccountPage {
            application: Application::with_hosts("Recall Reminders", &["reminders.example".to_owned()]),
            ..full.clone()
        };
        vec![full, bare, self_registered]
    }
}
