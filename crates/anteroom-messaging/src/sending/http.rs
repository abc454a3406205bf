//! The client for requests to providers of texts and calls. Their addresses are the operator's own choice, so private ones
//! are reached; everything else is bounded as for any outgoing request: no redirects, no proxy, little time, little body.

use jiff::SignedDuration;
use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, StatusCode};
use std::error::Error;
use std::time::Duration;
use url::{Host, Url};

use super::failure::{DeliveryError, Reason};
use super::smtp::connect::try_connection;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);
const MOST_BYTES: usize = 65_536;
/// In seconds. A longer `Retry-After` is cut to this.
const LONGEST_WAIT: i64 = 3_600;

#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for texts and calls cannot be built")]
pub struct ClientError;

/// `url` is where it will go: to this very machine it may speak plain http, and needs no certificate authorities.
pub(crate) fn client(url: &Url) -> Result<reqwest::Client, ClientError> {
    #[expect(clippy::disallowed_methods, reason = "this is the one client for providers of texts and calls")]
    let builder = reqwest::Client::builder();
    let builder = if url.scheme() == "http" && is_loopback(url) {
        builder.tls_certs_only([])
    } else {
        builder.https_only(true)
    };
    builder
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .user_agent("anteroom")
        .build()
        .map_err(|_| ClientError)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<SignedDuration>,
    pub(crate) body: Vec<u8>,
}

/// An answer of whatever status; a failure is the lack of one.
pub(crate) async fn ask(request: RequestBuilder) -> Result<Answer, DeliveryError> {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Err(no_answer(&error).await),
    };
    let after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let retry_after = after.map(|seconds| SignedDuration::from_secs(seconds.clamp(0, LONGEST_WAIT)));
    let status = response.status();
    let mut body = Vec::new();
    while body.len() <= MOST_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(no_answer(&error).await),
        }
    }
    Ok(Answer { status, retry_after, body })
}

/// A failed connection affects the whole channel, any other failure only this message.
async fn no_answer(error: &reqwest::Error) -> DeliveryError {
    let reason = if error.is_timeout() { Reason::TimedOut } else { Reason::NoConnection };
    let mut failure = DeliveryError::new(reason);
    if let Some(url) = error.url() {
        failure = failure.detailed(cause(url, error).await);
    }
    if error.is_connect() { failure.of_channel() } else { failure }
}

/// The client has one cause for all addresses of a host, so each is asked for its own, as a mail server's are. Nothing of the
/// URL is told but host and port: the rest may hold the secret and the message.
async fn cause(url: &Url, error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("{}: it took too long", place(url));
    }
    if error.is_connect()
        && let Err(failure) = check_connection(url).await
        && let Some(detail) = failure.detail
    {
        return detail;
    }
    let causes = std::iter::successors(Some(error as &(dyn Error + 'static)), |&cause| cause.source());
    let cause = causes.last().map(ToString::to_string).unwrap_or_default();
    format!("{}: {}", place(url), cause.escape_debug())
}

fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether something takes a connection there. The connection is closed without sending anything.
pub async fn check_connection(url: &Url) -> Result<(), DeliveryError> {
    // An IPv6 address stands in brackets in a URL alone.
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or_default();
    match tokio::time::timeout(CONNECT_TIMEOUT, try_connection(host, port)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(tried)) => Err(DeliveryError::new(Reason::NoConnection).detailed(format!("{host}: {tried}"))),
        Err(_) => {
            Err(DeliveryError::new(Reason::TimedOut).detailed(format!("{}: it took too long", place(url))))
        }
    }
}

impl Answer {
    /// What a status that is no success says, where nothing more specific is known.
    pub(crate) fn failure(&self) -> DeliveryError {
        let reason = match self.status.as_u16() {
            401 | 403 => Reason::Credentials,
            // The address of the gateway, and so of all that waits for it.
            404 | 405 => Reason::ProviderConfiguration,
            408 | 425 | 429 | 500..=599 => Reason::Busy,
            _ => Reason::Rejected,
        };
        let failure = DeliveryError { retry_after: self.retry_after, ..DeliveryError::new(reason) };
        let failure = failure.detailed(self.status.as_u16());
        // A 500 can be about this one message, which would keep the others waiting again and again.
        if matches!(self.status.as_u16(), 401 | 403 | 404 | 405 | 429 | 503) {
            failure.of_channel()
        } else {
            failure
        }
    }
}
