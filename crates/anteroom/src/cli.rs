//! The command line.

use anteroom_domain::profile::language_tag;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// An OpenID Connect provider for the portals of dental and medical practices.
#[derive(Debug, Parser)]
#[command(name = "anteroom", version, about)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the OpenID Provider with this configuration, until it is stopped.
    Serve(ConfigArgs),
    /// Start everything on this machine, with sample accounts and applications.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Check a configuration and report all errors.
    Check(CheckArgs),
    /// Bring the database to this release's schema; a new database gets its keys.
    Migrate(ConfigArgs),
    /// Copy an SQLite database into a new file, even while it is served.
    Backup(BackupArgs),
    /// People's accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Clients: secrets, self-registered clients, grants.
    #[command(subcommand)]
    Client(ClientCommand),
    /// The master key and the signing keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The audit trail: verify or export it.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// A database that was restored to an earlier state.
    #[command(subcommand)]
    Database(DatabaseCommand),
    /// Explain an error page by its reference, or list what happened to an account.
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file.
    #[arg(long, env = "ANTEROOM_CONFIG", default_value = "config/anteroom.toml")]
    pub config: PathBuf,
}

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The new file; must not exist yet. It has everything but the master key.
    pub file: PathBuf,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Also check external services: each `sector_identifier_uri` must list the client's redirect URIs, `jwks_uri` must
    /// have keys, and `backchannel_logout_uri` must respond. It signs in to the mail server and connects to the
    /// provider of texts and calls; no message is sent.
    #[arg(long)]
    pub online: bool,
    /// Also open the database and check its kind, its schema, and whether the master key fits. Nothing in it is
    /// changed.
    #[arg(long)]
    pub database: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The port of the provider, on loopback.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Keep the data in this folder; without it they are deleted when the demo ends.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// A file with your own `[[clients]]` and `[[groups]]`, as in a configuration; may be given several times.
    #[arg(long = "client", value_name = "FILE")]
    pub clients: Vec<PathBuf>,
    /// Let clients register themselves at `/clients`.
    #[arg(long)]
    pub registration: bool,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Invite an address; the person completes their registration themselves.
    Invite(InviteArgs),
    /// List all accounts.
    List(ConfigArgs),
    /// Show one account, by its address or by the identifier in the log.
    Show(ShowArgs),
    /// Disable an account: its sessions end and its tokens become invalid.
    Disable(AddressArgs),
    /// Enable a disabled account again.
    Enable(AddressArgs),
    /// Add an account to a group, or take it out.
    Group(GroupArgs),
    /// Add a phone whose number the person gave you in person. Codes are sent to it after a delay, and every address of
    /// the account is notified at once.
    Phone(PhoneArgs),
    /// Show the claims about an account that clients can receive.
    Claims(ShowClaimsArgs),
    /// Set profile claims of an account: name=value; an empty value removes the claim.
    SetClaims(SetClaimsArgs),
    /// Mail a password reset link; the person sets the new password themselves.
    SendReset(AddressArgs),
}

#[derive(Debug, Args)]
pub struct InviteArgs {
    pub email: String,
    #[arg(long)]
    pub given_name: Option<String>,
    #[arg(long)]
    pub family_name: Option<String>,
    /// A group of the new account; may be given several times.
    #[arg(long = "group")]
    pub groups: Vec<String>,
    /// The person's language, such as `es` or `es-MX`. Mails use the closest language of the theme.
    #[arg(long, value_parser = language)]
    pub locale: Option<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct ShowClaimsArgs {
    pub email: String,
    /// Show the claims as this client receives them, with its `sub` for the account.
    #[arg(long)]
    pub client: Option<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct SetClaimsArgs {
    pub email: String,
    /// Such as `birthdate=1984-02-29` or `address.locality=Springfield`.
    #[arg(required = true, value_name = "NAME=VALUE")]
    pub claims: Vec<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    #[arg(value_name = "EMAIL|ACCOUNT")]
    pub account: String,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct AddressArgs {
    pub email: String,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct PhoneArgs {
    pub email: String,
    /// In any usual notation: "(202) 555-0143".
    pub number: String,
    /// The kind of phone: a cell phone gets texts and calls, a landline only calls.
    #[arg(long, value_enum)]
    pub kind: PhoneKindArg,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum PhoneKindArg {
    Cell,
    Landline,
}

#[derive(Debug, Args)]
pub struct GroupArgs {
    /// add or remove.
    #[arg(value_enum)]
    pub change: GroupChange,
    pub email: String,
    pub group: String,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum GroupChange {
    Add,
    Remove,
}

#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Make a new client secret or initial access token, in a file that only its owner can read.
    Secret {
        /// The new file, as `secret_file` of a client or `registration.initial_access_token_file` names it; must not
        /// exist yet.
        file: PathBuf,
    },
    /// List clients that registered themselves, oldest first: identifier, time, name, first redirect URI.
    List(ConfigArgs),
    /// Remove a self-registered client; all its grants end.
    Remove {
        /// The client's identifier.
        client: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// End all grants of a client at once: its refresh tokens and access tokens become invalid, and people have to sign
    /// in to it again. Also works for a client that is no longer in the configuration.
    EndGrants {
        /// The client's identifier.
        client: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make the master key in the configured file.
    Init(ConfigArgs),
    /// List the keys that sign tokens and those that decrypt requests.
    List(ConfigArgs),
    /// Publish new keys now, and sign with them as soon as every client has had time to fetch them.
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub struct RotateArgs {
    /// The old keys may be compromised: sign with new ones at once and remove the old ones from the JWKS. Clients accept their
    /// signatures until they fetch the JWKS again.
    #[arg(long)]
    pub compromised: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check whether audit entries were changed, removed, moved or inserted.
    Verify(VerifyArgs),
    /// Export the whole audit trail, one JSON object a line.
    Export(ExportArgs),
    /// Print the public keys that verify the checkpoints.
    Keys(ConfigArgs),
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Verify this export instead of the database, which is not opened unless --with-master-key is given.
    #[arg(long)]
    pub export: Option<PathBuf>,
    /// A checkpoints file, or a copy of one; may be given several times. The default is this node's file.
    #[arg(long)]
    pub checkpoints: Vec<PathBuf>,
    /// A public key of the checkpoints, as printed by `anteroom audit keys`; may be given several times.
    #[arg(long = "key", requires = "export", conflicts_with = "with_master_key")]
    pub keys: Vec<String>,
    /// Also check the MACs of an export; this needs the configuration, the master key and the database.
    #[arg(long, requires = "export")]
    pub with_master_key: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The new file; must not exist yet. The default is standard output.
    #[arg(long)]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Subcommand)]
pub enum DatabaseCommand {
    /// Accept a database that was restored to an earlier state. Without --yes it only prints the consequences. All
    /// sessions and tokens end, and everyone has to sign in again.
    Accept(AcceptArgs),
}

#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// Accept the database.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The reference on an error page, or the email address of an account.
    pub what: String,
    /// How many of an account's latest entries to show.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub last: u64,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// A language tag, as in the claim `locale`.
fn language(text: &str) -> Result<String, String> {
    language_tag(text).ok_or_else(|| "not a language tag, such as en or es-MX".to_owned())
}
