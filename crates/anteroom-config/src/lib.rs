//! Configuration: TOML files are parsed into validated settings, or into a list of all errors.
//!
//! - [`Configuration::load`] reads a file and what it includes; [`ConfigurationFile`] watches it for changes, which are taken up
//!   whole or not at all.
//! - [`Diagnostics`] quotes the lines with a caret and a suggestion. It never quotes a secret.
//! - Each section is described and read by the same code, in `sections/`; [`reference_markdown`] is made by running
//!   it over nothing. So the reference knows exactly the keys that are accepted.
//! - Clients from TOML are judged by the same rules as registered ones, those of `anteroom_oidc`.

mod changes;
mod checks;
mod configuration;
mod configuration_file;
mod diagnostics;
mod documentation;
mod fingerprint;
mod inputs;
mod reader;
mod redact;
mod reference;
mod sections;
mod settings;
mod suggest;

pub use changes::{Changes, PartDigests};
pub use configuration::Configuration;
pub use configuration_file::ConfigurationFile;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use fingerprint::ConfigurationDigest;
pub use reader::Env;
pub use reference::reference_markdown;
pub use settings::{
    Audit, ClientSettings, Database, Dev, EmailSettings, EmailTls, Group, Hashing, HttpGateway, HttpMethod,
    KeySettings, Log, LogFormat, LogLevel, PhoneProviderSettings, PolicyProfile, Practice, SecretOrigin,
    Server, ServerTls, Settings, SigningSettings, ThemeSettings, TwilioSettings,
};
