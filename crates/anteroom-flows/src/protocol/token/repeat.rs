//! A refresh token that was just used, presented again: the answer was lost, two tabs asked, or two people have the token.
//!
//! Invariant: each repeat is counted in the statement that admits it, with its entry in the audit trail.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::message::{Mail, Message};
use anteroom_domain::refresh::{MOST_REPEATS, RefreshFamily};
use anteroom_storage::{GrantRecord, RateLimitResult, Tx};
use jiff::Timestamp;
use std::sync::Arc;

use super::{TokenError, TokenRequestContext};
use crate::error::FlowError;
use crate::messages::notices::notices;

/// `false`: too many were faster, or the family has moved on.
pub(super) async fn repeat(
    exchange: &TokenRequestContext<'_>,
    record: &GrantRecord,
    (family, elsewhere): (RefreshFamily, bool),
) -> Result<bool, TokenError> {
    let messages: Arc<[Message]> =
        if elsewhere { repeat_notices(exchange, record).await?.into() } else { Arc::default() };
    let (account, now) = (record.grant.account, exchange.call.now);
    let budget = RateLimitCheck {
        limit: Limit::RepeatNotice,
        limit_key: account.to_string(),
        rate: exchange.call.snapshot().policy.limits.get(Limit::RepeatNotice),
    };
    let prepared = exchange.call.clone();
    let (client, session, id) = (record.grant.client.clone(), record.grant.session, record.grant.id);
    let entry = move |repeat| -> AuditEntry {
        let first_address = family.rotated_from;
        let event =
            Event::RefreshRepeated { grant: id, generation: family.generation, repeat, first_address };
        prepared.entry(Actor::Client, event).about(account).by_client(&client).in_session(session)
    };
    let write = exchange.call.store().write(move |tx| {
        let (messages, budget, entry) = (Arc::clone(&messages), budget.clone(), entry.clone());
        async move {
            let Some(repeat) = tx.repeat_family(&family, MOST_REPEATS).await? else { return Ok(false) };
            if !messages.is_empty() && may_send_notice(&tx, &budget, now).await? {
                for message in &*messages {
                    tx.enqueue(message).await?;
                }
            }
            tx.append(&entry(repeat)).await?;
            Ok::<_, FlowError>(true)
        }
    });
    Ok(write.await?)
}

async fn repeat_notices(
    exchange: &TokenRequestContext<'_>,
    record: &GrantRecord,
) -> Result<Vec<Message>, FlowError> {
    let (provider, now) = (exchange.call, exchange.call.now);
    let application = exchange.client.display_name().to_owned();
    let link = provider.snapshot().issuer.endpoint("/forgot-password").to_string();
    let mail = Mail::TokensAskedElsewhere { at: now, application, link };
    notices(provider, &record.account, mail).await
}

/// Applications of one person that change networks all day do not fill the mailbox.
async fn may_send_notice(tx: &Tx, budget: &RateLimitCheck, now: Timestamp) -> Result<bool, FlowError> {
    Ok(tx.spend(std::slice::from_ref(budget), now).await? == RateLimitResult::Counted)
}
