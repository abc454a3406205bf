//! The development outbox: `/dev/outbox`, `/dev/outbox.json`.
//!
//! It responds only if issuer, listener, peer and `Host` are all loopback and every header is one that clients send
//! themselves; each request is checked. In every other case the path does not exist.

use anteroom_domain::message::Channel;
use anteroom_messaging::OutboxItem;
use anteroom_pages::{ErrorKind, OutboxChannel as ShownChannel, OutboxMessage, OutboxPage};
use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::path_param::PathParam;
use crate::paths::{OUTBOX, to_sign_in};
use crate::request_checks::is_loopback_name;
use crate::respond::PageResponse;
use crate::state::Web;

const SHOWN: u64 = 200;

/// A request that certainly comes from this machine.
pub(crate) struct LoopbackRequest(PageContext);

impl FromRequestParts<Arc<Web>> for LoopbackRequest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        let context = PageContext::of(parts, web);
        if is_local(parts, web) {
            return Ok(Self(context));
        }
        Err(PageError::page(StatusCode::NOT_FOUND, ErrorKind::NotFound, to_sign_in()).answer(&context).await)
    }
}

fn is_local(parts: &Parts, web: &Web) -> bool {
    let peer =
        parts.extensions.get::<ConnectInfo<SocketAddr>>().is_some_and(|peer| peer.0.ip().is_loopback());
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.parse::<axum::http::uri::Authority>();
    let issuer = web.provider.snapshot().issuer.clone();
    web.settings.dev_outbox
        && web.settings.listens_on_loopback
        && web.settings.trusted_proxies.is_empty()
        && issuer.url().host_str().is_some_and(is_loopback_name)
        && peer
        && name.is_ok_and(|authority| is_loopback_name(authority.host()))
        && parts.headers.keys().all(|header| is_of_a_client(header.as_str()))
}

/// Whether browsers and HTTP libraries send this header themselves. Any other header may come from a proxy, load
/// balancer or tunnel, of which no complete list exists; then the request may come from anywhere, although its peer is
/// loopback.
fn is_of_a_client(header: &str) -> bool {
    const NAMES: &[&str] = &[
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "dnt",
        "host",
        "http2-settings",
        "if-modified-since",
        "if-none-match",
        "keep-alive",
        "origin",
        "pragma",
        "priority",
        "referer",
        "te",
        "upgrade",
        "upgrade-insecure-requests",
        "user-agent",
    ];
    NAMES.contains(&header) || header.starts_with("sec-")
}

async fn delivered(context: &PageContext) -> Result<Vec<OutboxItem>, PageError> {
    let web = &context.web;
    let messages =
        web.provider.store.newest_messages(SHOWN).await.map_err(anteroom_flows::error::FlowError::from)?;
    let branding = web.branding();
    let theme = web.theme();
    let rendered = messages.iter().map(|message| OutboxItem::of(&theme, &branding, message));
    rendered.collect::<Result<_, _>>().map_err(|error| {
        tracing::error!(reference = %context.visit.reference, "the message could not be rendered: {error}");
        PageError::from(anteroom_flows::error::FlowError::Inconsistent("a message could not be rendered"))
    })
}

pub(crate) async fn json(LoopbackRequest(context): LoopbackRequest) -> Response {
    finish(
        &context,
        delivered(&context).await.map(|messages| {
            ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(messages)).into_response()
        }),
    )
    .await
}

pub(crate) async fn page(LoopbackRequest(context): LoopbackRequest) -> Response {
    let shown = delivered(&context).await.map(|messages| {
        let view = OutboxPage { messages: messages.into_iter().map(shown).collect() };
        PageResponse::of(&context).page(StatusCode::OK, &view)
    });
    finish(&context, shown).await
}

fn shown(message: OutboxItem) -> OutboxMessage {
    OutboxMessage {
        html_href: message.html.map(|_| format!("{OUTBOX}/{}", message.id)),
        id: message.id,
        at: message.at,
        channel: match message.channel {
            Channel::Email => ShownChannel::Email,
            Channel::Text => ShownChannel::Text,
            Channel::Call => ShownChannel::Call,
        },
        to: message.to,
        subject: message.subject,
        text: message.text,
        link: message.link,
        code: message.code,
    }
}

/// An email as its recipient sees it. Emails have inline styles because mail programs need them, so only this page
/// allows inline styles.
pub(crate) async fn email(
    LoopbackRequest(context): LoopbackRequest,
    PathParam(id): PathParam<String>,
) -> Response {
    let found = delivered(&context).await.and_then(|messages| {
        let message = messages.into_iter().find(|message| message.id == id);
        message
            .and_then(|message| message.html)
            .ok_or_else(|| PageError::page(StatusCode::NOT_FOUND, ErrorKind::NotFound, to_sign_in()))
    });
    finish(&context, found.map(|html| {
        let csp = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; \
                   sandbox allow-top-navigation-by-user-activation allow-popups";
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static(csp)),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (headers, html).into_response()
    })).await
}
