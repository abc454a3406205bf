//! `anteroom check`: everything that `serve` would refuse before it opens the database. Nothing is opened or changed.

use anteroom_pages::Theme;

use super::{CommandError, load, production, say, warn};
use crate::cli::ConfigArgs;
use crate::sending;
use crate::tls::Pair;
use crate::wiring::{self, WiringError};

pub fn run(args: &ConfigArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config)?;
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
    say(&format!(
        "The configuration is good: issuer {}, {} clients, {} groups, policy profile {}.",
        settings.issuer,
        settings.clients.len(),
        settings.groups.len(),
        settings.profile,
    ));
    Ok(())
}
