//! `anteroom migrate`: the only command that changes a schema, and the only one that makes a new database's keys.

use anteroom_storage::migrate;

use super::{CommandError, block_on, load, print_line};
use crate::cli::ConfigArgs;
use anteroom_server::logging;
use anteroom_server::wiring::{Environment, master_key, open_store, store_options};

pub fn run(args: &ConfigArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config)?;
    // It logs when it waits for other transactions.
    logging::init(configuration.settings.log);
    block_on(async move {
        let settings = &configuration.settings;
        // Before anything is changed: a schema without its keys would be useless.
        master_key(settings)?;
        let applied = migrate(&store_options(settings)?).await?;
        let environment = Environment { may_make_keys: true, ..Environment::production() };
        let (store, _) = open_store(settings, &environment).await?;
        store.close().await;
        print_line(&format!("The database is up to date ({applied} migrations applied)."));
        Ok(())
    })
}
