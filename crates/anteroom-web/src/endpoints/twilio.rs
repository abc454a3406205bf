//! `POST /callbacks/twilio/{message}` and `…/key`: Twilio reports a message's delivery status, and requests what to say
//! after a key press.

use anteroom_domain::ids::MessageId;
use anteroom_messaging::twilio::{Callback, CallbackError, Callbacks};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use crate::page_context::EndpointContext;
use crate::path_param::PathParam;
use crate::received::ReceivedRequest;
use crate::state::Web;

const SIGNATURE: &str = "x-twilio-signature";

pub(crate) async fn status(
    PathParam(id): PathParam<MessageId>,
    uri: Uri,
    headers: HeaderMap,
    ReceivedRequest { context, body }: ReceivedRequest,
) -> Response {
    let web = &context.web;
    let Some(callbacks) = web.settings.twilio.as_ref() else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(body) = body else { return unread(&context) };
    let callback = read(web, id, &uri, &headers, &body);
    match callbacks.status(&callback, web.provider.clock.now()).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refuse(&context, &error),
    }
}

pub(crate) async fn key(
    PathParam(id): PathParam<MessageId>,
    uri: Uri,
    headers: HeaderMap,
    ReceivedRequest { context, body }: ReceivedRequest,
) -> Response {
    let web = &context.web;
    let Some(callbacks) = web.settings.twilio.as_ref() else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(body) = body else { return unread(&context) };
    let callback = read(web, id, &uri, &headers, &body);
    match call_text(web, callbacks, &callback, &uri) {
        Ok(twiml) => {
            let kind = (CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            ([kind, (CACHE_CONTROL, HeaderValue::from_static("no-store"))], twiml).into_response()
        }
        Err(error) => refuse(&context, &error),
    }
}

fn call_text(
    web: &Web,
    callbacks: &Callbacks,
    callback: &Callback,
    uri: &Uri,
) -> Result<String, CallbackError> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let part =
        form_urlencoded::parse(query).find(|(name, _)| name == "part").map(|(_, value)| value.into_owned());
    callbacks.after_the_key(callback, &part.unwrap_or_default(), web.provider.clock.now())
}

fn read(web: &Web, message: MessageId, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Callback {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Callback {
        message,
        url: format!("{}{path}", web.provider.snapshot().issuer.origin()),
        params: form_urlencoded::parse(body).into_owned().collect(),
        signature: signature.to_owned(),
    }
}

/// Twilio's callbacks are short and complete, so a body that is too long or was cut off is refused.
fn unread(context: &EndpointContext) -> Response {
    tracing::warn!(reference = %context.from.reference, "callback: its body is too long or incomplete");
    StatusCode::PAYLOAD_TOO_LARGE.into_response()
}

fn refuse(context: &EndpointContext, error: &CallbackError) -> Response {
    tracing::warn!(reference = %context.from.reference, "callback: {error}");
    match error {
        CallbackError::Signature | CallbackError::Part(_) => StatusCode::FORBIDDEN.into_response(),
        CallbackError::Store(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
