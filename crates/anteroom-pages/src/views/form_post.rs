use serde::Serialize;

use super::{Application, Page};

/// The `form_post` response mode: a form carries the response to the application; a script submits it or, without
/// scripts, the person does.
#[derive(Clone, Serialize)]
pub struct FormPostPage {
    /// The redirect URI.
    pub action: String,
    pub fields: Vec<HiddenField>,
    #[serde(flatten)]
    pub application: Application,
}

#[derive(Clone, Serialize)]
pub struct HiddenField {
    pub name: String,
    pub value: String,
}

impl Page for FormPostPage {
    const TEMPLATE: &'static str = "form-post";

    fn samples() -> Vec<Self> {
        let field = |name: &str, value: &str| HiddenField { name: name.to_owned(), value: value.to_owned() };
        let named = FormPostPage {
            action: "https://schedule.example/callback".to_owned(),
            fields: vec![field("code", "SplxlOBeZQQYbYS6WxSbIA"), field("state", "af0ifjsldkj")],
            application: Application::configured("Schedule"),
        };
        let nameless = FormPostPage { application: Application::unnamed(), ..named.clone() };
        let self_registered = FormPostPage {
            application: Application::with_hosts("Recall Reminders", &["reminders.example".to_owned()]),
            ..named.clone()
        };
        vec![named, nameless, self_registered]
    }
}
