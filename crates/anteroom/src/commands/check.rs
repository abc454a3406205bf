//! `anteroom check`: everything that `serve` would refuse before it opens the database. Nothing is opened or changed.

use anteroom_pages::Theme;

use super::{CommandError, load, say, warn};
use crate::cli::ConfigArgs;
use crate::sending;
use crate::wiring::{self, WiringError};

pub fn run(args: &ConfigArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config)?;
    let settings = &configuration.settings;
    wiring::master_key(settings)?;
    Theme::load(settings.theme.folder.as_deref()).map_err(WiringError::from)?;
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
