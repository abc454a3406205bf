//! A pushed request that a browser brings by its `request_uri` (RFC 9126 §4).

use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring, OpaqueToken};
use anteroom_domain::ids::BrowserId;
use anteroom_domain::interaction::{Interaction, RequestSource};
use anteroom_domain::pushed_request::RetrievedRequest;
use anteroom_oidc::ClientId;
use anteroom_oidc::authorization::Parameters;
use anteroom_oidc::form::UrlEncodedForm;
use anteroom_storage::{Tx, Unit};
use jiff::Timestamp;

use crate::context::call::Visit;
use crate::error::FlowError;
use crate::interaction::answered;
use crate::interaction::end_pushed_request::EndPushedRequest;
use crate::protocol::par::{CONTEXT, PREFIX, SIGNED};

/// What was stored of a pushed request, and whether all of it was in a signed request object.
pub(crate) fn stored(query: &str) -> (Parameters, bool) {
    let (query, signed) = query.strip_suffix(SIGNED).map_or((query, false), |query| (query, true));
    let parameters = UrlEncodedForm::decode(query.as_bytes()).map(|form| Parameters::from(&form));
    (parameters.unwrap_or_default(), signed)
}

/// Whether this provider issued the `request_uri`, as its prefix says.
pub(crate) fn is_pushed_request_uri(request_uri: &str) -> bool {
    request_uri.starts_with(PREFIX)
}

/// What is known of the pushed request that a browser brings.
pub(crate) enum PushedRequestLookup {
    Request(RetrievedRequest),
    /// The request was answered in this browser. The row of that answer, if one was written.
    Answered(Option<Box<Interaction>>),
    /// Never pushed, pushed by another client, opened in another browser, or expired.
    Unknown,
}

/// The request that this client pushed under this `request_uri`. The first browser that brings it is the only one that can use it.
pub(crate) async fn take(
    visit: &Visit,
    client: &ClientId,
    request_uri: &str,
) -> Result<PushedRequestLookup, FlowError> {
    let Some(token) = request_uri.strip_prefix(PREFIX).and_then(OpaqueToken::parse) else {
        return Ok(PushedRequestLookup::Unknown);
    };
    let unit = TakePushedRequest {
        digests: digests(visit.keyring(), &token),
        client: client.clone(),
        browser: visit.browser.id,
        now: visit.now,
    };
    let (TakePushedRequest { digests, client, browser, .. }, request) = visit.store().run(unit).await;
    if let Some(request) = request? {
        return Ok(PushedRequestLookup::Request(request));
    }
    for digest in &digests {
        let before = answered::find_by_id(visit, answered::id_of_pushed(digest)).await?;
        if let Some(before) = before.filter(|before| before.state.browser == browser) {
            return Ok(PushedRequestLookup::Answered(Some(Box::new(before))));
        }
    }
    let is_answered = visit.store().answered_pushed_request(&digests, &client, browser).await?;
    Ok(if is_answered { PushedRequestLookup::Answered(None) } else { PushedRequestLookup::Unknown })
}

struct TakePushedRequest {
    digests: Vec<KeyedDigest>,
    client: ClientId,
    browser: BrowserId,
    now: Timestamp,
}

impl Unit for TakePushedRequest {
    type Output = Option<RetrievedRequest>;
    type Error = FlowError;

    const NAME: &'static str = "take_pushed_request";

    async fn run(&self, tx: &Tx) -> Result<Option<RetrievedRequest>, FlowError> {
        let Self { digests, client, browser, now } = self;
        Ok(tx.take_pushed_request(digests, client, *browser, *now).await?)
    }
}

/// An error answers a pushed request too, which can then not be used again.
pub(crate) async fn end(visit: &Visit, source: &RequestSource) -> Result<(), FlowError> {
    let RequestSource::Pushed { digest, .. } = source else { return Ok(()) };
    visit.store().run(EndPushedRequest { digest: *digest, now: visit.now }).await.1?;
    Ok(())
}

fn digests(keyring: &Keyring, token: &OpaqueToken) -> Vec<KeyedDigest> {
    keyring.mac(KeyPurpose::TokenHash).digests(CONTEXT, token.as_bytes())
}
