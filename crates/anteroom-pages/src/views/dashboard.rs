use serde::Serialize;

use super::{Page, SAMPLE_TOKEN};

/// The page after a sign-in without an application. `POST /sign-out` with `form_token`.
#[derive(Clone, Serialize)]
pub struct DashboardPage {
    pub form_token: String,
    pub person_name: String,
    pub email: String,
    pub tiles: Vec<Tile>,
    pub password_warning: Option<PasswordWarning>,
    pub change_password_href: String,
    pub profile_href: String,
    pub factors_href: String,
    pub other_account_href: String,
    /// The other accounts that are signed in in this browser. "Sign Out" ends their sessions too.
    pub others: Vec<SignedInAccount>,
}

/// An account that is signed in in this browser.
#[derive(Clone, Serialize)]
pub struct SignedInAccount {
    pub name: String,
    pub email: String,
}

#[derive(Clone, Serialize)]
pub struct Tile {
    pub name: String,
    pub description: String,
    /// A drawing of the theme (`schedule`), or an image among its assets (`our-lab.png`). Any other value shows the
    /// default drawing.
    pub icon: String,
    pub href: String,
}

/// Whole days until the password expires; 0 is today.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PasswordWarning {
    pub days: u32,
}

impl Page for DashboardPage {
    const TEMPLATE: &'static str = "dashboard";
    const IN_SESSION: bool = true;

    fn samples() -> Vec<Self> {
        let tile = |name: &str, description: &str, icon: &str| Tile {
            name: name.to_owned(),
            description: description.to_owned(),
            icon: icon.to_owned(),
            href: format!("/open/{icon}"),
        };
        let full = DashboardPage {
            form_token: SAMPLE_TOKEN.to_owned(),
            person_name: "Alice Moreno".to_owned(),
            email: "alice@demo.example".to_owned(),
            tiles: vec![
                tile("Schedule", "Today's chairs, rooms and appointments", "schedule"),
                tile("Patient Forms", "Intake, history and consent forms", "patient-forms"),
                tile("Secure Mail", "Messages that may carry health information", "secure-mail"),
                tile("Imaging", "Radiographs and scans by patient", "imaging"),
                tile("Analytics", "How the practice is doing, month by month", "analytics"),
                tile("Lab Orders", "Cases sent out and due back", "no-such-drawing"),
            ],
            password_warning: Some(PasswordWarning { days: 7 }),
            change_password_href: "/change-password".to_owned(),
            profile_href: "/account/profile".to_owned(),
            factors_href: "/account/factors".to_owned(),
            other_account_href: "/sign-in?another=1".to_owned(),
            others: Vec::new(),
        };
        let calm = DashboardPage { password_warning: None, ..full.clone() };
        let last_day = DashboardPage { password_warning: Some(PasswordWarning { days: 0 }), ..full.clone() };
        let empty = DashboardPage { tiles: Vec::new(), ..calm.clone() };
        let bob = SignedInAccount { name: "Bob Lindqvist".to_owned(), email: "bob@demo.example".to_owned() };
        let shared = DashboardPage {
            other_account_href: "/choose-account".to_owned(),
            others: vec![bob],
            ..calm.clone()
        };
        vec![full, calm, last_day, empty, shared]
    }
}
