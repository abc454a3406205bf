//! Trap: support is talked into resetting the wrong person's account.
#![cfg(test)]

use anteroom::cli::Cli;
use clap::{Command, CommandFactory as _};

/// Each command with all that it can be given.
fn each(command: &Command, path: &str, look: &mut impl FnMut(&str, &str)) {
    let path = format!("{path} {}", command.get_name());
    for argument in command.get_arguments() {
        look(&path, argument.get_id().as_str());
    }
    for below in command.get_subcommands() {
        each(below, &path, look);
    }
}

#[test]
fn trap_15_no_command_takes_or_shows_a_password_or_a_code() {
    let mut seen = Vec::new();
    each(&Cli::command(), "", &mut |path, argument| seen.push(format!("{path} --{argument}")));
    assert!(seen.iter().any(|one| one.ends_with("user phone --number")), "{seen:?}");
    for one in &seen {
        for word in ["password", "passwd", "code", "otp", "pin", "link", "token", "unlock", "verify-phone"] {
            assert!(!one.contains(word), "{one}: only the person sets, sees or skips it");
        }
    }
}
