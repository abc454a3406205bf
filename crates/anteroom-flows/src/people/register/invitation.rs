//! `POST /register`: the button behind the invitation's link.

use anteroom_crypto::OpaqueToken;
use anteroom_domain::account::{Account, AccountStatus};
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::{AccountId, BrowserId};
use anteroom_domain::interaction::{InteractionProof, ProofKind};
use anteroom_domain::link::{EmailedLink, InvalidLink, LinkKind};
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;

use crate::context::call::{Call, Visit};
use crate::error::FlowError;
use crate::interaction::next::{Next, proceed};
use crate::interaction::open_interaction::{NewInteraction, OpenInteraction, SavedRow};
use crate::messages::links::token_digests;
use crate::sessions::form_effect::{FormEffect, record_refused_form};

#[derive(Debug)]
pub enum InvitationOutcome {
    Next(Next),
    /// Ended, expired, or unknown: the person requests another one.
    LinkInvalid,
}

/// The account that the link invites, while the link can be used. Opening it changes nothing.
#[tracing::instrument(name = "open_invitation", skip_all)]
pub async fn invited(visit: &Visit, token: &str) -> Result<Option<Account>, FlowError> {
    let Some(link) = invitation(visit, token).await? else { return Ok(None) };
    let Ok(account) = as_unfollowed(&link).follow(visit.browser.id, visit.now) else { return Ok(None) };
    let account = visit.store().account(account).await?;
    Ok(account.filter(|account| account.status == AccountStatus::Invited))
}

async fn invitation(call: &Call, token: &str) -> Result<Option<EmailedLink>, FlowError> {
    let Some(token) = OpaqueToken::parse(token) else { return Ok(None) };
    let link = call.store().link(&token_digests(call, &token)).await?;
    Ok(link.filter(|link| link.kind == LinkKind::Invitation))
}

/// An invitation's link may be followed again, also in another browser, until the registration is complete: an unfinished
/// registration is kept, and its pages still ask for the codes of phones.
fn as_unfollowed(link: &EmailedLink) -> EmailedLink {
    EmailedLink { used_at: None, followed_in: None, ..*link }
}

#[tracing::instrument(name = "accept_invitation", skip_all)]
pub async fn accept(visit: &Visit, token: &str) -> Result<InvitationOutcome, FlowError> {
    let followed = match invitation(visit, token).await? {
        Some(link) => follow(visit, link).await?,
        None => Err(InvalidLink::NoAccount),
    };
    match followed {
        Ok(interaction) => Ok(InvitationOutcome::Next(proceed(visit, interaction).await?)),
        Err(why) => {
            let event = Event::LinkRefused { reason: why.as_str() };
            let entry = visit.entry(Actor::Anonymous, event);
            record_refused_form(visit, entry, &[b"link refused", token.as_bytes()]).await?;
            Ok(InvitationOutcome::LinkInvalid)
        }
    }
}

async fn follow(visit: &Visit, link: EmailedLink) -> Result<Result<OpenInteraction, InvalidLink>, FlowError> {
    let link = as_unfollowed(&link);
    let account = match link.follow(visit.browser.id, visit.now) {
        Ok(account) => account,
        Err(invalid) => return Ok(Err(invalid)),
    };
    let mut interaction = OpenInteraction::to_dashboard(visit);
    interaction.state.account = Some(account);
    let new_interaction = NewInteraction::prepare(visit, &interaction);
    let entry = visit.entry(Actor::Anonymous, Event::LinkFollowed).about(account);
    let effect = FormEffect::of(visit, &[b"link followed", link.id.0.as_bytes()]);
    let (browser, now) = (visit.browser.id, visit.now);
    let unit = AcceptInvitation { link, account, interaction, new_interaction, entry, effect, browser, now };
    let (AcceptInvitation { interaction, .. }, saved) = visit.store().run(unit).await;
    Ok(saved?.map(|saved| interaction.saved_as(saved)))
}

struct AcceptInvitation {
    link: EmailedLink,
    account: AccountId,
    interaction: OpenInteraction,
    new_interaction: NewInteraction,
    entry: AuditEntry,
    effect: FormEffect,
    browser: BrowserId,
    now: Timestamp,
}

impl Unit for AcceptInvitation {
    type Output = Result<SavedRow, InvalidLink>;
    type Error = FlowError;

    const NAME: &'static str = "accept_invitation";

    async fn run(&self, tx: &Tx) -> Result<Result<SavedRow, InvalidLink>, FlowError> {
        let Self { link, interaction, new_interaction, .. } = self;
        let (account, browser, now) = (self.account, self.browser, self.now);
        let locked = tx.lock_account(account).await?;
        let Some(locked) = locked.filter(|locked| locked.account.status == AccountStatus::Invited) else {
            return Ok(Err(InvalidLink::Ended));
        };
        // It may have ended since it was read: the practice has invited the person anew.
        let present = tx.link(std::slice::from_ref(&link.token)).await?;
        if present.is_none_or(|link| as_unfollowed(&link).follow(browser, now).is_err()) {
            return Ok(Err(InvalidLink::Ended));
        }
        tx.record_link_followed(link.id, browser, now).await?;
        let proof = InteractionProof {
            account,
            epoch: locked.account.epoch,
            at: now,
            kind: ProofKind::Invitation { link: link.id, phone: None, phones_done: false },
            device: None,
            factor: None,
        };
        let saved = interaction.save(tx, new_interaction, Some(&proof)).await?;
        self.effect.append(tx, &self.entry).await?;
        Ok(Ok(saved))
    }
}
