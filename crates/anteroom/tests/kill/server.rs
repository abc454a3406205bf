//! The server as an operator runs it: a folder with a configuration, and the binary.

use anteroom_config::Configuration;
use anteroom_crypto::{MasterKey, Random};
use anteroom_domain::account::Profile;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::clock::Clock;
use anteroom_domain::ids::AccountId;
use anteroom_flows::context::call::Call;
use anteroom_flows::people::admin::{Invitee, invite};
use anteroom_server::wiring::{self, Environment};
use anteroom_server::{background, sending};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::post::Post;

pub(crate) const CLIENT: &str = "portal";
pub(crate) const CALLBACK: &str = "http://127.0.0.1/callback";

/// Longer than the worker keeps a message in its hands.
const AFTER_THE_LEASE: SignedDuration = SignedDuration::from_mins(2);
/// How often it is looked whether a message is left.
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_mins(1);

/// Limits are out of the way where many people behind one address would meet them, and nothing that counts is too old
/// by the end.
const SETTINGS: &str = r#"
[policy.sign_in]
failure_floor = "0s"
rate = { max = 100000, window = "5m" }

[policy.recovery]
rate = { max = 100000, window = "5m" }

[policy.limits]
form_of_session = { max = 100000, window = "5m" }
form_of_account = { max = 100000, window = "5m" }
form_of_address = { max = 100000, window = "5m" }
new_password = { max = 100000, window = "5m" }
request = { max = 10000000, window = "1m" }
refresh = { max = 100000, window = "5m" }

[policy.codes]
wrong_entries = 20

[policy.telephony]
per_prefix = { max = 100000, window = "1h" }
overall = { max = 100000, window = "1h" }

[policy.tokens]
code = "10m"
refresh_retry = "10m"

[[clients]]
client_id = "portal"
client_name = "Portal"
application_type = "native"
first_party = true
redirect_uris = ["http://127.0.0.1/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
offline_access_consent = false
scope = "openid offline_access"
"#;

pub(crate) struct Installation {
    pub(crate) address: SocketAddr,
    folder: TempDir,
    /// Of the server, beside what this process has.
    pub(crate) environment: Vec<(String, String)>,
    /// What the server complained of, in all its lives.
    complaints: Arc<Mutex<Vec<String>>>,
}

impl Installation {
    pub(crate) fn new(folder: TempDir, database_url: &str, post: &Post) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, quiet_port()));
        let installation = Self { address, folder, environment: Vec::new(), complaints: Arc::default() };
        let text = format!(
            "issuer = \"{}\"\nserver.listen = \"{address}\"\ndatabase.url = \"{}\"\nkeys.master_key_file = \"master.key\"\n\
             audit.checkpoints_file = \"checkpoints.jsonl\"\n\
             [email]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"no-reply@practice.example\"\n\
             [text]\nprovider = \"http\"\n[text.http]\nurl = \"http://127.0.0.1:{}/text\"\n\
             body = \"id={{id}}&to={{to}}&text={{text}}\"\n{SETTINGS}",
            installation.issuer(),
            database_url,
            post.smtp,
            post.gateway,
        );
        fs::write(installation.path("anteroom.toml"), text).unwrap();
        let key = MasterKey::generate(&Random::system()).encode();
        fs::write(installation.path("master.key"), key.expose_secret()).unwrap();
        installation.run(&["migrate"]);
        installation
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
        command.env("ANTEROOM_CONFIG", self.path("anteroom.toml")).current_dir(self.folder.path());
        command
    }

    /// What a command said, which must be content.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(output.status.success(), "{arguments:?}: {said:?}");
        said.concat()
    }

    /// What a command said that must refuse.
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
    }

    fn configuration(&self) -> Configuration {
        let loaded = Configuration::load(&self.path("anteroom.toml"), &|_| None);
        loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)))
    }

    /// Numbers people from zero.
    pub(crate) async fn invite(&self, count: u32) -> Vec<(u32, AccountId)> {
        let provider = wiring::provider(&self.configuration(), &Environment::production()).await.unwrap();
        let call = Call::local(&Arc::new(provider));
        let mut invited = Vec::new();
        for number in 0..count {
            let invitee = Invitee {
                address: EmailAddress::parse(&address_of(number)).unwrap(),
                profile: Profile::default(),
                groups: BTreeSet::new(),
                locale: None,
            };
            invited.push((number, invite(&call, invitee).await.unwrap().account));
        }
        call.store().close().await;
        invited
    }

    /// Once the leases of the killed are over, which a clock that is ahead brings about.
    pub(crate) async fn send_the_rest(&self, post: &Post) {
        let configuration = self.configuration();
        let clock = Clock::manual(Clock::system().now().checked_add(AFTER_THE_LEASE).unwrap());
        let environment = Environment { clock, ..Environment::production() };
        let provider = Arc::new(wiring::provider(&configuration, &environment).await.unwrap());
        let web = Arc::new(wiring::web(&configuration.settings, Arc::clone(&provider)).unwrap());
        post.lives.send_modify(|life| *life += 1);
        let sending = sending::start(&web, &configuration.settings).unwrap().unwrap();
        let look = async {
            while !provider.store.newest_messages(1).await.unwrap().is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, look).await;
        waited.unwrap_or_else(|_| panic!("messages are left that nobody sends"));
        sending.finish().await;
        background::finish_audit_trail(&provider, &configuration.settings).await.unwrap();
        provider.store.close().await;
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap().clone()
    }
}

pub(crate) fn address_of(number: u32) -> String {
    format!("person{number}@practice.example")
}

/// Below those that systems hand out, so that no other program takes it while the server is down.
pub(crate) fn quiet_port() -> u16 {
    let random = Random::system();
    loop {
        let port = 20_000 + u16::try_from(random.below(10_000)).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// One life of the server.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Until it says that it is ready.
    pub(crate) async fn start(installation: &Installation) -> Self {
        let mut command = installation.command();
        command.arg("serve").envs(installation.environment.iter().cloned());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (log, complaints) = (child.stderr.take().unwrap(), Arc::clone(&installation.complaints));
        let (ready, is_ready) = oneshot::channel();
        std::thread::spawn(move || {
            let mut ready = Some(ready);
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if line.contains(" ready issuer=") {
                    ready.take().map(|ready| ready.send(()));
                }
                if line.contains("ERROR") || line.contains("panicked") {
                    complaints.lock().unwrap().push(line);
                }
            }
        });
        let waited = tokio::time::timeout(PATIENCE, is_ready).await.ok().and_then(Result::ok);
        waited.unwrap_or_else(|| panic!("the server did not start: {:?}", installation.complaints()));
        Self { child }
    }

    /// As a power cut does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As a service manager does.
    pub(crate) fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let look = async {
        while !is_so().await {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// The lines of a file.
pub(crate) fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}
