//! The person's decision on the consent page, as it is written together with the answer to the application.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::ClientVersion;
use anteroom_domain::ids::{AccountId, DeviceId};
use anteroom_domain::interaction::InteractionState;
use anteroom_oidc::{ClientId, Scope, ScopeSet};
use anteroom_storage::Tx;

use crate::context::active_session::{ActiveSession, SessionOfEpoch};
use crate::context::call::Visit;
use crate::error::FlowError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentDecision {
    Allow,
    Deny,
}

/// What is written of a decision.
#[derive(Debug)]
pub(crate) struct ConsentDecisionRecord {
    account: AccountId,
    session: SessionOfEpoch,
    device: Option<DeviceId>,
    client: ClientId,
    /// The revision that the client's row must still have. `None`: a configured client, which has no row; the operator vouches
    /// for it, and its consent outlives changes.
    registered: Option<ClientVersion>,
    /// Names the decision and the scope.
    entry: AuditEntry,
}

impl ConsentDecisionRecord {
    pub(crate) fn of(
        visit: &Visit,
        state: &InteractionState,
        person: &ActiveSession,
        decision: ConsentDecision,
    ) -> Result<Self, FlowError> {
        let (Some(request), Some(question)) = (state.request(), &state.consent_question) else {
            return Err(FlowError::Inconsistent("consent without a request"));
        };
        let (account, client) = (person.account.id, request.ask.client_id.clone());
        let scope = question.scope.clone();
        let event = match decision {
            ConsentDecision::Allow => Event::ConsentGiven { scope },
            ConsentDecision::Deny => Event::ConsentDenied { scope },
        };
        let entry = visit.entry(Actor::Account(account), event);
        let is_configured = visit.snapshot().clients.is_configured(&client);
        Ok(Self {
            account,
            session: person.of_epoch(),
            device: person.session.device,
            registered: (!is_configured).then_some(question.client_version),
            entry: entry.by_client(&client).in_session(person.session.id),
            client,
        })
    }

    /// The scope that the person allows. `None`: the person denies it.
    pub(crate) fn agrees_to(&self) -> Option<&ScopeSet> {
        match &self.entry.event {
            Event::ConsentGiven { scope } => Some(scope),
            _ => None,
        }
    }

    /// The session in which the person decided.
    pub(crate) const fn session(&self) -> SessionOfEpoch {
        self.session
    }

    /// Whether the client is still as the page showed it. Its row is locked until the unit ends.
    pub(crate) async fn is_to_this_client(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Some(version) = self.registered.filter(|_| self.agrees_to().is_some()) else {
            return Ok(true);
        };
        let revision = tx.lock_revision_of_client(&self.client).await?;
        Ok(revision.map(ClientVersion::of_revision) == Some(version))
    }

    pub(crate) async fn keep(&self, tx: &Tx) -> Result<(), FlowError> {
        let Self { account, client, .. } = self;
        if let Some(scope) = self.agrees_to() {
            let now = self.entry.at;
            tx.save_consent(*account, client, scope, now).await?;
            if let Some(device) = self.device.filter(|_| scope.contains(&Scope::OfflineAccess)) {
                tx.save_offline_consent(device, client, now).await?;
            }
        }
        tx.append(&self.entry).await?;
        Ok(())
    }
}
