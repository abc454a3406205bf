//! What can go wrong in front of a person, and the page each thing leads to: one table.
//!
//! Each of these is a page and never a redirect to the provider, which could send the browser right back.

use axum::http::StatusCode;

use crate::provider::ProviderUnavailable;
use crate::relying_party::SignInError;
use crate::sessions::AlreadyEnded;
use crate::sign_ins::NotPending;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the provider refused: {error}")]
    Refused { error: String, description: Option<String> },
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error("the answer matches no sign-in of this browser: {0:?}")]
    NotPending(NotPending),
    #[error(transparent)]
    AlreadyEnded(#[from] AlreadyEnded),
    #[error("the answer has neither a code nor an error")]
    EmptyAnswer,
    #[error("the sign-in was to be started at another issuer")]
    OtherIssuer,
    #[error("the parameters could not be read")]
    UnreadableParameters,
    #[error("the request to sign out comes from another site")]
    ForeignSignOut,
    #[error("there is no such page")]
    NotFound,
}

impl From<ProviderUnavailable> for Problem {
    fn from(error: ProviderUnavailable) -> Self {
        Self::SignIn(error.into())
    }
}

/// The page's words. `{name}` is filled in with the application's.
pub(crate) struct Words {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
}

impl Problem {
    pub(crate) fn words(&self) -> Words {
        let (status, title, text) = match self {
            Self::Refused { error, .. } => refusal(error),
            Self::SignIn(SignInError::Unavailable(_)) => SERVICE_SILENT,
            Self::SignIn(SignInError::WrongIssuer) => (
                StatusCode::BAD_REQUEST,
                "This answer came from somewhere else",
                "{name} asked one sign-in service, and another one answered. You have not been signed in.",
            ),
            Self::SignIn(_) | Self::EmptyAnswer => (
                StatusCode::BAD_GATEWAY,
                "Signing in did not work",
                "The sign-in service answered, but {name} could not use the answer. You have not been signed in.",
            ),
            Self::NotPending(NotPending::Unknown) => (
                StatusCode::BAD_REQUEST,
                "This sign-in is no longer waiting",
                "It was finished before, or it began too long ago. Trying again starts a new one.",
            ),
            Self::NotPending(NotPending::OtherBrowser) => (
                StatusCode::BAD_REQUEST,
                "This sign-in began in another browser",
                "Or this browser does not keep the cookies of {name}. A sign-in can only end in the browser it \
                 began in.",
            ),
            Self::AlreadyEnded(_) => (
                StatusCode::CONFLICT,
                "You were signed out meanwhile",
                "Your session ended somewhere else while {name} was opening. Trying again starts a new sign-in.",
            ),
            Self::OtherIssuer => (
                StatusCode::BAD_REQUEST,
                "This link belongs to another sign-in service",
                "{name} signs people in with one service only, and this link named a different one.",
            ),
            Self::UnreadableParameters => (
                StatusCode::BAD_REQUEST,
                "This link is not complete",
                "{name} could not read the link that led here.",
            ),
            Self::ForeignSignOut => (
                StatusCode::FORBIDDEN,
                "Nothing has happened",
                "Another site asked {name} to sign you out. Use the button in {name} if that is what you want.",
            ),
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "There is no such page", "{name} has no page at this address.")
            }
        };
        Words { status, title, text }
    }

    /// What the provider called it. Shown only for an answer that belongs to a sign-in of this browser, because
    /// anybody can write a link with any words in it.
    pub(crate) fn provider_said(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Refused { error, description } => Some((error, description.as_deref())),
            _ => None,
        }
    }
}

type Row = (StatusCode, &'static str, &'static str);

const SERVICE_SILENT: Row = (
    StatusCode::SERVICE_UNAVAILABLE,
    "The sign-in service does not answer",
    "{name} could not reach it. Try again in a moment.",
);

/// RFC 6749 section 4.1.2.1.
fn refusal(error: &str) -> Row {
    match error {
        "access_denied" => (
            StatusCode::FORBIDDEN,
            "You cannot open this application",
            "The sign-in service did not admit you to {name}. If you need it for your work, ask whoever looks after \
             access at your practice.",
        ),
        "server_error" | "temporarily_unavailable" => SERVICE_SILENT,
        _ => (
            StatusCode::BAD_GATEWAY,
            "Signing in did not work",
            "The sign-in service refused the request of {name}. You have not been signed in.",
        ),
    }
}
