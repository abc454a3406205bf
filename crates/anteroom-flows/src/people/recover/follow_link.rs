//! `POST /recover`, the button behind the mailed link, and `POST /recover/code`, the code typed instead.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::account::AccountStatus;
use anteroom_domain::address::FoldedAddress;
use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::AccountId;
use anteroom_domain::interaction::{InteractionProof, InteractionState, ProofKind, RecoveryProgress};
use anteroom_domain::link::{EmailedLink, InvalidLink, LinkKind};
use anteroom_storage::{FormWindow, Tx};

use crate::context::call::{Call, Visit};
use crate::context::limits::wait_for_floor;
use crate::context::refusals::note_refusal;
use crate::error::FlowError;
use crate::interaction::next::{Next, proceed};
use crate::interaction::open_interaction::{
    InteractionNotFound, InteractionRef, InteractionStorage, NewInteraction, OpenInteraction,
};
use crate::interaction::reopen::open;
use crate::messages::links::{is_typed_code_of, token_digests};
use crate::sessions::browser_sessions::other_account_used_browser_since;
use crate::sessions::repeated_form::repeat_window_start;

#[derive(Debug)]
pub enum FollowLinkOutcome {
    /// On to the proof of identity.
    Next(Next),
    /// Used elsewhere, expired, ended, or never there: the person asks for another one.
    LinkInvalid,
}

#[derive(Debug)]
pub enum LinkCodeOutcome {
    Next(Next),
    /// The same for every reason.
    Wrong(OpenInteraction),
    /// This browser did not ask, or does not remember. What waits still does.
    NotAskedHere(OpenInteraction),
    Gone,
}

#[tracing::instrument(name = "follow_link", skip_all)]
pub async fn press(visit: &Visit, token: &str) -> Result<FollowLinkOutcome, FlowError> {
    let link = match OpaqueToken::parse(token) {
        Some(token) => visit.store().link(&token_digests(visit, &token)).await?,
        None => None,
    };
    let Some(link) = link.filter(|link| link.kind == LinkKind::Recovery) else {
        return dead(visit, InvalidLink::NoAccount).await;
    };
    match open_link(visit, &link).await? {
        Ok(interaction) => Ok(FollowLinkOutcome::Next(proceed(visit, interaction).await?)),
        Err(why) => dead(visit, why).await,
    }
}

async fn dead(visit: &Visit, why: InvalidLink) -> Result<FollowLinkOutcome, FlowError> {
    note_wrong(visit, why.as_str()).await?;
    Ok(FollowLinkOutcome::LinkInvalid)
}

/// The links of an interaction whose codes are taken: its newest, however many addresses were asked for on its way.
const MOST_TYPED: u32 = 10;

/// In the browser that asked, and only there.
#[tracing::instrument(name = "enter_recovery_code", skip_all)]
pub async fn enter_link_code(
    visit: &Visit,
    interaction_ref: InteractionRef,
    entered: &str,
) -> Result<LinkCodeOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let interaction = match open(visit, interaction_ref).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Ok(LinkCodeOutcome::Gone),
    };
    // A row's handle opens in another browser too, but only as its request: nothing can be typed there.
    let InteractionStorage::Row { interaction: row, .. } = &interaction.place else {
        return Ok(LinkCodeOutcome::NotAskedHere(interaction));
    };
    let policy = visit.snapshot().policy.recovery;
    let links = visit.store().newest_links_of(row.id, MOST_TYPED).await?;
    let recoveries = links.into_iter().filter(|link| link.kind == LinkKind::Recovery);
    let open = recoveries.filter(|link| link.accepts_mailed_code(visit.browser.id, policy, visit.now));
    let open: Vec<EmailedLink> = open.collect();
    let asked: Vec<_> = open.iter().map(|link| link.id).collect();
    let entry = visit.sent_form.map(|form| form.submission_digest(visit, &[entered.as_bytes()]));
    let now = visit.now;
    let write = visit.store().write(move |tx| {
        let asked = asked.clone();
        async move {
            let since = repeat_window_start(now);
            let entry = entry.as_ref().map(|form| FormWindow { form, since });
            Ok::<_, FlowError>(tx.count_link_code_attempt(&asked, policy.typed_tries, entry, now).await?)
        }
    });
    let tried = write.await?;
    let mut open = open.iter().filter(|link| tried.contains(&link.id));
    let Some(link) = open.find(|link| is_typed_code_of(visit, link, entered)) else {
        note_wrong(visit, "wrong_code").await?;
        wait_for_floor(started, visit.snapshot()).await;
        return Ok(LinkCodeOutcome::Wrong(interaction));
    };
    match open_link(visit, link).await? {
        Ok(followed) => Ok(LinkCodeOutcome::Next(proceed(visit, followed).await?)),
        Err(why) => {
            note_wrong(visit, why.as_str()).await?;
            Ok(LinkCodeOutcome::Wrong(interaction))
        }
    }
}

/// The same for known and unknown addresses: it names no account.
async fn note_wrong(visit: &Visit, reason: &'static str) -> Result<(), FlowError> {
    let event = Event::LinkRefused { reason };
    note_refusal(visit, visit.entry(Actor::Anonymous, event)).await
}

/// Presses the link in this browser: an interaction of its own carries the proof from here on.
async fn open_link(
    visit: &Visit,
    link: &EmailedLink,
) -> Result<Result<OpenInteraction, InvalidLink>, FlowError> {
    let account = match link.press(visit.browser.id, visit.now) {
        Ok(account) => account,
        Err(dead) => return Ok(Err(dead)),
    };
    // It is in the history of this browser, which may be another person's by now.
    if let Some(pressed) = link.used_at
        && other_account_used_browser_since(visit, account, pressed).await?
    {
        return Ok(Err(InvalidLink::Used));
    }
    let interaction = OpenInteraction::new(interaction_of_link(visit, (link, account)).await?);
    let (new_interaction, link) = (NewInteraction::prepare(visit, &interaction), link.clone());
    let work = visit.clone();
    let write = visit.store().write(move |tx: Tx| {
        let (interaction, new_interaction) = (interaction.clone(), new_interaction.clone());
        let (link, visit) = (link.clone(), work.clone());
        async move {
            let locked = tx.lock_account(account).await?;
            let Some(locked) = locked.filter(|locked| locked.account.status == AccountStatus::Active) else {
                return Ok(Err(InvalidLink::NoAccount));
            };
            if !tx.record_link_followed(link.id, visit.browser.id, visit.now).await? {
                return Ok(Err(InvalidLink::Used));
            }
            let proof = InteractionProof {
                account,
                epoch: locked.account.epoch,
                at: visit.now,
                kind: ProofKind::Recovery { link: link.id },
                device: None,
                factor: None,
            };
            let interaction = interaction.persist(&tx, &new_interaction, Some(proof)).await?;
            tx.append(&visit.entry(Actor::Anonymous, Event::LinkFollowed).about(account)).await?;
            Ok::<_, FlowError>(Ok(interaction))
        }
    });
    write.await
}

/// Where the person is going: to what waits in this very browser, else to the dashboard.
async fn interaction_of_link(
    visit: &Visit,
    (link, account): (&EmailedLink, AccountId),
) -> Result<InteractionState, FlowError> {
    let asked = match link.interaction {
        Some(interaction) => visit.store().interaction_by_id(interaction).await?,
        None => None,
    };
    // What was answered meanwhile does not wait any more.
    let asked = asked.filter(|asked| asked.finished_at.is_none() && visit.now < asked.expires_at);
    let here = link.browser == Some(visit.browser.id);
    let entered = asked.as_ref().and_then(|asked| asked.state.recovery.clone()).map(|note| note.address);
    let address = address_of(visit, entered, account).await?;
    let waits = asked.as_ref().is_some_and(|asked| asked.state.request().is_some());
    let note = RecoveryProgress { address, waits_elsewhere: waits && !here, done: false, device: None };
    // The request keeps its limits: required sub, start and expiry.
    let behind = asked.filter(|_| here).and_then(|asked| asked.state.resume_in(visit.browser.id, visit.now));
    let behind = behind.unwrap_or_else(|| OpenInteraction::to_dashboard(visit).state);
    Ok(InteractionState {
        account: Some(account),
        consented_by: None,
        consent_question: None,
        recovery: Some(note),
        ..behind
    })
}

/// The address for the sign-in form after the reset: as it was entered. In one interaction several addresses can be entered,
/// and the last may belong to another account, whose lockout a mistyped password would count for. So the entered address is
/// used only if it is this account's.
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
pub async fn is_reset_completed(visit: &Visit, interaction_ref: InteractionRef) -> Result<bool, FlowError> {
    let started = tokio::time::Instant::now();
    let go_on = is_reset_done(visit, interaction_ref).await;
    wait_for_floor(started, visit.snapshot()).await;
    go_on
}

async fn is_reset_done(visit: &Visit, interaction_ref: InteractionRef) -> Result<bool, FlowError> {
    let Ok(interaction) = open(visit, interaction_ref).await? else { return Ok(false) };
    let InteractionStorage::Row { interaction: row, .. } = &interaction.place else { return Ok(false) };
    Ok(visit.store().is_link_completed_in(row.id).await?)
}
