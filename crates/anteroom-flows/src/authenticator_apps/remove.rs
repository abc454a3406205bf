//! Taking an app off the account.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::FactorId;
use anteroom_domain::message::{AppChange, Mail};
use anteroom_storage::Tx;

use super::admitted_to_act;
use crate::error::FlowError;
use crate::notices::notices;
use crate::onward::Onward;
use crate::provider::Provider;
use crate::trail::Origin;
use crate::visitor::Visitor;

/// `None`: it is gone, whether it was there or not.
pub async fn remove(
    provider: &Provider,
    visitor: &Visitor,
    id: FactorId,
) -> Result<Option<Onward>, FlowError> {
    let live = match admitted_to_act(provider, visitor).await? {
        Ok(live) => live,
        Err(onward) => return Ok(Some(onward)),
    };
    let link = provider.snapshot().issuer.endpoint("/forgot-password").to_string();
    let mail = Mail::AuthenticatorApp { at: visitor.now, change: AppChange::Removed, link };
    let messages = notices(provider, &live.account, mail, visitor.now).await?;
    let account = live.account.id;
    let entry = Origin::of(visitor, &provider.random)
        .entry(Actor::Account(account), Event::AuthenticatorAppRemoved)
        .in_session(live.session.id);
    let write = provider.store.write(move |tx: Tx| {
        let (messages, entry) = (messages.clone(), entry.clone());
        async move {
            if tx.remove_app(account, id).await? {
                for message in &messages {
                    tx.enqueue(message).await?;
                }
                tx.append(&entry).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await?;
    Ok(None)
}
