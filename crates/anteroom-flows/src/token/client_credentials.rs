//! The client credentials grant (RFC 6749 §4.4): a token for the client itself. It writes nothing; the trail keeps counts
//! per client and minute.

use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_oidc::ClientId;
use anteroom_oidc::token::{ClientCredentialsGrant, TokenResponse};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Exchange, TokenError, mint};
use crate::error::FlowError;
use crate::provider::Provider;
use crate::trail::{About, Origin};

pub(super) fn issue(exchange: &Exchange<'_>, request: &ClientCredentialsGrant) -> Result<TokenResponse, TokenError> {
    let response = mint::for_client(exchange, request)?;
    exchange.provider.tallies.count(exchange.client.id());
    Ok(response)
}

/// Counts per client since the trail was last told.
#[derive(Debug, Default)]
pub struct Tallies(Mutex<BTreeMap<ClientId, u32>>);

impl Tallies {
    fn count(&self, client: &ClientId) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(client) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(counts.insert(client.clone(), 1)),
        }
    }

    fn take(&self) -> BTreeMap<ClientId, u32> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Once a minute, and before stopping: what was counted becomes entries of the trail.
pub async fn write_tallies(provider: &Provider) -> Result<(), FlowError> {
    let counts = provider.tallies.take();
    if counts.is_empty() {
        return Ok(());
    }
    let origin = Origin::local(provider.clock.now(), &provider.random);
    let entry = |(client, count): (ClientId, u32)| {
        origin.entry(Actor::Client, Event::ClientTokensGranted { count }).by_client(&client)
    };
    let entries: Arc<[AuditEntry]> = counts.into_iter().map(entry).collect();
    let write = provider.store.write(move |tx| {
        let entries = Arc::clone(&entries);
        async move {
            for entry in &*entries {
                tx.append(entry).await?;
            }
            Ok::<_, FlowError>(())
        }
    });
    write.await
}
