//! Parses the command line and runs the command that it names.

use anteroom_oidc::display_text::is_hidden;
use clap::Parser as _;
use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::commands::{self, shown};

/// Prints clap's error and exits. clap repeats the arguments as they are, so hidden characters are escaped first.
fn refused(error: &clap::Error) -> ! {
    let hidden: Vec<String> = std::env::args().filter(|argument| argument.contains(is_hidden)).collect();
    if hidden.is_empty() {
        error.exit();
    }
    let plain = |text: String, argument: &String| text.replace(argument, &shown::argument(argument));
    commands::print_usage_error(&hidden.iter().fold(error.render().to_string(), plain));
    std::process::exit(error.exit_code());
}

pub fn run() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| refused(&error));
    let result = match cli.command {
        Command::Serve(args) => commands::serve::run(&args),
        #[cfg(feature = "demo")]
        Command::Demo(args) => crate::demo::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Migrate(args) => commands::migrate::run(&args),
        Command::Backup(args) => commands::backup::run(&args),
        Command::User(command) => commands::user::run(command),
        Command::Client(command) => commands::client::run(command),
        Command::Keys(command) => commands::keys::run(command),
        Command::Audit(command) => commands::audit::run(command),
        Command::Database(command) => commands::database::run(command),
        Command::Explain(args) => commands::explain::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::print_error(&error);
            ExitCode::FAILURE
        }
    }
}
