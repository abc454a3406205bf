//! A refresh token that was just used is presented again: an answer was lost, two tabs sent it, or another party has the token.
//!
//! Invariant: each repeat is counted in the statement that admits it, with an audit entry.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::ids::{AccountId, SessionId};
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::message::{Mail, Message};
use anteroom_domain::refresh::{MOST_REPEATS, RefreshFamily};
use anteroom_oidc::ClientId;
use anteroom_storage::{GrantRecord, RateLimitResult, Tx, Unit};

use super::{TokenRequestContext, TokenRequestError};
use crate::context::call::Call;
use crate::context::limits::of_one;
use crate::error::FlowError;
use crate::messages::notices::notices;

/// `false`: there were too many repeats, or the family has a newer generation.
pub(super) async fn repeat(
    exchange: &TokenRequestContext<'_>,
    record: &GrantRecord,
    family: RefreshFamily,
    from_other_network: bool,
) -> Result<bool, TokenRequestError> {
    let messages = if from_other_network { repeat_notices(exchange, record).await? } else { Vec::new() };
    let grant = &record.grant;
    let unit = |call| RepeatRefresh {
        call,
        account: grant.account,
        client: grant.client.clone(),
        session: grant.session,
        family,
        budget: of_one(exchange.call, Limit::RepeatNotice, &grant.account),
        messages,
    };
    Ok(exchange.call.run(unit).await.1?)
}

struct RepeatRefresh {
    call: Call,
    account: AccountId,
    client: ClientId,
    session: SessionId,
    family: RefreshFamily,
    /// So that a device which often changes its network does not fill the person's mailbox.
    budget: RateLimitCheck,
    messages: Vec<Message>,
}

impl Unit for RepeatRefresh {
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "repeat_refresh";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let Self { call, family, .. } = self;
        let Some(repeat) = tx.repeat_family(family, MOST_REPEATS).await? else { return Ok(false) };
        if !self.messages.is_empty() && self.may_send_notices(tx).await? {
            for message in &self.messages {
                tx.enqueue(message).await?;
            }
        }
        let event = Event::RefreshRepeated {
            grant: family.grant,
            generation: family.generation,
            repeat,
            first_address: family.rotated_from,
        };
        let entry = call.entry(Actor::Client, event).about(self.account);
        tx.append(&entry.by_client(&self.client).in_session(self.session)).await?;
        Ok(true)
    }
}

impl RepeatRefresh {
    async fn may_send_notices(&self, tx: &Tx) -> Result<bool, FlowError> {
        let spent = tx.spend(std::slice::from_ref(&self.budget), self.call.now).await?;
        Ok(spent == RateLimitResult::Counted)
    }
}

async fn repeat_notices(
    exchange: &TokenRequestContext<'_>,
    record: &GrantRecord,
) -> Result<Vec<Message>, FlowError> {
    let call = exchange.call;
    let application = exchange.client.display_name().to_owned();
    let link = call.snapshot().issuer.endpoint("/forgot-password").to_string();
    let mail = Mail::TokensAskedElsewhere { at: call.now, application, link };
    notices(call, &record.account, mail).await
}
