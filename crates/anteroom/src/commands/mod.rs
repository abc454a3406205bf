//! The commands, one file each, and their common functions.

pub mod audit;
pub mod backup;
pub mod check;
mod check_database;
pub mod client;
pub mod database;
pub mod explain;
pub mod keys;
pub mod migrate;
pub mod serve;
pub mod shown;
pub mod text_lengths;
pub mod user;

use anteroom_config::{Configuration, Diagnostics};
use anteroom_domain::database_rollback::DatabaseRollback;
use anteroom_flows::audit::chain::ExportError;
use anteroom_flows::people::admin::AdminError;
use anteroom_flows::people::support::SupportError;
use anteroom_pages::RenderError;
use anteroom_storage::{BackupError, StoreError};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fs::File;
use std::future::Future;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anteroom_server::wiring::WiringError;

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("the configuration has errors\n{0}")]
    Configuration(String),
    #[error(transparent)]
    Wiring(#[from] WiringError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error(transparent)]
    Support(#[from] SupportError),
    #[error("cannot listen on {0} (server.listen): {1}{help}", help = listen_help(.1))]
    Listen(SocketAddr, std::io::Error),
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    #[error("{0} already exists and is not overwritten")]
    Exists(PathBuf),
    #[error("the folder {0} does not exist: create it, readable only by the user that runs `anteroom serve`")]
    NoFolder(PathBuf),
    #[error("the audit trail is damaged: {}", with_count(*.0, "finding", "findings"))]
    AuditTrailDamaged(u64),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("a text message could not be rendered: {0}")]
    Text(#[from] RenderError),
    #[error("checks of external services failed\n{0}")]
    Online(String),
    #[error(
        "the database went back to an earlier state: {0}. It is not changed until an operator accepts it; see \
         `anteroom database accept`"
    )]
    WentBack(DatabaseRollback),
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn listen_help(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            ". Another process uses it, perhaps another `anteroom serve`: `ss -ltnp` shows which"
        }
        std::io::ErrorKind::AddrNotAvailable => {
            ". No interface of this machine has this address: `ip address` lists the addresses"
        }
        std::io::ErrorKind::PermissionDenied => {
            ". Ports below 1024 need the capability CAP_NET_BIND_SERVICE (`AmbientCapabilities=` of systemd), or a proxy in front"
        }
        _ => "",
    }
}

impl From<anteroom_flows::error::FlowError> for CommandError {
    fn from(error: anteroom_flows::error::FlowError) -> Self {
        Self::Wiring(error.into())
    }
}

impl CommandError {
    fn configuration(problems: &Diagnostics) -> Self {
        Self::Configuration(problems.render(std::io::stderr().is_terminal()))
    }
}

/// Prints an error to the person at the shell.
pub fn print_error(error: &CommandError) {
    let text = error.to_string();
    // Diagnostics have colors on a terminal.
    let is_rendered = matches!(error, CommandError::Configuration(_) | CommandError::Online(_));
    let text = if is_rendered { text } else { shown::lines(&text) };
    let _ = writeln!(std::io::stderr(), "anteroom: {text}");
}

/// Prints an error about arguments that cannot be parsed.
pub fn print_usage_error(text: &str) {
    let _ = write!(std::io::stderr(), "{}", shown::lines(text));
}

/// Prints a warning.
pub fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "warning: {}", shown::lines(text));
}

/// Prints an explanation to standard error: a program that reads the output must not get it.
pub fn print_note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", shown::lines(text));
}

/// Prints a line to standard output; if the pipe is closed, the command ends.
pub fn print_line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", shown::lines(text));
}

/// `1 client`, `2 clients`.
pub fn with_count(count: impl TryInto<u64>, one: &str, more: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        count => format!("{count} {more}"),
    }
}

/// A time in the practice's time zone, the same in each command.
pub fn shown_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// Loads the configuration. Its warnings are left to `check` and `serve`: they would stand before the output of every command.
pub fn load(path: &Path) -> Result<Configuration, CommandError> {
    let configuration = Configuration::load(path, &|name| std::env::var(name).ok());
    configuration.map_err(|problems| CommandError::configuration(&problems))
}

/// Loads the configuration and prints its warnings.
pub fn load_and_warn(path: &Path) -> Result<Configuration, CommandError> {
    let configuration = load(path)?;
    if !configuration.warnings.is_empty() {
        let _ =
            writeln!(std::io::stderr(), "{}", configuration.warnings.render(std::io::stderr().is_terminal()));
    }
    Ok(configuration)
}

pub fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(work)
}

/// Writes a new file that only its owner can read. Fails if it exists.
pub fn write_secret_file(path: &Path, text: &str) -> Result<(), CommandError> {
    let mut file = new_private_file(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| CommandError::File(path.to_owned(), error))
}

/// Creates a file that only its owner can read, and opens it for writing. Fails if it exists.
pub fn new_private_file(path: &Path) -> Result<File, CommandError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| match (error.kind(), path.parent()) {
        (std::io::ErrorKind::AlreadyExists, _) => CommandError::Exists(path.to_owned()),
        (std::io::ErrorKind::NotFound, Some(folder)) => CommandError::NoFolder(folder.to_owned()),
        _ => CommandError::File(path.to_owned(), error),
    })
}
