//! `POST /recover`, the button behind the mailed link, and `POST /recover/code`, the code typed instead.
//!
//! A code is counted in a unit of its own, before it is compared. So codes that arrive at the same moment are compared no more
//! often than the tries allow. A browser may send one form twice; the second submission is not counted, leaves no audit entry and
//! gets what the first one got.

use anteroom_crypto::{KeyedDigest, OpaqueToken};
use anteroom_domain::account::AccountStatus;
use anteroom_domain::address::FoldedAddress;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::{AccountId, BrowserId, LinkId};
use anteroom_domain::interaction::{InteractionProof, InteractionState, ProofKind, RecoveryProgress};
use anteroom_domain::link::{EmailedLink, InvalidLink, LinkKind, RecoveryPolicy};
use anteroom_storage::{FormWindow, Tx, Unit};
use jiff::Timestamp;

use crate::context::call::{Call, Visit};
use crate::context::limits::wait_for_floor;
use crate::error::FlowError;
use crate::interaction::next::{Next, proceed};
use crate::interaction::open_interaction::{
    InteractionNotFound, InteractionRef, InteractionStorage, NewInteraction, OpenInteraction, SavedRow,
};
use crate::interaction::reopen::open;
use crate::messages::links::{is_mailed_code_of, token_digests};
use crate::sessions::browser_sessions::other_account_used_browser_since;
use crate::sessions::form_effect::{FormEffect, record_refused_form};
use crate::sessions::repeated_form::repeat_window_start;

#[derive(Debug)]
pub enum FollowLinkOutcome {
    /// On to the proof of identity.
    Next(Next),
    /// Used elsewhere, expired, ended, or never there: the person asks for another one.
    LinkInvalid,
}

#[derive(Debug)]
pub enum MailedCodeOutcome {
    Next(Next),
    /// The same for every reason.
    Wrong(OpenInteraction),
    /// This browser did not ask, or does not remember. What waits still does.
    MailRequestedElsewhere(OpenInteraction),
    InteractionNotFound,
}

#[tracing::instrument(name = "follow_link", skip_all)]
pub async fn follow_link(visit: &Visit, token: &str) -> Result<FollowLinkOutcome, FlowError> {
    let link = match OpaqueToken::parse(token) {
        Some(token) => visit.store().link(&token_digests(visit, &token)).await?,
        None => None,
    };
    let followed = match link.filter(|link| link.kind == LinkKind::Recovery) {
        Some(link) => open_link(visit, link).await?,
        None => Err(InvalidLink::NoAccount),
    };
    match followed {
        Ok(interaction) => Ok(FollowLinkOutcome::Next(proceed(visit, interaction).await?)),
        Err(why) => {
            note_refused(visit, token, why.as_str()).await?;
            Ok(FollowLinkOutcome::LinkInvalid)
        }
    }
}

/// The links of an interaction whose codes are taken: its newest, however many addresses were asked for on its way.
const MOST_TYPED: u32 = 10;

/// In the browser that asked, and only there.
#[tracing::instrument(name = "enter_recovery_code", skip_all)]
pub async fn enter_mailed_code(
    visit: &Visit,
    interaction_ref: InteractionRef,
    entered: &str,
) -> Result<MailedCodeOutcome, FlowError> {
    let started = tokio::time::Instant::now();
    let interaction = match open(visit, &interaction_ref).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Ok(MailedCodeOutcome::InteractionNotFound),
    };
    // A row's handle opens in another browser too, but only as its request: nothing can be typed there.
    let InteractionStorage::Row { interaction: row, .. } = &interaction.storage else {
        return Ok(MailedCodeOutcome::MailRequestedElsewhere(interaction));
    };
    let links = visit.store().newest_links_of(row.id, MOST_TYPED).await?;
    let unit = CountLinkCodeUnit::new(visit, links, entered);
    let (unit, compared) = visit.store().run(unit).await;
    let compared = compared?;
    let mut links = unit.links.into_iter().filter(|link| compared.contains(&link.id));
    let Some(link) = links.find(|link| is_mailed_code_of(visit, link, entered)) else {
        note_refused(visit, entered, "wrong_code").await?;
        wait_for_floor(started, visit.snapshot()).await;
        return Ok(MailedCodeOutcome::Wrong(interaction));
    };
    match open_link(visit, link).await? {
        Ok(followed) => Ok(MailedCodeOutcome::Next(proceed(visit, followed).await?)),
        Err(why) => {
            note_refused(visit, entered, why.as_str()).await?;
            Ok(MailedCodeOutcome::Wrong(interaction))
        }
    }
}

/// Counts a code that was entered, before it is compared.
struct CountLinkCodeUnit {
    /// Those of the interaction that are of a recovery.
    links: Vec<EmailedLink>,
    /// What was entered, in this form.
    entry: Option<KeyedDigest>,
    browser: BrowserId,
    policy: RecoveryPolicy,
    now: Timestamp,
}

impl CountLinkCodeUnit {
    fn new(visit: &Visit, mut links: Vec<EmailedLink>, entered: &str) -> Self {
        links.retain(|link| link.kind == LinkKind::Recovery);
        Self {
            links,
            entry: visit.sent_form.map(|form| form.submission_digest(visit, &[entered.as_bytes()])),
            browser: visit.browser.id,
            policy: visit.snapshot().policy.recovery,
            now: visit.now,
        }
    }
}

impl Unit for CountLinkCodeUnit {
    /// The links that it is compared with: those that had a try left, and those that this very entry was compared with a moment ago.
    type Output = Vec<LinkId>;
    type Error = FlowError;

    const NAME: &'static str = "count_recovery_code";

    async fn run(&self, tx: &Tx) -> Result<Vec<LinkId>, FlowError> {
        let Self { links, browser, policy, now, .. } = self;
        let since = repeat_window_start(*now);
        let entry = self.entry.as_ref().map(|form| FormWindow { form, since });
        let all: Vec<LinkId> = links.iter().map(|link| link.id).collect();
        let mut compared = match entry {
            Some(entry) => tx.links_counted_by_form(&all, entry).await?,
            None => Vec::new(),
        };
        let open = links.iter().filter(|link| link.accepts_mailed_code(*browser, *policy, *now));
        let open: Vec<LinkId> = open.map(|link| link.id).collect();
        compared
            .extend(tx.count_link_code_attempt(&open, policy.max_mailed_code_attempts, entry, *now).await?);
        Ok(compared)
    }
}

/// The same for known and unknown addresses: it names no account.
async fn note_refused(visit: &Visit, entered: &str, reason: &'static str) -> Result<(), FlowError> {
    let entry = visit.entry(Actor::Anonymous, Event::LinkRefused { reason });
    record_refused_form(visit, entry, &[b"link refused", entered.as_bytes()]).await
}

/// Follows the link in this browser: an interaction of its own carries the proof from here on.
async fn open_link(
    visit: &Visit,
    link: EmailedLink,
) -> Result<Result<OpenInteraction, InvalidLink>, FlowError> {
    let account = match link.follow(visit.browser.id, visit.now) {
        Ok(account) => account,
        Err(invalid) => return Ok(Err(invalid)),
    };
    // It is in the history of this browser, which may be another person's by now.
    if let Some(followed_at) = link.used_at
        && other_account_used_browser_since(visit, account, followed_at).await?
    {
        return Ok(Err(InvalidLink::Used));
    }
    let interaction = OpenInteraction::new(interaction_of_link(visit, &link, account).await?);
    let unit = FollowLinkUnit {
        entry: visit.entry(Actor::Anonymous, Event::LinkFollowed).about(account),
        effect: FormEffect::of(visit, &[b"link followed", link.id.0.as_bytes()]),
        new_interaction: NewInteraction::prepare(visit, &interaction),
        browser: visit.browser.id,
        now: visit.now,
        interaction,
        link,
        account,
    };
    let (FollowLinkUnit { interaction, .. }, saved) = visit.store().run(unit).await;
    Ok(saved?.map(|saved| interaction.saved_as(saved)))
}

struct FollowLinkUnit {
    link: EmailedLink,
    account: AccountId,
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    entry: AuditEntry,
    effect: FormEffect,
    browser: BrowserId,
    now: Timestamp,
}

impl Unit for FollowLinkUnit {
    type Output = Result<SavedRow, InvalidLink>;
    type Error = FlowError;

    const NAME: &'static str = "follow_link";

    async fn run(&self, tx: &Tx) -> Result<Result<SavedRow, InvalidLink>, FlowError> {
        let Self { link, interaction, browser, now, .. } = self;
        let locked = tx.lock_account(self.account).await?;
        let Some(locked) = locked.filter(|locked| locked.account.status == AccountStatus::Active) else {
            return Ok(Err(InvalidLink::NoAccount));
        };
        if !tx.record_link_followed(link.id, *browser, *now).await? {
            return Ok(Err(InvalidLink::Used));
        }
        let proof = InteractionProof {
            account: self.account,
            epoch: locked.account.epoch,
            at: *now,
            kind: ProofKind::Recovery { link: link.id },
            device: None,
            factor: None,
        };
        let saved = interaction.save(tx, &self.new_interaction, Some(&proof)).await?;
        self.effect.append(tx, &self.entry).await?;
        Ok(Ok(saved))
    }
}

/// The state of the interaction behind a link: its target is that of the request that waits in this very browser, else the
/// dashboard.
async fn interaction_of_link(
    visit: &Visit,
    link: &EmailedLink,
    account: AccountId,
) -> Result<InteractionState, FlowError> {
    let asked = match link.interaction {
        Some(interaction) => visit.store().interaction_by_id(interaction).await?,
        None => None,
    };
    // What was answered meanwhile does not wait any more.
    let asked = asked.filter(|asked| asked.finished_at.is_none() && visit.now < asked.expires_at);
    let mut asked = asked.map(|asked| asked.state);
    let here = link.browser == Some(visit.browser.id);
    let entered = asked.as_mut().and_then(|asked| asked.recovery.take()).map(|note| note.address);
    let address = address_of(visit, entered, account).await?;
    let waits = asked.as_ref().is_some_and(|asked| asked.request().is_some());
    let note = RecoveryProgress { address, waits_elsewhere: waits && !here, done: false, device: None };
    // The request keeps its limits: required sub, start and expiry.
    let behind = asked.filter(|_| here).and_then(|asked| asked.resume_in(visit.browser.id, visit.now));
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
    let Ok(interaction) = open(visit, &interaction_ref).await? else { return Ok(false) };
    let InteractionStorage::Row { interaction: row, .. } = &interaction.storage else { return Ok(false) };
    Ok(visit.store().is_link_completed_in(row.id).await?)
}
