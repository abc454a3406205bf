//! Replaces the running configuration by a changed one.

use anteroom_config::Configuration;
use anteroom_flows::context::call::Call;
use anteroom_flows::node::configured_clients;
use anteroom_flows::people::admin;
use anteroom_flows::people::undefined_groups;
use anteroom_oidc::{ClientId, SigningAlgorithm};
use anteroom_pages::{Theme, ThemeError};
use anteroom_storage::InstanceKind;
use anteroom_web::Web;

use crate::wiring;

pub const RELOAD_REFUSED: &str = "the changed configuration was refused, and the running one stays in use";

/// Why a valid configuration cannot replace the running one.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("the issuer cannot change while the server runs")]
    Issuer,
    #[error(
        "the client `{0}` needs {1}, for which there is no key: keys.signing.algorithms takes effect at the next start"
    )]
    NoKey(ClientId, SigningAlgorithm),
    #[error("the theme: {0}")]
    Theme(#[from] ThemeError),
    #[error("the theme could not be loaded: {0}")]
    NotLoaded(#[from] tokio::task::JoinError),
}

/// `algorithms` are those for which the node has signing keys.
pub async fn apply_configuration(
    web: &Web,
    configuration: &Configuration,
    algorithms: &[SigningAlgorithm],
) -> Result<(), ReloadError> {
    let (provider, settings) = (&web.provider, &configuration.settings);
    let running = provider.snapshot();
    if running.issuer != settings.issuer {
        return Err(ReloadError::Issuer);
    }
    if let Some((client, algorithm)) = wiring::without_key(settings, algorithms) {
        return Err(ReloadError::NoKey(client.clone(), algorithm));
    }
    // Loading renders every page and message, so it runs on a blocking thread.
    let folder = settings.theme.folder.clone();
    let theme = tokio::task::spawn_blocking(move || Theme::load(folder.as_deref())).await??;
    wiring::warn_of_theme(&theme);
    let kind = if running.practice.demo { InstanceKind::Demo } else { InstanceKind::Production };
    web.replace_theme(theme);
    provider.replace_snapshot(wiring::snapshot(configuration, &provider.keyring, kind, algorithms));
    Ok(())
}

pub async fn record_applied_configuration(web: &Web, configuration: &Configuration) {
    wiring::warn_of(configuration);
    if web.provider.history.is_rolled_back() {
        return;
    }
    let call = Call::local(&web.provider);
    if let Err(error) = admin::note_configuration(&call).await {
        tracing::error!("the audit entry for the configuration could not be written: {error}");
    }
    // If the clients cannot be recorded, the next round of housekeeping does it; undefined groups are logged at the next change.
    if let Err(error) = configured_clients::record(&call).await {
        tracing::error!("the configured clients could not be recorded: {error}");
    }
    if let Err(error) = undefined_groups::warn(&call).await {
        tracing::error!("the configured groups could not be checked: {error}");
    }
}
