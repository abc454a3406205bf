//! `anteroom keys init|list|rotate`.

use anteroom_config::{Configuration, SecretOrigin};
use anteroom_crypto::{MasterKey, Random};
use anteroom_flows::keys::{self, LEAD, Occasion, Reason, Rotated};
use secrecy::ExposeSecret as _;

use super::{CommandError, block_on, load, production, say, write_secret_file};
use crate::cli::{ConfigArgs, KeysCommand, RotateArgs};
use crate::wiring;

pub fn run(command: KeysCommand) -> Result<(), CommandError> {
    match command {
        KeysCommand::Init(args) => init(&args),
        KeysCommand::List(args) => list(&args),
        KeysCommand::Rotate(args) => rotate(&args),
    }
}

fn init(args: &ConfigArgs) -> Result<(), CommandError> {
    let origin = Configuration::master_key_origin(&args.config);
    let origin = origin.map_err(|problems| CommandError::configuration(&problems))?;
    let Some(SecretOrigin::File(path)) = origin else {
        let hint = "name a file as keys.master_key_file in the configuration, and run this again";
        return Err(CommandError::Usage(hint.to_owned()));
    };
    let key = MasterKey::generate(&Random::system());
    write_secret_file(&path, key.encode().expose_secret())?;
    say(&format!(
        "The master key is in {}. Keep a copy apart from the database: without it no password and no token is worth \
         anything any more, and with it and the database together nothing is secret.",
        path.display()
    ));
    Ok(())
}

fn list(args: &ConfigArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config)?;
    block_on(async move {
        let (store, _) = wiring::open_store(&configuration.settings, &production()).await?;
        say("kid                                          algorithm  signs from                signs until");
        for key in store.signing_keys().await? {
            let until = key.signs_until.map_or_else(|| "–".to_owned(), |until| until.to_string());
            say(&format!("{:<44} {:<10} {:<25} {until}", key.kid, key.algorithm, key.signs_from.to_string()));
        }
        say("");
        say(
            "encryption kid                               kind       published from            decrypts until",
        );
        for key in store.encryption_keys().await? {
            let until = key.decrypts_until.map_or_else(|| "–".to_owned(), |until| until.to_string());
            say(&format!("{:<44} {:<10} {:<25} {until}", key.kid, key.kind, key.published_from.to_string()));
        }
        store.close().await;
        Ok(())
    })
}

fn rotate(args: &RotateArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config.config)?;
    let reason = if args.compromised { Reason::Compromised } else { Reason::Planned };
    block_on(async move {
        let around = production();
        let (store, keyring) = wiring::open_store(&configuration.settings, &around).await?;
        let schedule = wiring::key_schedule(&configuration.settings);
        let now = around.clock.now();
        let when = (now, Occasion::Operator(reason));
        let rotated = keys::rotate(&store, &keyring, &around.random, &schedule, when).await?;
        store.close().await;
        say(&told(rotated, reason));
        Ok(())
    })
}

fn told(rotated: Rotated, reason: Reason) -> String {
    let from = rotated.signs_from.map_or_else(|| "at once".to_owned(), |from| format!("from {from} on"));
    match (reason, rotated) {
        (Reason::Planned, Rotated { made: true, .. }) => format!(
            "New signing keys are published; running nodes take them up within a second. They sign in {} minutes, \
             when every application has had time to see them.",
            LEAD.as_mins()
        ),
        (Reason::Planned, Rotated { brought_forward: true, .. }) => format!(
            "The schedule had published new signing keys already. They sign in {} minutes instead of later; no others were \
             made.",
            LEAD.as_mins()
        ),
        (Reason::Planned, _) => format!(
            "New signing keys are published already, and sign {from}. No others were made."
        ),
        (Reason::Compromised, Rotated { made: true, .. }) => {
            "New signing keys are in use; running nodes take them up within a second. The old ones are not published any \
             more. Applications that keep a list of keys believe them until they fetch it again."
                .to_owned()
        }
        (Reason::Compromised, _) => {
            "Another command has just taken new signing keys into use, and the old ones are not published any more. No others \
             were made."
                .to_owned()
        }
    }
}
