//! `anteroom migrate`: the only command that changes a schema, and the only one that makes a new database's keys.

use anteroom_storage::{StoreOptions, migrate};

use super::{CommandError, block_on, load, production, say};
use crate::cli::ConfigArgs;
use crate::wiring::{Surroundings, open_store};

pub fn run(args: &ConfigArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config)?;
    block_on(async move {
        let settings = &configuration.settings;
        let options = StoreOptions::from_url(&settings.database.url)?;
        let applied = migrate(&options).await?;
        // Keys are made for a database that was empty a moment ago, never over one that has lost them.
        let around = Surroundings { may_make_keys: applied > 0, ..production() };
        let (store, _) = open_store(settings, &around).await?;
        store.close().await;
        say(&format!("The database is up to date ({applied} migrations applied)."));
        Ok(())
    })
}
