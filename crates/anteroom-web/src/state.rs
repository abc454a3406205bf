//! What every handler shares.

use anteroom_flows::context::provider::Provider;
use anteroom_messaging::Branding;
use anteroom_messaging::twilio::Callbacks;
use anteroom_pages::{Locale, Theme};
use arc_swap::ArcSwap;
use ipnet::IpNet;
use std::sync::Arc;
use std::time::Duration;

use crate::once_an_hour::HourlyLog;

/// The application state of the web.
pub struct Web {
    pub provider: Arc<Provider>,
    theme: ArcSwap<Theme>,
    pub settings: WebSettings,
    /// When a proxy's header that cannot be read was last spoken of.
    pub(crate) unreadable_proxy: HourlyLog,
}

/// What the operator configured about HTTP itself; fixed while the server runs.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub request_timeout: Duration,
    pub max_body: usize,
    pub default_locale: Locale,
    /// The development outbox may answer, if everything else about the request is loopback as well.
    pub dev_outbox: bool,
    /// The listener itself is bound to loopback.
    pub listens_on_loopback: bool,
    /// The provider of texts or calls asks back.
    pub twilio: Option<Arc<Callbacks>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    #[error("the issuer {0:?} has a path: Anteroom serves its pages at the root of a host")]
    IssuerPath(String),
}

impl Web {
    pub fn new(
        provider: Arc<Provider>,
        theme: Theme,
        settings: WebSettings,
    ) -> Result<Self, ConfigurationError> {
        let issuer = provider.snapshot().issuer.clone();
        if !issuer.path().is_empty() && issuer.path() != "/" {
            return Err(ConfigurationError::IssuerPath(issuer.as_str().to_owned()));
        }
        let theme = ArcSwap::from_pointee(theme);
        Ok(Self { provider, theme, settings, unreadable_proxy: HourlyLog::default() })
    }

    pub fn theme(&self) -> Arc<Theme> {
        self.theme.load_full()
    }

    pub fn replace_theme(&self, theme: Theme) {
        self.theme.store(Arc::new(theme));
    }

    /// What all messages of the practice have in common.
    pub fn letterhead(&self) -> Branding {
        let snapshot = self.provider.snapshot();
        Branding {
            practice: snapshot.practice.name.clone(),
            host: snapshot.issuer.url().host_str().unwrap_or_default().to_owned(),
            time_zone: snapshot.practice.time_zone.clone(),
            default_locale: self.settings.default_locale,
            locales: self.theme().locales(),
        }
    }

    /// `__Host-` and Secure go only where there is no TLS at all: a loopback http issuer.
    pub fn secure_cookies(&self) -> bool {
        !self.provider.snapshot().issuer.is_loopback_http()
    }
}
