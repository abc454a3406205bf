//! Mails that are asked for by an address, on the two pages that anybody can open: a forgotten password, and an invitation
//! that is lost.
//!
//! Invariants:
//! - the request does not look up whether an account has the address: the same statements, the same rows, for every address
//!   and however often it is asked for;
//! - a form that is sent twice asks once: the row's identifier is derived from the form and the address, whether an account has it or
//!   not;
//! - an address has at most five rows that count, a network 2,000, whether accounts have them or not;
//! - [`answer`] looks the address up afterwards, in rounds of its own. It too writes the same rows for every address: where
//!   no account has it, a message without a recipient.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::account::Account;
use anteroom_domain::address::{EmailAddress, FoldedAddress};
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::{BrowserId, InteractionId, LinkId, MessageId};
use anteroom_domain::limits::Limit;
use anteroom_domain::link::LinkKind;
use anteroom_domain::mail_request::{self, MailRequest};
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_oidc::authorization::AuthorizationRequest;
use anteroom_storage::{MailRequestResult, PendingMailRequest, RequestedLink, Tx};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use crate::audit::context::AuditContext;
use crate::context::call::{Call, Visit};
use crate::context::limits;
use crate::context::provider::Snapshot;
use crate::error::FlowError;
use crate::messages::languages::{asked_in, of_page};
use crate::messages::links::{LinkIdentity, new_link};
use crate::people::admin::invitation_mail;
use crate::sessions::repeated_form::repeat_window_start;

/// Asks that one round answers at most, in one transaction.
const BATCH: u32 = 50;

/// Counts an ask for the address that it comes from and for its network, whatever address was entered.
pub(crate) async fn spend(visit: &Visit, limit: Limit) -> Result<(), FlowError> {
    let mut budgets = limits::of_address(visit, limit);
    budgets.extend(limits::of_address(visit, Limit::LinkRequestRows));
    limits::spend(visit, budgets).await
}

/// What came of an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailRequestWrite {
    Written,
    /// Enough rows of the address count.
    Crowded,
    /// The same form has asked for it a moment ago: one mail, and one row.
    Repeated,
}

impl MailRequestWrite {
    /// Whether the trail is told of it, and that a mail is on its way.
    pub(crate) const fn is_mailed(self) -> Option<bool> {
        match self {
            Self::Written => Some(true),
            Self::Crowded => Some(false),
            Self::Repeated => None,
        }
    }
}

/// A row for an address, drawn before the transaction that may write it.
pub(crate) struct NewMailRequest {
    row: RequestedLink,
    /// Those that the row has if this form has asked for it before; none without a form.
    of_form: Vec<LinkId>,
    address: FoldedAddress,
    /// So many rows of an address count at once.
    most: u32,
    visit: Visit,
}

impl NewMailRequest {
    /// `browser`: the code of the mail can be typed there. `request`: what waits behind the page.
    pub(crate) fn prepare(
        visit: &Visit,
        (kind, entered): (LinkKind, &str),
        (browser, request): (Option<BrowserId>, Option<&AuthorizationRequest>),
    ) -> Self {
        let (policy, now) = (visit.snapshot().policy.recovery, visit.now);
        let address = FoldedAddress::from_entered(entered);
        let told = [context(kind).as_bytes(), address.as_str().as_bytes()];
        let of_form: Vec<LinkId> =
            visit.sent_form.iter().flat_map(|form| form.row_ids(visit, &told)).map(LinkId).collect();
        let id = of_form.first().copied().unwrap_or_else(|| LinkId(visit.new_id()));
        let identity = LinkIdentity { id, kind, account: None };
        let new = new_link(visit, identity, browser, (now, policy.link_lifetime));
        let ask = MailRequest {
            address: address.as_str().to_owned(),
            token: new.token.encode(),
            typed: browser.map(|_| new.typed),
            reference: Some(visit.reference.to_string()),
            from: Some(visit.address),
            languages: asked_in(None, of_page(visit, request)),
        };
        let mac = visit.keyring().mac(KeyPurpose::TokenHash);
        Self {
            row: RequestedLink {
                address: mac.digest(context(kind), address.as_str().as_bytes()),
                until: new.link.expires_at,
                link: new.link,
                ask,
            },
            of_form,
            address,
            most: policy.max_links,
            visit: visit.clone(),
        }
    }

    /// Writes the row, unless enough of the address count, or this form has written it. The same statements for every address.
    pub(crate) async fn write(
        &self,
        tx: &Tx,
        interaction: Option<InteractionId>,
    ) -> Result<MailRequestWrite, FlowError> {
        tx.lock_requested_address(&self.row.address).await?;
        if tx.is_any_link_there(&self.of_form, repeat_window_start(self.visit.now)).await? {
            return Ok(MailRequestWrite::Repeated);
        }
        if self.is_crowded(tx).await? {
            return Ok(MailRequestWrite::Crowded);
        }
        let mut row = self.row.clone();
        row.link.interaction = interaction;
        tx.insert_asked_link(&row).await?;
        Ok(MailRequestWrite::Written)
    }

    /// Whether as many rows count as there may be. Strangers can use up the rows that count for an address. So a browser that
    /// is a known device of the account gets one row more, and its tab, its client and its typed code keep working.
    async fn is_crowded(&self, tx: &Tx) -> Result<bool, FlowError> {
        let (visit, at_most) = (&self.visit, self.most.saturating_mul(2));
        let askers = tx.requesting_browsers(&self.row.address, visit.now, at_most).await?;
        let alive = u32::try_from(askers.len()).unwrap_or(u32::MAX);
        // Only a browser that is known to some account pays for this look, whatever the address.
        let known = !visit.browser.devices.is_empty()
            && tx.is_known_device_of_address(&self.address, &visit.browser.devices).await?;
        let own = askers.contains(&Some(visit.browser.id));
        Ok(alive >= self.most && (!known || own || alive >= at_most))
    }
}

/// Each page has rows of its own for an address.
const fn context(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Recovery => "address asked for a recovery",
        LinkKind::Invitation => "address asked for an invitation",
    }
}

/// One round: looks up the addresses of what was asked for, and queues the mails. Says how many asks were answered.
#[tracing::instrument(name = "answer_requests_for_mail", skip_all)]
pub async fn answer(call: &Call) -> Result<usize, FlowError> {
    let now = call.now;
    let waiting = call.store().pending_mail_requests(now, BATCH).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let mut answers = Vec::with_capacity(waiting.len());
    for asked in waiting {
        answers.push(CompleteMailRequest::to(call, asked, now).await?);
    }
    let answers: Arc<[CompleteMailRequest]> = answers.into();
    let write = call.store().write(move |tx: Tx| {
        let answers = Arc::clone(&answers);
        async move {
            for answer in &*answers {
                answer.write(&tx).await?;
            }
            Ok::<_, FlowError>(answers.len())
        }
    });
    write.await
}

/// What is written for one ask.
struct CompleteMailRequest {
    link: PendingMailRequest,
    becomes: MailRequestResult,
    message: Message,
    entry: AuditEntry,
}

impl CompleteMailRequest {
    async fn to(call: &Call, asked: PendingMailRequest, now: Timestamp) -> Result<Self, FlowError> {
        let address = FoldedAddress::from_entered(asked.ask.as_ref().map_or("", |ask| ask.address.as_str()));
        let account = call.store().account_by_address(&address).await?;
        let spelling = call.store().address_on_file(&address, now).await?;
        let known = account.zip(spelling);
        let mail = mail_request::answer(asked.kind, known.as_ref().map(|(account, _)| account.status));
        let known = known.filter(|_| mail.is_some());
        let kind = mail.unwrap_or(asked.kind);
        let snapshot = call.snapshot();
        let expires_at = match mail {
            Some(LinkKind::Invitation) => {
                now.checked_add(snapshot.policy.invitation_lifetime).unwrap_or(Timestamp::MAX)
            }
            Some(LinkKind::Recovery) | None => asked.expires_at,
        };
        let audit = audit(call, asked.ask.as_ref(), now);
        let event = Event::AskAnswered { mail: mail.map_or("none", LinkKind::as_str) };
        let mut entry = audit.entry(Actor::System, event);
        if let Some((account, _)) = &known {
            entry = entry.about(account.id);
        }
        let becomes =
            MailRequestResult { account: known.as_ref().map(|(account, _)| account.id), kind, expires_at };
        let message = Message {
            id: MessageId(call.new_id()),
            account: becomes.account,
            locale: asked_in(
                known.as_ref().and_then(|(account, _)| account.locale.as_deref()),
                asked.ask.as_ref().and_then(|ask| ask.languages.as_deref()),
            ),
            parcel: parcel(snapshot, &asked, (kind, known.as_ref())),
            reference: audit.reference,
            created_at: now,
            expires_at,
        };
        Ok(Self { link: asked, becomes, message, entry })
    }

    /// Nothing where another node was first.
    async fn write(&self, tx: &Tx) -> Result<(), FlowError> {
        if tx.complete_mail_request(self.link.link, self.becomes).await? {
            tx.enqueue(&self.message).await?;
            tx.append(&self.entry).await?;
        }
        Ok(())
    }
}

/// The entry has the IP address and reference of the request that asked, not of this background round.
fn audit(call: &Call, ask: Option<&MailRequest>, _now: Timestamp) -> AuditContext {
    AuditContext {
        address: ask.and_then(|ask| ask.from),
        reference: ask.and_then(|ask| ask.reference.as_ref()?.parse().ok()),
        ..call.audit().clone()
    }
}

fn parcel(
    snapshot: &Snapshot,
    asked: &PendingMailRequest,
    (kind, known): (LinkKind, Option<&(Account, EmailAddress)>),
) -> MessageBody {
    let ask = asked.ask.as_ref();
    let token = ask.map_or("", |ask| ask.token.as_str());
    let mail = match kind {
        LinkKind::Invitation => invitation_mail(snapshot, known.map(|(account, _)| &account.profile), token),
        LinkKind::Recovery => recovery_mail(
            snapshot,
            (token, ask.and_then(|ask| ask.typed.clone())),
            asked.expires_at.duration_since(asked.created_at),
        ),
    };
    match known {
        Some((_, to)) => MessageBody::Email { to: to.clone(), mail },
        None => MessageBody::Unaddressed { mail },
    }
}

fn recovery_mail(
    snapshot: &Snapshot,
    (token, code): (&str, Option<String>),
    lifetime: SignedDuration,
) -> Mail {
    let mut href = snapshot.issuer.endpoint("/recover");
    href.query_pairs_mut().append_pair("token", token);
    let minutes = u16::try_from(lifetime.as_mins()).unwrap_or(u16::MAX);
    Mail::Recovery { link: href.to_string(), code, minutes }
}
