//! Checks whether a database belongs to a configuration. No database is changed or made.

use anteroom_config::Settings;
use anteroom_crypto::{KeyPurpose, Keyring};
use anteroom_storage::Store;

use super::CommandError;
use anteroom_server::wiring::{self, Environment, WiringError};

pub(super) async fn look(settings: &Settings, environment: &Environment) -> Result<String, CommandError> {
    let master = wiring::master_key(settings)?;
    let options = wiring::store_options(settings)?;
    if let Some(file) = options.sqlite_file().filter(|file| !file.exists()) {
        let file = file.display();
        return Err(CommandError::Usage(format!(
            "there is no database {file} yet: `anteroom migrate` makes it"
        )));
    }
    let store = Store::connect(&options).await?;
    let looked = async {
        if let Some(instance) = store.instance().await? {
            wiring::same_kind(instance, environment.kind)?;
        }
        let present = store.sealed_keys().await?;
        if present.is_empty() {
            return Err(WiringError::NoKeys);
        }
        // Keys for purposes of this release are made at the next start; here they stay in memory.
        let now = environment.clock.now().as_millisecond();
        let missing = Keyring::generate_missing(&master, &present, &environment.random, now);
        let known = KeyPurpose::ALL.len() - missing.len();
        Keyring::open(&master, &[present, missing].concat())?;
        Ok(known)
    };
    let looked = looked.await;
    store.close().await;
    let keys = looked?;
    Ok(format!(
        "The database is valid: its schema fits this release, and the master key opens its {keys} keys."
    ))
}
