//! What surrounds every page, whatever it is about.

use serde::Serialize;

use crate::locale::Locale;

/// The frame of a page. Templates reach it as `chrome`, from inside a loop as `@root.chrome`.
#[derive(Clone, Debug, Serialize)]
pub struct Chrome {
    pub practice_name: String,
    pub locale: Locale,
    /// Puts the ribbon on the page that says that nothing here is real.
    pub demo: bool,
    pub support_contact: Option<SupportContact>,
    pub signed_in_as: Option<SignedInAs>,
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

impl Chrome {
    pub(crate) fn samples(locale: Locale) -> Vec<Chrome> {
        let bare = Chrome {
            practice_name: "Riverside Dental & Medical".to_owned(),
            locale,
            demo: false,
            support_contact: None,
            signed_in_as: None,
        };
        let full = Chrome {
            demo: true,
            support_contact: Some(SupportContact {
                label: "the practice manager, extension 12".to_owned(),
                href: Some("tel:+12025550100".to_owned()),
            }),
            signed_in_as: Some(SignedInAs {
                name: "Alice Moreno".to_owned(),
                email: "alice@demo.example".to_owned(),
            }),
            ..bare.clone()
        };
        vec![full, bare]
    }
}
