//! What all people share: the server's address, its lives, and requests that may be cut off.

use anteroom_testkit::{Browser, RelyingParty, TestResponse};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

use crate::post::Post;
use crate::server::{CALLBACK, CLIENT, Installation};

/// Far longer than anything takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(2);
/// What a person who is told to come back takes for it.
const COME_BACK: Duration = Duration::from_millis(50);

pub(crate) struct Scenario {
    pub(crate) issuer: String,
    pub(crate) post: Arc<Post>,
    address: SocketAddr,
    answers: watch::Sender<u64>,
    /// Requests that were told to come back, where the server is kept from its database on purpose.
    refusals: Option<watch::Sender<u64>>,
    stopping: AtomicBool,
}

impl Scenario {
    pub(crate) fn new(installation: &Installation, post: Arc<Post>) -> Self {
        Self {
            issuer: installation.issuer(),
            post,
            address: installation.address,
            answers: watch::Sender::new(0),
            refusals: None,
            stopping: AtomicBool::new(false),
        }
    }

    /// One in which the database fails on purpose: a request may be told to come back.
    pub(crate) fn with_failing_database(installation: &Installation, post: Arc<Post>) -> Self {
        Self { refusals: Some(watch::Sender::new(0)), ..Self::new(installation, post) }
    }

    pub(crate) fn database_fails(&self) -> bool {
        self.refusals.is_some()
    }

    /// Until so many more requests were told to come back.
    pub(crate) async fn refusals(&self, more: u32) {
        let mut refusals = self.refusals.as_ref().unwrap().subscribe();
        let target = *refusals.borrow() + u64::from(more);
        let waited = tokio::time::timeout(PATIENCE, refusals.wait_for(|count| *count >= target)).await;
        waited.unwrap_or_else(|_| panic!("every request is answered as if nothing were wrong")).unwrap();
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::at(self.address, &self.issuer)
    }

    pub(crate) fn application(&self) -> RelyingParty {
        RelyingParty::at(self.address, &self.issuer, CLIENT, CALLBACK)
    }

    /// Until so many more answers have come.
    pub(crate) async fn answers(&self, more: u32) {
        let mut answers = self.answers.subscribe();
        let target = *answers.borrow() + u64::from(more);
        let waited = tokio::time::timeout(PATIENCE, answers.wait_for(|count| *count >= target)).await;
        waited.unwrap_or_else(|_| panic!("nobody gets an answer")).unwrap();
    }

    pub(crate) fn live_again(&self, life: u32) {
        self.post.lives.send_replace(life);
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The answer; or none where the server was killed over it, and is up again by now.
    pub(crate) async fn ask<E: std::fmt::Debug>(
        &self,
        request: impl Future<Output = Result<TestResponse, E>>,
    ) -> Option<TestResponse> {
        let life = *self.post.lives.borrow();
        match request.await {
            Ok(answer) if answer.status == 503 && self.database_fails() => {
                self.refusals.as_ref().unwrap().send_modify(|count| *count += 1);
                tokio::time::sleep(COME_BACK).await;
                None
            }
            Ok(answer) => {
                assert!(answer.status < 500, "{} {}", answer.asked, answer.page_summary());
                self.answers.send_modify(|count| *count += 1);
                Some(answer)
            }
            Err(error) => {
                let mut lives = self.post.lives.subscribe();
                let waited = tokio::time::timeout(PATIENCE, lives.wait_for(|now| *now > life)).await;
                waited
                    .unwrap_or_else(|_| panic!("no answer, and nobody killed the server: {error:?}"))
                    .unwrap();
                None
            }
        }
    }

    /// A page, reloaded until it is there.
    pub(crate) async fn open(&self, browser: &Browser, target: &str) -> TestResponse {
        loop {
            if let Some(page) = self.ask(browser.try_get(target)).await {
                return page;
            }
        }
    }

    /// Where a redirect leads.
    pub(crate) async fn follow(&self, browser: &Browser, answer: &TestResponse) -> TestResponse {
        self.open(browser, answer.location().as_str()).await
    }
}
