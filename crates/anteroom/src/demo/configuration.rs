//! The demo's configuration, written as TOML and read like any other, so that nothing about the demo is special.

use anteroom_config::Configuration;
use anteroom_practice_app::{Registration, Screen};
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::apps::{App, Apps};
use crate::commands::{CommandError, warn};

const NAME: &str = "demo.toml";

const CLIENT_SECRET: &str = "anteroom-demo-secret";
const MASTER_KEY_VARIABLE: &str = "DEMO_MASTER_KEY";
const CLIENT_SECRET_VARIABLE: &str = "DEMO_CLIENT_SECRET";

/// Where applications let `demo-web` lead back to, on any port of this machine: what the documentation of each framework
/// has its first example at. The identifier `anteroom` stands where a framework takes the provider's into the path.
const WEB_CALLBACKS: [&str; 9] = [
    "/callback",                   // what most libraries' examples have, Authlib with Flask among them
    "/auth/callback",              // Express and FastAPI
    "/api/auth/callback/anteroom", // Auth.js in Next.js
    "/auth/callback/anteroom",     // Auth.js in Express, SvelteKit
    "/login/oauth2/code/anteroom", // Spring Security
    "/signin-oidc",                // ASP.NET Core
    "/auth/anteroom/callback",     // OmniAuth
    "/oidc/callback/",             // mozilla-django-oidc
    "/oauth2/callback",            // oauth2-proxy
];
/// The same for where signing out leads back to; ASP.NET Core has a path of its own.
const WEB_SIGNED_OUT: [&str; 3] = ["/signed-out", "/", "/signout-callback-oidc"];

/// `clients` are files with clients of the developer's own.
pub(super) fn load(
    port: u16,
    database: &Path,
    master_key: &SecretString,
    apps: &Apps,
    clients: &[PathBuf],
) -> Result<Configuration, CommandError> {
    let text = text(port, database, apps, clients)?;
    let environment = |name: &str| match name {
        MASTER_KEY_VARIABLE => Some(master_key.expose_secret().trim().to_owned()),
        CLIENT_SECRET_VARIABLE => Some(CLIENT_SECRET.to_owned()),
        name => {
            let app = apps.iter().find(|app| variable(app) == name);
            app.map(|app| app.secret.clone()).or_else(|| std::env::var(name).ok())
        }
    };
    let configuration = Configuration::parse_str(NAME, &text, &environment)
        .map_err(|problems| CommandError::Configuration(problems.without_warnings_of(NAME).render(false)))?;
    // Warnings of the demo's own text are not shown: its limits are looser than the defaults on purpose.
    for finding in configuration.warnings.iter().filter(|finding| finding.file != NAME) {
        warn(&finding.to_string());
    }
    Ok(configuration)
}

fn variable(app: &App) -> String {
    format!("DEMO_SECRET_{}", app.screen.slug().replace('-', "_").to_ascii_uppercase())
}

fn text(port: u16, database: &Path, apps: &Apps, clients: &[PathBuf]) -> Result<String, CommandError> {
    let include = toml_list(clients.iter().map(|file| file.display().to_string()));
    let web_client = web_client();
    let database = toml_string(&format!("sqlite:{}", database.display()));
    let mut text = format!(
        r#"
issuer = "http://localhost:{port}"
include = {include}

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
right_password = {{ max = 3000, window = "5m" }}
waiting_rows = {{ max = 20000, window = "24h" }}

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

{web_client}
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

fn web_client() -> String {
    let on_loopback = |paths: &'static [&'static str]| {
        toml_list(
            ["127.0.0.1", "localhost"]
                .into_iter()
                .flat_map(move |host| paths.iter().map(move |path| format!("http://{host}{path}"))),
        )
    };
    format!(
        r#"
[[clients]]
client_id = "demo-web"
client_name = "Demo web application"
application_type = "native"
first_party = true
redirect_uris = {}
post_logout_redirect_uris = {}
grant_types = ["authorization_code", "refresh_token"]
secret_env = "{CLIENT_SECRET_VARIABLE}"
scope = "openid profile email address phone groups offline_access"
"#,
        on_loopback(&WEB_CALLBACKS),
        on_loopback(&WEB_SIGNED_OUT),
    )
}

fn toml_list(texts: impl Iterator<Item = String>) -> String {
    format!("[{}]", texts.map(|text| toml_string(&text)).collect::<Vec<_>>().join(", "))
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

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_oidc::RedirectUri;

    fn loaded(apps: &Apps, clients: &[PathBuf]) -> Result<Configuration, CommandError> {
        load(8080, Path::new("anteroom.db"), &"q".repeat(43).into(), apps, clients)
    }

    #[tokio::test]
    async fn a_frameworks_usual_callback_is_registered_on_every_port() {
        let apps = Apps::bind().await.unwrap();
        let clients = loaded(&apps, &[]).unwrap().settings.clients;
        let web = clients.iter().find(|client| client.metadata.client_id.as_str() == "demo-web").unwrap();
        let registered: &[RedirectUri] = &web.metadata.redirect_uris;
        for (uri, fits) in [
            ("http://localhost:3000/api/auth/callback/anteroom", true),
            ("http://localhost:3000/auth/callback/anteroom", true),
            ("http://localhost:3000/auth/callback", true),
            ("http://localhost:8000/callback", true),
            ("http://127.0.0.1:5000/callback", true),
            ("http://localhost:9090/login/oauth2/code/anteroom", true),
            ("http://localhost:5000/signin-oidc", true),
            ("http://localhost:3000/elsewhere", false),
            ("https://app.example/callback", false),
        ] {
            assert_eq!(registered.iter().any(|one| one.matches_on_any_loopback_port(uri)), fits, "{uri}");
        }
    }

    #[tokio::test]
    async fn a_file_adds_clients_and_what_is_wrong_in_it_is_said() {
        let apps = Apps::bind().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.toml");
        let client = "[[clients]]\nclient_id = \"mine\"\nredirect_uris = [\"http://localhost:3000/cb\"]\n\
            secret_env = \"DEMO_CLIENT_SECRET\"\n";
        std::fs::write(&file, client).unwrap();
        let before = loaded(&apps, &[]).unwrap().settings.clients.len();
        let settings = loaded(&apps, std::slice::from_ref(&file)).unwrap().settings;
        assert_eq!(settings.clients.len(), before + 1);
        assert!(settings.clients.iter().any(|client| client.metadata.client_id.as_str() == "mine"));

        std::fs::write(&file, client.replace("mine", "demo-web")).unwrap();
        let refused = loaded(&apps, std::slice::from_ref(&file)).unwrap_err().to_string();
        assert!(refused.contains("client `demo-web` is defined twice"), "{refused}");
        let refused = loaded(&apps, &[folder.path().join("missing.toml")]).unwrap_err().to_string();
        assert!(refused.contains("missing.toml"), "{refused}");
    }
}
