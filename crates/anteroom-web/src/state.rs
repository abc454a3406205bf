//! The state that all handlers share.

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
    /// When a proxy's unreadable header was last logged.
    pub(crate) unreadable_proxy: HourlyLog,
}

/// The operator's settings for HTTP; fixed while the server runs.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    pub request_timeout: Duration,
    pub max_body: usize,
    pub default_locale: Locale,
    /// The development outbox may respond if everything else about the request is loopback as well.
    pub dev_outbox: bool,
    /// The listener itself is bound to loopback.
    pub listens_on_loopback: bool,
    /// For callbacks of the provider of texts or calls.
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

    /// The practice's branding, which all messages share.
    pub fn branding(&self) -> Branding {
        let snapshot = self.provider.snapshot();
        Branding {
            practice: snapshot.practice.name.clone(),
            host: snapshot.issuer.url().host_str().unwrap_or_default().to_owned(),
            time_zone: snapshot.practice.time_zone.clone(),
            default_locale: self.settings.default_locale,
            locales: self.theme().locales(),
        }
    }

    /// False only without TLS, which is a loopback http issuer: its cookies have neither `__Host-` nor `Secure`.
    pub fn secure_cookies(&self) -> bool {
        !self.provider.snapshot().issuer.is_loopback_http()
    }
}
