//! The frame around every page: head, bar with icon and name, footer.

use axum::http::StatusCode;

use super::{Page, Text};
use crate::config::PracticeAppConfig;

pub(super) struct Content<'a> {
    pub(super) status: StatusCode,
    pub(super) title: &'a str,
    /// HTML at the end of the bar.
    pub(super) actions: &'a str,
    /// HTML of the page itself.
    pub(super) body: &'a str,
}

pub(super) fn frame(config: &PracticeAppConfig, content: &Content<'_>) -> Page {
    let html = format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title} · {name}</title>
<link rel="icon" type="image/svg+xml" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/app.css">
</head>
<body class="{slug}">
<a class="skip" href="#main">Skip to the content</a>
<header class="bar"><div class="wide">
<a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="36" height="36"><span>{name}</span></a>
{actions}
</div></header>
<main id="main" class="wide" tabindex="-1">
{body}
</main>
<footer><div class="wide">
<p>A sample application of the practice. Every patient, figure and message on it is made up.</p>
<p>Sign-in by <a href="{issuer}">{issuer}</a></p>
</div></footer>
</body>
</html>
"##,
        title = Text(content.title),
        name = Text(&config.name),
        slug = config.screen.slug(),
        actions = content.actions,
        body = content.body,
        issuer = Text(config.dashboard()),
    );
    Page { status: content.status, html }
}

pub(super) fn dashboard_link(config: &PracticeAppConfig, class: &str) -> String {
    let dashboard = Text(config.dashboard());
    format!(r#"<a id="dashboard" class="{class}" href="{dashboard}">Back to the dashboard</a>"#)
}
