//! A double of Twilio's API: it answers as it is told and keeps what it got.

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::provider::Builder;
use crate::settings::{TWILIO_TOKEN, TWILIO_VARIABLE};

/// Listens on a port of its own. It stops when it goes.
pub struct Telephony {
    url: String,
    desk: Arc<ReceivedRequests>,
    server: JoinHandle<()>,
}

struct ReceivedRequests {
    /// Status and body; the last one stands for all that follow.
    responses: Mutex<VecDeque<(u16, &'static str)>>,
    got: Mutex<Vec<(String, String)>>,
}

impl Drop for Telephony {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Telephony {
    pub async fn start(responses: &[(u16, &'static str)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(ReceivedRequests {
            responses: Mutex::new(responses.iter().copied().collect()),
            got: Mutex::default(),
        });
        let app = Router::new().fallback(take).with_state(Arc::clone(&desk));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, desk, server }
    }

    /// A provider whose texts and calls go here.
    #[must_use]
    pub fn given_to(&self, builder: Builder) -> Builder {
        builder
            .set("text.provider", "\"twilio\"")
            .set("voice.provider", "\"twilio\"")
            .set("twilio.account_sid", "\"AC00000000000000000000000000000000\"")
            .set("twilio.auth_token_env", &format!("\"{TWILIO_VARIABLE}\""))
            .set("twilio.from", "\"+12025550100\"")
            .set("twilio.base_url", &format!("\"{}\"", self.url))
            .unset("text.http.url")
            .unset("voice.http.url")
            .unset("voice.http.waits_for_key")
    }

    /// Path and form of each request, oldest first.
    pub fn got(&self) -> Vec<(String, String)> {
        self.desk.got.lock().unwrap().clone()
    }

    /// Where the last call asks what to say when a key was pressed.
    pub fn key_address(&self) -> String {
        let (_, form) = self.got().pop().unwrap();
        let mut fields = url::form_urlencoded::parse(form.as_bytes());
        let twiml = fields.find(|(name, _)| name == "Twiml").unwrap().1;
        let action = twiml.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        action.replace("&amp;", "&")
    }
}

async fn take(
    State(desk): State<Arc<ReceivedRequests>>,
    uri: Uri,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let form = String::from_utf8(body.to_vec()).unwrap();
    desk.got.lock().unwrap().push((uri.path().to_owned(), form));
    let mut responses = desk.responses.lock().unwrap();
    let (status, body) =
        if responses.len() > 1 { responses.pop_front() } else { responses.front().copied() }.unwrap();
    (StatusCode::from_u16(status).unwrap(), body)
}

/// What Twilio puts into `X-Twilio-Signature` when it posts these fields to `url`.
pub fn signature(url: &str, fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let signed = sorted.iter().fold(url.to_owned(), |signed, (name, value)| signed + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TWILIO_TOKEN.as_bytes());
    STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
}
