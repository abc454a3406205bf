//! The configuration of a test: TOML text, read like an operator's.

use anteroom_config::Configuration;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::backend::Backend;

/// What lets a client register where `registration.initial_access_token_env` names `TEST_INITIAL_TOKEN`.
pub const INITIAL_ACCESS_TOKEN: &str = "testing-initial-access-token";

/// The secret of every confidential client.
pub const CLIENT_SECRET: &str = "testing-client-secret";

const DATABASE_VARIABLE: &str = "TEST_DATABASE";
const MASTER_KEY_VARIABLE: &str = "TEST_MASTER_KEY";
const SECRET_VARIABLE: &str = "TEST_CLIENT_SECRET";
pub(crate) const TWILIO_VARIABLE: &str = "TEST_TWILIO_TOKEN";
/// What requests and callbacks are signed with.
pub(crate) const TWILIO_TOKEN: &str = "testing-twilio-token";
/// The same for all nodes on a database.
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// The clients that every provider has.
pub const CLIENTS: &str = r#"
[[groups]]
name = "staff"

[[groups]]
name = "clinicians"

[[clients]]
client_id = "web"
client_name = "Web application"
first_party = true
redirect_uris = ["https://web.example/callback"]
post_logout_redirect_uris = ["https://web.example/signed-out"]
grant_types = ["authorization_code", "refresh_token"]
secret_env = "TEST_CLIENT_SECRET"
scope = "openid profile email address phone groups offline_access"

[[clients]]
client_id = "native"
client_name = "Native application"
application_type = "native"
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
post_logout_redirect_uris = ["http://127.0.0.1/signed-out"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
scope = "openid profile email offline_access"

[[clients]]
client_id = "partner"
client_name = "Partner application"
redirect_uris = ["https://partner.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_post"
secret_env = "TEST_CLIENT_SECRET"
scope = "openid profile email offline_access"

[[clients]]
client_id = "imaging"
client_name = "Imaging"
first_party = true
groups = ["clinicians"]
redirect_uris = ["https://imaging.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
secret_env = "TEST_CLIENT_SECRET"
scope = "openid profile offline_access"

[[clients]]
client_id = "service"
client_name = "Service"
first_party = true
redirect_uris = []
response_types = []
grant_types = ["client_credentials"]
secret_env = "TEST_CLIENT_SECRET"
audience = ["https://api.example/", "https://files.example/"]
scope = "reports archive"

[[clients]]
client_id = "https://api.example/"
client_name = "An API that asks about the tokens it is given"
first_party = true
redirect_uris = []
response_types = []
grant_types = ["client_credentials"]
secret_env = "TEST_CLIENT_SECRET"
scope = "reports"
"#;

/// Settings by dotted key, with values in TOML's spelling, and clients as tables.
#[derive(Clone, Debug)]
pub(crate) struct TestSettings {
    values: BTreeMap<String, String>,
    clients: String,
}

impl Default for TestSettings {
    fn default() -> Self {
        let mut settings = Self { values: BTreeMap::new(), clients: CLIENTS.to_owned() };
        for (key, value) in [
            ("practice.name", "\"Testing Dental\""),
            ("practice.support_contact", "\"the test desk\""),
            // So that a browser can say where it is.
            ("server.trusted_proxies", "[\"127.0.0.1\"]"),
            ("database.url_env", "\"TEST_DATABASE\""),
            ("keys.master_key_env", "\"TEST_MASTER_KEY\""),
            // Named so that texts and calls are offered; nothing is sent unless a test does it.
            ("text.provider", "\"http\""),
            ("text.http.url", "\"http://127.0.0.1:9/?to={to}&text={text}\""),
            ("voice.provider", "\"http\""),
            ("voice.http.url", "\"http://127.0.0.1:9/?to={to}&text={text}\""),
            ("voice.http.waits_for_key", "true"),
            // Hundreds of failures are tried, and their time is not measured.
            ("policy.sign_in.failure_floor", "\"0s\""),
        ] {
            settings.set(key, value);
        }
        settings
    }
}

impl TestSettings {
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.values.insert(key.to_owned(), value.to_owned());
    }

    pub(crate) fn unset(&mut self, key: &str) {
        self.values.remove(key);
    }

    pub(crate) fn add_clients(&mut self, toml: &str) {
        self.clients.push_str(toml);
    }

    pub(crate) fn read(&self, backend: &Backend) -> Configuration {
        let mut text = String::new();
        for (key, value) in &self.values {
            writeln!(text, "{key} = {value}").unwrap();
        }
        text.push_str(&self.clients);
        let environment = |name: &str| match name {
            DATABASE_VARIABLE => Some(backend.url.clone()),
            MASTER_KEY_VARIABLE => Some(MASTER_KEY.to_owned()),
            "TEST_INITIAL_TOKEN" => Some(INITIAL_ACCESS_TOKEN.to_owned()),
            SECRET_VARIABLE => Some(CLIENT_SECRET.to_owned()),
            TWILIO_VARIABLE => Some(TWILIO_TOKEN.to_owned()),
            _ => None,
        };
        match Configuration::parse_str("test.toml", &text, &environment) {
            Ok(configuration) => configuration,
            Err(problems) => panic!("{}", problems.render(false)),
        }
    }
}
