//! `anteroom check`: everything that `serve` would refuse before it opens the database. Nothing is opened or changed; with
//! `--online`, what clients publish at addresses of theirs is looked at as well.

use anteroom_config::Settings;
use anteroom_flows::sector;
use anteroom_pages::Theme;

use super::{CommandError, block_on, load, production, say, warn};
use crate::cli::CheckArgs;
use crate::sending;
use crate::tls::Pair;
use crate::wiring::{self, WiringError};

pub fn run(args: &CheckArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config.config)?;
    let settings = &configuration.settings;
    wiring::master_key(settings)?;
    Theme::load(settings.theme.folder.as_deref()).map_err(WiringError::from)?;
    if let Some(pair) = Pair::of(settings).map_err(WiringError::from)? {
        let standing = pair.load().map_err(WiringError::from)?.validity.standing(production().clock.now());
        if standing.is_good() { say(&format!("{standing}.")) } else { warn(&standing.to_string()) }
    }
    for gap in sending::gaps(settings) {
        warn(gap);
    }
    if args.online {
        block_on(sectors(settings))?;
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

/// All that is wrong is said, not the first alone.
async fn sectors(settings: &Settings) -> Result<(), CommandError> {
    let outgoing = wiring::outgoing(settings).map_err(WiringError::from)?;
    let mut wrong = Vec::new();
    for client in &settings.clients {
        if let Err(error) = sector::check(&outgoing, &client.metadata).await {
            wrong.push(format!("client {}: {error}", client.metadata.client_id.as_str()));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(CommandError::Online(wrong.join("\n"))) }
}
