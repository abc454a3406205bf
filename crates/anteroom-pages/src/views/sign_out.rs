use serde::Serialize;

use super::{HiddenField, Page, PersonHere, SAMPLE_TOKEN};

/// Asks before it ends anything. `POST /sign-out` with `form_token` and `fields`.
#[derive(Clone, Serialize)]
pub struct SignOutPage {
    pub form_token: String,
    /// The application that asked for the sign-out.
    pub application_name: Option<String>,
    /// What the request brought along and has to survive the question.
    pub fields: Vec<HiddenField>,
    /// The accounts that would be signed out; none where the session is not of this browser.
    pub people: Vec<PersonHere>,
    /// The address to return to is not registered: the person stays here.
    pub stays: bool,
    pub stay_href: String,
}

#[derive(Clone, Serialize)]
pub struct SignedOutPage {
    /// Back to the application where there is one, else to sign-in.
    pub continue_href: String,
    pub application_name: Option<String>,
    /// Addresses of applications that are told by being loaded. With an application to go back to, a script follows
    /// `continue_href` when they are, or after a while; the browser does where there are no scripts. One of the two, lest
    /// the application is called twice.
    pub frames: Vec<String>,
}

impl Page for SignOutPage {
    const TEMPLATE: &'static str = "sign-out";

    fn samples() -> Vec<Self> {
        let person = |name: &str, email: &str| PersonHere { name: name.to_owned(), email: email.to_owned() };
        let asked = SignOutPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            application_name: Some("Schedule".to_owned()),
            fields: vec![HiddenField { name: "state".to_owned(), value: "af0ifjsldkj".to_owned() }],
            people: vec![person("Alice Moreno", "alice@demo.example")],
            stays: false,
            stay_href: "/dashboard".to_owned(),
        };
        let own_wish = SignOutPage { application_name: None, fields: Vec::new(), ..asked.clone() };
        let both = SignOutPage {
            people: vec![
                person("Alice Moreno", "alice@demo.example"),
                person("Bob Lindqvist", "bob@demo.example"),
            ],
            ..own_wish.clone()
        };
        let stays = SignOutPage { stays: true, ..asked.clone() };
        let elsewhere = SignOutPage { people: Vec::new(), ..asked.clone() };
        vec![asked, own_wish, both, stays, elsewhere]
    }
}

impl Page for SignedOutPage {
    const TEMPLATE: &'static str = "signed-out";

    fn samples() -> Vec<Self> {
        let from_application = SignedOutPage {
            continue_href: "https://schedule.example/".to_owned(),
            application_name: Some("Schedule".to_owned()),
            frames: vec![
                "https://imaging.example/signed-out?iss=https%3A%2F%2Fid.example&sid=08a5019c".to_owned(),
            ],
        };
        let own_wish = SignedOutPage {
            continue_href: "/sign-in".to_owned(),
            application_name: None,
            frames: Vec::new(),
        };
        vec![from_application, own_wish]
    }
}
