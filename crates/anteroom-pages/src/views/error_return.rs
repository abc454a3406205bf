use serde::Serialize;

use super::{HiddenField, NextLink, NextLinkKind, Page};

/// Redirecting an error to a client without earlier consent would make this provider an open redirector. So the person
/// is asked before the browser goes to the client with the error. The link or button that leads to the client has the
/// id `return`.
#[derive(Clone, Serialize)]
pub struct ErrorReturnPage {
    /// The link's destination: a host or, for an app on the device, a scheme.
    pub host: String,
    /// The address with the error, unless it is posted.
    pub href: Option<String>,
    /// Where `fields` are posted, for an application that requested `form_post`.
    pub action: Option<String>,
    pub fields: Vec<HiddenField>,
    pub forward: NextLink,
    /// The reference for `anteroom explain`.
    pub reference: String,
}

impl Page for ErrorReturnPage {
    const TEMPLATE: &'static str = "error-return";

    fn samples() -> Vec<Self> {
        let field = |name: &str, value: &str| HiddenField { name: name.to_owned(), value: value.to_owned() };
        let led = ErrorReturnPage {
            host: "reminders.example".to_owned(),
            href: Some(
                "https://reminders.example/callback?error=invalid_request&state=af0ifjsldkj".to_owned(),
            ),
            action: None,
            fields: Vec::new(),
            forward: NextLink { kind: NextLinkKind::SignIn, href: "/sign-in".to_owned() },
            reference: "7K3M-Q9TX".to_owned(),
        };
        let posted = ErrorReturnPage {
            href: None,
            action: Some("https://reminders.example/callback".to_owned()),
            fields: vec![field("error", "invalid_request"), field("state", "af0ifjsldkj")],
            ..led.clone()
        };
        vec![led, posted]
    }
}
