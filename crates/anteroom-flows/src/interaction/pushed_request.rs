//! A pushed request, once a browser comes for it (RFC 9126 §4).

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

/// An error is an answer too: a request that was pushed is over with it.
pub(crate) async fn end(visit: &Visit, source: &RequestSource) -> Result<(), FlowError> {
    let RequestSource::Pushed { digest, .. } = source else { return Ok(()) };
    visit.store().run(EndPushedRequest { digest: *digest, now: visit.now }).await.1
}

struct EndPushedRequest {
    digest: KeyedDigest,
    now: Timestamp,
}

impl Unit for EndPushedRequest {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "end_pushed_request";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        tx.end_pushed_request(&self.digest, self.now).await?;
        Ok(())
    }
}

fn digests(keyring: &Keyring, token: &OpaqueToken) -> Vec<KeyedDigest> {
    keyring.mac(KeyPurpose::TokenHash).digests(CONTEXT, token.as_bytes())
}
