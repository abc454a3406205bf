//! A certificate is renewed while the server runs.

use anteroom_server::logging::text;
use anteroom_server::tls::TlsError;
use anteroom_server::wiring::Environment;
use std::fs;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::practice::{HOST, Practice, Running};
use rustls::pki_types::CertificateDer;
use tokio_rustls::TlsConnector;

/// What the next connection is shown.
async fn presented(running: &Running, connector: &TlsConnector) -> CertificateDer<'static> {
    let stream = running.connect(connector).await;
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    chain.first().unwrap().clone().into_owned()
}

#[tokio::test]
async fn the_next_connection_has_the_renewed_certificate() {
    let practice = Practice::new();
    let mut running = practice.serve().await;
    let connector = practice.connector();
    let first = presented(&running, &connector).await;
    let watcher = running.watcher.take().unwrap();
    let following = tokio::spawn(watcher.run(Environment::production().clock, Duration::from_millis(1)));
    let renewed = practice.issue(&[HOST]);
    renewed.write(&practice);
    assert!(running.served.changed().await);
    assert_ne!(first, renewed.presented());
    // Not even a client that was here before goes on under the old one.
    assert_eq!(presented(&running, &connector).await, renewed.presented());
    assert_eq!(presented(&running, &practice.connector()).await, renewed.presented());
    following.abort();
    running.stop().await;
}

#[tokio::test]
async fn a_pair_that_is_half_written_or_wrong_leaves_the_old_one_and_is_said_once() {
    let practice = Practice::new();
    let mut running = practice.serve().await;
    let mut watcher = running.watcher.take().unwrap();
    let connector = practice.connector();
    let first = presented(&running, &connector).await;
    let renewed = practice.issue(&[HOST]);
    let (half, _) = renewed.chain.split_at(renewed.chain.len() / 2);
    let other_host = practice.issue(&["other.example"]);
    for (text, is_expected) in [
        (half, (|error| matches!(error, TlsError::Pem(..))) as fn(&TlsError) -> bool),
        (renewed.chain.as_str(), |error| matches!(error, TlsError::OtherKey(..))),
        (other_host.chain.as_str(), |error| matches!(error, TlsError::Host(..))),
    ] {
        fs::write(practice.path("server.pem"), text).unwrap();
        assert!(watcher.look().is_none(), "someone may still be writing");
        let error = watcher.look().unwrap().unwrap_err();
        assert!(is_expected(&error), "{error}");
        assert!(watcher.look().is_none(), "said once");
        assert_eq!(presented(&running, &connector).await, first);
    }
    renewed.write(&practice);
    assert!(watcher.look().is_none());
    watcher.look().unwrap().unwrap();
    assert!(watcher.look().is_none());
    assert_eq!(presented(&running, &connector).await, renewed.presented());
    running.stop().await;
}

#[tokio::test]
async fn files_that_are_gone_leave_the_old_one_and_may_come_back() {
    let practice = Practice::new();
    let mut running = practice.serve().await;
    let mut watcher = running.watcher.take().unwrap();
    let connector = practice.connector();
    let first = presented(&running, &connector).await;
    let kept = fs::read(practice.path("server.key")).unwrap();
    fs::remove_file(practice.path("server.key")).unwrap();
    assert!(watcher.look().is_none());
    assert!(matches!(watcher.look().unwrap(), Err(TlsError::File(..))));
    assert_eq!(presented(&running, &connector).await, first);
    fs::write(practice.path("server.key"), kept).unwrap();
    assert!(watcher.look().is_none());
    watcher.look().unwrap().unwrap();
    assert_eq!(presented(&running, &practice.connector()).await, first);
    running.stop().await;
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_change_to_a_certificate_that_has_ended_is_told_once() {
    let practice = Practice::new();
    let (_served, follower) = practice.open();
    let log = Log::default();
    let writer = log.clone();
    let _guard = tracing::subscriber::set_default(text("info", move || writer.clone(), false));
    practice.issue_for_years(2020, 2021).write(&practice);
    let said = || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let until_told = async {
        while !said().contains("expired on") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let every = Duration::from_millis(5);
    tokio::select! {
        () = follower.run(Environment::production().clock, every) => {}
        told = tokio::time::timeout(Duration::from_secs(20), until_told) => told.unwrap(),
    }
    let said = said();
    assert_eq!(said.matches("expired on").count(), 1, "{said}");
    assert_eq!(said.matches("the changed certificate is in use").count(), 1, "{said}");
}
