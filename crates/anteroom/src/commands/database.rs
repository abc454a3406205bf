//! `anteroom database accept`: accepts a database that was restored to an earlier state.

use anteroom_domain::audit_trail::chain::Checkpoint;
use anteroom_flows::audit::chain::{self, CheckpointTime};
use anteroom_flows::audit::context::AuditContext;
use anteroom_flows::node::database_history;
use anteroom_storage::Store;
use jiff::tz::TimeZone;
use std::path::Path;

use super::{CommandError, block_on, load, print_line, shown_time, with_count};
use crate::cli::{AcceptArgs, DatabaseCommand};
use anteroom_server::{
    checkpoints,
    wiring::{self, Environment},
};

const MEANING: &str = "\nAccepting this database ends what was made before: every session, every token of a client, links \
    and codes that were sent, known devices. Everyone has to sign in again. Lost changes do not come back, and what they had \
    ended is valid again: check disabled accounts, groups, removed clients, changed passwords and rotated keys of the time since then. Other servers with this database must be stopped permanently before, \
    or restored from this one.\n";

pub fn run(command: DatabaseCommand) -> Result<(), CommandError> {
    match command {
        DatabaseCommand::Accept(args) => accept(&args),
    }
}

fn accept(args: &AcceptArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config.config)?;
    block_on(async move {
        let environment = Environment::production();
        let (store, keyring) = wiring::open_store(&configuration.settings, &environment).await?;
        let file = checkpoints::file(&configuration.settings);
        let kept = wiring::last_checkpoint(&configuration.settings)?;
        let zone = &configuration.settings.practice.time_zone;
        print_history(&store, file.as_deref(), kept.as_ref(), zone).await?;
        print_line(MEANING);
        if !args.yes {
            store.close().await;
            let hint = "nothing was changed. Run the command with --yes to accept the database";
            return Err(CommandError::Usage(hint.to_owned()));
        }
        let audit = AuditContext::local(environment.clock.now(), &environment.random);
        let seen = kept.map(|checkpoint| checkpoint.link.seq);
        let accepted = database_history::accept(&store, &audit, seen).await?;
        chain::link_all(&store).await?;
        let signed =
            chain::checkpoint(&store, &keyring, CheckpointTime::Now, environment.clock.now()).await?;
        store.close().await;
        if let (Some(file), Some(signed)) = (file.as_deref(), &signed) {
            keep(file, signed)?;
        }
        print_line(&format!(
            "The database is accepted, as epoch {}: {} and {} have ended. Running nodes serve again within a second.",
            accepted.ended.epoch,
            with_count(accepted.ended.sessions, "session", "sessions"),
            with_count(accepted.grants, "grant", "grants")
        ));
        Ok(())
    })
}

fn keep(file: &Path, checkpoint: &Checkpoint) -> Result<(), CommandError> {
    checkpoints::append(file, checkpoint).map_err(|error| CommandError::File(file.to_owned(), error))
}

/// Prints how far the database reaches, and how far it was known to reach.
async fn print_history(
    store: &Store,
    file: Option<&Path>,
    kept: Option<&Checkpoint>,
    zone: &TimeZone,
) -> Result<(), CommandError> {
    let found = store.database_reading(0).await?;
    let last = store.linked_entries(found.now.end.seq.saturating_sub(1), 1).await?;
    match last.first() {
        Some(last) => {
            print_line(&format!(
                "The audit trail of this database ends with entry {} of {}.",
                last.link.seq,
                shown_time(last.record.at, zone)
            ));
        }
        None => print_line("There is no audit trail in this database."),
    }
    match found.reported {
        Some(seen) => {
            print_line(&format!(
                "A node had seen entries up to {seen}, and found that the database went back to an \
                                 earlier state."
            ));
        }
        None => {
            print_line(
                "No node has recorded in this database that it went back to an earlier state. A node that was not \
                 running could not.",
            );
        }
    }
    print_line(&outside(file, kept, zone));
    Ok(())
}

/// Only the checkpoints file of this machine is considered.
fn outside(file: Option<&Path>, kept: Option<&Checkpoint>, zone: &TimeZone) -> String {
    const OTHERS: &str = "Other nodes' files and logs, which may have later entries, were not checked.";
    match (file, kept) {
        (Some(file), Some(kept)) => format!(
            "The checkpoints file {} has entries up to {}, of {}. {OTHERS}",
            file.display(),
            kept.link.seq,
            shown_time(kept.at, zone)
        ),
        (Some(file), None) => format!(
            "The checkpoints file {} is missing or empty: the database was not compared with anything outside it. \
             {OTHERS}",
            file.display()
        ),
        (None, _) => format!(
            "The configuration names no checkpoints file: the database was not compared with anything outside it. \
             {OTHERS}"
        ),
    }
}
