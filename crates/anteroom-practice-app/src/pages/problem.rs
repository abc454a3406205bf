//! The page that says what went wrong, with two ways on.

use super::frame::{Content, dashboard_link, frame};
use super::{Page, Text};
use crate::config::PracticeAppConfig;
use crate::problem::Problem;

pub(crate) fn problem(config: &PracticeAppConfig, problem: &Problem) -> Page {
    let words = problem.words();
    let body = format!(
        r#"<section class="card notice">
<h1>{title}</h1>
<p>{text}</p>
{said}
<p class="actions"><a id="try-again" class="button" href="{again}">Try again</a>
{dashboard}</p>
</section>"#,
        title = Text(words.title),
        text = Text(&words.text.replace("{name}", &config.name)),
        said = provider_said(problem),
        // Absolute: a browser that came by another name of this machine goes on where the cookies are.
        again = Text(config.home().as_str()),
        dashboard = dashboard_link(config, "button quiet"),
    );
    frame(config, &Content { status: words.status, title: words.title, actions: "", body: &body })
}

fn provider_said(problem: &Problem) -> String {
    let Some((error, description)) = problem.provider_said() else { return String::new() };
    let description = description
        .map(|text| format!(r#"<dt>In its words</dt><dd id="error-description">{}</dd>"#, Text(text)))
        .unwrap_or_default();
    format!(
        r#"<dl class="facts"><dt>The sign-in service said</dt><dd><code id="error">{}</code></dd>{description}</dl>"#,
        Text(error)
    )
}
