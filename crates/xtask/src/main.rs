//! The developers' commands: `cargo xtask test` runs every check and test and provides what they need, `cargo xtask
//! tidy` checks the rules of the source tree, `cargo xtask timing` measures whether response times reveal anything.

#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

mod failure;
mod metadata;
mod programs;
mod service;
mod test;
mod tidy;
mod timing;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [--only STEP]... [--skip STEP]... [--list]
    Runs every check and test; installs what they need on Debian.
cargo xtask tidy
    Holds the source tree to its own rules.
cargo xtask timing [--binary PATH] [--samples N] [--asks 1,14,58] [--floor 0s]
    Measures whether the time of answers tells which addresses are known; builds a release where none is named.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((command, rest)) if command == "test" => test::run(rest),
        Some((command, [])) if command == "tidy" => tidy::run(),
        Some((command, rest)) if command == "timing" => timing::run_with(rest),
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
