//! Makes the web application from settings: the theme, its languages, the listener and the proxies.

use anteroom_config::Settings;
use anteroom_flows::context::provider::Provider;
use anteroom_pages::{Locale, Theme};
use anteroom_web::{Web, WebSettings};
use std::sync::Arc;

use super::{WiringError, request_timeout};
use crate::sending;

pub fn web(settings: &Settings, provider: Arc<Provider>) -> Result<Web, WiringError> {
    let theme = Theme::load(settings.theme.folder.as_deref())?;
    warn_of_theme(&theme);
    let web_settings = WebSettings {
        trusted_proxies: settings.server.trusted_proxies.clone(),
        request_timeout: request_timeout(settings),
        max_body: usize::try_from(settings.server.max_body).unwrap_or(usize::MAX),
        default_locale: default_locale(&settings.practice.default_locale, &theme.locales()),
        dev_outbox: settings.dev.outbox,
        listens_on_loopback: settings.server.listen.ip().is_loopback(),
        twilio: sending::callbacks(settings, &provider),
    };
    Ok(Web::new(provider, theme, web_settings)?)
}

fn default_locale(tag: &str, available: &[Locale]) -> Locale {
    Locale::best_match(tag, available).unwrap_or_else(|| {
        let used = Locale::default();
        tracing::warn!(tag, used = used.tag(), "practice.default_locale names a language without texts");
        used
    })
}

pub fn warn_of_theme(theme: &Theme) {
    for file in theme.ignored_files() {
        tracing::warn!(file, "a file in the theme's folder is not part of a theme and is ignored");
    }
    theme.warnings().iter().for_each(|warning| tracing::warn!("the theme: {warning}"));
}
