//! What surrounds every page, whatever it is about.

use serde::Serialize;

use crate::locale::Locale;

/// The frame of a page. Templates reach it as `chrome`, from inside a loop as `@root.chrome`.
#[derive(Clone, Debug, Serialize)]
pub struct PageLayout {
    pub practice_name: String,
    pub locale: Locale,
    /// Puts the ribbon on the page that says that nothing here is real.
    pub demo: bool,
    pub support_contact: Option<SupportContact>,
    pub signed_in_as: Option<SignedInAs>,
    /// Whose page it is: a script warns before that session ends.
    pub session: Option<SessionClock>,
}

/// Whom people ask when they cannot go on.
#[derive(Clone, Debug, Serialize)]
pub struct SupportContact {
    /// As people should read it: "Maria at the front desk, extension 12".
    pub label: String,
    /// `mailto:`, `tel:` or an address of the practice's own.
    pub href: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct SignedInAs {
    pub name: String,
    pub email: String,
}

/// How long the session still has. `GET /session?session=HANDLE` answers `{"seconds": …}`; `POST /session` with `session` and
/// `form_token` counts as activity and answers the same.
#[derive(Clone, Debug, Serialize)]
pub struct SessionClock {
    pub handle: String,
    pub form_token: String,
    /// `POST /sign-out` with it as `form_token`.
    pub sign_out_form_token: String,
    pub seconds_left: u64,
    /// So long before the end the person is warned.
    pub warn_seconds: u64,
    /// It ends then whatever is done in it.
    pub fixed: bool,
    /// The page that says that it has ended.
    pub over_href: String,
}

impl PageLayout {
    pub(crate) fn samples(locale: Locale) -> Vec<PageLayout> {
        let bare = PageLayout {
            practice_name: "Riverside Dental & Medical".to_owned(),
            locale,
            demo: false,
            support_contact: None,
            signed_in_as: None,
            session: None,
        };
        let full = PageLayout {
            demo: true,
            support_contact: Some(SupportContact {
                label: "the practice manager, extension 12".to_owned(),
                href: Some("tel:+12025550100".to_owned()),
            }),
            signed_in_as: Some(SignedInAs {
                name: "Alice Moreno".to_owned(),
                email: "alice@demo.example".to_owned(),
            }),
            session: Some(SessionClock::sample()),
            ..bare.clone()
        };
        vec![full, bare]
    }
}

impl SessionClock {
    fn sample() -> Self {
        Self {
            handle: "session-handle".to_owned(),
            form_token: crate::views::SAMPLE_TOKEN.to_owned(),
            sign_out_form_token: crate::views::SAMPLE_TOKEN.chars().rev().collect(),
            seconds_left: 1800,
            warn_seconds: 300,
            fixed: false,
            over_href: "/sign-in?ended=idle".to_owned(),
        }
    }
}
