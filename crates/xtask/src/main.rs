//! The developers' commands: `cargo xtask test` runs everything the project is held to and provides what that needs,
//! `cargo xtask tidy` holds the source tree to its own rules.

#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

mod failure;
mod metadata;
mod programs;
mod service;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [--only STEP]... [--skip STEP]... [--list]
    Runs every check and test; installs what they need on Debian.
cargo xtask tidy
    Holds the source tree to its own rules.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((command, rest)) if command == "test" => test::run(rest),
        Some((command, [])) if command == "tidy" => tidy::run(),
        _ => {
            print!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}
