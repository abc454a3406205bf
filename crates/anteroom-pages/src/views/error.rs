use serde::Serialize;

use super::Page;
use crate::when::Wait;

/// Something went wrong, and here is the way on.
#[derive(Clone, Serialize)]
pub struct ErrorPage {
    pub kind: ErrorKind,
    pub forward: NextLink,
    /// Who is signed in now, where that is why.
    pub person: Option<String>,
    /// What an operator looks up with `anteroom explain`.
    pub reference: Option<String>,
}

/// Each has a heading and a text of its own, and the id `error-NAME` on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum ErrorKind {
    UnknownClient,
    /// The application that waited was taken away, or changed, on the person's way to it.
    ApplicationGone,
    RedirectUriMismatch,
    InvalidRequest,
    /// A sign-out that was asked for where there is nothing to end.
    NothingEnded,
    InteractionExpired,
    /// The application that waited has its answer already.
    AnsweredBefore,
    /// The code of a mail, or the page that waits for it, in a browser that did not ask or does not remember.
    NotAskedHere,
    /// This browser does not know any more how far a registration had come.
    RegistrationInterrupted,
    /// Of a link that was emailed: used, expired or unknown.
    LinkDead,
    StaleForm,
    /// The browser sent no cookie, and what was pressed leads on in this browser alone.
    NoCookies,
    /// A form of a page that showed another person than the one who is signed in now, or another session.
    AnotherPerson,
    CrossSite,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    /// Not all of it came in time.
    TooSlow,
    RateLimited {
        wait: Wait,
    },
    /// 503: the queue is full.
    Busy,
    /// 503: the database is unreachable, or this node is not ready.
    Unavailable,
    Internal,
    /// 421: asked for under a name that is not this provider's.
    MisdirectedHost,
}

#[derive(Clone, Debug, Serialize)]
pub struct NextLink {
    pub kind: NextLinkKind,
    pub href: String,
}

/// What the link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextLinkKind {
    SignIn,
    Dashboard,
    TryAgain,
    Application,
    /// To ask for another email.
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
            (ErrorKind::NotAskedHere, NextLinkKind::Recover),
            (ErrorKind::RegistrationInterrupted, NextLinkKind::Recover),
            (ErrorKind::LinkDead, NextLinkKind::Recover),
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
