//! `POST /consent`: the person agrees that an application learns what it asks for, or does not.
//!
//! A client that registered itself can change its registration while its consent page is open (RFC 7592 §2.2), and the
//! operator can change a configured one. What is agreed to is what the page showed: its form carries the question
//! ([`ConsentQuestion`]), which must be the one that the page would ask now, and the client's row must still say so in the
//! transaction that keeps the consent. Otherwise nothing is kept, and the page is shown as it is now.
//!
//! That transaction is the one that answers the application ([`crate::answered`]): of two answers at one instant one wins, and a
//! consent whose answer was a denial would stay.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::client::ClientVersion;
use anteroom_domain::ids::{AccountId, DeviceId};
use anteroom_domain::interaction::ConsentQuestion;
use anteroom_oidc::{ClientId, Scope, ScopeSet};
use anteroom_storage::Tx;
use std::sync::Arc;

use crate::answered::again;
use crate::call::Visit;
use crate::error::FlowError;
use crate::journey::{Carried, Waiting, open};
use crate::onward::{Onward, Step, StepPage, deny, parked, proceed, proceed_with};
use crate::visitor::Live;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

#[derive(Debug)]
pub enum ConsentOutcome {
    Onward(Onward),
    /// The page again, for the application has changed since it was shown: nothing was kept.
    AskedAnew(Box<StepPage>),
    Gone,
}

#[tracing::instrument(skip_all)]
pub async fn consent(
    visit: &Visit,
    waiting: Waiting,
    decision: Decision,
) -> Result<ConsentOutcome, FlowError> {
    let Ok(carried) = open(visit, waiting).await? else { return Ok(ConsentOutcome::Gone) };
    let (asked_of, shown) = (carried.journey.account, carried.journey.consent_question.clone());
    // Only what the page would ask now can be agreed to, by whom it asked: the world may have moved on since. A refusal keeps
    // nothing, and is one whatever the application has become.
    let answers = |page: &StepPage, person: &Live| {
        let same_question = page.carried.journey.consent_question == shown;
        asked_of == Some(person.account.id) && (same_question || decision == Decision::Deny)
    };
    let page = match proceed(visit, carried).await? {
        Onward::Page(page) => page,
        elsewhere => return Ok(ConsentOutcome::Onward(elsewhere)),
    };
    let person = match &page.step {
        Step::Consent { person, .. } if answers(&page, person) => person.clone(),
        _ => return instead(visit, (Onward::Page(page), shown)).await,
    };
    let carried = page.carried;
    // For a moment an answer is given again to a form that is sent again. What was answered is not answered differently.
    if let Some(before) = &carried.answered {
        return Ok(ConsentOutcome::Onward(again(visit, before, Some(person.account.id))));
    }
    match answer(visit, (&carried, &person), decision).await {
        Ok(onward) => Ok(ConsentOutcome::Onward(parked(visit, onward).await?)),
        // Another node, or a request of this moment, has changed the client.
        Err(FlowError::ClientChanged) => {
            let visit = &visit.with_clients_anew().await?;
            let onward = proceed_with(visit, carried, vec![*person]).await?;
            instead(visit, (onward, shown)).await
        }
        Err(error) => Err(error),
    }
}

/// The application is answered, and what the person decided is written in the unit that does. Where another page comes first,
/// nothing was decided yet.
async fn answer(
    visit: &Visit,
    (carried, person): (&Carried, &Live),
    decision: Decision,
) -> Result<Onward, FlowError> {
    let mut answering = carried.clone();
    answering.consent = Some(Arc::new(ConsentAnswer::of(visit, (carried, person), decision)?));
    if decision == Decision::Deny {
        return deny(visit, &answering, person.account.id).await;
    }
    answering.journey.consented_by = Some(person.account.id);
    let mut onward = proceed_with(visit, answering, vec![person.clone()]).await?;
    if let Onward::Page(page) = &mut onward {
        page.carried.consent = None;
        page.carried.journey.consented_by = None;
    }
    Ok(onward)
}

/// Where the form leads that answers no question of now. Forms of release 0.1.0 say nothing of what their page asked.
async fn instead(
    visit: &Visit,
    (onward, shown): (Onward, Option<ConsentQuestion>),
) -> Result<ConsentOutcome, FlowError> {
    Ok(match parked(visit, onward).await? {
        Onward::Page(page) if matches!(page.step, Step::Consent { .. }) && shown.is_some() => {
            let is_anew = page.carried.journey.consent_question != shown;
            if is_anew { ConsentOutcome::AskedAnew(page) } else { ConsentOutcome::Onward(Onward::Page(page)) }
        }
        elsewhere => ConsentOutcome::Onward(elsewhere),
    })
}

/// What is written of an answer.
#[derive(Debug)]
pub(crate) struct ConsentAnswer {
    account: AccountId,
    device: Option<DeviceId>,
    client: ClientId,
    question: ConsentQuestion,
    decision: Decision,
    /// At which the client's row must be; `None` for one of the configuration, which has no row. The operator answers for what
    /// such a client is, and consent to it does not end with a change of it.
    registered: Option<ClientVersion>,
    entry: AuditEntry,
}

impl ConsentAnswer {
    fn of(
        visit: &Visit,
        (carried, person): (&Carried, &Live),
        decision: Decision,
    ) -> Result<Self, FlowError> {
        let (Some(request), Some(question)) = (carried.journey.request(), &carried.journey.consent_question)
        else {
            return Err(FlowError::Broken("consent without a request"));
        };
        let (account, client) = (person.account.id, request.client_id.clone());
        let event = match decision {
            Decision::Allow => Event::ConsentGiven { scope: question.scope.clone() },
            Decision::Deny => Event::ConsentDenied { scope: question.scope.clone() },
        };
        let entry = visit.entry(Actor::Account(account), event);
        let is_configured = visit.snapshot().clients.is_configured(&client);
        Ok(Self {
            account,
            device: person.session.device,
            registered: (!is_configured).then_some(question.client_version),
            question: question.clone(),
            decision,
            entry: entry.by_client(&client).in_session(person.session.id),
            client,
        })
    }

    /// What the person agrees to with the answer that is being made.
    pub(crate) fn agrees_to(&self) -> Option<&ScopeSet> {
        (self.decision == Decision::Allow).then_some(&self.question.scope)
    }

    /// Whether the client still is what the page showed. Until the unit ends it does not change.
    pub(crate) async fn is_to_this_client(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Some(version) = self.registered.filter(|_| self.decision == Decision::Allow) else {
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
