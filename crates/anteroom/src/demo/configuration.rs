//! The demo's configuration, written as TOML and read like any other, so that nothing about the demo is special.

use anteroom_config::Configuration;
use anteroom_practice_app::{Registration, Screen};
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt::Write as _;
use std::path::Path;

use super::apps::{App, Apps};
use crate::commands::CommandError;

const CLIENT_SECRET: &str = "anteroom-demo-secret";
const MASTER_KEY_VARIABLE: &str = "DEMO_MASTER_KEY";
const CLIENT_SECRET_VARIABLE: &str = "DEMO_CLIENT_SECRET";

pub(super) fn load(
    port: u16,
    database: &Path,
    master_key: &SecretString,
    apps: &Apps,
) -> Result<Configuration, CommandError> {
    let text = text(port, database, apps)?;
    let environment = |name: &str| match name {
        MASTER_KEY_VARIABLE => Some(master_key.expose_secret().trim().to_owned()),
        CLIENT_SECRET_VARIABLE => Some(CLIENT_SECRET.to_owned()),
        name => apps.iter().find(|app| variable(app) == name).map(|app| app.secret.clone()),
    };
    Configuration::parse_str("demo.toml", &text, &environment)
        .map_err(|problems| CommandError::Configuration(problems.render(false)))
}

fn variable(app: &App) -> String {
    format!("DEMO_SECRET_{}", app.screen.slug().replace('-', "_").to_ascii_uppercase())
}

fn text(port: u16, database: &Path, apps: &Apps) -> Result<String, CommandError> {
    let database = toml_string(&format!("sqlite:{}", database.display()));
    let mut text = format!(
        r#"
issuer = "http://localhost:{port}"

[practice]
name = "Harborview Dental & Medical"
support_contact = "the practice manager (sample), extension 12"

[server]
listen = "127.0.0.1:{port}"

[database]
url = {database}

[keys]
master_key_env = "{MASTER_KEY_VARIABLE}"

[dev]
outbox = true

# One machine tries everything, again and again.
[policy.limits]
form_of_session = {{ max = 600, window = "5m" }}
form_of_account = {{ max = 600, window = "5m" }}
form_of_address = {{ max = 3000, window = "5m" }}
new_password = {{ max = 100, window = "10m" }}

[log]
level = "warn"

[[groups]]
name = "staff"
description = "Everyone who works here"

[[groups]]
name = "clinicians"
description = "Dentists, doctors and hygienists"

[[groups]]
name = "managers"
description = "Run the practice"

[[groups]]
name = "operators"
description = "Run this portal"

[[clients]]
client_id = "demo-native"
client_name = "Demo native application"
application_type = "native"
first_party = true
redirect_uris = ["http://127.0.0.1/callback", "http://localhost/callback"]
post_logout_redirect_uris = ["http://127.0.0.1/signed-out", "http://localhost/signed-out"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
offline_access_consent = false
scope = "openid profile email address phone groups offline_access"

[[clients]]
client_id = "demo-web"
client_name = "Demo web application"
application_type = "native"
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
post_logout_redirect_uris = ["http://127.0.0.1/signed-out"]
grant_types = ["authorization_code", "refresh_token"]
secret_env = "{CLIENT_SECRET_VARIABLE}"
scope = "openid profile email address phone groups offline_access"

[[clients]]
client_id = "demo-service"
client_name = "Demo service"
first_party = true
redirect_uris = []
response_types = []
grant_types = ["client_credentials"]
secret_env = "{CLIENT_SECRET_VARIABLE}"
scope = "reports"
"#
    );
    for (order, app) in apps.iter().enumerate() {
        let client =
            tile(app, order).map_err(|_| CommandError::Usage("the demo's configuration".to_owned()))?;
        text.push_str(&client);
    }
    Ok(text)
}

fn tile(app: &App, order: usize) -> Result<String, std::fmt::Error> {
    let registered = Registration::at(&app.base_url);
    let mut text = String::new();
    writeln!(text, "\n[[clients]]")?;
    writeln!(text, "client_id = {}", toml_string(app.screen.slug()))?;
    writeln!(text, "client_name = {}", toml_string(app.title()))?;
    writeln!(text, "first_party = true")?;
    writeln!(text, "groups = [{}]", toml_string(app.group()))?;
    writeln!(text, "redirect_uris = [{}]", toml_string(registered.redirect_uri.as_str()))?;
    writeln!(
        text,
        "post_logout_redirect_uris = [{}]",
        toml_string(registered.post_logout_redirect_uri.as_str())
    )?;
    writeln!(text, "backchannel_logout_uri = {}", toml_string(registered.backchannel_logout_uri.as_str()))?;
    writeln!(text, "backchannel_logout_session_required = true")?;
    if app.screen == Screen::Imaging {
        // The way that is left to applications which the provider cannot reach.
        let uri = registered.frontchannel_logout_uri.as_str();
        writeln!(text, "frontchannel_logout_uri = {}", toml_string(uri))?;
        writeln!(text, "frontchannel_logout_session_required = true")?;
    }
    writeln!(text, "initiate_login_uri = {}", toml_string(registered.initiate_login_uri.as_str()))?;
    writeln!(text, "secret_env = {}", toml_string(&variable(app)))?;
    writeln!(text, "scope = \"openid profile email phone groups\"")?;
    writeln!(text, "[clients.tile]")?;
    writeln!(text, "name = {}", toml_string(app.title()))?;
    writeln!(text, "description = {}", toml_string(app.line()))?;
    writeln!(text, "icon = {}", toml_string(app.screen.slug()))?;
    writeln!(text, "order = {order}")?;
    Ok(text)
}

/// A basic TOML string.
fn toml_string(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}
