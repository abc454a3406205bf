//! Configurations from the outside: text in, settings or complaints out.
#![cfg(test)]

mod access_tokens;
mod changes;
mod claims;
mod diagnostics;
mod digest;
mod example;
mod files;
mod limits;
mod messages;
mod mutilated;
mod reference;
mod registration;
mod secrets;
mod settings;

use anteroom_config::{Configuration, Diagnostics};

/// What every configuration needs.
const BASE: &str = "\
issuer = \"http://localhost:8080\"
[keys]
master_key_env = \"MASTER_KEY\"
";

const WEB_CLIENT: &str = "\
[[clients]]
client_id = \"web\"
redirect_uris = [\"https://web.example/callback\"]
secret_env = \"CLIENT_SECRET\"
";

fn env(name: &str) -> Option<String> {
    match name {
        "MASTER_KEY" => Some("q".repeat(43)),
        "CLIENT_SECRET" | "API_SECRET" => Some("a-secret-of-good-length".to_owned()),
        "OTHER_SECRET" => Some("another-secret-of-good-length".to_owned()),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Configuration, Diagnostics> {
    Configuration::parse_str("anteroom.toml", text, &env)
}

/// `BASE` with more behind it.
fn parse_with(more: &str) -> Result<Configuration, Diagnostics> {
    parse(&format!("{BASE}{more}"))
}

/// Holds the complaints about `text` against `expected`, which may be indented.
#[track_caller]
fn assert_refused(text: &str, expected: &str) {
    let found = parse(text).expect_err("the configuration was accepted").to_string();
    assert_text(&found, expected);
}

#[track_caller]
fn assert_text(found: &str, expected: &str) {
    let expected = expected.trim_matches('\n');
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(found), lines(expected), "\n--- found:\n{found}\n--- expected:\n{expected}\n");
}
