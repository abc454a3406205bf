//! The page of a person who is signed in: greeting, sample screen, how they signed in, what was told about them.

use axum::http::StatusCode;
use jiff::Timestamp;

use super::claim_table::claim_table;
use super::frame::{Content, dashboard_link, frame};
use super::{Page, Text, screens, words};
use crate::claims::ReceivedClaims;
use crate::config::PracticeAppConfig;

pub(crate) fn home(config: &PracticeAppConfig, claims: &ReceivedClaims, now: Timestamp) -> Page {
    let actions = format!(
        r#"<nav class="actions" aria-label="Session">{dashboard}
<form id="sign-out" method="post" action="/sign-out"><button class="button" type="submit">Sign Out</button></form></nav>"#,
        dashboard = dashboard_link(config, "button quiet"),
    );
    let body = format!(
        r#"<section class="hello">
<h1 id="greeting">Welcome, {person}</h1>
<p>You are signed in to {name}.</p>
</section>
<div class="desk">
<section class="card screen" aria-labelledby="screen-title">{screen}</section>
<section class="card" id="sign-in" aria-labelledby="sign-in-title">
<h2 id="sign-in-title">How you signed in</h2>
{facts}
</section>
</div>
<section class="card" aria-labelledby="claims-title">
<h2 id="claims-title">What {name} was told about you</h2>
{claim_table}
</section>"#,
        person = Text(claims.greeting_name().unwrap_or("colleague")),
        name = Text(&config.name),
        screen = screens::sample(config.screen),
        facts = facts(claims, now),
        claim_table = claim_table(claims),
    );
    frame(config, &Content { status: StatusCode::OK, title: "Welcome", actions: &actions, body: &body })
}

fn facts(claims: &ReceivedClaims, now: Timestamp) -> String {
    let when = claims.auth_time().map_or_else(
        || "Not said".to_owned(),
        |at| {
            format!(
                r#"<time datetime="{at}">{moment}</time> <span>{ago}</span>"#,
                moment = words::moment(at),
                ago = words::ago(at, now),
            )
        },
    );
    format!(
        r#"<dl class="facts">
<dt>When</dt><dd id="auth-time">{when}</dd>
<dt>How sure</dt><dd id="acr">{acr}</dd>
<dt>With</dt><dd id="amr">{amr}</dd>
<dt>Session</dt><dd id="sid"><code>{sid}</code></dd>
</dl>"#,
        acr = Text(words::assurance(claims.acr())),
        amr = Text(&words::methods(&claims.amr())),
        sid = Text(&claims.sid().map_or_else(|| "not said".to_owned(), words::shortened)),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Screen;
    use crate::{ClientId, ClientSecret, IssuerUrl};

    #[test]
    fn nothing_received_becomes_markup() {
        let evil = "<script>alert('x')</script>";
        let config = PracticeAppConfig {
            name: evil.to_owned(),
            screen: Screen::Imaging,
            issuer: IssuerUrl::new("http://localhost:1/?\"><script>".to_owned()).unwrap(),
            client_id: ClientId::new("c".to_owned()),
            client_secret: ClientSecret::new("s".to_owned()),
            base_url: "http://127.0.0.1:2".parse().unwrap(),
        };
        let everything =
            json!({"sub": evil, "given_name": evil, "sid": evil, "acr": evil, "amr": [evil], evil: evil});
        let map = everything.as_object().cloned().unwrap();
        let claims = ReceivedClaims { id_token: map.clone(), userinfo: map };
        let page = home(&config, &claims, Timestamp::UNIX_EPOCH);
        assert!(!page.html.contains("<script"));
        assert!(page.html.contains("&lt;script&gt;"));
    }
}
