//! Request objects, by value or by reference, before the rules of the authorization endpoint see the request (OpenID Connect
//! Core §6, RFC 9101).
//!
//! What cannot be used is refused here with a code of Core §3.1.2.6; what is not about request objects at all passes
//! through, for the rules to judge.

use anteroom_domain::client::Client;
use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::authorization::{
    self, AcceptedObject, AuthorizationError, Parameter, Parameters, RequestObject, RequestObjectError,
    RequestObjectFailure, RequestObjectRules, RequestObjectSource,
};
use anteroom_oidc::jwt::ClientVerificationKeys;
use jiff::Timestamp;
use url::Url;

use crate::context::call::{Call, Visit};
use crate::context::fetched_keys::SignatureContext;
use crate::context::outgoing::OutgoingError;
use crate::error::FlowError;
use crate::protocol::client_keys::{KeysError, with_keys_of};
use crate::protocol::request_uri;
use crate::protocol::token_encryption::entropy;

/// Why it cannot be used: what the wire gets, and what the operator reads.
struct UnusableRequestObject {
    why: RequestObjectFailure,
    reason: String,
    /// Where the client wants its answer, if the object alone says so.
    stated: Parameters,
}

/// Why a request is not known as it is meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error(transparent)]
    Refused(#[from] AuthorizationError),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl UnusableRequestObject {
    fn object(reason: &dyn ToString) -> Self {
        Self::new(RequestObjectFailure::UnusableObject, reason)
    }

    fn uri(reason: &dyn ToString) -> Self {
        Self::new(RequestObjectFailure::UnusableUri, reason)
    }

    fn new(why: RequestObjectFailure, reason: &dyn ToString) -> Self {
        Self { why, reason: reason.to_string(), stated: Parameters::default() }
    }
}

/// A request without request objects.
pub(crate) struct Resolved {
    pub parameters: Parameters,
    /// The `exp` of the request object that it came in.
    pub expires_at: Option<Timestamp>,
    /// All of it was in a signed request object.
    pub signed: bool,
}

impl Resolved {
    fn plain(parameters: &Parameters) -> Self {
        Self { parameters: parameters.clone(), expires_at: None, signed: false }
    }
}

/// What brings a request.
#[derive(Clone, Copy)]
pub(crate) enum SentBy<'a> {
    Browser(&'a Visit),
    /// The client itself, which may not name a place where the request is (RFC 9126 §2.1).
    Client(&'a Call),
}

impl SentBy<'_> {
    fn call(&self) -> &Call {
        match self {
            Self::Browser(visit) => visit,
            Self::Client(call) => call,
        }
    }
}

/// The request as it is meant: with what its request object says in place of what stands beside it.
pub(crate) async fn resolve(
    sent_by: SentBy<'_>,
    client: &Client,
    parameters: &Parameters,
) -> Result<Resolved, ResolveError> {
    let call = sent_by.call();
    let places = [Parameter::Request, Parameter::RequestUri];
    if places.iter().any(|name| parameters.is_repeated(*name)) {
        return Ok(Resolved::plain(parameters));
    }
    let [request, request_uri] = places.map(|name| parameters.get(name));
    let required = client.metadata.require_signed_request_object;
    if required && request.is_none() && request_uri.is_none() {
        let reason = "no signed request object";
        let error =
            authorization::refuse(parameters, &client.metadata, RequestObjectFailure::NotSigned, reason);
        return Err(error.into());
    }
    let inner = match (request, request_uri) {
        (None, None) | (Some(_), Some(_)) => return Ok(Resolved::plain(parameters)),
        (Some(request), None) => read(call, client, (request, RequestObjectSource::ByValue)).await,
        (None, Some(uri)) => match client.metadata.find_request_uri(uri) {
            Some(place) => match fetch(sent_by, client, &place).await? {
                Ok(text) => read(call, client, (text.trim(), RequestObjectSource::ByReference)).await,
                Err(unusable) => Err(unusable),
            },
            None => Err(UnusableRequestObject::uri(&format!("{uri} is not one that the client registered"))),
        },
    };
    match inner {
        Ok(AcceptedObject { parameters: inner, expires_at }) => {
            // RFC 9101 §6.3: nothing that is not signed counts, where all must be.
            let parameters = if required {
                inner.from_client(client.id())
            } else {
                parameters.clone().superseded_by(inner)
            };
            Ok(Resolved { parameters, expires_at, signed: required })
        }
        Err(UnusableRequestObject { why, reason, stated }) => {
            // The refusal may be about what stands outside.
            let name = client.id().as_str();
            tracing::info!(
                reference = call.reference().map(tracing::field::display),
                client = name,
                "request object not used: {reason:?}"
            );
            // A rejected request object must not replace a parameter outside of it; its parameters only fill gaps, so that the
            // error can be returned.
            let parameters = stated.superseded_by(parameters.clone());
            Err(authorization::refuse(&parameters, &client.metadata, why, &reason).into())
        }
    }
}

/// Core §6.2: from a place that the client registered, and from no other. Each time anew: a client that signs requests that are
/// good for minutes has another one there for the next person.
async fn fetch(
    sent_by: SentBy<'_>,
    client: &Client,
    place: &Url,
) -> Result<Result<String, UnusableRequestObject>, FlowError> {
    let SentBy::Browser(visit) = sent_by else {
        return Ok(Err(UnusableRequestObject::uri(&"a pushed request names no place")));
    };
    let body = request_uri::fetch(visit, client, place).await?;
    let body = body.map_err(|error| match error {
        OutgoingError::Busy => UnusableRequestObject::new(RequestObjectFailure::FetchedTooOften, &error),
        _ => UnusableRequestObject::uri(&error),
    });
    Ok(body.and_then(|body| {
        String::from_utf8(body).map_err(|_| UnusableRequestObject::object(&"it is not text"))
    }))
}

async fn read(
    call: &Call,
    client: &Client,
    (text, passed): (&str, RequestObjectSource),
) -> Result<AcceptedObject, UnusableRequestObject> {
    let now = call.now;
    let snapshot = call.snapshot();
    let rules = RequestObjectRules { client: &client.metadata, issuer: &snapshot.issuer, now };
    let object = if RequestObject::is_encrypted(text) {
        let keys = call.key_set();
        RequestObject::decrypt(text, keys.decrypting(), &client.metadata, &entropy(call))
    } else {
        RequestObject::parse(text)
    };
    let jwt = match object.map_err(|error| UnusableRequestObject::object(&error))? {
        RequestObject::Unsigned(claims) => {
            let accepted = RequestObject::accept_unsigned(&claims, passed, rules);
            return accepted.map_err(|error| unsigned(&error, RequestObject::stated(&claims)));
        }
        RequestObject::Signed(jwt) => jwt,
    };
    let check = |proof: ClientVerificationKeys<'_>| RequestObject::verify(&jwt, proof, rules);
    // A browser carries it, from wherever its person is.
    let presented = (SignatureContext { now, from: None }, call.address().map(AddressPrefix::network));
    let inner = with_keys_of(call, client, presented, check, RequestObjectError::misses_a_key).await;
    inner.map_err(|error| match error {
        KeysError::Refused(error) => UnusableRequestObject::object(&error),
        KeysError::Unavailable(reason) => {
            UnusableRequestObject::object(&format!("the client's keys cannot be had: {reason}"))
        }
        KeysError::Later(why, _) => UnusableRequestObject::new(RequestObjectFailure::FetchedTooOften, &why),
    })
}

/// A client that passes one by value learns that it is not taken here, and can do without (Core §6.1).
fn unsigned(error: &RequestObjectError, stated: Parameters) -> UnusableRequestObject {
    let why = match error {
        RequestObjectError::NotSupported => RequestObjectFailure::UnsignedObject,
        _ => RequestObjectFailure::UnusableObject,
    };
    UnusableRequestObject { stated, ..UnusableRequestObject::new(why, error) }
}
