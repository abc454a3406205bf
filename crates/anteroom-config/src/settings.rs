//! What a configuration says, as validated values for the other crates.

use anteroom_domain::account::GroupName;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::client::{ClientPolicy, ClientVersion};
use anteroom_domain::client_registration::RegistrationPolicy;
use anteroom_domain::phone::E164;
use anteroom_domain::policy::Policy;
use anteroom_oidc::{ClientMetadata, Issuer, SigningAlgorithm};
use ipnet::IpNet;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

#[derive(Clone, Debug)]
pub struct Settings {
    pub issuer: Issuer,
    pub practice: Practice,
    pub server: Server,
    pub database: Database,
    pub keys: KeySettings,
    pub profile: PolicyProfile,
    pub policy: Policy,
    pub registration: Registration,
    pub hashing: Hashing,
    pub outgoing: OutgoingSettings,
    pub theme: ThemeSettings,
    pub audit: Audit,
    /// None: nothing takes emails.
    pub email: Option<EmailSettings>,
    pub twilio: Option<TwilioSettings>,
    pub text: Option<PhoneProviderSettings>,
    pub voice: Option<PhoneProviderSettings>,
    pub dev: Dev,
    pub log: Log,
    pub groups: Vec<Group>,
    pub clients: Vec<ClientSettings>,
}

#[derive(Clone, Debug)]
pub struct Practice {
    pub name: String,
    /// Whom to ask, as people are told.
    pub support_contact: Option<String>,
    pub time_zone: TimeZone,
    /// BCP 47.
    pub default_locale: String,
}

#[derive(Clone, Debug)]
pub struct Server {
    pub listen: SocketAddr,
    pub trusted_proxies: Vec<IpNet>,
    pub request_timeout: SignedDuration,
    /// Bytes.
    pub max_body: u32,
    /// None: TLS ends at a proxy in front.
    pub tls: Option<ServerTls>,
}

/// Files in PEM. They are read where they are used, again and again: they change while the server runs.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// The server's own, then those that lead up to its authority.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug)]
pub struct Database {
    /// May carry a password.
    pub url: SecretString,
    /// None: what suits the kind of database.
    pub max_connections: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct KeySettings {
    /// The text of the master key, as `keys init` wrote it.
    pub master_key: SecretString,
    /// Where it came from.
    pub master_key_origin: SecretOrigin,
    pub signing: SigningSettings,
}

/// Where a secret rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretOrigin {
    File(PathBuf),
    Env(String),
}

impl fmt::Display for SecretOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
        }
    }
}

#[derive(Clone, Debug)]
pub struct SigningSettings {
    pub algorithms: Vec<SigningAlgorithm>,
    pub rotate_every: SignedDuration,
    /// How long a key is published before it signs and after it has signed.
    pub overlap: SignedDuration,
}

/// Whose demands the policy's defaults follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyProfile {
    Practice,
    /// NIST SP 800-63B-4.
    Nist80063b4,
}

impl PolicyProfile {
    pub const ALL: &'static [Self] = &[Self::Practice, Self::Nist80063b4];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Practice => "practice",
            Self::Nist80063b4 => "nist-800-63b-4",
        }
    }
}

impl fmt::Display for PolicyProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Of clients that register themselves.
#[derive(Clone, Debug)]
pub struct Registration {
    pub policy: RegistrationPolicy,
    /// Where registration needs a token, a client registers with one of these.
    pub initial_access_tokens: Vec<SecretString>,
}

/// What a password hash costs, in Argon2's terms, and how many may wait for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashing {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    pub pepper: bool,
    pub queue: u32,
}

#[derive(Clone, Debug)]
pub struct OutgoingSettings {
    /// Private networks that requests to applications may reach.
    pub allow: Vec<IpNet>,
    /// In PEM, besides those that the system trusts.
    pub authorities: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ThemeSettings {
    /// Overlays the built-in theme.
    pub folder: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Audit {
    /// None: beside an SQLite database.
    pub checkpoints_file: Option<PathBuf>,
    /// Entries that are older are removed.
    pub retention: SignedDuration,
}

/// The mail server.
#[derive(Clone, Debug)]
pub struct EmailSettings {
    pub host: String,
    pub port: u16,
    pub tls: EmailTls,
    /// Certificates in PEM that the server's is held against, in place of the system's.
    pub authority: Option<String>,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    pub from: EmailAddress,
    pub from_name: Option<String>,
    pub reply_to: Option<EmailAddress>,
    pub timeout: SignedDuration,
    /// To the server at once.
    pub connections: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailTls {
    StartTls,
    Tls,
    /// To loopback alone.
    None,
}

impl EmailTls {
    pub const ALL: &'static [Self] = &[Self::StartTls, Self::Tls, Self::None];

    pub const fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

impl fmt::Display for EmailTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        })
    }
}

#[derive(Clone, Debug)]
pub struct TwilioSettings {
    pub account_sid: String,
    pub auth_token: SecretString,
    pub from: Option<E164>,
    /// Takes the place of `from` for texts.
    pub messaging_service: Option<String>,
    pub base_url: Url,
}

/// Who takes texts or calls.
#[derive(Clone, Debug)]
pub enum PhoneProviderSettings {
    Twilio,
    Http(HttpGateway),
}

/// A request whose URL, headers and body hold placeholders.
#[derive(Clone, Debug)]
pub struct HttpGateway {
    pub method: HttpMethod,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub secret: Option<SecretString>,
    /// What the answer must have, beside a 2xx.
    pub success: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    Get,
    Post,
    Put,
}

impl HttpMethod {
    pub const ALL: &'static [Self] = &[Self::Get, Self::Post, Self::Put];
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        })
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Dev {
    /// Messages land in a page instead of mailboxes and phones.
    pub outbox: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Log {
    pub format: LogFormat,
    pub level: LogLevel,
    /// A line for each request.
    pub requests: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl LogFormat {
    pub const ALL: &'static [Self] = &[Self::Text, Self::Json];
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub const ALL: &'static [Self] = &[Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: GroupName,
    pub description: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ClientSettings {
    pub metadata: ClientMetadata,
    pub policy: ClientPolicy,
    /// Empty exactly for clients that prove themselves without one.
    pub secrets: Vec<SecretString>,
    /// Of everything but the secrets, so that replacing one breaks no sign-in.
    pub version: ClientVersion,
}
