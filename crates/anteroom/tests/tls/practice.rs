//! An installation with an authority of its own, served on a free port.

use anteroom::cli::ConfigArgs;
use anteroom_config::Configuration;
use anteroom_crypto::{MasterKey, Random};
use anteroom_server::connections::Connections;
use anteroom_server::serve;
use anteroom_server::tls::{self, CertificateWatcher, TlsConfigWatch};
use anteroom_server::wiring::{self, Environment};
use anteroom_storage::StoreOptions;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use reqwest::tls::Version;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret as _;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) const HOST: &str = "id.practice.example";

pub(crate) struct Practice {
    folder: TempDir,
    authority: Issuer<'static, KeyPair>,
    root: String,
}

/// What an authority hands out, as PEM.
pub(crate) struct Issued {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Issued {
    pub(crate) fn write(&self, practice: &Practice) {
        fs::write(practice.path("server.pem"), &self.chain).unwrap();
        fs::write(practice.path("server.key"), &self.key).unwrap();
    }

    /// As it is presented.
    pub(crate) fn presented(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.chain.as_bytes()).unwrap()
    }
}

impl Practice {
    pub(crate) fn new() -> Self {
        Self::with_issuer(&format!("https://{HOST}"))
    }

    /// With a certificate for [`HOST`], whatever the issuer is.
    pub(crate) fn with_issuer(issuer: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().pem();
        let practice =
            Self { folder: tempfile::tempdir().unwrap(), authority: Issuer::new(params, key), root };
        let text = format!(
            "issuer = \"{issuer}\"\ndatabase.url = \"sqlite:{}\"\nkeys.master_key_file = \"master.key\"\n\
             [server.tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n",
            practice.path("anteroom.db").display()
        );
        fs::write(practice.path("anteroom.toml"), text).unwrap();
        let key = MasterKey::generate(&Random::system()).encode();
        fs::write(practice.path("master.key"), key.expose_secret()).unwrap();
        practice.issue(&[HOST]).write(&practice);
        practice
    }

    /// The authority's certificate, as PEM.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn args(&self) -> ConfigArgs {
        ConfigArgs { config: self.path("anteroom.toml") }
    }

    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.sign(&CertificateParams::new(names).unwrap())
    }

    pub(crate) fn issue_for_years(&self, not_before: i32, not_after: i32) -> Issued {
        let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
        params.not_before = date_time_ymd(not_before, 1, 1);
        params.not_after = date_time_ymd(not_after, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Issued {
        let key = KeyPair::generate().unwrap();
        let chain = params.signed_by(&key, &self.authority).unwrap().pem();
        Issued { chain, key: key.serialize_pem() }
    }

    pub(crate) fn configuration(&self) -> Configuration {
        let loaded = Configuration::load(&self.path("anteroom.toml"), &|_| None);
        loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)))
    }

    pub(crate) fn open(&self) -> (TlsConfigWatch, CertificateWatcher) {
        let (settings, now) = (self.configuration().settings, Environment::production().clock.now());
        tls::open(&settings, now).unwrap().unwrap()
    }

    pub(crate) async fn serve(&self) -> Running {
        let configuration = self.configuration();
        let options = StoreOptions::sqlite(self.path("anteroom.db"));
        anteroom_storage::migrate(&options).await.unwrap();
        let environment = Environment { may_make_keys: true, ..Environment::production() };
        let provider = Arc::new(wiring::provider(&configuration, &environment).await.unwrap());
        let web = Arc::new(wiring::web(&configuration.settings, provider).unwrap());
        let (served, watcher) = self.open();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let router = anteroom_web::router(web);
        let connections = Connections::of(&configuration.settings);
        let task =
            tokio::spawn(serve::serve(vec![listener], Some(served.clone()), router, connections, async {
                let _ = stopped.await;
            }));
        Running { address, served, watcher: Some(watcher), stop, task }
    }

    /// Trusts the authority and no other, and speaks one version.
    pub(crate) fn client(&self, running: &Running, version: Version) -> reqwest::Client {
        #[expect(clippy::disallowed_methods, reason = "a client of the provider, from outside")]
        let builder = reqwest::Client::builder();
        let root = reqwest::Certificate::from_pem(self.root.as_bytes()).unwrap();
        let builder = builder.tls_certs_only([root]).no_proxy().resolve(HOST, running.address);
        builder.tls_version_min(version).tls_version_max(version).build().unwrap()
    }

    /// A connection of a client that keeps what it is offered for going on later.
    pub(crate) fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.root.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        TlsConnector::from(Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth()))
    }
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) served: TlsConfigWatch,
    pub(crate) watcher: Option<CertificateWatcher>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    pub(crate) async fn connect(&self, connector: &TlsConnector) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        connector.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap()
    }

    /// Waits until nothing is served any more.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap().unwrap();
    }
}

/// Asks on a connection that stays, and reads the answer to its end, which is that of its headers.
pub(crate) async fn head(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(format!("HEAD /healthz HTTP/1.1\r\nhost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

/// The fatal alert that the server has for a client that has nothing newer than TLS 1.1 to offer.
pub(crate) async fn alert_to_tls_1_1(running: &Running) -> Option<u8> {
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    // No session, two suites, no compression; one extension, signature_algorithms, without which no client is answered.
    hello.extend([0, 0, 4, 0xc0, 0x13, 0x00, 0x2f, 1, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 1]);
    let mut record = vec![22, 3, 1, 0, 0, 1, 0, 0, 0];
    let length = u8::try_from(hello.len()).unwrap();
    (record[4], record[8]) = (length + 4, length);
    record.extend(hello);
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(&record).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    match answer.as_slice() {
        [21, _, _, 0, 2, 2, alert] => Some(*alert),
        _ => None,
    }
}
