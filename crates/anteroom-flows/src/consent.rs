//! `POST /consent`: the person agrees that an application learns what it asks for, or does not.

use anteroom_domain::audit::{Actor, Event};
use anteroom_oidc::{Scope, ScopeSet};

use crate::error::FlowError;
use crate::journey::{Carried, Waiting, open};
use crate::onward::{Onward, Step, StepPage, deny, parked, proceed, proceed_with};
use crate::provider::Provider;
use crate::trail::Origin;
use crate::visitor::{Live, Visitor};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

#[derive(Debug)]
pub enum ConsentOutcome {
    Onward(Onward),
    Gone,
}

pub async fn consent(
    provider: &Provider,
    visitor: &Visitor,
    waiting: Waiting,
    decision: Decision,
) -> Result<ConsentOutcome, FlowError> {
    let Ok(carried) = open(provider, visitor, waiting).await? else { return Ok(ConsentOutcome::Gone) };
    let asked_of = carried.journey.account;
    // Only what the page would ask now can be agreed to, by whom it asked: the world may have moved on since.
    let now = match proceed(provider, visitor, carried).await? {
        Onward::Page(page) => *page,
        elsewhere => return Ok(ConsentOutcome::Onward(elsewhere)),
    };
    let (scope, person, mut carried) = match now {
        StepPage { step: Step::Consent { scope, person }, carried, .. }
            if asked_of == Some(person.account.id) =>
        {
            (scope, person, carried)
        }
        other => {
            let page = Onward::Page(Box::new(other));
            return Ok(ConsentOutcome::Onward(parked(provider, visitor, page).await?));
        }
    };
    record(provider, visitor, &carried, &person, (scope, decision)).await?;
    if decision == Decision::Deny {
        let denied = deny(provider, visitor, &carried, person.account.id).await?;
        return Ok(ConsentOutcome::Onward(denied));
    }
    carried.journey.consented_by = Some(person.account.id);
    let onward = proceed_with(provider, visitor, carried, vec![*person]).await?;
    Ok(ConsentOutcome::Onward(parked(provider, visitor, onward).await?))
}

async fn record(
    provider: &Provider,
    visitor: &Visitor,
    carried: &Carried,
    person: &Live,
    (scope, decision): (ScopeSet, Decision),
) -> Result<(), FlowError> {
    let Some(request) = carried.journey.request() else {
        return Err(FlowError::Broken("consent without a request"));
    };
    let (account, client, now) = (person.account.id, request.client_id.clone(), visitor.now);
    let event = match decision {
        Decision::Allow => Event::ConsentGiven { scope: scope.clone() },
        Decision::Deny => Event::ConsentDenied { scope: scope.clone() },
    };
    let device = person.session.device;
    let origin = Origin::of(visitor, &provider.random);
    let entry = origin.entry(Actor::Account(account), event).by_client(&client).in_session(person.session.id);
    let write = provider.store.write(move |tx| {
        let (entry, client, scope) = (entry.clone(), client.clone(), scope.clone());
        async move {
            if decision == Decision::Allow {
                tx.save_consent(account, &client, &scope, now).await?;
                if let Some(device) = device.filter(|_| scope.contains(&Scope::OfflineAccess)) {
                    tx.save_offline_consent(device, &client, now).await?;
                }
            }
            Ok::<_, FlowError>(tx.append(&entry).await?)
        }
    });
    write.await?;
    Ok(())
}
