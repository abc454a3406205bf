use serde::Serialize;

use super::{Application, Page, SAMPLE_TOKEN};

/// `POST /consent` with `decision` (`allow` or `deny`), `form_token` and `interaction`.
#[derive(Clone, Serialize)]
pub struct ConsentPage {
    pub form_token: String,
    pub interaction: Option<String>,
    /// With its hosts, even if the operator chose its name.
    #[serde(flatten)]
    pub application: Application,
    /// The application has changed since the page was shown and answered: the answer was not stored.
    pub changed: bool,
    /// The host that receives the application's logout notifications, if it is another one.
    pub sign_out_host: Option<String>,
    /// Only the browser loads it, from the application.
    pub logo_uri: Option<String>,
    pub scopes: Vec<ConsentScope>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum ConsentScope {
    Openid,
    Profile,
    Email,
    Address,
    Phone,
    Groups,
    OfflineAccess,
    /// A custom scope of the practice, shown by its name.
    Other {
        scope: String,
    },
}

impl Page for ConsentPage {
    const TEMPLATE: &'static str = "consent";

    fn samples() -> Vec<Self> {
        let full = ConsentPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            interaction: Some("interaction-handle".to_owned()),
            application: Application::with_hosts("Recall Reminders", &["reminders.example".to_owned()]),
            changed: false,
            sign_out_host: Some("hooks.example".to_owned()),
            // A browser that shows the sample must not request it from another host.
            logo_uri: Some("https://reminders.localhost/logo.svg".to_owned()),
            scopes: vec![
                ConsentScope::Openid,
                ConsentScope::Profile,
                ConsentScope::Email,
                ConsentScope::Address,
                ConsentScope::Phone,
                ConsentScope::Groups,
                ConsentScope::OfflineAccess,
                ConsentScope::Other { scope: "lab-orders".to_owned() },
            ],
            policy_uri: Some("https://reminders.example/privacy".to_owned()),
            tos_uri: Some("https://reminders.example/terms".to_owned()),
        };
        let bare = ConsentPage {
            interaction: None,
            sign_out_host: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            ..full.clone()
        };
        let anew = ConsentPage { changed: true, ..full.clone() };
        vec![full, bare, anew]
    }
}
