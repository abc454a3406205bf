//! `GET /authorize` (OpenID Connect Core §3.1.2, RFC 6749 §4.1.1): a request becomes a journey, or an error.

use anteroom_domain::audit::{Actor, Event};
use anteroom_domain::interaction::{Destination, Journey};
use anteroom_oidc::authorization::{self, Disposition};
use anteroom_oidc::{AuthorizationError, AuthorizationResponse, ClientId};

use crate::error::FlowError;
use crate::journey::Carried;
use crate::onward::{Onward, proceed};
use crate::provider::Provider;
use crate::trail::{About, Origin};
use crate::visitor::Visitor;

#[derive(Debug)]
pub enum AuthorizeOutcome {
    Onward(Onward),
    /// The client or its redirect URI is not known good: a page, never a redirect.
    Refused(AuthorizationError),
}

pub async fn authorize(
    provider: &Provider,
    visitor: &Visitor,
    parameters: &[(String, String)],
) -> Result<AuthorizeOutcome, FlowError> {
    let snapshot = provider.snapshot();
    let find = |id: &ClientId| snapshot.clients.get(id).map(|client| &client.metadata);
    match authorization::validate(parameters, &snapshot.issuer, find) {
        Ok(request) => {
            let journey = Journey {
                destination: Destination::Application(Box::new(request)),
                browser: visitor.browser,
                began_at: visitor.now,
                account: None,
                consented: false,
            };
            Ok(AuthorizeOutcome::Onward(proceed(provider, visitor, Carried::new(journey)).await?))
        }
        Err(error) => refuse(provider, visitor, error).await,
    }
}

/// A developer's mistake: the operator's log names the parameter, what came and what is registered; the wire gets the
/// standard code. Only a page carries a reference, so only a page is written to the trail.
async fn refuse(
    provider: &Provider,
    visitor: &Visitor,
    error: AuthorizationError,
) -> Result<AuthorizeOutcome, FlowError> {
    tracing::warn!(
        reference = %visitor.reference,
        client = error.client.as_ref().map(ClientId::as_str),
        parameter = error.parameter,
        received = error.received,
        registered = error.registered,
        error = error.code.as_str(),
        "authorization request refused: {}",
        error.description,
    );
    if let Disposition::Redirect(target) = &error.disposition {
        let response = AuthorizationResponse::refusal(&provider.snapshot().issuer, target, &error);
        return Ok(AuthorizeOutcome::Onward(Onward::Application(Box::new(response))));
    }
    let mut entry = Origin::of(visitor, &provider.random)
        .entry(Actor::Anonymous, Event::RequestRefused { reason: error.description.to_string() });
    if let Some(client) = &error.client {
        entry = entry.by_client(client);
    }
    provider
        .store
        .write(move |tx| {
            let entry = entry.clone();
            async move { Ok::<_, FlowError>(tx.append(&entry).await?) }
        })
        .await?;
    Ok(AuthorizeOutcome::Refused(error))
}
