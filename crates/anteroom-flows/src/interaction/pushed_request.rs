//! A pushed request, once a browser comes for it (RFC 9126 §4).

use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring, OpaqueToken};
use anteroom_domain::interaction::{Interaction, RequestSource};
use anteroom_domain::pushed_request::RetrievedRequest;
use anteroom_oidc::ClientId;
use anteroom_oidc::authorization::Parameters;
use anteroom_oidc::form::UrlEncodedForm;
use std::sync::Arc;

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::answered;
use crate::protocol::par::{CONTEXT, PREFIX, SIGNED};

/// What was stored of a pushed request, and whether all of it was in a signed request object.
pub(crate) fn stored(query: &str) -> (Parameters, bool) {
    let (query, signed) = query.strip_suffix(SIGNED).map_or((query, false), |query| (query, true));
    let parameters = UrlEncodedForm::decode(query.as_bytes()).map(|form| Parameters::from(&form));
    (parameters.unwrap_or_default(), signed)
}

/// Whether the address is one that was given here.
pub(crate) fn is_pushed_request_uri(request_uri: &str) -> bool {
    request_uri.starts_with(PREFIX)
}

/// What a browser finds that comes for a pushed request.
pub(crate) enum PushedRequestLookup {
    Request(RetrievedRequest),
    /// This browser was answered: the row that says so, where there is one.
    Answered(Option<Box<Interaction>>),
    /// Never pushed, for another client, in another browser, or over.
    Unknown,
}

/// What was pushed under this name, for the visitor's browser.
pub(crate) async fn take(
    visit: &Visit,
    client: &ClientId,
    request_uri: &str,
) -> Result<PushedRequestLookup, FlowError> {
    let Some(token) = request_uri.strip_prefix(PREFIX).and_then(OpaqueToken::parse) else {
        return Ok(PushedRequestLookup::Unknown);
    };
    let digests: Arc<[KeyedDigest]> = digests(visit.keyring(), &token).into();
    let taking = Arc::clone(&digests);
    let (browser, now, client) = (visit.browser.id, visit.now, Arc::new(client.clone()));
    let of_client = Arc::clone(&client);
    let write = visit.store().write(move |tx| {
        let (digests, client) = (Arc::clone(&taking), Arc::clone(&client));
        async move { Ok::<_, FlowError>(tx.take_pushed_request(&digests, &client, browser, now).await?) }
    });
    if let Some(request) = write.await? {
        return Ok(PushedRequestLookup::Request(request));
    }
    for digest in digests.iter() {
        let before = answered::find_by_id(visit, answered::id_of_pushed(digest)).await?;
        if let Some(before) = before.filter(|before| before.state.browser == browser) {
            return Ok(PushedRequestLookup::Answered(Some(Box::new(before))));
        }
    }
    let is_answered = visit.store().answered_pushed_request(&digests, &of_client, browser).await?;
    Ok(if is_answered { PushedRequestLookup::Answered(None) } else { PushedRequestLookup::Unknown })
}

/// An error is an answer too: a request that was pushed is over with it.
pub(crate) async fn end(visit: &Visit, source: &RequestSource) -> Result<(), FlowError> {
    let RequestSource::Pushed { digest, .. } = source else { return Ok(()) };
    let (digest, now) = (*digest, visit.now);
    let write = visit
        .store()
        .write(move |tx| async move { Ok::<_, FlowError>(tx.end_pushed_request(&digest, now).await?) });
    write.await?;
    Ok(())
}

fn digests(keyring: &Keyring, token: &OpaqueToken) -> Vec<KeyedDigest> {
    keyring.mac(KeyPurpose::TokenHash).digests(CONTEXT, token.as_bytes())
}
