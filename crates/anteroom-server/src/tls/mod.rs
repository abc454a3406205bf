//! TLS without a proxy in front, with a certificate and its key from files.
//!
//! - TLS 1.3 and 1.2 with the default cipher suites of rustls, which are the suites that RFC 9325 §4.2 recommends;
//!   AWS-LC implements them.
//! - The certificate must be for the issuer's host (RFC 9525 §6), since browsers and clients would refuse another: the
//!   start, `check` and a running server refuse it.
//! - A new pair is applied as a whole; a bad one is refused and the running one stays ([`CertificateWatcher`]).

mod validity;
mod watcher;

use anteroom_config::{ServerTls, Settings};
use jiff::Timestamp;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, client::verify_server_name};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use url::Host;
use zeroize::Zeroizing;

pub use validity::{CertificateStatus, Validity};
pub use watcher::{CertificateWatcher, LOOK_EVERY};

/// No chain is near this size, and reading an endless device would never end.
const MAX_FILE: u64 = 1024 * 1024;

/// The only protocol inside TLS (RFC 7301).
const ALPN: &[u8] = b"http/1.1";

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {0}: {1}")]
    File(PathBuf, io::Error),
    #[error("{0} is incomplete: {1}")]
    Pem(PathBuf, rustls::pki_types::pem::Error),
    #[error(
        "there is no certificate in {0}; it must be PEM: the server's certificate first, then the intermediate \
         certificates"
    )]
    NoCertificate(PathBuf),
    /// The parser's reason is not shown: it would quote the file.
    #[error("there is no private key in {0}; it must be PEM and unencrypted")]
    NoKey(PathBuf),
    #[error("the certificate in {0} cannot be read: {1}")]
    Certificate(PathBuf, x509_cert::der::Error),
    #[error("the certificate in {0} is not valid for the issuer's host: {1}")]
    Host(PathBuf, rustls::Error),
    #[error("the key in {1} does not match the certificate in {0}")]
    OtherKey(PathBuf, PathBuf),
    #[error("{0} cannot be used: {1}")]
    Unusable(PathBuf, rustls::Error),
    #[error("the issuer's host cannot be in a certificate: {0}")]
    Name(#[from] InvalidDnsNameError),
}

/// The files of the certificate and its key, and the host for which they must be valid.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    files: ServerTls,
    host: ServerName<'static>,
}

/// A pair that can be served.
#[derive(Debug)]
pub struct LoadedCertificate {
    pub validity: Validity,
    config: Arc<ServerConfig>,
}

/// The TLS configuration of the next connection.
#[derive(Clone, Debug)]
pub struct TlsConfigWatch(watch::Receiver<Arc<ServerConfig>>);

impl TlsConfigWatch {
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.borrow())
    }

    /// Waits until another certificate was loaded; false if that can no longer happen.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

/// Loads and checks the pair. Returns what serves it and what watches its files; `None` if a proxy terminates TLS.
pub fn open(
    settings: &Settings,
    now: Timestamp,
) -> Result<Option<(TlsConfigWatch, CertificateWatcher)>, TlsError> {
    let Some(pair) = CertificateFiles::of(settings)? else { return Ok(None) };
    let (served, watcher) = CertificateWatcher::start(pair)?;
    watcher.validity().status(now).warn();
    Ok(Some((served, watcher)))
}

impl CertificateFiles {
    /// `None` if a proxy terminates TLS.
    pub fn of(settings: &Settings) -> Result<Option<Self>, TlsError> {
        let Some(files) = settings.server.tls.clone() else { return Ok(None) };
        let host = match settings.issuer.url().host() {
            Some(Host::Ipv4(address)) => ServerName::from(std::net::IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => ServerName::from(std::net::IpAddr::V6(address)),
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned())?,
            None => ServerName::try_from(String::new())?,
        };
        Ok(Some(Self { files, host }))
    }

    pub fn load(&self) -> Result<LoadedCertificate, TlsError> {
        self.judge(self.read())
    }

    fn read(&self) -> Texts {
        Texts { certificate: read_bounded(&self.files.certificate), key: read_bounded(&self.files.key) }
    }

    fn judge(&self, texts: Texts) -> Result<LoadedCertificate, TlsError> {
        let ServerTls { certificate: chain_file, key: key_file } = &self.files;
        let text = texts.certificate.map_err(|error| TlsError::File(chain_file.clone(), error))?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.map_err(|error| TlsError::Pem(chain_file.clone(), error))?;
        let own = chain.first().ok_or_else(|| TlsError::NoCertificate(chain_file.clone()))?;
        let validity = Validity::of(own).map_err(|error| TlsError::Certificate(chain_file.clone(), error))?;
        let for_host = ParsedCertificate::try_from(own).and_then(|own| verify_server_name(&own, &self.host));
        for_host.map_err(|error| TlsError::Host(chain_file.clone(), error))?;
        let text = texts.key.map_err(|error| TlsError::File(key_file.clone(), error))?;
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| TlsError::NoKey(key_file.clone()))?;
        let provider = default_provider();
        let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::OtherKey(chain_file.clone(), key_file.clone()),
            error => TlsError::Unusable(key_file.clone(), error),
        })?;
        let versions =
            ServerConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
        let versions = versions.map_err(|error| TlsError::Unusable(chain_file.clone(), error))?;
        let resolver = Arc::new(SingleCertAndKey::from(certified));
        let mut config = versions.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(LoadedCertificate { validity, config: Arc::new(config) })
    }
}

/// The content of both files at one check.
struct Texts {
    certificate: io::Result<Zeroizing<Vec<u8>>>,
    key: io::Result<Zeroizing<Vec<u8>>>,
}

fn read_bounded(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is over 1 MiB"));
    }
    Ok(bytes)
}
