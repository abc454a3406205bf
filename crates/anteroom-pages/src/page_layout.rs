//! The frame of every page.

use serde::Serialize;

use crate::locale::Locale;

/// The frame of a page. Templates reach it as `chrome`, from inside a loop as `@root.chrome`.
#[derive(Clone, Debug, Serialize)]
pub struct PageLayout {
    pub practice_name: String,
    pub locale: Locale,
    /// Shows the ribbon that marks a demo.
    pub demo: bool,
    pub support_contact: Option<SupportContact>,
    pub signed_in_as: Option<SignedInAs>,
    /// The page's session: a script warns before it ends.
    pub session: Option<SessionTimer>,
}

/// The contact for people who cannot continue.
#[derive(Clone, Debug, Serialize)]
pub struct SupportContact {
    /// As displayed: "Maria at the front desk, extension 12".
    pub label: String,
    /// A `mailto:` or `tel:` address, or a page of the practice.
    pub href: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct SignedInAs {
    pub name: String,
    pub email: String,
}

/// The remaining time of the session. `GET /session?session=HANDLE` answers `{"seconds": …}`; `POST /session` with
/// `session` and `form_token` counts as activity and answers the same.
#[derive(Clone, Debug, Serialize)]
pub struct SessionTimer {
    pub handle: String,
    pub form_token: String,
    /// The `form_token` of `POST /sign-out`.
    pub sign_out_form_token: String,
    pub seconds_left: u64,
    /// Seconds before the end at which the person is warned.
    pub warn_seconds: u64,
    /// Whether the session ends then despite activity.
    pub fixed: bool,
    /// The page for an ended session.
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
            session: Some(SessionTimer::sample()),
            ..bare.clone()
        };
        vec![full, bare]
    }
}

impl SessionTimer {
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
