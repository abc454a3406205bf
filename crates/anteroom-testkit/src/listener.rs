//! An application's end of the back channel (OpenID Connect Back-Channel Logout 1.0 §2.5).

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Listens on a port of its own and keeps what it is told. It stops when it goes.
pub struct LogoutReceiver {
    /// Where logout tokens go.
    pub url: String,
    ear: Arc<ReceivedTokens>,
    server: JoinHandle<()>,
}

struct ReceivedTokens {
    tokens: Mutex<Vec<String>>,
    status: AtomicU16,
    /// What stands in its answers.
    body: Mutex<String>,
    awake: watch::Sender<bool>,
}

impl Drop for LogoutReceiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl LogoutReceiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        let ear = ReceivedTokens {
            tokens: Mutex::default(),
            status: AtomicU16::new(200),
            body: Mutex::default(),
            awake: watch::Sender::new(true),
        };
        let ear = Arc::new(ear);
        let app = Router::new().route("/logout", post(hear)).with_state(Arc::clone(&ear));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, ear, server }
    }

    /// What it answers from now on.
    pub fn answers(&self, status: u16) {
        self.ear.status.store(status, Ordering::SeqCst);
    }

    /// What stands in its answers from now on.
    pub fn says(&self, body: &str) {
        body.clone_into(&mut self.ear.body.lock().unwrap());
    }

    /// Takes requests and does not answer them, until [`Self::wake`].
    pub fn sleep(&self) {
        self.ear.awake.send_replace(false);
    }

    pub fn wake(&self) {
        self.ear.awake.send_replace(true);
    }

    /// The logout tokens that came, oldest first.
    pub fn tokens(&self) -> Vec<String> {
        self.ear.tokens.lock().unwrap().clone()
    }
}

async fn hear(
    State(ear): State<Arc<ReceivedTokens>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    let mut fields = url::form_urlencoded::parse(&body);
    let (name, token) = fields.next().unwrap();
    assert_eq!((&*name, fields.next()), ("logout_token", None));
    ear.tokens.lock().unwrap().push(token.into_owned());
    ear.awake.subscribe().wait_for(|awake| *awake).await.unwrap();
    let said = ear.body.lock().unwrap().clone();
    (StatusCode::from_u16(ear.status.load(Ordering::SeqCst)).unwrap(), said)
}
