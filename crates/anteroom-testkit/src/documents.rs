//! What an application publishes for the provider to fetch: its keys (`jwks_uri`), its request objects (`request_uri`).

use anteroom_domain::clock::Clock;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use jiff::SignedDuration;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::TestProvider;

/// One document on a port of its own. It goes when this does.
pub struct Documents {
    pub url: String,
    shelf: Arc<Mutex<PublishedDocument>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct PublishedDocument {
    text: Option<String>,
    asked: usize,
    /// How far the clock moves while the document is fetched.
    delay: Option<(Clock, SignedDuration)>,
}

impl Drop for Documents {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Documents {
    pub async fn start(text: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/document", listener.local_addr().unwrap());
        let shelf =
            Arc::new(Mutex::new(PublishedDocument { text: Some(text.to_owned()), ..Default::default() }));
        let app = Router::new().route("/document", get(answer)).with_state(Arc::clone(&shelf));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shelf, server }
    }

    /// What is there from now on; nothing is 404.
    pub fn put(&self, text: Option<&str>) {
        self.shelf.lock().unwrap().text = text.map(str::to_owned);
    }

    /// Each fetch takes so long from now on, by the clock of this provider.
    pub fn take_long(&self, provider: &TestProvider, delay: SignedDuration) {
        self.shelf.lock().unwrap().delay = Some((provider.clock.clone(), delay));
    }

    /// How many times it was asked for.
    pub fn asked(&self) -> usize {
        self.shelf.lock().unwrap().asked
    }
}

async fn answer(State(shelf): State<Arc<Mutex<PublishedDocument>>>) -> Result<String, StatusCode> {
    let mut shelf = shelf.lock().unwrap();
    shelf.asked += 1;
    if let Some((clock, delay)) = &shelf.delay {
        clock.advance(*delay);
    }
    shelf.text.clone().ok_or(StatusCode::NOT_FOUND)
}
