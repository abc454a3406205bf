//! `POST /complete-registration`: another invitation, for somebody whose mail is lost or too old. The answer is the same for
//! every address.

use anteroom_domain::account::AccountStatus;
use anteroom_domain::address::FoldedAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::limits::Limit;
use anteroom_domain::link::LinkKind;
use anteroom_domain::rate::Wait;
use anteroom_storage::Tx;
use std::sync::Arc;

use crate::admin::invitation;
use crate::error::FlowError;
use crate::limits::{of_address, spend, wait_for_floor};
use crate::provider::Provider;
use crate::trail::Origin;
use crate::visitor::Visitor;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgainOutcome {
    Asked,
    RateLimited(Wait),
}

pub async fn ask_again(
    provider: &Provider,
    visitor: &Visitor,
    entered: &str,
) -> Result<AgainOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let snapshot = provider.snapshot();
    let policy = snapshot.policy.recovery;
    match spend(provider, of_address(provider, visitor.address, Limit::Invitation), visitor.now).await {
        Err(FlowError::Limited { wait, .. }) => return Ok(AgainOutcome::RateLimited(wait)),
        counted => counted?,
    }
    let account = provider.store.account_by_address(&FoldedAddress::from_entered(entered)).await?;
    let invited = account.filter(|account| account.status == AccountStatus::Invited);
    let sent = invited.map(|account| {
        let mut invitation = invitation(provider, &account, visitor.now);
        invitation.message.reference = Some(visitor.reference);
        (invitation, account.id)
    });
    let work = Arc::new((sent, Origin::of(visitor, &provider.random)));
    let (now, alive) = (visitor.now, u64::from(policy.links_alive));
    let write = provider.store.write(move |tx: Tx| {
        let work = Arc::clone(&work);
        async move {
            let (sent, origin) = &*work;
            let mut entry = origin.entry(Actor::Anonymous, Event::InvitationAsked { mailed: false });
            if let Some((invitation, account)) = sent {
                tx.lock_account(*account).await?;
                let mailed = tx.links_alive(*account, LinkKind::Invitation, now).await? < alive;
                entry = origin.entry(Actor::Anonymous, Event::InvitationAsked { mailed }).about(*account);
                if mailed {
                    tx.insert_link(&invitation.link).await?;
                    tx.enqueue(&invitation.message).await?;
                }
            }
            tx.append(&entry).await?;
            Ok::<_, FlowError>(())
        }
    });
    write.await?;
    wait_for_floor(started, &snapshot).await;
    Ok(AgainOutcome::Asked)
}
