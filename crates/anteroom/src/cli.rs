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
    /// Serve with a configuration.
    Serve(ConfigArgs),
    /// Start everything on this machine, with sample accounts and applications.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Check a configuration, and say all that is wrong with it.
    Check(CheckArgs),
    /// Bring the database to this release's schema; a new one gets its keys.
    Migrate(ConfigArgs),
    /// Copy an SQLite database into a new file, also while it is served.
    Backup(BackupArgs),
    /// People's accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Clients: secrets, own registrations, what people granted.
    #[command(subcommand)]
    Client(ClientCommand),
    /// The master key and the signing keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The audit trail: whether it is whole, and a copy of it.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// A database that went back to an earlier state.
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
    /// The file; must not exist yet. It holds everything but the master key.
    pub file: PathBuf,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Also look at what clients publish: each `sector_identifier_uri` must list the client's redirect URIs, keys must be at
    /// `jwks_uri`, and something must answer at `backchannel_logout_uri`. The mail server is signed in to, and the
    /// provider of texts and calls is connected to; no message is sent.
    #[arg(long)]
    pub online: bool,
    /// Also open the database, and say whether it is the right one: its kind, its schema, whether the master key fits it.
    /// Nothing in it is changed.
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
    /// Keep the data here; without it they go when the demo ends.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// A file with `[[clients]]` and `[[groups]]` of your own, as in a configuration; may be given several times.
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
    /// Show one account, by its address or the identifier that the log names.
    Show(ShowArgs),
    /// Disable an account: its sessions end and its tokens are worth nothing.
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
    SetClaims(ClaimsArgs),
    /// Mail the link of a password reset; the person finishes it themselves.
    SendReset(AddressArgs),
}

#[derive(Debug, Args)]
pub struct InviteArgs {
    pub email: String,
    #[arg(long)]
    pub given_name: Option<String>,
    #[arg(long)]
    pub family_name: Option<String>,
    /// May be given several times.
    #[arg(long = "group")]
    pub groups: Vec<String>,
    /// The person's language, such as `es` or `es-MX`. Mails are in the nearest one that the theme has.
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
pub struct ClaimsArgs {
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
    /// As people write it: "(202) 555-0143".
    pub number: String,
    /// What can be sent there: texts only to a cell phone, calls to both.
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
    /// Make a new secret and write it to a file that only its owner can read: a client's, or an initial access token.
    Secret {
        /// The file that `secret_file` of a client names, or `registration.initial_access_token_file`; must not exist yet.
        file: PathBuf,
    },
    /// Clients that registered themselves, oldest first: identifier, when, name, first redirect URI.
    List(ConfigArgs),
    /// Take back a client's own registration; what people granted to it ends.
    Remove {
        /// Its identifier.
        client: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// End everything that people granted to a client, at once: its refresh tokens and access tokens are worth nothing, and
    /// people sign in to it anew. Also for a client that is not in the configuration any more.
    EndGrants {
        /// Its identifier.
        client: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make the master key, in the file that the configuration names.
    Init(ConfigArgs),
    /// List the keys that sign tokens and those that decrypt requests.
    List(ConfigArgs),
    /// Publish new keys now, and sign with them as soon as every application has had time to see them.
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub struct RotateArgs {
    /// The old keys may be compromised: sign with new ones at once and remove the old ones from the JWKS, so that their
    /// signatures are no longer accepted.
    #[arg(long)]
    pub compromised: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Find out whether anything in the trail was changed, removed, moved or put in.
    Verify(VerifyArgs),
    /// Write out the whole trail, one JSON object a line.
    Export(ExportArgs),
    /// Print the public keys of the checkpoints' signatures.
    Keys(ConfigArgs),
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Verify this export instead of the database, which is not opened unless --with-master-key is given.
    #[arg(long)]
    pub export: Option<PathBuf>,
    /// A checkpoints file, or a copy of one; may be given several times. Without it, the one of this node.
    #[arg(long)]
    pub checkpoints: Vec<PathBuf>,
    /// A public key of the checkpoints, as `anteroom audit keys` prints it; may be given several times.
    #[arg(long = "key", requires = "export", conflicts_with = "with_master_key")]
    pub keys: Vec<String>,
    /// Check the MACs of an export too: for that the configuration, its master key and the database are needed.
    #[arg(long, requires = "export")]
    pub with_master_key: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file; must not exist yet. Without it the trail goes to standard output.
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
    /// Do it.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The reference on an error page, or the address of an account.
    pub what: String,
    /// How many entries of an account, the latest ones.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub last: u64,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// As the claim `locale` has it.
fn language(text: &str) -> Result<String, String> {
    language_tag(text).ok_or_else(|| "not a language tag, such as en or es-MX".to_owned())
}
