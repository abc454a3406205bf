//! Where a journey leads, with the client as it is configured now.

use anteroom_domain::client::Client;
use anteroom_domain::interaction::Destination;
use anteroom_oidc::authorization::AuthorizationRequest;
use std::sync::Arc;

use crate::provider::Snapshot;

/// The destination with its client, as configured now.
pub(crate) enum Ahead {
    Dashboard,
    Application { client: Arc<Client>, request: Box<AuthorizationRequest> },
    ChangePassword,
    AuthenticatorApps,
}

impl Ahead {
    pub(crate) fn of(snapshot: &Snapshot, destination: &Destination) -> Option<Self> {
        match destination {
            Destination::Dashboard => Some(Self::Dashboard),
            Destination::ChangePassword => Some(Self::ChangePassword),
            Destination::AuthenticatorApps => Some(Self::AuthenticatorApps),
            Destination::Application(request) => {
                let client = Arc::clone(snapshot.clients.get(&request.client_id)?);
                Some(Self::Application { client, request: request.clone() })
            }
        }
    }

    pub(crate) fn request(&self) -> Option<&AuthorizationRequest> {
        match self {
            Self::Dashboard | Self::ChangePassword | Self::AuthenticatorApps => None,
            Self::Application { request, .. } => Some(request),
        }
    }

    pub(crate) fn client(&self) -> Option<&Arc<Client>> {
        match self {
            Self::Dashboard | Self::ChangePassword | Self::AuthenticatorApps => None,
            Self::Application { client, .. } => Some(client),
        }
    }
}
