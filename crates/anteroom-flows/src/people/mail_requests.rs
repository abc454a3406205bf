//! Mails that are requested by an address, on the two pages that are open to the public: a forgotten password, and an invitation
//! that is lost.
//!
//! Invariants:
//! - the request does not look up whether an account has the address: the same statements, the same rows, for every address
//!   and however often it is asked for;
//! - a form that is sent twice asks once, whether an account has the address or not;
//! - an address has at most five rows that count, a network 2,000, whether accounts have them or not;
//! - [`queue_requested_mails`] looks the address up afterwards, in rounds of its own. It too writes the same rows for every address: where
//!   no account has it, a message without a recipient.

use anteroom_crypto::KeyPurpose;
use anteroom_domain::account::Account;
use anteroom_domain::address::{EmailAddress, FoldedAddress};
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::{InteractionId, LinkId, MessageId};
use anteroom_domain::limits::Limit;
use anteroom_domain::link::LinkKind;
use anteroom_domain::mail_request::{self, MailRequest};
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_oidc::authorization::AuthorizationRequest;
use anteroom_storage::{MailRequestResult, MailRequestRow, PendingMailRequest, Tx, Unit};
use jiff::SignedDuration;

use crate::context::call::{Call, Visit};
use crate::context::limits;
use crate::context::provider::Snapshot;
use crate::error::FlowError;
use crate::messages::languages::{message_languages, of_page};
use crate::messages::links::{LinkIdentity, new_link};
use crate::people::admin::invitation_mail;
use crate::people::known_device::known_device;
use crate::sessions::form_effect::FormEffect;

/// Requests that one round answers at most, in one transaction.
const BATCH: u32 = 50;

/// Counts a request for the IP address that it comes from and for its network, whatever email address was entered.
pub(crate) async fn spend(visit: &Visit, limit: Limit) -> Result<(), FlowError> {
    let mut checks = limits::of_address(visit, limit);
    checks.extend(limits::of_address(visit, Limit::MailRequestRows));
    limits::spend_for_form(visit, limit, checks).await
}

/// A row for an address, drawn before the transaction that may write it.
pub(crate) struct NewMailRequest {
    row: MailRequestRow,
    effect: FormEffect,
    address: FoldedAddress,
    /// So many rows of an address count at once.
    most: u32,
    visit: Visit,
}

impl NewMailRequest {
    /// `request`: that of the application which waits behind the page. The code of a recovery mail can be typed in this browser;
    /// an invitation has none.
    pub(crate) fn prepare(
        visit: &Visit,
        kind: LinkKind,
        entered: &str,
        request: Option<&AuthorizationRequest>,
    ) -> Self {
        let policy = visit.snapshot().policy.recovery;
        let browser = match kind {
            LinkKind::Recovery => Some(visit.browser.id),
            LinkKind::Invitation => None,
        };
        let address = FoldedAddress::from_entered(entered);
        let identity = LinkIdentity { id: LinkId(visit.new_id()), kind, account: None };
        let new = new_link(visit, identity, browser, policy.link_lifetime);
        let request = MailRequest {
            address: address.as_str().to_owned(),
            token: new.token.encode(),
            mailed_code: browser.map(|_| new.mailed_code),
            reference: Some(visit.reference.to_string()),
            ip_address: Some(visit.address),
            languages: message_languages(None, of_page(visit, request)),
        };
        let mac = visit.keyring().mac(KeyPurpose::TokenHash);
        Self {
            row: MailRequestRow {
                address_digest: mac.digest(context(kind), address.as_str().as_bytes()),
                until: new.link.expires_at,
                link: new.link,
                request,
            },
            effect: FormEffect::of(visit, &[context(kind).as_bytes(), address.as_str().as_bytes()]),
            address,
            most: policy.max_links,
            visit: visit.clone(),
        }
    }

    /// Writes the row and its audit entry. Where enough rows of the address count, there is the entry alone; where this form has
    /// asked a moment ago, there is nothing: it is one mail, one row and one entry. The same statements for every address.
    pub(crate) async fn write(&self, tx: &Tx, interaction: Option<InteractionId>) -> Result<(), FlowError> {
        tx.lock_requested_address(&self.row.address_digest).await?;
        if !self.effect.is_first(tx).await? {
            return Ok(());
        }
        let mailed = !self.is_crowded(tx).await?;
        if mailed {
            tx.insert_mail_request(&self.row, interaction).await?;
        }
        let event = match self.row.link.kind {
            LinkKind::Recovery => Event::RecoveryAsked { mailed },
            LinkKind::Invitation => Event::InvitationAsked { mailed },
        };
        Ok(tx.append(&self.visit.entry(Actor::Anonymous, event)).await?)
    }

    /// Whether as many rows count as there may be. Strangers can use up the rows that count for an address. So a browser that
    /// is a known device of the account gets one row more, and its tab, its client and its typed code keep working. A device that
    /// only an earlier password made known counts with strangers: otherwise a thief of that password could use up the row.
    async fn is_crowded(&self, tx: &Tx) -> Result<bool, FlowError> {
        let (browser, at_most) = (&self.visit.browser, self.most.saturating_mul(2));
        let askers = tx.requesting_browsers(&self.row.address_digest, self.visit.now, at_most).await?;
        let alive = u32::try_from(askers.len()).unwrap_or(u32::MAX);
        // Only a browser that is known to some account causes this read, whatever the address.
        let known = !browser.devices.is_empty() && {
            let view = tx.sign_in_view(&self.address, &browser.devices).await?;
            view.is_some_and(|view| known_device(&view).is_some())
        };
        let own = askers.contains(&Some(browser.id));
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

/// One round: looks up the addresses of the requests, and queues the mails. Returns how many requests were answered.
#[tracing::instrument(name = "answer_requests_for_mail", skip_all)]
pub async fn queue_requested_mails(call: &Call) -> Result<usize, FlowError> {
    let pending = call.store().pending_mail_requests(call.now, BATCH).await?;
    if pending.is_empty() {
        return Ok(0);
    }
    let mut answers = Vec::with_capacity(pending.len());
    for asked in pending {
        answers.push(MailRequestAnswer::to(call, asked).await?);
    }
    let (unit, written) = call.store().run(AnswerMailRequestsUnit(answers)).await;
    written?;
    Ok(unit.0.len())
}

struct AnswerMailRequestsUnit(Vec<MailRequestAnswer>);

impl Unit for AnswerMailRequestsUnit {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "answer_mail_requests";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        for answer in &self.0 {
            answer.write(tx).await?;
        }
        Ok(())
    }
}

/// What is written for one request.
struct MailRequestAnswer {
    link: LinkId,
    result: MailRequestResult,
    message: Message,
    entry: AuditEntry,
}

/// The account that has the address, and the address as it is on file.
struct Recipient {
    account: Account,
    address: EmailAddress,
}

impl MailRequestAnswer {
    async fn to(call: &Call, asked: PendingMailRequest) -> Result<Self, FlowError> {
        let PendingMailRequest { link, kind, created_at, expires_at, ask } = asked;
        let lifetime = expires_at.duration_since(created_at);
        let found = recipient(call, ask.as_ref()).await?;
        let mail = mail_request::answer(kind, found.as_ref().map(|found| found.account.status));
        let known = found.filter(|_| mail.is_some());
        let account = known.as_ref().map(|known| known.account.id);
        let result = MailRequestResult {
            account,
            kind: mail.unwrap_or(kind),
            expires_at: match mail {
                Some(LinkKind::Invitation) => call.after(call.snapshot().policy.invitation_lifetime),
                Some(LinkKind::Recovery) | None => expires_at,
            },
        };
        // The address and reference of the request that asked, not of this round.
        let entry = AuditEntry {
            subject: account,
            ip_address: ask.as_ref().and_then(|ask| ask.ip_address),
            reference: ask.as_ref().and_then(|ask| ask.reference.as_ref()?.parse().ok()),
            ..call.entry(
                Actor::System,
                Event::RecoveryMailQueued { mail: mail.map_or("none", LinkKind::as_str) },
            )
        };
        let message = Message {
            id: MessageId(call.new_id()),
            account,
            locale: message_languages(
                known.as_ref().and_then(|known| known.account.locale.as_deref()),
                ask.as_ref().and_then(|ask| ask.languages.as_deref()),
            ),
            reference: entry.reference,
            created_at: call.now,
            expires_at: result.expires_at,
            body: body(call.snapshot(), result.kind, ask, known, lifetime),
        };
        Ok(Self { link, result, message, entry })
    }

    /// Nothing where another node was first.
    async fn write(&self, tx: &Tx) -> Result<(), FlowError> {
        if tx.complete_mail_request(self.link, self.result).await? {
            tx.enqueue(&self.message).await?;
            tx.append(&self.entry).await?;
        }
        Ok(())
    }
}

/// `ask`: `None` where the sealed request cannot be opened any more.
async fn recipient(call: &Call, ask: Option<&MailRequest>) -> Result<Option<Recipient>, FlowError> {
    let address = FoldedAddress::from_entered(ask.map_or("", |ask| ask.address.as_str()));
    let account = call.store().account_by_address(&address).await?;
    let spelling = call.store().address_on_file(&address, call.now).await?;
    Ok(account.zip(spelling).map(|(account, address)| Recipient { account, address }))
}

/// `lifetime`: of the link of a recovery.
fn body(
    snapshot: &Snapshot,
    kind: LinkKind,
    ask: Option<MailRequest>,
    known: Option<Recipient>,
    lifetime: SignedDuration,
) -> MessageBody {
    let (token, code) = ask.map(|ask| (ask.token, ask.mailed_code)).unwrap_or_default();
    let mail = match kind {
        LinkKind::Invitation => {
            invitation_mail(snapshot, known.as_ref().map(|known| &known.account.profile), &token)
        }
        LinkKind::Recovery => recovery_mail(snapshot, &token, code, lifetime),
    };
    match known {
        Some(Recipient { address: to, .. }) => MessageBody::Email { to, mail },
        None => MessageBody::Unaddressed { mail },
    }
}

/// `token`: the link's secret, as the mail carries it. `code`: the one that can be typed instead, where a browser asked.
pub(crate) fn recovery_mail(
    snapshot: &Snapshot,
    token: &str,
    code: Option<String>,
    lifetime: SignedDuration,
) -> Mail {
    let mut href = snapshot.issuer.endpoint("/recover");
    href.query_pairs_mut().append_pair("token", token);
    let minutes = u16::try_from(lifetime.as_mins()).unwrap_or(u16::MAX);
    Mail::Recovery { link: href.to_string(), code, minutes }
}
