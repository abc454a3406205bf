//! What a request says makes no line of the log of its own.
#![cfg(test)]

mod members;
mod outages;
mod requests;

use anteroom::commands::serve::{RunningNode, log_start};
use anteroom_config::ConfigurationFile;
use anteroom_crypto::{MasterKey, Random};
use anteroom_domain::database_rollback::DatabaseRollback;
use anteroom_oidc::display_text::is_hidden;
use anteroom_server::logging::text;
use anteroom_server::reload::ConfigurationReloader;
use anteroom_server::wiring::{self, Environment};
use anteroom_storage::StoreOptions;
use anteroom_testkit::{
    AppKey, CLIENT_SECRET, ClientAuthentication, LogoutReceiver, TestProvider, Tokens, on_sqlite,
};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::fs;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;
use tracing::subscriber::DefaultGuard;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Hears what this thread logs, until the guard goes.
fn listening() -> (Page, DefaultGuard) {
    let page = Page::default();
    let writer = page.clone();
    (page, tracing::subscriber::set_default(text("info", move || writer.clone(), false)))
}

const FORGED: &str = "x\n1970-01-01T00:00:00Z ERROR forged\u{2028}a\u{202e}b\u{1b}[2Jc";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// One thread serves and asks, so that the subscriber of this test hears what the provider logs.
#[tokio::test]
async fn what_a_request_says_makes_no_line_of_the_log() {
    let (page, _guard) = listening();
    on_sqlite(async |backend| {
        let key = AppKey::new("ES256", "ES256");
        let client = format!(
            "[[clients]]\nclient_id = \"signer\"\nredirect_uris = []\nresponse_types = []\n\
             grant_types = [\"client_credentials\"]\nscope = \"reports\"\n\
             token_endpoint_auth_method = \"private_key_jwt\"\njwks = '{}'\n",
            AppKey::set(&[&key])
        );
        let provider = TestProvider::on(&backend).clients(&client).start().await;
        let long = format!("https://a.example/{}", "a".repeat(9_000));
        for uri in [FORGED, &long] {
            let fields = [("client_id", "web"), ("post_logout_redirect_uri", uri)];
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            let page = provider.browser().get(&format!("/end-session?{query}")).await;
            assert_eq!(page.status, 400);
        }
        let now = provider.now().as_second();
        let claims = json!({"iss": "signer", "sub": "signer", "aud": FORGED, "exp": now + 60, "jti": "a"});
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", &key.sign(&claims)),
        ];
        assert_eq!(provider.browser().post("/token", &fields).await.status, 401);
        let browser = provider.browser().with("host", "10.1.2.3");
        assert_eq!(browser.get("/sign-in").await.status, 421);
    })
    .await;
    let log = page.text();
    let about = |words: &str| log.lines().filter(|line| line.contains(words)).collect::<Vec<_>>();
    assert_eq!(about("end-session request refused").len(), 2, "{log}");
    assert_eq!(about("it is addressed to").len(), 1, "{log}");
    assert_eq!(about("ERROR forged").len(), 2, "{log}");
    let misdirected = about("a request for another host");
    assert_eq!(misdirected.len(), 1, "{log}");
    assert!(misdirected[0].contains("10.1.2.3") && misdirected[0].contains("expected=\"http"), "{log}");
    for line in log.lines() {
        assert!(!line.starts_with("1970-01-01T00:00:00Z ERROR forged"), "{line}");
        assert!(!line.contains(is_hidden), "{line:?}");
        assert!(line.len() < 1_000, "{} bytes", line.len());
    }
}

/// The one line about what was just done. It names the client and the reference.
fn line_about(page: &Page, client: &str, words: &str) -> String {
    let log = page.text();
    let is_about = |line: &&str| line.contains(words) && line.contains(client);
    let lines: Vec<&str> = log.lines().filter(is_about).collect();
    assert_eq!(lines.len(), 1, "{words}: {log}");
    assert!(lines[0].contains("reference="), "{}", lines[0]);
    lines[0].to_owned()
}

const WEB: &str = "client=\"web\"";
const SERVICE: &str = "client=\"service\"";

#[tokio::test]
async fn a_refusal_of_a_client_is_one_line_with_what_was_received_and_what_is_allowed() {
    let (page, _guard) = listening();
    on_sqlite(async |backend| {
        let provider = TestProvider::start(&backend).await;
        let (web, service, browser) = (
            provider.client("web"),
            provider.client("service"),
            provider.signed_in("alice@practice.example").await,
        );
        let holds = |(client, words): (&str, &str), parts: &[&str]| {
            let line = line_about(&page, client, words);
            for part in parts {
                assert!(line.contains(part), "{part}: {line}");
            }
            assert!(!line.contains(CLIENT_SECRET), "{line}");
        };

        let code = web.code(&browser, &[("scope", "openid email reports admin")]).await;
        holds((WEB, "scopes were left out"), &["received=\"admin reports\"", "groups"]);

        let tokens = Tokens::of(&web.redeem(&code).await);
        assert_eq!(service.introspect(&tokens.access_token).await.json()["active"], false);
        holds((SERVICE, "neither an audience"), &["a token of client web", &provider.issuer]);

        let asked = [("grant_type", "password"), ("username", "alice"), ("password", "Correct-horse-1")];
        assert_eq!(service.post("/token", &asked).await.error(), "unsupported_grant_type");
        holds((SERVICE, "the grant type is not supported"), &["password", "client_credentials"]);
        assert!(!page.text().contains("Correct-horse-1"));

        let twice = [("client_id", "web"), ("client_secret", CLIENT_SECRET)];
        assert_eq!(web.post("/token", &twice).await.status, 400);
        let received = "Authorization: Basic, client_id, client_secret";
        holds((WEB, "in two ways at once"), &[received, "client_secret_post"]);

        assert_eq!(provider.browser().post("/token", &[("grant_type", "refresh_token")]).await.status, 401);
        holds(("", "the client did not authenticate"), &["received=\"nothing\"", "private_key_jwt"]);

        let json = provider.call("POST", "/token", None, &json!({ "grant_type": "refresh_token" })).await;
        assert_eq!(json.status, 400);
        holds(("", "not a well-formed form"), &["application/json", "application/x-www-form-urlencoded"]);

        // Which of the two ways a client sends its secret in, where its registration names none: once for each.
        holds((WEB, "the client sends its secret by client_secret_basic"), &[]);
        let posted = web.clone().proving(ClientAuthentication::Post(CLIENT_SECRET));
        for _ in 0..2 {
            assert_eq!(posted.redeem("x").await.status, 400);
        }
        holds((WEB, "the client sends its secret by client_secret_post"), &[]);
    })
    .await;
}

#[tokio::test]
async fn a_client_without_pkce_reads_what_to_do_about_it() {
    let (page, _guard) = listening();
    on_sqlite(async |backend| {
        let provider = TestProvider::start(&backend).await;
        let without = [("code_challenge", ""), ("code_challenge_method", "")];
        let answer = provider.client("web").authorize(&provider.browser(), &without).await;
        assert_eq!(answer.error(), "invalid_request");
        let help = "or register it with require_pkce = false";
        assert!(answer.parameters()["error_description"].ends_with(help), "{}", answer.location());
        let line = line_about(&page, WEB, help);
        // What `anteroom explain` reads is found by the reference of the line.
        let (_, reference) = line.split_once("reference=").unwrap();
        let reference = reference.split(' ').next().unwrap();
        let entries = provider.provider.store.entries_by_reference(reference).await.unwrap();
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert!(
            entries[0].detail.contains(help) && entries[0].client.as_deref() == Some("web"),
            "{entries:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_mistake_of_a_client_is_a_line_that_says_what_to_do() {
    let (page, _guard) = listening();
    on_sqlite(async |backend| {
        let provider = TestProvider::start(&backend).await;
        let browser = provider.signed_in("alice@practice.example").await;
        let (web, service) = (provider.client("web"), provider.client("service"));

        let answer = provider.browser().get("/userinfo?access_token=secret-token").await;
        assert_eq!(answer.status, 400);
        line_about(&page, "path=\"/userinfo\"", "send it in the Authorization header");
        assert!(!page.text().contains("secret-token"), "{}", page.text());

        assert_eq!(
            service.clone().proving(ClientAuthentication::Basic("")).post("/token", &[]).await.status,
            401
        );
        line_about(&page, "client \"service\"", "used none (no secret, or an empty one)");

        let comma = "scopes are separated by spaces, not by commas";
        let answer = web.authorize(&browser, &[("scope", "openid,email")]).await;
        assert!(answer.parameters()["error_description"].ends_with(comma), "{}", answer.location());
        line_about(&page, WEB, comma);
        web.code(&browser, &[("scope", "openid profile,email")]).await;
        line_about(&page, WEB, "Scopes are separated by spaces, not by commas");
        let asked = [("grant_type", "client_credentials"), ("scope", "reports,admin")];
        let answer = service.post("/token", &asked).await;
        assert!(
            answer.json()["error_description"].as_str().unwrap().ends_with(comma),
            "{}",
            answer.page_summary()
        );

        let answer = web.authorize(&browser, &[("response_type", "id_token")]).await;
        // The error goes back in the fragment.
        assert!(
            answer.location().as_str().contains("error=unauthorized_client"),
            "{}",
            answer.page_summary()
        );
        let line = line_about(&page, WEB, "implicit in its grant_types");
        assert!(line.contains("response_types") && line.contains("registered \"code\""), "{line}");

        let slash = "/end-session?client_id=web&post_logout_redirect_uri=https://web.example/signed-out/";
        assert_eq!(provider.browser().get(slash).await.status, 400);
        let line = line_about(&page, WEB, "post_logout_redirect_uri");
        assert!(line.contains("which has \"https://web.example/signed-out\""), "{line}");
        let none = "/end-session?client_id=partner&post_logout_redirect_uri=https://web.example/signed-out";
        assert_eq!(provider.browser().get(none).await.status, 400);
        let line = line_about(&page, "partner", "post_logout_redirect_uri");
        assert!(line.contains("which has none"), "{line}");
        let nameless = "/end-session?post_logout_redirect_uri=https://web.example/signed-out";
        assert_eq!(provider.browser().get(nameless).await.status, 400);
        line_about(&page, "", "send client_id with it");
    })
    .await;
}

#[tokio::test]
async fn a_client_whose_host_an_application_has_since_been_configured_with_is_a_line() {
    let (page, _guard) = listening();
    on_sqlite(async |backend| {
        let open = || TestProvider::on(&backend).set("registration.mode", "\"open\"");
        let before = open().start().await;
        let metadata = json!({ "redirect_uris": ["https://newapp.example/cb"], "subject_type": "pairwise" });
        let registered = before.call("POST", "/clients", None, &metadata).await.json();
        assert!(!page.text().contains("newapp.example"), "{}", page.text());
        let configured = "[[clients]]\nclient_id = \"newapp\"\ntoken_endpoint_auth_method = \"none\"\n\
                          redirect_uris = [\"https://newapp.example/callback\"]\n";
        let after = open().clients(configured).another_node_of(&before).start().await;
        after.follow_clients().await;
        let (log, id) = (page.text(), registered["client_id"].as_str().unwrap());
        let line = log.lines().find(|line| line.contains("anteroom client remove") && line.contains(id));
        let line = line.unwrap_or_else(|| panic!("no line: {log}"));
        assert!(line.contains("https://newapp.example/cb") && line.contains("the same sub"), "{line}");
    })
    .await;
}

#[tokio::test]
async fn what_a_receiver_of_logout_tokens_says_is_in_the_line() {
    let (page, _guard) = listening();
    on_sqlite(async |backend| {
        let listener = LogoutReceiver::start().await;
        let at = |id: &str, uri: &str| {
            format!(
                "[[clients]]\nclient_id = \"{id}\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
                 redirect_uris = [\"https://{id}.example/callback\"]\nbackchannel_logout_uri = \"{uri}\"\n"
            )
        };
        let toml = at("old", &listener.url) + &at("private", "https://10.1.2.3/logout");
        let provider = TestProvider::on(&backend).clients(&toml).start().await;
        let browser = provider.signed_in("alice@practice.example").await;
        for app in ["old", "private"] {
            provider.client(app).tokens(&browser, "openid").await;
        }
        listener.answers(400);
        listener.says(&json!({ "error": "invalid_request", "error_description": FORGED }).to_string());
        browser.submit(&browser.get("/dashboard").await, "/sign-out", &[]).await;
        for _ in 0..2 {
            provider.deliver_logouts().await;
            provider.advance(SignedDuration::from_mins(2));
        }
    })
    .await;
    let log = page.text();
    let delivered = log.lines().filter(|line| line.contains("not delivered")).collect::<Vec<_>>();
    let about = |words: &str| delivered.iter().filter(|line| line.contains(words)).collect::<Vec<_>>();
    assert_eq!(about("client=\"old\"").len(), 2, "{log}");
    assert!(
        about("client=\"old\"").iter().all(|line| line.contains("answered 400: \"invalid_request: x\\n"))
    );
    assert_eq!(about("client=\"private\"").len(), 1, "one line for a fault of the configuration: {log}");
    assert!(!log.contains(|c| c != '\n' && is_hidden(c)), "{log:?}");
}

#[tokio::test]
async fn what_is_cut_off_and_what_ends_nothing_is_one_line() {
    let (page, _guard) = listening();
    on_sqlite(async |backend| {
        let names: Vec<String> = (0..200).map(|number| format!("department-{number:03}")).collect();
        let toml =
            names.iter().map(|name| format!("[[groups]]\nname = \"{name}\"\n")).collect::<Vec<_>>().concat();
        let provider = TestProvider::on(&backend).clients(&toml).start().await;
        let groups: Vec<&str> = names.iter().map(String::as_str).collect();
        provider.person("carol@practice.example").groups(&groups).create().await;
        let browser = provider.signed_in("carol@practice.example").await;
        provider.client("web").tokens(&browser, "openid groups").await;
        let line = line_about(&page, WEB, "claims were left out of an ID token");
        assert!(
            line.contains("groups=") && !line.contains("groups=0") && line.contains("claims=[]"),
            "{line}"
        );
        assert_eq!(provider.browser().get("/end-session?client_id=web").await.status, 400);
        let line = line_about(&page, WEB, "nothing was ended");
        assert!(line.contains("no id_token_hint"), "{line}");
    })
    .await;
}

#[test]
fn a_node_that_answers_503_to_everything_does_not_say_that_it_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anteroom.toml");
    let text = "issuer = \"http://localhost:8080\"\nkeys.master_key_env = \"KEY\"\n";
    fs::write(&file, text).unwrap();
    let configuration = ConfigurationFile::new(file).load(&|_| Some("q".repeat(43))).unwrap();
    let settings = &configuration.settings;
    for (refused, is_ready) in [(None, true), (Some(DatabaseRollback::Ends { seen: 5, found: 3 }), false)] {
        let (page, _guard) = listening();
        let node = RunningNode { listen: settings.server.listen, name: "node", configuration: "digest" };
        log_start(settings, node, refused);
        let log = page.text();
        assert_eq!(log.contains(" ready issuer="), is_ready, "{log}");
        assert_eq!(log.contains("reached up to entry 5, and ends at 3"), !is_ready, "{log}");
    }
}

#[tokio::test]
async fn a_reload_names_what_has_changed_and_what_of_it_waits() {
    let (page, _guard) = listening();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |more: &str| {
        let database = format!("database.url = \"sqlite:{}\"\n", path("anteroom.db").display());
        let text = "issuer = \"http://localhost:8080\"\nkeys.master_key_file = \"master.key\"\n";
        fs::write(path("anteroom.toml"), format!("{text}{database}{more}")).unwrap();
    };
    fs::write(path("master.key"), MasterKey::generate(&Random::system()).encode().expose_secret()).unwrap();
    write("");
    let mut source = ConfigurationFile::new(path("anteroom.toml"));
    let started = source.load(&|_| None).unwrap();
    anteroom_storage::migrate(&StoreOptions::sqlite(path("anteroom.db"))).await.unwrap();
    let environment = Environment { may_make_keys: true, ..Environment::production() };
    let provider = Arc::new(wiring::provider(&started, &environment).await.unwrap());
    let web = Arc::new(wiring::web(&started.settings, Arc::clone(&provider)).unwrap());
    let algorithms = wiring::key_schedule(&started.settings).algorithms;
    let mut watcher = ConfigurationReloader::new(web, source, &started, algorithms);
    for (more, expected) in [
        ("practice.name = \"Practice\"\n", "changed=\"practice.name\" digest="),
        (
            "practice.name = \"Practice\"\nserver.listen = \"[::]:80\"\n",
            "changed=\"server.listen\" waits_for_next_start=\"server.listen\" digest=",
        ),
        (
            "server.listen = \"[::]:80\"\n",
            "changed=\"practice.name\" waits_for_next_start=\"server.listen\" digest=",
        ),
        ("", "changed=\"server.listen\" digest="),
        ("# nothing\n", "changed=\"nothing\" digest="),
    ] {
        write(more);
        // A change is read at the second look that finds it.
        assert!(watcher.check(Instant::now()).await && watcher.check(Instant::now()).await);
        let log = page.text();
        let line = log.lines().rfind(|line| line.contains("configuration applied")).unwrap_or_default();
        assert!(line.contains(expected), "{more}: {log}");
    }
    provider.store.close().await;
}
