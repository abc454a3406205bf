//! `POST /forgot-password`: an address, and the same page for each.

use anteroom_domain::account::{Account, AccountStatus};
use anteroom_domain::address::{EmailAddress, FoldedAddress};
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{AccountId, MessageId};
use anteroom_domain::interaction::RecoveryNote;
use anteroom_domain::limits::Limit;
use anteroom_domain::link::{Link, LinkKind};
use anteroom_domain::message::{Mail, Message, Parcel};
use anteroom_domain::rate::Wait;
use anteroom_storage::Tx;
use jiff::SignedDuration;
use std::sync::Arc;

use crate::error::FlowError;
use crate::journey::{Carried, Gone, Keeping, Waiting, open_or_dashboard};
use crate::limits;
use crate::links::{NewLink, new_link};
use crate::provider::Provider;
use crate::trail::Origin;
use crate::visitor::{Visitor, new_id};

pub struct Asking {
    /// As it was entered.
    pub address: String,
    pub waiting: Option<Waiting>,
}

#[derive(Debug)]
pub enum AskOutcome {
    /// If there is an account, a mail is on its way.
    Asked(Carried),
    RateLimited {
        wait: Wait,
        carried: Carried,
    },
    Gone,
}

/// Everything the transaction needs, drawn beforehand so that it can run again.
struct Prepared {
    visitor: Visitor,
    origin: Origin,
    carried: Carried,
    keeping: Keeping,
    /// Whom it concerns, and where mail about it goes.
    known: Option<(Account, EmailAddress)>,
    link: NewLink,
    message: MessageId,
    links_alive: u32,
    minutes: SignedDuration,
    href: String,
}

pub async fn ask(provider: &Provider, visitor: &Visitor, asking: Asking) -> Result<AskOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let mut carried = match open_or_dashboard(provider, visitor, asking.waiting).await? {
        Ok(carried) => carried,
        Err(Gone) => return Ok(AskOutcome::Gone),
    };
    let snapshot = provider.snapshot();
    let budgets = limits::of_address(provider, visitor.address, Limit::Recovery);
    match limits::spend(provider, budgets, visitor.now).await {
        Err(FlowError::Limited { wait, .. }) => return Ok(AskOutcome::RateLimited { wait, carried }),
        counted => counted?,
    }
    let known = whom(provider, visitor, &asking.address).await?;
    carried.journey.recovery =
        Some(RecoveryNote { address: asking.address, waits_elsewhere: false, done: false });
    let prepared = Arc::new(prepare(provider, visitor, carried, known));
    let work = Arc::clone(&prepared);
    let carried = provider.store.write(move |tx| settle(tx, Arc::clone(&work))).await?;
    limits::wait_for_floor(started, &snapshot).await;
    Ok(AskOutcome::Asked(carried))
}

/// Only a registered, enabled account has a password to forget.
async fn whom(
    provider: &Provider,
    visitor: &Visitor,
    entered: &str,
) -> Result<Option<(Account, EmailAddress)>, FlowError> {
    let folded = FoldedAddress::from_entered(entered);
    let account = provider.store.account_by_address(&folded).await?;
    let address = provider.store.address_on_file(&folded, visitor.now).await?;
    Ok(account.zip(address).filter(|(account, _)| account.status == AccountStatus::Active))
}

fn prepare(
    provider: &Provider,
    visitor: &Visitor,
    carried: Carried,
    known: Option<(Account, EmailAddress)>,
) -> Prepared {
    let (snapshot, now) = (provider.snapshot(), visitor.now);
    let policy = snapshot.policy.recovery;
    let keeping = Keeping::prepare(provider, &carried, now);
    let account = known.as_ref().map(|(account, _)| account.id);
    let link =
        new_link(provider, (LinkKind::Recovery, account), Some(visitor.browser), (now, policy.link_lifetime));
    let mut href = snapshot.issuer.endpoint("/recover");
    href.query_pairs_mut().append_pair("token", &link.token.encode());
    Prepared {
        origin: Origin::of(visitor, &provider.random),
        visitor: visitor.clone(),
        carried,
        keeping,
        known,
        link,
        message: MessageId(new_id(&provider.random, now)),
        links_alive: policy.links_alive,
        minutes: policy.link_lifetime,
        href: href.to_string(),
    }
}

async fn settle(tx: Tx, prepared: Arc<Prepared>) -> Result<Carried, FlowError> {
    let prepared = &*prepared;
    let account = prepared.known.as_ref().map(|(account, _)| account.id);
    let crowded = match account {
        Some(account) => {
            tx.lock_account(account).await?;
            crowded(&tx, prepared, account).await?
        }
        None => false,
    };
    let proof = prepared.carried.proof().cloned();
    let carried = prepared.carried.keep(&tx, &prepared.keeping, proof).await?;
    let mut entry = prepared.origin.entry(Actor::Anonymous, Event::RecoveryAsked { mailed: false });
    if let Some((account, address)) = &prepared.known {
        // A stranger who keeps asking fills nobody's mailbox, and the links that are there stay good.
        let event = Event::RecoveryAsked { mailed: !crowded };
        entry = prepared.origin.entry(Actor::Anonymous, event).about(account.id);
        if !crowded {
            tx.enqueue(&mail(prepared, account, address)).await?;
        }
    }
    if !crowded {
        tx.insert_link(&Link { interaction: carried.row(), ..prepared.link.link.clone() }).await?;
    }
    tx.append(&entry).await?;
    Ok(carried)
}

/// Whether as many links are alive as there may be. Those of strangers do not stand in the way of the owner: a device that is
/// known to be the account's gets one beside them, so that its tab, its application and its typed code are served.
async fn crowded(tx: &Tx, prepared: &Prepared, account: AccountId) -> Result<bool, FlowError> {
    let (visitor, most) = (&prepared.visitor, u64::from(prepared.links_alive));
    let alive = tx.links_alive(account, LinkKind::Recovery, visitor.now).await?;
    if alive < most {
        return Ok(false);
    }
    let known = tx.device_of(account, &visitor.devices).await?.is_some();
    let own = tx.links_alive_in(account, visitor.browser, visitor.now).await?;
    Ok(!known || own > 0 || alive >= most.saturating_mul(2))
}

fn mail(prepared: &Prepared, account: &Account, address: &EmailAddress) -> Message {
    let link = &prepared.link;
    Message {
        id: prepared.message,
        account: Some(account.id),
        locale: account.locale.clone(),
        parcel: Parcel::Email {
            to: address.clone(),
            mail: Mail::Recovery {
                link: prepared.href.clone(),
                code: Some(link.typed.clone()),
                minutes: u16::try_from(prepared.minutes.as_mins()).unwrap_or(u16::MAX),
            },
        },
        reference: Some(prepared.visitor.reference),
        created_at: prepared.visitor.now,
        expires_at: link.link.expires_at,
    }
}
