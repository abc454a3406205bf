//! `anteroom`: one binary, run by operators.

use std::process::ExitCode;

fn main() -> ExitCode {
    anteroom::run::run()
}
