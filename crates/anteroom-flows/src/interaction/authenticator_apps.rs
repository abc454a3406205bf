//! The authenticator apps of an account, and the codes that they show now.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::ids::{AccountId, AuthenticatorAppId};
use anteroom_domain::totp::{AuthenticatorApp, TimeStep, TotpSecret};

use crate::context::call::Call;
use crate::error::FlowError;

/// The apps whose codes are accepted now.
pub(crate) async fn usable_apps(call: &Call, account: AccountId) -> Result<Vec<AuthenticatorApp>, FlowError> {
    let mut apps = call.store().apps_of(account).await?;
    apps.retain(|app| app.is_usable(call.now));
    Ok(apps)
}

/// The apps that show this code now, each with the time step of the code.
pub(crate) fn apps_showing(
    call: &Call,
    apps: &[AuthenticatorApp],
    entered: &str,
) -> Result<Vec<(AuthenticatorAppId, TimeStep)>, FlowError> {
    let mut found = Vec::new();
    for app in apps {
        if let Some(step) = open(call, app)?.step_of(entered, call.now) {
            found.push((app.id, step));
        }
    }
    Ok(found)
}

pub(crate) fn open(call: &Call, app: &AuthenticatorApp) -> Result<TotpSecret, FlowError> {
    let sealer = call.keyring().sealer(KeyPurpose::FactorSeal);
    let plain = sealer.open(&AuthenticatorApp::associated_data(app.id), &app.secret_sealed);
    let plain = plain
        .map_err(|_| FlowError::Inconsistent("an app's secret that does not open under this master key"))?;
    TotpSecret::from_slice(&plain).ok_or(FlowError::Inconsistent("an app's secret of another length"))
}
