use serde::Serialize;

use super::Page;
use crate::when::Wait;

/// An error, with a link that leads on.
#[derive(Clone, Serialize)]
pub struct ErrorPage {
    pub kind: ErrorKind,
    pub forward: NextLink,
    /// The account that is signed in now, if that is the cause.
    pub person: Option<String>,
    /// The reference for `anteroom explain`.
    pub reference: Option<String>,
}

/// Each has a heading and a text of its own, and the id `error-NAME` on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum ErrorKind {
    UnknownClient,
    /// The interaction's application was removed or changed meanwhile.
    ApplicationGone,
    RedirectUriMismatch,
    InvalidRequest,
    /// A sign-out request for which no session exists.
    NothingEnded,
    InteractionExpired,
    /// The application already has its response.
    AnsweredBefore,
    /// The code of a mail, or the page for it, in a browser that did not request the mail or lost its cookie.
    #[serde(rename = "not-asked-here")]
    MailRequestedElsewhere,
    /// This browser has lost the state of a registration.
    RegistrationInterrupted,
    /// An emailed link that was used, has expired or is unknown.
    #[serde(rename = "link-dead")]
    InvalidLink,
    StaleForm,
    /// The browser sent no cookie, and the form's next step needs one in this browser.
    NoCookies,
    /// The form's page showed another account or session than the one that is signed in now.
    AnotherPerson,
    CrossSite,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    /// The request did not arrive completely in time.
    TooSlow,
    RateLimited {
        wait: Wait,
    },
    /// 503: the queue for hashing is full.
    Busy,
    /// 503: the database is unreachable, or this node is not ready.
    Unavailable,
    Internal,
    /// 421: the request was for a host that is not this provider's.
    MisdirectedHost,
}

#[derive(Clone, Debug, Serialize)]
pub struct NextLink {
    pub kind: NextLinkKind,
    pub href: String,
}

/// The kind of link, which decides its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextLinkKind {
    SignIn,
    Dashboard,
    TryAgain,
    Application,
    /// Leads to the page that requests another email.
    Recover,
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error";

    fn samples() -> Vec<Self> {
        let page = |(kind, forward)| ErrorPage {
            kind,
            forward: NextLink { kind: forward, href: "/sign-in".to_owned() },
            person: (kind == ErrorKind::AnotherPerson).then(|| "bob@practice.example".to_owned()),
            reference: Some("7K3M-Q9TX".to_owned()),
        };
        let mut pages: Vec<ErrorPage> = [
            (ErrorKind::InteractionExpired, NextLinkKind::Application),
            (ErrorKind::AnsweredBefore, NextLinkKind::Application),
            (ErrorKind::MailRequestedElsewhere, NextLinkKind::Recover),
            (ErrorKind::RegistrationInterrupted, NextLinkKind::Recover),
            (ErrorKind::InvalidLink, NextLinkKind::Recover),
            (ErrorKind::UnknownClient, NextLinkKind::Dashboard),
            (ErrorKind::ApplicationGone, NextLinkKind::Dashboard),
            (ErrorKind::RedirectUriMismatch, NextLinkKind::Dashboard),
            (ErrorKind::InvalidRequest, NextLinkKind::Dashboard),
            (ErrorKind::NothingEnded, NextLinkKind::SignIn),
            (ErrorKind::StaleForm, NextLinkKind::TryAgain),
            (ErrorKind::NoCookies, NextLinkKind::TryAgain),
            (ErrorKind::AnotherPerson, NextLinkKind::TryAgain),
            (ErrorKind::CrossSite, NextLinkKind::SignIn),
            (ErrorKind::NotFound, NextLinkKind::SignIn),
            (ErrorKind::MethodNotAllowed, NextLinkKind::SignIn),
            (ErrorKind::TooLarge, NextLinkKind::SignIn),
            (ErrorKind::TooSlow, NextLinkKind::SignIn),
            (ErrorKind::RateLimited { wait: Wait::seconds(300) }, NextLinkKind::TryAgain),
            (ErrorKind::Busy, NextLinkKind::TryAgain),
            (ErrorKind::Unavailable, NextLinkKind::TryAgain),
            (ErrorKind::Internal, NextLinkKind::TryAgain),
            (ErrorKind::MisdirectedHost, NextLinkKind::SignIn),
        ]
        .map(page)
        .into();
        let without_reference = pages.first().map(|page| ErrorPage { reference: None, ..page.clone() });
        pages.extend(without_reference);
        pages
    }
}
