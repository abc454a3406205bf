use serde::Serialize;

use super::Page;

/// The `form_post` response mode: the answer to the application travels in a form, which a script submits or, without
/// scripts, the person.
#[derive(Clone, Serialize)]
pub struct FormPostPage {
    /// The redirect URI.
    pub action: String,
    pub fields: Vec<HiddenField>,
    pub application_name: Option<String>,
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
            application_name: Some("Schedule".to_owned()),
        };
        let nameless = FormPostPage { application_name: None, ..named.clone() };
        vec![named, nameless]
    }
}
