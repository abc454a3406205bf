//! `anteroom check`: nothing is opened or changed.

use super::{CommandError, load, say};
use crate::cli::ConfigArgs;

pub fn run(args: &ConfigArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config)?;
    let settings = &configuration.settings;
    say(&format!(
        "The configuration is good: issuer {}, {} clients, {} groups, policy profile {}.",
        settings.issuer,
        settings.clients.len(),
        settings.groups.len(),
        settings.profile,
    ));
    Ok(())
}
