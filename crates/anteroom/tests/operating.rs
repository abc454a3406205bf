//! The commands as an operator meets them: on a fresh folder, with mistakes in it.
#![cfg(test)]

use anteroom::cli::{CheckArgs, Cli, ConfigArgs, KeysCommand, RotateArgs};
use anteroom::commands::{CommandError, check, client, keys, migrate};
use anteroom_config::{Configuration, ConfigurationFile};
use anteroom_crypto::{MasterKey, Random};
use anteroom_oidc::SigningAlgorithm;
use anteroom_server::applied_configuration::{ReloadError, apply_configuration};
use anteroom_server::reload::{ConfigurationReloader, SECOND_LOOK_AFTER};
use anteroom_server::wiring::{self, Environment, WiringError};
use anteroom_storage::{InstanceKind, Store, StoreOptions};
use anteroom_testkit::{Documents, on_sqlite};
use clap::Parser as _;
use secrecy::ExposeSecret as _;
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

struct Installation {
    folder: TempDir,
}

impl Installation {
    /// A configuration with a good master key, and nothing else.
    fn new() -> Self {
        let installation = Self { folder: tempfile::tempdir().unwrap() };
        installation.configure("");
        installation.renew_master_key();
        installation
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, more: &str) {
        let text = format!(
            "issuer = \"http://localhost:8080\"\ndatabase.url = \"sqlite:{}\"\nkeys.master_key_file = \"master.key\"\n{more}",
            self.path("anteroom.db").display()
        );
        fs::write(self.path("anteroom.toml"), text).unwrap();
    }

    fn configuration(&self) -> Configuration {
        let loaded = Configuration::load(&self.path("anteroom.toml"), &|_| None);
        loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)))
    }

    fn renew_master_key(&self) {
        let key = MasterKey::generate(&Random::system()).encode();
        fs::write(self.path("master.key"), key.expose_secret()).unwrap();
    }

    fn args(&self) -> ConfigArgs {
        ConfigArgs { config: self.path("anteroom.toml") }
    }

    fn check(&self, online: bool) -> Result<(), CommandError> {
        check::run(&CheckArgs { online, database: false, config: self.args() })
    }

    fn check_database(&self) -> Result<(), CommandError> {
        check::run(&CheckArgs { online: false, database: true, config: self.args() })
    }

    fn migrate(&self) -> Result<(), CommandError> {
        migrate::run(&self.args())
    }

    /// Any command that needs the database with its keys.
    fn list_keys(&self) -> Result<(), CommandError> {
        keys::run(KeysCommand::List(self.args()))
    }

    fn options(&self) -> StoreOptions {
        StoreOptions::sqlite(self.path("anteroom.db"))
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn migrating_with_a_bad_master_key_changes_nothing_and_can_be_repeated() {
    let installation = Installation::new();
    fs::write(installation.path("master.key"), "too short").unwrap();
    assert!(matches!(installation.migrate(), Err(CommandError::Wiring(WiringError::MasterKey { .. }))));
    assert!(!installation.path("anteroom.db").exists());
    installation.renew_master_key();
    installation.migrate().unwrap();
    installation.list_keys().unwrap();
}

#[test]
fn a_migration_that_ended_before_its_keys_were_made_can_be_repeated() {
    let installation = Installation::new();
    block_on(anteroom_storage::migrate(&installation.options())).unwrap();
    let refused = installation.list_keys().unwrap_err();
    assert!(matches!(refused, CommandError::Wiring(WiringError::NoKeys)), "{refused}");
    installation.migrate().unwrap();
    installation.list_keys().unwrap();
}

#[test]
fn no_keys_are_made_over_a_database_that_has_lost_its_own() {
    let installation = Installation::new();
    block_on(async {
        anteroom_storage::migrate(&installation.options()).await.unwrap();
        let store = Store::connect(&installation.options()).await.unwrap();
        store.init_instance(InstanceKind::Production, Environment::production().clock.now()).await.unwrap();
        store.close().await;
    });
    for refused in [installation.migrate(), installation.list_keys()] {
        assert!(matches!(refused, Err(CommandError::Wiring(WiringError::KeysLost))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_has_lost_the_key_of_its_subs_is_not_served() {
    on_sqlite(|backend| async move {
        let installation = Installation::new();
        let text = format!(
            "issuer = \"http://localhost:8080\"\ndatabase.url = \"{}\"\nkeys.master_key_file = \"master.key\"\n",
            backend.url()
        );
        fs::write(installation.path("anteroom.toml"), text).unwrap();
        let settings = installation.configuration().settings;
        let environment = Environment { may_make_keys: true, ..Environment::production() };
        let (store, _) = wiring::open_store(&settings, &environment).await.unwrap();
        store.close().await;
        backend.execute("DELETE FROM sealed_keys WHERE purpose = 'subject'").await;
        // Another one would make another person of each account.
        assert!(matches!(wiring::open_store(&settings, &environment).await, Err(WiringError::KeysLost)));
    })
    .await;
}

#[test]
fn another_master_key_opens_nothing_and_leaves_nothing_behind() {
    let installation = Installation::new();
    let right = fs::read(installation.path("master.key")).unwrap();
    installation.migrate().unwrap();
    installation.renew_master_key();
    for refused in [installation.migrate(), installation.list_keys()] {
        assert!(matches!(refused, Err(CommandError::Wiring(WiringError::Keyring(_)))));
    }
    fs::write(installation.path("master.key"), right).unwrap();
    installation.list_keys().unwrap();
}

#[test]
fn compromised_keys_are_published_no_longer() {
    let installation = Installation::new();
    installation.migrate().unwrap();
    let published = || {
        block_on(async {
            let settings = installation.configuration().settings;
            let (store, _) = wiring::open_store(&settings, &Environment::production()).await.unwrap();
            let (keys, now) = (store.signing_keys().await.unwrap(), Environment::production().clock.now());
            store.close().await;
            keys.iter().filter(|key| key.published_until.is_none_or(|until| until > now)).count()
        })
    };
    for (compromised, expected) in [(false, 3), (false, 6), (true, 3)] {
        keys::run(KeysCommand::Rotate(RotateArgs { compromised, config: installation.args() })).unwrap();
        assert_eq!(published(), expected);
    }
}

#[test]
fn check_finds_what_serving_would_refuse() {
    let installation = Installation::new();
    installation.check(false).unwrap();
    installation.configure("theme.folder = \"nowhere\"\n");
    let refused = installation.check(false);
    assert!(matches!(refused, Err(CommandError::Wiring(WiringError::Theme(_)))));
    installation.configure("");
    fs::write(installation.path("master.key"), "too short").unwrap();
    let refused = installation.check(false);
    assert!(matches!(refused, Err(CommandError::Wiring(WiringError::MasterKey { .. }))));
    assert!(!installation.path("anteroom.db").exists());
}

#[test]
fn check_online_signs_in_to_the_mail_server() {
    let installation = Installation::new();
    let configure = |port: u16| {
        installation.configure(&format!(
            "[email]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"no-reply@practice.example\"\n"
        ));
    };
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    configure(port);
    let speaking = std::thread::spawn(move || {
        let (stream, _) = server.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let say = |answer: &[u8]| (&stream).write_all(answer).unwrap();
        say(b"220 double ESMTP\r\n");
        assert_eq!(lines.next().unwrap().unwrap(), "EHLO practice.example");
        say(b"250 double\r\n");
        assert_eq!(lines.next().unwrap().unwrap(), "QUIT");
        say(b"221 goodbye\r\n");
    });
    installation.check(true).unwrap();
    speaking.join().unwrap();
    // Nothing listens there any more.
    installation.check(false).unwrap();
    let refused = installation.check(true).unwrap_err().to_string();
    assert!(
        refused.contains(&format!("mail server 127.0.0.1: no_connection (127.0.0.1: 127.0.0.1:{port}:")),
        "{refused}"
    );
}

#[test]
fn check_says_whether_the_database_and_the_master_key_fit() {
    let installation = Installation::new();
    let missing = installation.check_database().unwrap_err().to_string();
    assert!(missing.contains("there is no database") && missing.contains("anteroom migrate"), "{missing}");
    assert!(!installation.path("anteroom.db").exists(), "a look makes none");
    block_on(anteroom_storage::migrate(&installation.options())).unwrap();
    let refused = installation.check_database();
    assert!(matches!(refused, Err(CommandError::Wiring(WiringError::NoKeys))));
    installation.migrate().unwrap();
    installation.check_database().unwrap();
    let right = fs::read(installation.path("master.key")).unwrap();
    installation.renew_master_key();
    let refused = installation.check_database();
    assert!(matches!(refused, Err(CommandError::Wiring(WiringError::Keyring(_)))));
    installation.check(false).unwrap();
    fs::write(installation.path("master.key"), right).unwrap();
    installation.check_database().unwrap();
}

#[test]
fn what_stops_a_first_start_is_told_with_its_place_and_what_helps() {
    let installation = Installation::new();
    fs::write(installation.path("master.key"), "not a key").unwrap();
    let refused = installation.migrate().unwrap_err().to_string();
    for word in ["master.key", "not base64", "anteroom keys init"] {
        assert!(refused.contains(word), "{refused}");
    }
    let listen = "192.0.2.1:443".parse().unwrap();
    for (kind, helps) in [
        (ErrorKind::AddrInUse, "ss -ltnp"),
        (ErrorKind::AddrNotAvailable, "ip address"),
        (ErrorKind::PermissionDenied, "CAP_NET_BIND_SERVICE"),
    ] {
        let message = CommandError::Listen(listen, kind.into()).to_string();
        assert!(message.contains("192.0.2.1:443") && message.contains("server.listen"), "{message}");
        assert!(message.contains(helps), "{message}");
    }
}

#[test]
fn registration_5_check_online_holds_the_redirect_uris_against_what_is_published() {
    let published = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let documents = published.block_on(Documents::start("[\"http://127.0.0.1/one\"]"));
    let installation = Installation::new();
    let configure = |uris: &str| {
        installation.configure(&format!(
            "[[clients]]\nclient_id = \"app\"\napplication_type = \"native\"\nredirect_uris = {uris}\n\
             token_endpoint_auth_method = \"none\"\nsubject_type = \"pairwise\"\nsector_identifier_uri = \"{}\"\n",
            documents.url
        ));
    };
    configure("[\"http://127.0.0.1/one\"]");
    installation.check(true).unwrap();
    configure("[\"http://127.0.0.1/one\", \"http://127.0.0.1/two\"]");
    installation.check(false).unwrap();
    let refused = installation.check(true).unwrap_err();
    assert!(refused.to_string().ends_with(
        "client app: sector_identifier_uri: what is there does not list \"http://127.0.0.1/two\""
    ));
    assert_eq!(documents.asked(), 2);
}

#[test]
fn check_online_finds_addresses_at_which_nothing_answers() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let installation = Installation::new();
    installation.configure(&format!(
        "[[clients]]\nclient_id = \"app\"\napplication_type = \"native\"\nredirect_uris = [\"http://127.0.0.1/one\"]\n\
         token_endpoint_auth_method = \"none\"\nbackchannel_logout_uri = \"http://127.0.0.1:{port}/logout\"\n\
         jwks_uri = \"http://127.0.0.1:{port}/jwks\"\n"
    ));
    installation.check(false).unwrap();
    let refused = installation.check(true).unwrap_err().to_string();
    for key in ["backchannel_logout_uri", "jwks_uri"] {
        let expected = format!("client app: {key}: no answer from \"127.0.0.1:{port}\"");
        assert!(refused.contains(&expected), "{refused}");
    }
}

#[test]
fn a_secret_for_a_folder_that_is_not_there_names_the_folder() {
    let installation = Installation::new();
    let folder = installation.path("secrets");
    let path = folder.join("schedule");
    let refused = client::secret(&path).unwrap_err();
    assert!(matches!(&refused, CommandError::NoFolder(missing) if *missing == folder), "{refused}");
    fs::create_dir(&folder).unwrap();
    client::secret(&path).unwrap();
    assert!(matches!(client::secret(&path), Err(CommandError::Exists(_))));
}

#[test]
fn the_command_line_takes_languages_as_the_claim_does() {
    let invite = |locale: &str| {
        Cli::try_parse_from(["anteroom", "user", "invite", "erin@demo.example", "--locale", locale]).is_ok()
    };
    assert!(["en", "es", "es-MX", "fr"].into_iter().all(invite));
    assert!(["", "e", "*", "es MX"].into_iter().all(|locale| !invite(locale)));
}

#[tokio::test]
async fn a_reload_announces_and_admits_only_algorithms_that_have_keys() {
    const CLIENT: &str = "[[clients]]\nclient_id = \"app\"\nredirect_uris = [\"http://127.0.0.1/cb\"]\n\
        application_type = \"native\"\ntoken_endpoint_auth_method = \"none\"\n";
    let installation = Installation::new();
    let configuration = installation.configuration();
    anteroom_storage::migrate(&installation.options()).await.unwrap();
    let environment = Environment { may_make_keys: true, ..Environment::production() };
    let provider = Arc::new(wiring::provider(&configuration, &environment).await.unwrap());
    let web = wiring::web(&configuration.settings, Arc::clone(&provider)).unwrap();
    let running = wiring::key_schedule(&configuration.settings).algorithms;
    assert!(!running.contains(&SigningAlgorithm::Ps256));

    let more = "keys.signing.algorithms = [\"RS256\", \"ES256\", \"EdDSA\", \"PS256\"]\n";
    installation.configure(&format!("{more}{CLIENT}id_token_signed_response_alg = \"PS256\"\n"));
    let refused = apply_configuration(&web, &installation.configuration(), &running).await.unwrap_err();
    assert!(matches!(refused, ReloadError::NoKey(_, SigningAlgorithm::Ps256)));
    assert_eq!(provider.snapshot().clients.iter().count(), 0);

    installation.configure(&format!("{more}{CLIENT}"));
    apply_configuration(&web, &installation.configuration(), &running).await.unwrap();
    assert_eq!(provider.snapshot().clients.iter().count(), 1);
    assert!(!provider.snapshot().capabilities.signing_algorithms.contains(&SigningAlgorithm::Ps256));
    provider.store.close().await;
}

/// A folder that is moved, or whose file system is gone for a moment, looks like one without files.
#[tokio::test]
async fn a_reload_that_takes_clients_away_is_looked_at_twice() {
    let client = |id: &str| {
        format!(
            "[[clients]]\nclient_id = \"{id}\"\nredirect_uris = [\"http://127.0.0.1/cb\"]\n\
             application_type = \"native\"\ntoken_endpoint_auth_method = \"none\"\n"
        )
    };
    let installation = Installation::new();
    let (one, both) = (client("one"), client("one") + &client("two"));
    installation.configure(&both);
    let mut source = ConfigurationFile::new(installation.path("anteroom.toml"));
    let configuration = source.load(&|_| None).unwrap();
    anteroom_storage::migrate(&installation.options()).await.unwrap();
    let environment = Environment { may_make_keys: true, ..Environment::production() };
    let provider = Arc::new(wiring::provider(&configuration, &environment).await.unwrap());
    let web = Arc::new(wiring::web(&configuration.settings, Arc::clone(&provider)).unwrap());
    let algorithms = wiring::key_schedule(&configuration.settings).algorithms;
    let mut watcher = ConfigurationReloader::new(web, source, &configuration, algorithms);
    let mut now = Instant::now();
    // A change is read at the second look that finds it.
    let mut served_after = async |seconds: &[u64]| {
        for seconds in seconds {
            now += Duration::from_secs(*seconds);
            assert!(watcher.check(now).await);
        }
        provider.snapshot().clients.iter().count()
    };
    let second_look = SECOND_LOOK_AFTER.as_secs();
    installation.configure("");
    assert_eq!(served_after(&[1, 1, second_look - 1]).await, 2, "all are gone, and waited for");
    installation.configure(&both);
    assert_eq!(served_after(&[1, 1, second_look, 1]).await, 2, "they are back");
    installation.configure(&one);
    assert_eq!(served_after(&[1, 1, second_look - 1]).await, 2);
    assert_eq!(served_after(&[1]).await, 1, "two looks agree");
    installation.configure("");
    assert_eq!(served_after(&[1, 1]).await, 1);
    installation.configure("x = 1");
    assert_eq!(served_after(&[second_look, second_look]).await, 1, "the second look finds what is wrong");
    installation.configure(&both);
    assert_eq!(served_after(&[1, 1]).await, 2, "what adds clients is taken up at once");
    provider.store.close().await;
}
