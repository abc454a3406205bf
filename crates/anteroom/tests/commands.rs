//! What commands say, as an operator reads it.
#![cfg(test)]

use anteroom_crypto::{MasterKey, Random};
use secrecy::ExposeSecret as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A migrated database, whose configuration has `more`.
fn installation(more: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("anteroom.db");
    let text = format!(
        "issuer = \"http://localhost:8080\"\ndatabase.url = \"sqlite:{}\"\nkeys.master_key_file = \"master.key\"\n{more}",
        database.display()
    );
    fs::write(folder.path().join("anteroom.toml"), text).unwrap();
    let key = MasterKey::generate(&Random::system()).encode();
    fs::write(folder.path().join("master.key"), key.expose_secret()).unwrap();
    said(folder.path(), &["migrate"], true);
    folder
}

/// Standard output and standard error of a command that succeeds, or does not.
fn said(folder: &Path, arguments: &[&str], succeeds: bool) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command.args(arguments).current_dir(folder).env("ANTEROOM_CONFIG", folder.join("anteroom.toml"));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, complaint) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.success(), succeeds, "{arguments:?}: {out}{complaint}");
    (out, complaint)
}

#[test]
fn check_warns_of_the_configuration_and_other_commands_do_not() {
    let folder = installation("include = [\"none*.toml\"]\n");
    assert!(said(folder.path(), &["check"], true).1.contains("an include that includes nothing"));
    for command in [&["user", "list"][..], &["keys", "list"], &["audit", "verify"], &["migrate"]] {
        let (_, complaint) = said(folder.path(), command, true);
        assert!(
            !complaint.contains("warning") && !complaint.contains("already exists"),
            "{command:?}: {complaint}"
        );
    }
}

#[test]
fn explain_says_where_a_message_is_that_is_not_sent() {
    for (more, expected) in [
        ("dev.outbox = true\n", "In the outbox (/dev/outbox): the invitation."),
        ("", "Waits, because [email] is not configured: the invitation."),
        ("email.host = \"localhost\"\nemail.from = \"a@practice.example\"\n", "Being sent: the invitation."),
    ] {
        let folder = installation(more);
        said(folder.path(), &["user", "invite", "maria@practice.example"], true);
        let (out, _) = said(folder.path(), &["explain", "maria@practice.example"], true);
        assert!(out.trim_end().ends_with(expected), "{out}");
    }
}

#[test]
fn what_names_no_account_is_told_with_both_that_do() {
    let folder = installation("");
    for (account, expected) in [
        ("4f37b911", "4f37b911 is neither an email address nor the identifier of an account"),
        ("maria@practice.example", "no account has the address"),
        ("4f37b911-0000-4000-8000-000000000000", "there is no account 4f37b911"),
    ] {
        let (_, complaint) = said(folder.path(), &["user", "show", account], false);
        assert!(complaint.contains(expected), "{complaint}");
    }
}
