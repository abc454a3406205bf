use serde::Serialize;

use super::{Application, HiddenField, Page, SAMPLE_TOKEN, SignedInAccount};

/// The question before a sign-out. `POST /sign-out` with `form_token` and `fields`.
#[derive(Clone, Serialize)]
pub struct SignOutPage {
    pub form_token: String,
    /// The application that requested the sign-out.
    #[serde(flatten)]
    pub application: Application,
    /// Parameters of the request that the form must send back.
    pub fields: Vec<HiddenField>,
    /// The accounts that would be signed out; empty if the session is not of this browser.
    pub people: Vec<SignedInAccount>,
    /// The redirect URI is not registered, so the browser stays here.
    pub stays: bool,
    pub stay_href: String,
}

#[derive(Clone, Serialize)]
pub struct SignedOutPage {
    /// Back to the application if it has a redirect URI, else to sign-in.
    pub continue_href: String,
    #[serde(flatten)]
    pub application: Application,
    /// Front-channel logout addresses, which are loaded in frames. If the browser continues to the application, a
    /// script follows `continue_href` when they are loaded, or after a while; without scripts the browser does. Only
    /// one of the two, so that the application is not called twice.
    pub frames: Vec<String>,
}

impl Page for SignOutPage {
    const TEMPLATE: &'static str = "sign-out";

    fn samples() -> Vec<Self> {
        let person =
            |name: &str, email: &str| SignedInAccount { name: name.to_owned(), email: email.to_owned() };
        let asked = SignOutPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            application: Application::configured("Schedule"),
            fields: vec![HiddenField { name: "state".to_owned(), value: "af0ifjsldkj".to_owned() }],
            people: vec![person("Alice Moreno", "alice@demo.example")],
            stays: false,
            stay_href: "/dashboard".to_owned(),
        };
        let own_wish =
            SignOutPage { application: Application::unnamed(), fields: Vec::new(), ..asked.clone() };
        let both = SignOutPage {
            people: vec![
                person("Alice Moreno", "alice@demo.example"),
                person("Bob Lindqvist", "bob@demo.example"),
            ],
            ..own_wish.clone()
        };
        let stays = SignOutPage { stays: true, ..asked.clone() };
        let elsewhere = SignOutPage { people: Vec::new(), ..asked.clone() };
        let self_registered = SignOutPage {
            application: Application::with_hosts("Recall Reminders", &["reminders.example".to_owned()]),
            ..asked.clone()
        };
        vec![asked, own_wish, self_registered, both, stays, elsewhere]
    }
}

impl Page for SignedOutPage {
    const TEMPLATE: &'static str = "signed-out";

    fn samples() -> Vec<Self> {
        let from_application = SignedOutPage {
            continue_href: "https://schedule.example/".to_owned(),
            application: Application::configured("Schedule"),
            frames: vec![
                "https://imaging.example/signed-out?iss=https%3A%2F%2Fid.example&sid=08a5019c".to_owned(),
            ],
        };
        let own_wish = SignedOutPage {
            continue_href: "/sign-in".to_owned(),
            application: Application::unnamed(),
            frames: Vec::new(),
        };
        let self_registered = SignedOutPage {
            application: Application::with_hosts("Recall Reminders", &["reminders.example".to_owned()]),
            ..from_application.clone()
        };
        vec![from_application, own_wish, self_registered]
    }
}
