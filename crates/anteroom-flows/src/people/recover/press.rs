//! `POST /recover`, the button behind the mailed link, and `POST /recover/code`, the code typed instead.

use anteroom_crypto::Token;
use anteroom_domain::account::AccountStatus;
use anteroom_domain::address::FoldedAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::AccountId;
use anteroom_domain::interaction::{Journey, Proof, ProofKind, RecoveryNote};
use anteroom_domain::link::{Link, LinkDead, LinkKind};
use anteroom_storage::Tx;

use crate::context::call::{Call, Visit};
use crate::context::limits::wait_for_floor;
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::interaction::next::{Onward, proceed};
use crate::interaction::open_interaction::{Carried, Gone, Keeping, Place, Waiting};
use crate::interaction::reopen::open;
use crate::messages::links::{is_typed_code_of, token_digests};
use crate::sessions::browser_sessions::another_signed_in_since;

#[derive(Debug)]
pub enum PressOutcome {
    /// On to the proof of identity.
    Onward(Onward),
    /// Used elsewhere, expired, ended, or never there: the person asks for another one.
    Dead,
}

#[derive(Debug)]
pub enum TypedOutcome {
    Onward(Onward),
    /// The same for every reason.
    Wrong(Carried),
    /// This browser did not ask, or does not remember. What waits still does.
    NotAskedHere(Carried),
    Gone,
}

#[tracing::instrument(name = "follow_link", skip_all)]
pub async fn press(visit: &Visit, token: &str) -> Result<PressOutcome, FlowError> {
    let link = match Token::parse(token) {
        Some(token) => visit.store().link(&token_digests(visit, &token)).await?,
        None => None,
    };
    let Some(link) = link.filter(|link| link.kind == LinkKind::Recovery) else {
        return dead(visit, LinkDead::NoAccount).await;
    };
    match follow(visit, &link).await? {
        Ok(carried) => Ok(PressOutcome::Onward(proceed(visit, carried).await?)),
        Err(why) => dead(visit, why).await,
    }
}

async fn dead(visit: &Visit, why: LinkDead) -> Result<PressOutcome, FlowError> {
    note_wrong(visit, why.as_str()).await?;
    Ok(PressOutcome::Dead)
}

/// The links of an interaction whose codes are taken: its newest, however many addresses were asked for on its way.
const MOST_TYPED: u32 = 10;

/// In the browser that asked, and only there.
#[tracing::instrument(name = "enter_recovery_code", skip_all)]
pub async fn type_code(visit: &Visit, waiting: Waiting, entered: &str) -> Result<TypedOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let carried = match open(visit, waiting).await? {
        Ok(carried) => carried,
        Err(Gone) => return Ok(TypedOutcome::Gone),
    };
    // A row's handle opens in another browser too, but only as its request: nothing can be typed there.
    let Place::Row { interaction, .. } = &carried.place else {
        return Ok(TypedOutcome::NotAskedHere(carried));
    };
    let policy = visit.snapshot().policy.recovery;
    let links = visit.store().newest_links_of(interaction.id, MOST_TYPED).await?;
    let recoveries = links.into_iter().filter(|link| link.kind == LinkKind::Recovery);
    let open = recoveries.filter(|link| link.may_be_typed(visit.browser.id, policy, visit.now));
    let open: Vec<Link> = open.collect();
    let asked: Vec<_> = open.iter().map(|link| link.id).collect();
    let write = visit.store().write(move |tx| {
        let asked = asked.clone();
        async move { Ok::<_, FlowError>(tx.take_typed_try(&asked, policy.typed_tries).await?) }
    });
    let tried = write.await?;
    let mut open = open.iter().filter(|link| tried.contains(&link.id));
    let Some(link) = open.find(|link| is_typed_code_of(visit, link, entered)) else {
        note_wrong(visit, "wrong_code").await?;
        wait_for_floor(started, visit.snapshot()).await;
        return Ok(TypedOutcome::Wrong(carried));
    };
    match follow(visit, link).await? {
        Ok(followed) => Ok(TypedOutcome::Onward(proceed(visit, followed).await?)),
        Err(why) => {
            note_wrong(visit, why.as_str()).await?;
            Ok(TypedOutcome::Wrong(carried))
        }
    }
}

/// The same for known and unknown addresses: it names no account.
async fn note_wrong(visit: &Visit, reason: &'static str) -> Result<(), FlowError> {
    let event = Event::LinkRefused { reason };
    note_refusal(visit, visit.entry(Actor::Anonymous, event)).await
}

/// Presses the link in this browser: an interaction of its own carries the proof from here on.
async fn follow(visit: &Visit, link: &Link) -> Result<Result<Carried, LinkDead>, FlowError> {
    let account = match link.press(visit.browser.id, visit.now) {
        Ok(account) => account,
        Err(dead) => return Ok(Err(dead)),
    };
    // It is in the history of this browser, which may be another person's by now.
    if let Some(pressed) = link.used_at
        && another_signed_in_since(visit, account, pressed).await?
    {
        return Ok(Err(LinkDead::Used));
    }
    let carried = Carried::new(journey_behind(visit, (link, account)).await?);
    let (keeping, link) = (Keeping::prepare(visit, &carried), link.clone());
    let work = visit.clone();
    let write = visit.store().write(move |tx: Tx| {
        let (carried, keeping) = (carried.clone(), keeping.clone());
        let (link, visit) = (link.clone(), work.clone());
        async move {
            let locked = tx.lock_account(account).await?;
            let Some(locked) = locked.filter(|locked| locked.account.status == AccountStatus::Active) else {
                return Ok(Err(LinkDead::NoAccount));
            };
            if !tx.press_link(link.id, visit.browser.id, visit.now).await? {
                return Ok(Err(LinkDead::Used));
            }
            let proof = Proof {
                account,
                epoch: locked.account.epoch,
                at: visit.now,
                kind: ProofKind::Recovery { link: link.id },
                device: None,
                factor: None,
            };
            let carried = carried.keep(&tx, &keeping, Some(proof)).await?;
            tx.append(&visit.entry(Actor::Anonymous, Event::LinkPressed).about(account)).await?;
            Ok::<_, FlowError>(Ok(carried))
        }
    });
    write.await
}

/// Where the person is going: to what waits in this very browser, else to the dashboard.
async fn journey_behind(visit: &Visit, (link, account): (&Link, AccountId)) -> Result<Journey, FlowError> {
    let asked = match link.interaction {
        Some(interaction) => visit.store().interaction_by_id(interaction).await?,
        None => None,
    };
    // What was answered meanwhile does not wait any more.
    let asked = asked.filter(|asked| asked.finished_at.is_none() && visit.now < asked.expires_at);
    let here = link.browser == Some(visit.browser.id);
    let entered = asked.as_ref().and_then(|asked| asked.journey.recovery.clone()).map(|note| note.address);
    let address = address_of(visit, entered, account).await?;
    let waits = asked.as_ref().is_some_and(|asked| asked.journey.request().is_some());
    let note = RecoveryNote { address, waits_elsewhere: waits && !here, done: false, device: None };
    // With the request go its limits: whom it is for, when it began, how long it may be answered.
    let behind =
        asked.filter(|_| here).and_then(|asked| asked.journey.carried_on_in(visit.browser.id, visit.now));
    let behind = behind.unwrap_or_else(|| Carried::to_dashboard(visit).journey);
    Ok(Journey {
        account: Some(account),
        consented_by: None,
        consent_question: None,
        recovery: Some(note),
        ..behind
    })
}

/// The address for the sign-in form after the reset: as it was entered. On the way of one interaction several may have been asked for,
/// and the last of them may be another account's, for which a mistyped password would count.
async fn address_of(call: &Call, entered: Option<String>, account: AccountId) -> Result<String, FlowError> {
    if let Some(entered) = entered {
        let view = call.store().sign_in_view(&FoldedAddress::from_entered(&entered), &[]).await?;
        if view.is_some_and(|view| view.account.id == account) {
            return Ok(entered);
        }
    }
    let account = call.store().account(account).await?;
    Ok(account.map(|account| account.primary_address.as_str().to_owned()).unwrap_or_default())
}

/// Whether the waiting tab may go on: the reset behind a link that was asked for there is complete. For an address that no
/// account has it always waits. The answer takes as long for every address.
pub async fn may_go_on(visit: &Visit, waiting: Waiting) -> Result<bool, FlowError> {
    let started = tokio::time::Instant::now();
    let go_on = is_reset_done(visit, waiting).await;
    wait_for_floor(started, visit.snapshot()).await;
    go_on
}

async fn is_reset_done(visit: &Visit, waiting: Waiting) -> Result<bool, FlowError> {
    let Ok(carried) = open(visit, waiting).await? else { return Ok(false) };
    let Place::Row { interaction, .. } = &carried.place else { return Ok(false) };
    Ok(visit.store().is_link_completed_in(interaction.id).await?)
}
