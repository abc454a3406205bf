//! `anteroom check`: everything that `serve` would refuse before it opens the database. Nothing is changed; with `--online`,
//! what clients publish at addresses of theirs is looked at as well and the mail server is signed in to, and with `--database`
//! the database.

use anteroom_config::Settings;
use anteroom_flows::{client_keys, sector};
use anteroom_messaging::Smtp;
use anteroom_pages::Theme;

use super::text_lengths::{TextLengths, text_lengths};
use super::{CommandError, block_on, check_database, load, production, say, warn};
use crate::cli::CheckArgs;
use crate::sending::{self, SendingError};
use crate::tls::Pair;
use crate::wiring::{self, WiringError};

pub fn run(args: &CheckArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config.config)?;
    let settings = &configuration.settings;
    wiring::master_key(settings)?;
    let theme = Theme::load(settings.theme.folder.as_deref()).map_err(WiringError::from)?;
    for file in theme.passed_over() {
        warn(&format!("the theme's folder has {file}, which is no part of a theme: it is passed over"));
    }
    for warning in theme.warnings() {
        warn(&format!("the theme: {warning}"));
    }
    for unknown in unknown_icons(settings, &theme) {
        warn(&unknown);
    }
    if let Some(pair) = Pair::of(settings).map_err(WiringError::from)? {
        let standing = pair.load().map_err(WiringError::from)?.validity.standing(production().clock.now());
        if standing.is_good() { say(&format!("{standing}.")) } else { warn(&standing.to_string()) }
    }
    for gap in sending::gaps(settings) {
        warn(gap);
    }
    if let Some(TextLengths { said, warnings }) = text_lengths(settings, &theme)? {
        say(&said);
        for warning in warnings {
            warn(&warning);
        }
    }
    if args.online {
        block_on(online(settings))?;
    }
    if args.database {
        say(&block_on(check_database::look(settings, &production()))?);
    }
    say(&format!(
        "The configuration is good: issuer {}, {} clients, {} groups, policy profile {}.",
        settings.issuer,
        settings.clients.len(),
        settings.groups.len(),
        settings.profile,
    ));
    Ok(())
}

/// A tile with an icon that the theme has not shows the general one.
fn unknown_icons(settings: &Settings, theme: &Theme) -> Vec<String> {
    let tiles = settings.clients.iter().filter_map(|client| Some((client, client.policy.tile.as_ref()?)));
    let unknown = tiles.filter(|(_, tile)| !theme.has_icon(&tile.icon));
    let known = theme.icons().collect::<Vec<_>>().join(", ");
    let told = unknown.map(|(client, tile)| {
        format!(
            "the tile of client {} has the icon \"{}\", which the theme has not: the general one is shown. There are {known}",
            client.metadata.client_id, tile.icon
        )
    });
    told.collect()
}

/// All that is wrong is said, not the first alone.
async fn online(settings: &Settings) -> Result<(), CommandError> {
    let (published, mail) = tokio::join!(published(settings), mail_server(settings));
    let mut wrong = published?;
    wrong.extend(mail?);
    if wrong.is_empty() { Ok(()) } else { Err(CommandError::Online(wrong.join("\n"))) }
}

async fn published(settings: &Settings) -> Result<Vec<String>, CommandError> {
    let outgoing = wiring::outgoing(settings).map_err(WiringError::from)?;
    let mut wrong = Vec::new();
    for client in &settings.clients {
        let mut found = |error: String| {
            wrong.push(format!("client {}: {error}", client.metadata.client_id.as_str()));
        };
        if let Err(error) = sector::check(&outgoing, &client.metadata).await {
            found(error.to_string());
        }
        if let Err(error) = client_keys::check_published(&outgoing, &client.metadata).await {
            found(format!("jwks_uri: {error}"));
        }
        if let Some(url) = &client.metadata.backchannel_logout_uri
            && let Err(error) = outgoing.answers(url).await
        {
            found(format!("backchannel_logout_uri: {error}"));
        }
    }
    Ok(wrong)
}

/// As far as to sign in; no mail is sent.
async fn mail_server(settings: &Settings) -> Result<Option<String>, CommandError> {
    let Some(email) = settings.email.as_ref().filter(|_| !settings.dev.outbox) else { return Ok(None) };
    let smtp = Smtp::new(&sending::server(email)).map_err(SendingError::from).map_err(WiringError::from)?;
    let tried = smtp.try_out().await;
    if tried.is_ok() {
        say(&format!(
            "The mail server {} takes a connection{}.",
            email.host,
            if email.username.is_some() { ", our name and our password" } else { "" }
        ));
    }
    Ok(tried.err().map(|failure| format!("mail server {}: {failure}", email.host)))
}
