//! The demo's configuration, written as TOML and parsed like any other, so that the demo has no special cases.

use anteroom_config::Configuration;
use anteroom_practice_app::{Registration, Screen};
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::apps::{App, Apps};
use super::own_clients::own_clients;
use super::written::{renew, toml_string};
use crate::commands::{CommandError, warn};

const NAME: &str = "demo.toml";
/// The name of the file beside the data.
const FILE: &str = "anteroom.toml";
pub(super) const MASTER_KEY_FILE: &str = "master.key";
const SECRETS_FOLDER: &str = "secrets";

const CLIENT_SECRET: &str = "anteroom-demo-secret";
const MASTER_KEY_VARIABLE: &str = "DEMO_MASTER_KEY";
const CLIENT_SECRET_VARIABLE: &str = "DEMO_CLIENT_SECRET";

/// Redirect URIs of `demo-web`, on any port of this machine: the ones in the first example of each framework's
/// documentation. The identifier `anteroom` is in those paths where a framework includes the provider's name.
const WEB_CALLBACKS: [&str; 9] = [
    "/callback", // what most libraries' examples have, Authlib with Flask and express-openid-connect among them
    "/auth/callback", // FastAPI, and Express with Passport
    "/api/auth/callback/anteroom", // Auth.js in Next.js
    "/auth/callback/anteroom", // Auth.js in Express, SvelteKit
    "/login/oauth2/code/anteroom", // Spring Security
    "/signin-oidc", // ASP.NET Core
    "/auth/anteroom/callback", // OmniAuth
    "/oidc/callback/", // mozilla-django-oidc
    "/oauth2/callback", // oauth2-proxy
];
/// The same for post-logout redirect URIs; ASP.NET Core has a path of its own, and express-openid-connect sends the origin
/// without a slash.
const WEB_SIGNED_OUT: [&str; 4] = ["/signed-out", "/", "", "/signout-callback-oidc"];

/// The options of a demo.
#[derive(Clone, Copy)]
pub(super) struct DemoOptions<'a> {
    pub port: u16,
    pub home: &'a Path,
    /// Files with the developer's own clients.
    pub clients: &'a [PathBuf],
    /// Whether clients may register themselves.
    pub registration: bool,
}

impl DemoOptions<'_> {
    pub(super) fn database(&self) -> PathBuf {
        self.home.join("anteroom.db")
    }
}

/// Where a configuration's secrets are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrets {
    /// In environment variables, for the demo's own process.
    Variables,
    /// In files beside the configuration, for commands that run beside the demo.
    Files,
}

impl Secrets {
    fn of_client(self, variable: &str) -> String {
        match self {
            Self::Variables => format!("secret_env = {}", toml_string(variable)),
            Self::Files => format!("secret_file = {}", toml_string(&format!("{SECRETS_FOLDER}/{variable}"))),
        }
    }

    fn master_key(self) -> String {
        match self {
            Self::Variables => format!("master_key_env = {}", toml_string(MASTER_KEY_VARIABLE)),
            Self::Files => format!("master_key_file = {}", toml_string(MASTER_KEY_FILE)),
        }
    }
}

/// Writes the configuration beside the data, for `anteroom explain` and other commands. The developer's own clients are
/// included with their secrets in files, because commands in other shells lack the demo's environment variables.
pub(super) fn write(plan: DemoOptions<'_>, apps: &Apps) -> Result<PathBuf, CommandError> {
    let home = std::path::absolute(plan.home)?;
    let folder = home.join(SECRETS_FOLDER);
    std::fs::create_dir_all(&folder).map_err(|error| CommandError::File(folder.clone(), error))?;
    renew(&folder.join(CLIENT_SECRET_VARIABLE), CLIENT_SECRET)?;
    for app in apps.iter() {
        renew(&folder.join(variable(app)), &app.secret)?;
    }
    let mut text = text(DemoOptions { home: &home, clients: &[], ..plan }, apps, Secrets::Files)?;
    let file = home.join(FILE);
    let own = own_clients(plan.clients, &folder)?;
    let with_own = format!("{text}{own}");
    match Configuration::parse_str(&file.display().to_string(), &with_own, &|_| None) {
        Ok(_) => text = with_own,
        Err(_) => warn(
            "your clients are missing from the configuration for commands: their files could not be copied",
        ),
    }
    renew(&file, text.trim_start())?;
    Ok(file)
}

pub(super) fn load(
    plan: DemoOptions<'_>,
    master_key: &SecretString,
    apps: &Apps,
) -> Result<Configuration, CommandError> {
    for file in plan.clients {
        std::fs::metadata(file).map_err(|error| CommandError::File(file.clone(), error))?;
    }
    let text = text(plan, apps, Secrets::Variables)?;
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
    // Warnings about the demo's own text are not shown: its limits are looser than the defaults on purpose.
    for finding in configuration.warnings.iter().filter(|finding| finding.file != NAME) {
        warn(&finding.to_string());
    }
    Ok(configuration)
}

fn variable(app: &App) -> String {
    format!("DEMO_SECRET_{}", app.screen.slug().replace('-', "_").to_ascii_uppercase())
}

const GROUPS: &str = r#"[[groups]]
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
"#;

fn text(plan: DemoOptions<'_>, apps: &Apps, secrets: Secrets) -> Result<String, CommandError> {
    let port = plan.port;
    let include = toml_list(plan.clients.iter().map(|file| file.display().to_string()));
    let web_client = web_client(secrets);
    let database = toml_string(&format!("sqlite:{}", plan.database().display()));
    let (master_key, client_secret) = (secrets.master_key(), secrets.of_client(CLIENT_SECRET_VARIABLE));
    let registration = if plan.registration { "[registration]\nmode = \"open\"\n" } else { "" };
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
{master_key}

[dev]
outbox = true

{LIMITS}{registration}
[log]
level = "warn"

{GROUPS}
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
{client_secret}
scope = "reports"
"#
    );
    for (order, app) in apps.iter().enumerate() {
        let client = client_toml(app, order, secrets)
            .map_err(|_| CommandError::Usage("the demo's configuration could not be written".to_owned()))?;
        text.push_str(&client);
    }
    Ok(text)
}

/// Limits for one machine from which everything is tried again and again.
const LIMITS: &str = r#"[policy.limits]
form_of_session = { max = 600, window = "5m" }
form_of_account = { max = 600, window = "5m" }
form_of_address = { max = 3000, window = "5m" }
new_password = { max = 100, window = "10m" }
right_password = { max = 3000, window = "5m" }
waiting_rows = { max = 20000, window = "2h" }

"#;

fn web_client(secrets: Secrets) -> String {
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
{}
scope = "openid profile email address phone groups offline_access"
"#,
        on_loopback(&WEB_CALLBACKS),
        on_loopback(&WEB_SIGNED_OUT),
        secrets.of_client(CLIENT_SECRET_VARIABLE),
    )
}

fn toml_list(texts: impl Iterator<Item = String>) -> String {
    format!("[{}]", texts.map(|text| toml_string(&text)).collect::<Vec<_>>().join(", "))
}

fn client_toml(app: &App, order: usize, secrets: Secrets) -> Result<String, std::fmt::Error> {
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
        // Front-channel logout is for clients that the provider cannot reach.
        let uri = registered.frontchannel_logout_uri.as_str();
        writeln!(text, "frontchannel_logout_uri = {}", toml_string(uri))?;
        writeln!(text, "frontchannel_logout_session_required = true")?;
    }
    writeln!(text, "initiate_login_uri = {}", toml_string(registered.initiate_login_uri.as_str()))?;
    writeln!(text, "{}", secrets.of_client(&variable(app)))?;
    writeln!(text, "scope = \"openid profile email phone groups\"")?;
    writeln!(text, "[clients.tile]")?;
    writeln!(text, "name = {}", toml_string(app.title()))?;
    writeln!(text, "description = {}", toml_string(app.line()))?;
    writeln!(text, "icon = {}", toml_string(app.screen.slug()))?;
    writeln!(text, "order = {order}")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_oidc::RedirectUri;

    fn loaded(apps: &Apps, clients: &[PathBuf]) -> Result<Configuration, CommandError> {
        load(plan(Path::new("."), clients), &"q".repeat(43).into(), apps)
    }

    fn plan<'a>(home: &'a Path, clients: &'a [PathBuf]) -> DemoOptions<'a> {
        DemoOptions { port: 8080, home, clients, registration: true }
    }

    #[tokio::test]
    async fn the_file_beside_the_data_is_what_the_demo_runs_with() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(MASTER_KEY_FILE), "q".repeat(43)).unwrap();
        let own = tempfile::tempdir().unwrap();
        let file = own.path().join("mine.toml");
        let client = |id: &str, secret: &str| {
            format!(
                "[[clients]]\nclient_id = \"{id}\"\nredirect_uris = [\"http://localhost:3000/cb\"]\n{secret}\n"
            )
        };
        let mine = client("mine", "secret_env = \"DEMO_CLIENT_SECRET\" # the demo's");
        std::fs::write(&file, mine + &client("other", "secret_file = 'other'")).unwrap();
        std::fs::write(own.path().join("other"), "a-secret-of-my-own-that-is-long-enough").unwrap();
        let clients = &[file];
        // The second time the applications have other secrets.
        for _ in 0..2 {
            let apps = Apps::bind().await.unwrap();
            let file = write(plan(home.path(), clients), &apps).unwrap();
            let written = Configuration::load(&file, &|_| None);
            let written = written.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
            let running = loaded(&apps, clients).unwrap();
            let clients = |configuration: &Configuration| {
                let clients = configuration.settings.clients.iter();
                clients.map(|client| client.metadata.clone()).collect::<Vec<_>>()
            };
            assert_eq!(clients(&written), clients(&running));
            assert_eq!(written.settings.issuer, running.settings.issuer);
            // Policies, limits and clients' secrets are part of it.
            assert_eq!(written.digest, running.digest);
            assert!(!running.settings.registration.policy.is_closed());
        }
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
        let back: &[RedirectUri] = &web.metadata.post_logout_redirect_uris;
        for uri in ["http://localhost:3000", "http://localhost:3000/", "http://127.0.0.1:3000/signed-out"] {
            assert!(back.iter().any(|one| one.matches_on_any_loopback_port(uri)), "{uri}");
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
