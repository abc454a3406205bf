use serde::Serialize;

use super::Page;

/// On to an address that is too long for a header: a script goes there, or, without scripts, the person.
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
