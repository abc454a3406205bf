//! `anteroom audit verify|export|keys`.

use anteroom_crypto::{KeyPurpose, Keyring, VerifyingKey};
use anteroom_domain::audit_trail::chain::Checkpoint;
use anteroom_domain::audit_trail::export::{ExportContents, ExportVerifier};
use anteroom_domain::audit_trail::lines::{ExportLine, parse_key, show_key};
use anteroom_domain::audit_trail::verify::{AuditFinding, CheckpointSource, VerificationReport};
use anteroom_flows::audit::chain;
use anteroom_flows::error::FlowError;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{CommandError, block_on, load, new_private_file, print_line, with_count};
use crate::cli::{AuditCommand, ConfigArgs, ExportArgs, VerifyArgs};
use anteroom_server::{
    checkpoints,
    wiring::{self, Environment},
};

/// The most findings that are listed individually.
const LISTED: usize = 20;

pub fn run(command: AuditCommand) -> Result<(), CommandError> {
    match command {
        AuditCommand::Verify(args) => match &args.export {
            Some(export) => verify_export(export, &args),
            None => verify_database(&args),
        },
        AuditCommand::Export(args) => export(&args),
        AuditCommand::Keys(args) => keys(&args),
    }
}

fn verify_database(args: &VerifyArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config.config)?;
    let own = checkpoints::file(&configuration.settings).filter(|_| args.checkpoints.is_empty());
    let files: Vec<PathBuf> = match own {
        // If the file's existence cannot be checked, reading it reports the reason.
        Some(own) if own.try_exists().is_ok_and(|there| !there) => {
            print_line(&format!(
                "There is no checkpoints file {}: entries are verified without it.",
                own.display()
            ));
            Vec::new()
        }
        Some(own) => vec![own],
        None => args.checkpoints.clone(),
    };
    // Read before the database, which may grow meanwhile.
    let (outside, findings) = read_checkpoints(&files)?;
    let report = block_on(async move {
        let (store, keyring) =
            wiring::open_store(&configuration.settings, &Environment::for_production_or_demo()).await?;
        let report = chain::verify(&store, &keyring, outside, findings).await?;
        store.close().await;
        Ok(report)
    })?;
    print_report(&report)
}

fn read_checkpoints(files: &[PathBuf]) -> Result<(Vec<Checkpoint>, Vec<AuditFinding>), CommandError> {
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    for file in files {
        let read = checkpoints::read(file).map_err(|error| CommandError::File(file.clone(), error))?;
        all.extend(read.0);
        findings.extend(read.1);
    }
    Ok((all, findings))
}

fn verify_export(path: &Path, args: &VerifyArgs) -> Result<(), CommandError> {
    let keyring = if args.with_master_key {
        let configuration = load(&args.config.config)?;
        Some(block_on(async move {
            let (store, keyring) =
                wiring::open_store(&configuration.settings, &Environment::for_production_or_demo()).await?;
            store.close().await;
            Ok(keyring)
        })?)
    } else {
        None
    };
    let (outside, findings) = read_checkpoints(&args.checkpoints)?;
    let mut contents = ExportContents::default();
    each_line(path, |line| contents.note(line))?;
    let signers = trusted(keyring.as_deref(), &args.keys)?;
    if keyring.is_none() {
        print_line(
            "Without the master key, the chain and the signatures are verified, but not the MAC of each entry.",
        );
    }
    if signers.is_none() {
        let named = contents.end.iter().flat_map(|end| &end.keys).map(show_key).collect::<Vec<_>>();
        print_line(
            "The signatures are verified with the keys in the export itself. Compare these with a copy of the output of",
        );
        print_line(&format!("`anteroom audit keys`, or give that as --key: {}", named.join(" ")));
    }
    let mut verifier = ExportVerifier::new(&contents, keyring.as_deref(), signers);
    for finding in findings {
        verifier.add_finding(finding);
    }
    for checkpoint in outside {
        verifier.add_external_checkpoint(checkpoint);
    }
    each_line(path, |line| verifier.line(line))?;
    let report = verifier.finish();
    print_line(&export_origin(&report));
    print_report(&report)
}

/// When the export was made, and which of the checkpoints from elsewhere apply to it.
fn export_origin(report: &VerificationReport) -> String {
    let Some((seq, at)) = report.exported else {
        return "It is unknown when the export was made: it has no last line with a valid signature. So a checkpoint \
                for later entries may be newer than the export, or the export may be cut off."
            .to_owned();
    };
    let made = format!("The export was made on {at} and ends at entry {seq}.");
    match report.newer {
        0 => made,
        newer => format!(
            "{made} {} from outside {} newer: later entries are not in the export and are not verified.",
            with_count(newer, "checkpoint", "checkpoints"),
            if newer == 1 { "is" } else { "are" },
        ),
    }
}

/// The keys with which an export is verified; `None` if none is known.
fn trusted(keyring: Option<&Keyring>, keys: &[String]) -> Result<Option<Vec<VerifyingKey>>, CommandError> {
    if let Some(keyring) = keyring {
        return Ok(Some(public_keys(keyring)?));
    }
    let parse = |key: &String| {
        parse_key(key).ok_or_else(|| {
            CommandError::Usage(format!("{key} is not a key: a key has 64 hexadecimal digits"))
        })
    };
    let keys = keys.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok((!keys.is_empty()).then_some(keys))
}

fn public_keys(keyring: &Keyring) -> Result<Vec<VerifyingKey>, CommandError> {
    Ok(keyring.signer(KeyPurpose::AuditMac).map_err(FlowError::from)?.verifying_keys())
}

/// Reads a file line by line. A line that is not UTF-8 is passed on as U+FFFD, which the verifier reports.
fn each_line(path: &Path, mut take: impl FnMut(&str)) -> Result<(), CommandError> {
    let failed = |error| CommandError::File(path.to_owned(), error);
    for line in BufReader::new(File::open(path).map_err(failed)?).split(b'\n') {
        take(std::str::from_utf8(&line.map_err(failed)?).unwrap_or("\u{fffd}"));
    }
    Ok(())
}

fn print_report(report: &VerificationReport) -> Result<(), CommandError> {
    let count = |kept| report.checkpoints.get(&kept).copied().unwrap_or(0);
    print_line(&format!(
        "{}, linked up to {}; {} to be linked. {} in the trail and {} from outside are valid.",
        with_count(report.entries, "entry", "entries"),
        report.last.seq,
        with_count(report.waiting, "waits", "wait"),
        with_count(count(CheckpointSource::Inside), "checkpoint", "checkpoints"),
        count(CheckpointSource::Outside),
    ));
    if let Some(pruned) = &report.pruned {
        print_line(&format!(
            "It begins after entry {}: the entries before were older than {} and were removed on {}.",
            pruned.link.seq, pruned.older_than, pruned.at
        ));
    }
    if report.lost > 0 {
        print_line(&format!(
            "{} entries that were lost when the database went back to an earlier state; an operator has accepted that, as \
             an entry `database_accepted` says.",
            with_count(report.lost, "checkpoint from outside covers", "checkpoints from outside cover")
        ));
    }
    if report.found == 0 {
        print_line("The audit trail is intact: no entry was changed, removed, moved or inserted.");
        return Ok(());
    }
    for finding in report.findings.iter().take(LISTED) {
        print_line(&format!("- {finding}"));
    }
    let more = report.found.saturating_sub(LISTED as u64);
    if more > 0 {
        print_line(&format!("… and {more} more"));
    }
    let is_unsigned = |finding: &AuditFinding| {
        matches!(finding, AuditFinding::Unsigned { kept: CheckpointSource::Outside, .. })
    };
    if report.findings.iter().any(is_unsigned) {
        print_line(
            "A checkpoints file without valid signatures may belong to another database, for example an earlier one. \
             If so, move the file away; the server begins a new one.",
        );
    }
    Err(CommandError::AuditTrailDamaged(report.found))
}

fn export(args: &ExportArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config.config)?;
    let out: Box<dyn Write> = match &args.out {
        Some(path) => Box::new(new_private_file(path)?),
        None => Box::new(std::io::stdout()),
    };
    let mut out = BufWriter::new(out);
    let entries = block_on(async {
        let environment = Environment::for_production_or_demo();
        let (store, keyring) = wiring::open_store(&configuration.settings, &environment).await?;
        let write = |line: &ExportLine| writeln!(out, "{}", line.write()?);
        let entries = chain::export(&store, &keyring, environment.clock.now(), write).await?;
        store.close().await;
        Ok(entries)
    })?;
    out.flush()?;
    if let Some(path) = &args.out {
        print_line(&format!("{entries} entries were exported to {}.", path.display()));
    }
    Ok(())
}

fn keys(args: &ConfigArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config)?;
    block_on(async move {
        let (store, keyring) =
            wiring::open_store(&configuration.settings, &Environment::for_production_or_demo()).await?;
        store.close().await;
        for key in public_keys(&keyring)? {
            print_line(&show_key(&key));
        }
        Ok(())
    })
}
