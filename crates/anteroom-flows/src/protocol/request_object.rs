//! Request objects, by value or by reference, before the rules of the authorization endpoint see the request (OpenID Connect
//! Core §6, RFC 9101).
//!
//! A request object that cannot be used is refused here with an error of Core §3.1.2.6. All other mistakes are left to the rules
//! of the authorization endpoint.

use anteroom_domain::client::Client;
use anteroom_oidc::authorization::{
    self, AcceptedObject, AuthorizationError, EarlyRefusal, Parameter, Parameters, RequestObject,
    RequestObjectError, RequestObjectRules, RequestObjectSource,
};
use anteroom_oidc::jwt::ClientVerificationKeys;
use jiff::Timestamp;
use std::borrow::Cow;
use url::Url;

use crate::context::call::{Call, Visit};
use crate::context::client_jwks::SignatureContext;
use crate::context::outgoing::OutgoingError;
use crate::error::FlowError;
use crate::protocol::client_keys::{KeysError, with_keys_of};
use crate::protocol::request_uri;
use crate::protocol::token_encryption::entropy;

/// Why a request object cannot be used: for the client, and for the operator's log.
struct UnusableRequestObject {
    why: EarlyRefusal,
    reason: String,
    /// Where the client wants its answer, if only the request object names that.
    stated: Parameters,
}

/// Why a request cannot be resolved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error(transparent)]
    Refused(#[from] AuthorizationError),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl UnusableRequestObject {
    fn object(reason: &dyn ToString) -> Self {
        Self::new(EarlyRefusal::UnusableObject, reason)
    }

    fn uri(reason: &dyn ToString) -> Self {
        Self::new(EarlyRefusal::UnusableUri, reason)
    }

    fn new(why: EarlyRefusal, reason: &dyn ToString) -> Self {
        Self { why, reason: reason.to_string(), stated: Parameters::default() }
    }
}

/// A request with the parameters of its request object.
pub(crate) struct Resolved<'a> {
    pub parameters: Cow<'a, Parameters>,
    /// The `exp` of the request object.
    pub expires_at: Option<Timestamp>,
    /// Whether all parameters were in a signed request object.
    pub signed: bool,
}

impl<'a> Resolved<'a> {
    const fn plain(parameters: Cow<'a, Parameters>) -> Self {
        Self { parameters, expires_at: None, signed: false }
    }
}

/// What sends a request.
#[derive(Clone, Copy)]
pub(crate) enum SentBy<'a> {
    Browser(&'a Visit),
    /// The client itself, which may not send a `request_uri` (RFC 9126 §2.1).
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

/// Resolves the request: the parameters of its request object replace those beside it.
pub(crate) async fn resolve<'a>(
    sent_by: SentBy<'_>,
    client: &Client,
    parameters: Cow<'a, Parameters>,
) -> Result<Resolved<'a>, ResolveError> {
    let call = sent_by.call();
    let places = [Parameter::Request, Parameter::RequestUri];
    if places.iter().any(|name| parameters.is_repeated(*name)) {
        return Ok(Resolved::plain(parameters));
    }
    let [request, request_uri] = places.map(|name| parameters.get(name));
    let required = client.metadata.require_signed_request_object;
    if required && request.is_none() && request_uri.is_none() {
        let reason = "no signed request object";
        let error = authorization::refuse(&parameters, &client.metadata, EarlyRefusal::NotSigned, reason);
        return Err(error.into());
    }
    let inner = match (request, request_uri) {
        (None, None) | (Some(_), Some(_)) => return Ok(Resolved::plain(parameters)),
        (Some(request), None) => read(call, client, request, RequestObjectSource::ByValue).await,
        (None, Some(uri)) => match client.metadata.find_request_uri(uri) {
            Some(url) => match fetch(sent_by, client, &url).await? {
                Ok(text) => read(call, client, text.trim(), RequestObjectSource::ByReference).await,
                Err(unusable) => Err(unusable),
            },
            None => Err(UnusableRequestObject::uri(&format!("{uri} is not one that the client registered"))),
        },
    };
    match inner {
        Ok(AcceptedObject { parameters: inner, expires_at }) => {
            // RFC 9101 §6.3: where a signed request object is required, unsigned parameters are ignored.
            let parameters = if required {
                inner.from_client(client.id())
            } else {
                parameters.into_owned().superseded_by(inner)
            };
            Ok(Resolved { parameters: Cow::Owned(parameters), expires_at, signed: required })
        }
        Err(UnusableRequestObject { why, reason, stated }) => {
            // The refusal itself may name a parameter outside of the request object, so the reason is logged here.
            let name = client.id().as_str();
            tracing::info!(
                reference = call.reference().map(tracing::field::display),
                client = name,
                "request object not used: {reason:?}"
            );
            // A refused request object must not replace a parameter outside of it. Its parameters are used only where there is no
            // other, so that the error can be returned.
            let parameters = stated.superseded_by(parameters.into_owned());
            Err(authorization::refuse(&parameters, &client.metadata, why, &reason).into())
        }
    }
}

/// Core §6.2: fetches a request object from an address that the client registered. It is fetched for each request, because a
/// client whose request objects are valid for minutes publishes a new one for the next person.
async fn fetch(
    sent_by: SentBy<'_>,
    client: &Client,
    url: &Url,
) -> Result<Result<String, UnusableRequestObject>, FlowError> {
    let SentBy::Browser(visit) = sent_by else {
        return Ok(Err(UnusableRequestObject::uri(&"a pushed request has no request_uri")));
    };
    let body = request_uri::fetch(visit, client, url).await?;
    let body = body.map_err(|error| match error {
        OutgoingError::Busy => UnusableRequestObject::new(EarlyRefusal::FetchedTooOften, &error),
        _ => UnusableRequestObject::uri(&error),
    });
    Ok(body.and_then(|body| {
        String::from_utf8(body).map_err(|_| UnusableRequestObject::object(&"it is not text"))
    }))
}

async fn read(
    call: &Call,
    client: &Client,
    text: &str,
    source: RequestObjectSource,
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
            let accepted = RequestObject::accept_unsigned(&claims, source, rules);
            return accepted
                .map_err(|error| unsigned(&error, RequestObject::unverified_error_parameters(&claims)));
        }
        RequestObject::Signed(jwt) => jwt,
    };
    let check = |keys: ClientVerificationKeys<'_>| RequestObject::verify(&jwt, keys, rules);
    // A browser carries the request object, so the address of the request is not the client's.
    let signature = SignatureContext { now, from: None };
    let inner = with_keys_of(call, client, signature, check, RequestObjectError::needs_key_refresh).await;
    inner.map_err(|error| match error {
        KeysError::Refused(error) => UnusableRequestObject::object(&error),
        KeysError::Unavailable(reason) => {
            UnusableRequestObject::object(&format!("the client's keys cannot be had: {reason}"))
        }
        KeysError::Later(why, _) => UnusableRequestObject::new(EarlyRefusal::FetchedTooOften, &why),
    })
}

/// A client that sends an unsigned request object by value is told that this is not supported, and can send parameters instead
/// (Core §6.1).
fn unsigned(error: &RequestObjectError, stated: Parameters) -> UnusableRequestObject {
    let why = match error {
        RequestObjectError::NotSupported => EarlyRefusal::UnsignedObject,
        _ => EarlyRefusal::UnusableObject,
    };
    UnusableRequestObject { stated, ..UnusableRequestObject::new(why, error) }
}
