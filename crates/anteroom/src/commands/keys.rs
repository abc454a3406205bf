//! `anteroom keys init|list|rotate`.

use anteroom_config::{Configuration, SecretOrigin};
use anteroom_crypto::{MasterKey, Random};
use anteroom_flows::audit::context::AuditContext;
use anteroom_flows::keys::signing_keys::{
    self, KeyRotation, OPERATOR_LEAD_TIME, Rotated, RotationReason, RotationTrigger,
};
use anteroom_storage::{EncryptionKeyRow, SigningKeyRow};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret as _;

use super::{CommandError, block_on, load, print_line, shown_time, write_secret_file};
use crate::cli::{ConfigArgs, KeysCommand, RotateArgs};
use anteroom_server::wiring::{self, Environment};

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
        let hint =
            "set keys.master_key_file to the path of a file in the configuration, and run this command again";
        return Err(CommandError::Usage(hint.to_owned()));
    };
    let key = MasterKey::generate(&Random::system());
    write_secret_file(&path, key.encode().expose_secret())?;
    print_line(&format!(
        "The master key is in {}. Keep a copy apart from the database: without the key no password and no token of \
         this database works, and with the key and the database all its secrets can be read.",
        path.display()
    ));
    Ok(())
}

fn list(args: &ConfigArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config)?;
    block_on(async move {
        let (store, _) =
            wiring::open_store(&configuration.settings, &Environment::for_production_or_demo()).await?;
        let zone = &configuration.settings.practice.time_zone;
        print_line(
            "kid                                          algorithm  signs from                signs until",
        );
        for key in store.signing_keys().await? {
            print_line(&signing_line(&key, zone));
        }
        print_line("");
        print_line(
            "encryption kid                               kind       published from            decrypts until",
        );
        for key in store.encryption_keys().await? {
            print_line(&encryption_line(&key, zone));
        }
        store.close().await;
        Ok(())
    })
}

/// A retired key stays published for an overlap after it has signed; a withdrawn key does not.
fn signing_line(key: &SigningKeyRow, zone: &TimeZone) -> String {
    let is_withdrawn = key.signs_until.is_some() && key.published_until <= key.signs_until;
    let until = ended(key.signs_until, is_withdrawn, zone);
    format!("{:<44} {:<10} {:<25} {until}", key.kid, key.algorithm, shown_time(key.signs_from, zone))
}

/// Shown as withdrawn only if the key was withdrawn before it was published. A published key decrypts for a few minutes after a
/// leak.
fn encryption_line(key: &EncryptionKeyRow, zone: &TimeZone) -> String {
    let is_withdrawn = key.published_until.is_some_and(|until| until <= key.published_from);
    let until = ended(key.decrypts_until, is_withdrawn, zone);
    format!("{:<44} {:<10} {:<25} {until}", key.kid, key.kind, shown_time(key.published_from, zone))
}

fn ended(until: Option<Timestamp>, is_withdrawn: bool, zone: &TimeZone) -> String {
    let until = until.map_or_else(|| "–".to_owned(), |until| shown_time(until, zone));
    if is_withdrawn { format!("{until}  withdrawn") } else { until }
}

fn rotate(args: &RotateArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config.config)?;
    let reason = if args.compromised { RotationReason::Compromised } else { RotationReason::Planned };
    block_on(async move {
        let environment = Environment::production();
        let (store, keyring) = wiring::open_store(&configuration.settings, &environment).await?;
        let schedule = wiring::key_schedule(&configuration.settings);
        let rotation = KeyRotation {
            store: &store,
            keyring: &keyring,
            schedule: &schedule,
            trigger: RotationTrigger::Operator(reason),
            audit: AuditContext::local(environment.clock.now(), &environment.random),
        };
        let rotated = signing_keys::rotate(rotation).await?;
        store.close().await;
        print_line(&describe(rotated, reason, &configuration.settings.practice.time_zone));
        Ok(())
    })
}

fn describe(rotated: Rotated, reason: RotationReason, zone: &TimeZone) -> String {
    let from = |from| format!("from {} on", shown_time(from, zone));
    let from = rotated.signs_from.map_or_else(|| "at once".to_owned(), from);
    match (reason, rotated) {
        (RotationReason::Planned, Rotated { made: true, .. }) => format!(
            "New signing keys are published; running nodes load them within a second. They sign from {} minutes on, \
             when every client has had time to fetch them.",
            OPERATOR_LEAD_TIME.as_mins()
        ),
        (RotationReason::Planned, Rotated { brought_forward: true, .. }) => format!(
            "The schedule had already published new signing keys. They sign from {} minutes on instead of later; no \
             others were made.",
            OPERATOR_LEAD_TIME.as_mins()
        ),
        (RotationReason::Planned, _) => format!(
            "New signing keys are published already, and sign {from}. No others were made."
        ),
        (RotationReason::Compromised, Rotated { made: true, .. }) => {
            "New signing keys are in use; running nodes load them within a second. The old keys are no longer \
             published. Clients that cache the JWKS accept the old keys until they fetch it again."
                .to_owned()
        }
        (RotationReason::Compromised, _) => {
            "Another command has just put new signing keys into use, and the old keys are no longer published. No \
             others were made."
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_withdrawn_before_it_signed_is_marked() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let key = |signs_until, published_until| SigningKeyRow {
            kid: "one".to_owned(),
            algorithm: "RS256".to_owned(),
            public_jwk: String::new(),
            private_sealed: Vec::new(),
            created_at: at(0),
            signs_from: at(360),
            signs_until,
            published_until,
        };
        let line = |until: Option<i64>, published: Option<i64>| {
            signing_line(&key(until.map(at), published.map(at)), &TimeZone::UTC)
        };
        assert!(line(None, None).ends_with("1970-01-01 00:06:00 UTC   –"));
        assert!(line(Some(900), Some(9_000)).ends_with("1970-01-01 00:15:00 UTC"));
        assert!(line(Some(60), Some(60)).ends_with("1970-01-01 00:01:00 UTC  withdrawn"));
    }
}
