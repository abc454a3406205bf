//! The commands of the audit trail as an operator runs them, on intact trails and on damaged ones.
#![cfg(test)]

use anteroom_config::Configuration;
use anteroom_crypto::{MasterKey, Random};
use anteroom_domain::account::Profile;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::reference::RequestReference;
use anteroom_domain::sign_in::SignInRefusal;
use anteroom_flows::audit::chain::CheckpointTime;
use anteroom_flows::audit::context::AuditContext;
use anteroom_flows::context::call::Call;
use anteroom_flows::context::provider::Provider;
use anteroom_flows::error::FlowError;
use anteroom_flows::people::admin::{self, Invitee};
use anteroom_server::background::extend_chain;
use anteroom_server::logging::text;
use anteroom_server::wiring::{self, Environment};
use secrecy::ExposeSecret as _;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const ADDRESS: &str = "maria@practice.example";

struct Installation {
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

/// What a command said, and whether it was content.
struct CommandOutput {
    succeeded: bool,
    out: String,
    complaint: String,
}

impl Installation {
    /// A migrated database with a trail of some entries and two checkpoints, the second at its end.
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let installation = Self { folder: tempfile::tempdir().unwrap(), runtime };
        let text = format!(
            "issuer = \"http://localhost:8080\"\ndatabase.url = \"sqlite:{}\"\nkeys.master_key_file = \"master.key\"\n\
             practice.time_zone = \"America/Chicago\"\n",
            installation.path("anteroom.db").display()
        );
        fs::write(installation.path("anteroom.toml"), text).unwrap();
        let key = MasterKey::generate(&Random::system()).encode();
        fs::write(installation.path("master.key"), key.expose_secret()).unwrap();
        assert!(installation.run(&["migrate"]).succeeded);
        installation.work(async |provider, file| {
            invite(provider).await;
            extend_chain(provider, Some(&file), CheckpointTime::Now).await.unwrap();
            refuse(provider, SignInRefusal::WrongPassword, 3).await;
            extend_chain(provider, Some(&file), CheckpointTime::Due).await.unwrap();
            extend_chain(provider, Some(&file), CheckpointTime::Now).await.unwrap();
        });
        installation
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> CommandOutput {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
        command.args(arguments).current_dir(self.folder.path());
        let output = command.env("ANTEROOM_CONFIG", self.path("anteroom.toml")).output().unwrap();
        CommandOutput {
            succeeded: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            complaint: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// With the provider of this installation, and its checkpoints file.
    fn work(&self, work: impl AsyncFnOnce(&Arc<Provider>, PathBuf)) {
        self.runtime.block_on(async {
            let configuration = Configuration::load(&self.path("anteroom.toml"), &|_| None);
            let configuration = configuration.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
            let environment = Environment { may_make_keys: true, ..Environment::production() };
            let provider = Arc::new(wiring::provider(&configuration, &environment).await.unwrap());
            work(&provider, self.path("anteroom.checkpoints.jsonl")).await;
            provider.store.close().await;
        });
    }

    /// With a tool for files, past the database: everywhere, since pages keep older copies of a row.
    fn tamper(&self, from: &[u8], to: &[u8]) {
        let mut bytes = fs::read(self.path("anteroom.db")).unwrap();
        let mut found = 0;
        for place in 0..bytes.len() - from.len() {
            if bytes[place..].starts_with(from) {
                bytes[place..place + to.len()].copy_from_slice(to);
                found += 1;
            }
        }
        assert!(found > 0);
        fs::write(self.path("anteroom.db"), bytes).unwrap();
    }

    /// The lines of a new export in `name`.
    fn export(&self, name: &str) -> Vec<String> {
        let output = self.run(&["audit", "export", "--out", name]);
        assert!(output.succeeded, "{}", output.complaint);
        fs::read_to_string(self.path(name)).unwrap().lines().map(str::to_owned).collect()
    }

    fn write(&self, name: &str, lines: &[String]) {
        fs::write(self.path(name), lines.join("\n") + "\n").unwrap();
    }
}

async fn invite(provider: &Arc<Provider>) {
    let invitee = Invitee {
        address: EmailAddress::parse(ADDRESS).unwrap(),
        profile: Profile::default(),
        groups: BTreeSet::new(),
        locale: None,
    };
    admin::invite(&Call::local(provider), invitee).await.unwrap();
}

fn reference() -> RequestReference {
    RequestReference::from_random([1, 2, 3, 4, 5])
}

async fn refuse(provider: &Arc<Provider>, refusal: SignInRefusal, failures: u32) {
    let account = admin::find(&Call::local(provider), &EmailAddress::parse(ADDRESS).unwrap()).await.unwrap();
    let mut audit = AuditContext::local(provider.clock.now(), &provider.random);
    audit.address = Some("203.0.113.9".parse().unwrap());
    audit.reference = Some(reference());
    let entry = audit.entry(Actor::Anonymous, Event::sign_in_refused(refusal, failures)).about(account.id);
    let write = provider.store.write(move |tx| {
        let entry = entry.clone();
        async move { Ok::<_, FlowError>(tx.append(&entry).await?) }
    });
    write.await.unwrap();
}

#[test]
fn a_whole_trail_is_said_to_be_whole() {
    let installation = Installation::new();
    let output = installation.run(&["audit", "verify"]);
    assert!(output.succeeded, "{}{}", output.out, output.complaint);
    assert!(
        output.out.contains("0 wait to be linked. 2 checkpoints in the trail and 2 from outside are valid."),
        "{}",
        output.out
    );
    assert!(output.out.contains("The audit trail is intact"));

    let lines = installation.export("trail.jsonl");
    assert!(lines.last().unwrap().starts_with("{\"end\":{\"seq\":"));
    let key = installation.run(&["audit", "keys"]).out;
    for more in [
        &[][..],
        &["--with-master-key"],
        &["--key", key.trim()],
        &["--checkpoints", "anteroom.checkpoints.jsonl"],
    ] {
        let output = installation.run(&[&["audit", "verify", "--export", "trail.jsonl"], more].concat());
        assert!(output.succeeded, "{more:?}: {}{}", output.out, output.complaint);
    }
    let other = "0".repeat(64);
    let output = installation.run(&["audit", "verify", "--export", "trail.jsonl", "--key", &other]);
    assert!(!output.succeeded && output.out.contains("has no good signature"), "{}", output.out);
    assert!(
        !installation.run(&["audit", "export", "--out", "trail.jsonl"]).succeeded,
        "never over another file"
    );
}

#[test]
fn a_changed_byte_in_the_database_is_named() {
    let installation = Installation::new();
    installation.tamper(br#""failures":3"#, br#""failures":2"#);
    let output = installation.run(&["audit", "verify"]);
    assert!(!output.succeeded);
    assert!(output.out.contains("was altered, or not written by Anteroom"), "{}", output.out);
    assert!(output.complaint.contains("the audit trail is damaged: 1 finding"), "{}", output.complaint);
}

/// No text at all in the place of one: the entry cannot be read, and the others are verified all the same.
#[test]
fn an_unreadable_entry_is_named() {
    let installation = Installation::new();
    installation.tamper(b"account_invited", b"\xe1ccount_invited");
    let output = installation.run(&["audit", "verify"]);
    assert!(!output.succeeded, "{}", output.out);
    assert!(
        output.out.contains("there is something in its place that cannot be read"),
        "{}{}",
        output.out,
        output.complaint
    );
}

/// A database put back as it was before: good in itself, and cut off all the same.
#[test]
fn a_database_put_back_is_found_by_the_checkpoints_file() {
    let installation = Installation::new();
    fs::copy(installation.path("anteroom.db"), installation.path("before.db")).unwrap();
    installation.work(async |provider, file| {
        refuse(provider, SignInRefusal::WrongPassword, 4).await;
        extend_chain(provider, Some(&file), CheckpointTime::Now).await.unwrap();
    });
    assert!(installation.run(&["audit", "verify"]).succeeded);
    fs::copy(installation.path("before.db"), installation.path("anteroom.db")).unwrap();
    let output = installation.run(&["audit", "verify"]);
    assert!(!output.succeeded);
    assert!(output.out.contains("a checkpoint in the checkpoints file has seen entry"), "{}", output.out);
}

/// The trail went on after it was exported.
#[test]
fn an_export_older_than_the_newest_checkpoint_is_whole() {
    let installation = Installation::new();
    let lines = installation.export("trail.jsonl");
    installation.work(async |provider, file| {
        refuse(provider, SignInRefusal::WrongPassword, 4).await;
        extend_chain(provider, Some(&file), CheckpointTime::Now).await.unwrap();
    });
    let verify = |name| {
        let with = ["--checkpoints", "anteroom.checkpoints.jsonl"];
        installation.run(&[&["audit", "verify", "--export", name], &with[..]].concat())
    };
    let output = verify("trail.jsonl");
    assert!(output.succeeded, "{}", output.out);
    assert!(output.out.contains("The export was made on "), "{}", output.out);
    assert!(output.out.contains("1 checkpoint from outside is newer"), "{}", output.out);
    // One whose last line is gone may be any.
    installation.write("damaged.jsonl", &lines[..lines.len() - 1]);
    let output = verify("damaged.jsonl");
    assert!(!output.succeeded && output.out.contains("it was cut off"), "{}", output.out);
    assert!(output.out.contains("It is unknown when the export was made"), "{}", output.out);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_start_without_the_checkpoints_file_says_so() {
    let installation = Installation::new();
    let file = installation.path("anteroom.checkpoints.jsonl");
    let said_at_start = || {
        let log = Log::default();
        let writer = log.clone();
        let _guard = tracing::subscriber::set_default(text("warn", move || writer.clone(), false));
        installation.work(async |_, _| {});
        let output = log.0.lock().unwrap().clone();
        String::from_utf8(output).unwrap()
    };
    assert!(!said_at_start().contains("checkpoints file"), "it is there");
    fs::write(&file, "").unwrap();
    assert!(said_at_start().contains("the checkpoints file is missing or has no checkpoint"));
    fs::remove_file(&file).unwrap();
    assert!(said_at_start().contains("the checkpoints file is missing or has no checkpoint"));
}

#[test]
fn the_checkpoints_of_another_database_are_told_as_such() {
    let (other, installation) = (Installation::new(), Installation::new());
    fs::copy(other.path("anteroom.checkpoints.jsonl"), installation.path("anteroom.checkpoints.jsonl"))
        .unwrap();
    let output = installation.run(&["audit", "verify"]);
    assert!(!output.succeeded);
    assert!(
        output.out.contains("may belong to another database") && output.out.contains("move the file away"),
        "{}",
        output.out
    );
    fs::remove_file(installation.path("anteroom.checkpoints.jsonl")).unwrap();
    assert!(installation.run(&["audit", "verify"]).succeeded);
}

#[test]
fn damage_of_an_export_is_named() {
    let installation = Installation::new();
    let lines = installation.export("trail.jsonl");
    let verify = |lines: &[String]| {
        installation.write("damaged.jsonl", lines);
        let output = installation.run(&["audit", "verify", "--export", "damaged.jsonl"]);
        assert!(!output.succeeded, "{}", output.out);
        output.out
    };
    assert!(verify(&[&lines[..1], &lines[2..]].concat()).contains("entry 2 is missing"));
    assert!(verify(&lines[..2]).contains("the export has no last line: it was cut off after entry 2"));
    let mut swapped = lines.clone();
    swapped.swap(0, 1);
    assert!(verify(&swapped).contains("entry 1 ("));
    let mut doubled = lines.clone();
    doubled.insert(1, lines[0].clone());
    assert!(verify(&doubled).contains("entry 1 ("));
    let mut spaced = lines;
    spaced[1].push(' ');
    assert!(verify(&spaced).contains("line 2 of the export is not as it was written"));
}

#[test]
fn explaining_reads_the_trail_aloud() {
    let installation = Installation::new();
    let output = installation.run(&["explain", ADDRESS]);
    assert!(output.succeeded, "{}", output.complaint);
    let lines: Vec<_> = output.out.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines[0], "maria@practice.example is invited, not locked.");
    assert!(lines[1].contains("Was invited, into no group. [maria@practice.example, by an operator"));
    assert!(lines[2].contains("Sign-in refused: the password was wrong (3 of 5 forgiven). [maria@practice.example, from 203.0.113.9, reference"));
    assert!(lines[1].contains(" CST ") || lines[1].contains(" CDT "), "the practice's time: {}", lines[1]);
    assert!(lines[3].ends_with("Waits, because [email] is not configured: the invitation."), "{}", lines[3]);
    assert_eq!(lines.len(), 4);

    let last = installation.run(&["explain", ADDRESS, "--last", "1"]);
    assert!(last.out.contains("Sign-in refused") && !last.out.contains("Was invited"));

    let output = installation.run(&["explain", &reference().to_string().to_lowercase()]);
    assert!(output.succeeded && output.out.contains("3 of 5 forgiven"), "{}", output.out);
    for (what, complaint) in [
        ("K7QF-3M2X", "no audit entry has the reference K7QF-3M2X"),
        ("K7QF-3M2X", "journalctl -u anteroom --grep=K7QF-3M2X"),
        ("nobody@practice.example", "no account has the address \"nobody@practice.example\""),
        ("not a reference", "neither a reference"),
        ("\u{1b}[2J\r\nanteroom: fine \u{202e}", "\\u{1b}[2J\\r\\nanteroom: fine \\u{202e} is neither"),
        ("\u{1b}@\u{202e}", "\\u{1b}@\\u{202e}: "),
    ] {
        let output = installation.run(&["explain", what]);
        assert!(!output.succeeded && output.complaint.contains(complaint), "{}", output.complaint);
    }
}

#[test]
fn times_are_shown_in_the_zone_of_the_practice() {
    let installation = Installation::new();
    for (arguments, label) in [
        (&["user", "show", ADDRESS][..], "since "),
        (&["keys", "list"][..], "RS256"),
        (&["database", "accept"][..], "ends with entry"),
        (&["database", "accept"][..], "anteroom.checkpoints.jsonl has entries up to"),
    ] {
        let output = installation.run(arguments);
        let line = output.out.lines().find(|line| line.contains(label));
        let line = line.unwrap_or_else(|| panic!("{label}: {} {}", output.out, output.complaint));
        assert!(line.contains(" CST") || line.contains(" CDT"), "{line}");
    }
}

#[test]
fn accepting_says_what_was_looked_at() {
    let installation = Installation::new();
    let output = installation.run(&["database", "accept"]);
    assert!(output.out.contains("No node has recorded in this database"), "{}", output.out);
    assert!(output.out.contains("Other nodes' files and logs"), "{}", output.out);
    fs::remove_file(installation.path("anteroom.checkpoints.jsonl")).unwrap();
    let output = installation.run(&["database", "accept"]);
    assert!(output.out.contains("is missing or empty: the database was not compared"), "{}", output.out);
}

#[test]
fn check_warns_where_a_server_database_has_no_checkpoints_file() {
    const GAP: &str = "[audit] checkpoints_file is not set";
    let installation = Installation::new();
    let text = fs::read_to_string(installation.path("anteroom.toml")).unwrap();
    assert!(!installation.run(&["check"]).complaint.contains(GAP));
    let url = text.lines().find(|line| line.starts_with("database.url")).unwrap();
    let on_a_server =
        text.replace(url, "database.url = \"postgres://anteroom@db.practice.example/anteroom\"");
    fs::write(installation.path("anteroom.toml"), &on_a_server).unwrap();
    let output = installation.run(&["check"]);
    assert!(output.complaint.contains(GAP), "{}", output.complaint);
    fs::write(
        installation.path("anteroom.toml"),
        on_a_server + "audit.checkpoints_file = \"checkpoints.jsonl\"\n",
    )
    .unwrap();
    assert!(!installation.run(&["check"]).complaint.contains(GAP));
}
