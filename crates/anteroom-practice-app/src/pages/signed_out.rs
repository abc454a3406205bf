//! The page at the end of a sign-out.

use axum::http::StatusCode;

use super::frame::{Content, dashboard_link, frame};
use super::{Page, Text};
use crate::config::PracticeAppConfig;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HowSignedOut {
    /// The browser came back from the provider with the `state` it was sent with.
    Everywhere,
    /// There is no session here; nothing is known of other applications.
    Here,
}

pub(crate) fn signed_out(config: &PracticeAppConfig, how: HowSignedOut) -> Page {
    let name = Text(&config.name);
    let text = match how {
        HowSignedOut::Everywhere => {
            format!("You are signed out of {name} and of everything else you opened with the same sign-in.")
        }
        HowSignedOut::Here => format!("You are not signed in to {name} in this browser."),
    };
    let body = format!(
        r#"<section class="card notice">
<h1 id="signed-out">Signed out</h1>
<p>{text}</p>
<p class="actions"><a id="open-again" class="button" href="/">Open {name} again</a>
{dashboard}</p>
</section>"#,
        dashboard = dashboard_link(config, "button quiet"),
    );
    frame(config, &Content { status: StatusCode::OK, title: "Signed out", actions: "", body: &body })
}
