//! A browser and a provider, both just good enough to try the application with.

pub(crate) mod browser;
pub(crate) mod provider;
#[path = "../../../src/test_tokens.rs"]
pub(crate) mod test_tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use self::browser::Browser;
use self::provider::Provider;
use anteroom_practice_app::{ClientId, ClientSecret, Clock, IssuerUrl, PracticeAppConfig, Screen, router};
use jiff::Timestamp;

pub(crate) const BASE: &str = "http://127.0.0.1:4711";
pub(crate) const CLIENT_ID: &str = "schedule";
pub(crate) const CLIENT_SECRET: &str = "a secret: with/signs";

/// The time that the application and the provider share.
#[derive(Clone)]
pub(crate) struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

pub(crate) struct Setup {
    pub(crate) time: Time,
    pub(crate) provider: Arc<Provider>,
    app: axum::Router,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let time = Time(Arc::new(AtomicI64::new(1_800_000_000)));
        let provider = Provider::start(time.clone()).await;
        let app = router(config(&provider.issuer), clock(&time)).unwrap();
        Self { time, provider, app }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    /// A browser that has signed in.
    pub(crate) async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        let sent = browser.get("/").await;
        let back = self.provider.approve(&sent.location());
        assert_eq!(browser.get(&back).await.status, 303);
        browser
    }
}

pub(crate) fn config(issuer: &str) -> PracticeAppConfig {
    PracticeAppConfig {
        name: "Schedule".to_owned(),
        screen: Screen::Schedule,
        issuer: IssuerUrl::new(issuer.to_owned()).unwrap(),
        client_id: ClientId::new(CLIENT_ID.to_owned()),
        client_secret: ClientSecret::new(CLIENT_SECRET.to_owned()),
        base_url: BASE.parse().unwrap(),
    }
}

pub(crate) fn clock(time: &Time) -> Clock {
    let time = time.clone();
    Clock::new(move || Timestamp::from_second(time.now()).unwrap())
}
