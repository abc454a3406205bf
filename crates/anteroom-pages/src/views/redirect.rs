use serde::Serialize;

use super::Page;

/// Leads to an address that is too long for a header: by a script or, without scripts, by a link.
#[derive(Clone, Serialize)]
pub struct RedirectPage {
    pub href: String,
}

impl Page for RedirectPage {
    const TEMPLATE: &'static str = "redirect";

    fn samples() -> Vec<Self> {
        let href = "https://schedule.example/callback?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj";
        vec![Self { href: href.to_owned() }]
    }
}
