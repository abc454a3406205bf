//! A node that cannot do what serving needs says so, to `/readyz` and to every request, and serves again when it can.

use crate::ALICE;
use crate::token::worth::heartbeat;
use anteroom_domain::ids::NodeId;
use anteroom_flows::node::health::HealthMonitor;
use anteroom_flows::readiness::{Check, NotReady};
use anteroom_testkit::{
    Backend, PASSWORD, TestProvider, TestResponse, on_both_databases, on_postgres, on_sqlite,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

on_both_databases!(
    a_node_that_can_serve_is_ready,
    a_reason_that_stops_serving_is_told_to_every_request,
    forms_of_nodes_of_release_0_1_0_and_of_this_one_are_accepted_by_both,
    readiness_is_answered_without_asking_the_database,
    rfc9112_9_6_a_refusal_that_leaves_the_body_unread_closes_the_connection,
    a_request_whose_time_is_over_is_told_to_come_again,
    rfc9110_15_5_9_a_request_that_does_not_come_in_time_is_answered_by_a_page,
);

/// As the background does each second.
async fn look(provider: &TestProvider) {
    HealthMonitor::default().run_checks(&provider.provider).await;
    // An error is looked at again a second later.
    let _ = anteroom_flows::node::database_history::check_now(&provider.provider).await;
}

fn assert_told_to_come_again(answer: &TestResponse, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.page_summary());
    assert_eq!(answer.header("retry-after"), Some("1"), "{what}");
}

async fn a_node_that_can_serve_is_ready(backend: Backend) {
    let provider = TestProvider::on(&backend).real_time().start().await;
    look(&provider).await;
    let answer = provider.browser().get("/readyz").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ready"));
    assert_eq!(provider.browser().sign_in(ALICE, PASSWORD).await.status, 303);
}

/// How many bytes the token of this page's form has. 0.1.0 reads those of 56 bytes alone.
fn token_len(page: &TestResponse) -> usize {
    URL_SAFE_NO_PAD.decode(&page.form("/sign-in").fields["form_token"]).unwrap().len()
}

async fn forms_of_nodes_of_release_0_1_0_and_of_this_one_are_accepted_by_both(backend: Backend) {
    let provider = TestProvider::on(&backend).real_time().start().await;
    let browser = provider.browser();
    assert_eq!(token_len(&browser.get("/sign-in").await), 104);
    // As a node of 0.1.0 records that it is alive.
    let (node, now) = (NodeId(provider.provider.random.uuid_v4()), provider.now());
    let digest = provider.provider.snapshot().digest.clone();
    let alive = provider.provider.store.write(move |tx| heartbeat(tx, node, digest.clone(), now));
    alive.await.unwrap();
    backend.execute("UPDATE nodes SET release = NULL").await;
    look(&provider).await;
    let of_both = browser.get("/sign-in").await;
    assert_eq!(token_len(&of_both), 56);
    let other = provider.browser();
    let left_open = other.get("/sign-in").await;
    assert_eq!(browser.enter(&of_both, ALICE, PASSWORD).await.status, 303);
    backend.execute("UPDATE nodes SET seen_at = seen_at - 46000 WHERE release IS NULL").await;
    look(&provider).await;
    assert_eq!(token_len(&provider.browser().get("/sign-in").await), 104);
    // A page that was open when its node was replaced.
    assert_eq!(other.enter(&left_open, ALICE, PASSWORD).await.status, 303);
}

async fn a_reason_that_stops_serving_is_told_to_every_request(backend: Backend) {
    let provider = TestProvider::on(&backend).real_time().start().await;
    let (readiness, browser) = (&provider.provider.readiness, provider.browser());
    for reason in [
        NotReady::Database,
        NotReady::Standby,
        NotReady::ReadOnly,
        NotReady::Writes,
        NotReady::Clock(70),
        NotReady::Configuration,
    ] {
        readiness.note(Check::Writes, Some(&reason));
        let answer = browser.get("/readyz").await;
        assert_eq!((answer.status, answer.body.as_str()), (503, reason.to_string().as_str()));
        for path in ["/sign-in", "/jwks", "/.well-known/openid-configuration"] {
            let answer = browser.get(path).await;
            if reason.stops_serving() {
                assert_told_to_come_again(&answer, &format!("{reason}: {path}"));
                let says = answer.body.contains("Sign-in is not available right now");
                assert_eq!(says, path == "/sign-in", "{reason}: {path}");
            } else {
                assert_eq!(answer.status, 200, "{reason}: {path}");
            }
        }
        assert_eq!(browser.get("/healthz").await.status, 200);
        readiness.note(Check::Writes, None);
        assert_eq!(browser.get("/readyz").await.status, 200);
    }
}

async fn readiness_is_answered_without_asking_the_database(backend: Backend) {
    let provider = TestProvider::on(&backend).real_time().start().await;
    let browser = provider.browser();
    look(&provider).await;
    provider.provider.store.close().await;
    assert_eq!(browser.get("/readyz").await.status, 200, "as it was found a moment ago");
    provider.provider.readiness.heard(Instant::now().checked_sub(Duration::from_secs(5)).unwrap(), None);
    assert_eq!(browser.get("/readyz").await.body, "the database does not answer");
    assert_told_to_come_again(&browser.get("/sign-in").await, "not heard of");
}

/// SQLite: what is committed from then on would not be there after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_database_file_was_removed_serves_no_request() {
    on_sqlite(|backend| async move {
        let provider = TestProvider::on(&backend).real_time().start().await;
        let browser = provider.browser();
        look(&provider).await;
        assert_eq!(browser.get("/readyz").await.status, 200);
        let file = backend.url().strip_prefix("sqlite:").unwrap().to_owned();
        std::fs::rename(&file, format!("{file}.moved")).unwrap();
        look(&provider).await;
        let answer = browser.get("/readyz").await;
        assert_eq!((answer.status, answer.body), (503, NotReady::FilesReplaced.to_string()));
        assert_told_to_come_again(&browser.get("/sign-in").await, "removed");
        std::fs::rename(format!("{file}.moved"), &file).unwrap();
        look(&provider).await;
        assert_told_to_come_again(&browser.get("/sign-in").await, "put back without a restart");
    })
    .await;
}

/// SQLite waits for the lock longer than the request may take, PostgreSQL not so long; what people and programs are told is
/// the same.
async fn a_request_whose_time_is_over_is_told_to_come_again(backend: Backend) {
    let provider =
        TestProvider::on(&backend).real_time().set("server.request_timeout", "\"1s\"").start().await;
    let (browser, web) = (provider.browser(), provider.client("web"));
    let code = web.code(&provider.signed_in(ALICE).await, &[]).await;
    let is_sqlite = backend.url().starts_with("sqlite:");
    let lock = if is_sqlite { "UPDATE accounts SET status = status" } else { "LOCK TABLE accounts, grants" };
    let held = backend.hold(lock).await;
    let page = browser.sign_in(ALICE, PASSWORD).await;
    assert_told_to_come_again(&page, "a person");
    assert!(page.body.contains("/sign-in"), "a way forward: {}", page.page_summary());
    let answer = web.redeem(&code).await;
    assert_told_to_come_again(&answer, "a program");
    assert_eq!(answer.error(), "server_error");
    drop(held);
}

/// A person with a slow line sees what happened and a way forward; a program gets the status alone.
async fn rfc9110_15_5_9_a_request_that_does_not_come_in_time_is_answered_by_a_page(backend: Backend) {
    let provider =
        TestProvider::on(&backend).real_time().set("server.request_timeout", "\"1s\"").start().await;
    let host = provider.issuer.split("//").last().unwrap();
    let half_of = async |path: &str| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 1000\r\n\r\nemail=alice"
        );
        let mut stream = tokio::net::TcpStream::connect(provider.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let page = half_of("/sign-in").await;
    assert!(page.starts_with("HTTP/1.1 408 ") && page.contains("connection: close"), "{page}");
    assert!(page.contains("id=\"error-too-slow\"") && page.contains("href=\"/sign-in\""), "{page}");
    let response = half_of("/token").await;
    assert!(response.starts_with("HTTP/1.1 408 ") && !response.contains("<html"), "{response}");
}

/// The clock of this test is years off the database's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_off_the_databases_serves_no_request() {
    on_postgres(|backend| async move {
        let provider = TestProvider::start(&backend).await;
        let browser = provider.browser();
        assert_eq!(browser.sign_in(ALICE, PASSWORD).await.status, 303);
        look(&provider).await;
        assert!(browser.get("/readyz").await.body.starts_with("the clock is "));
        for path in ["/sign-in", "/jwks"] {
            assert_told_to_come_again(&browser.get(path).await, path);
        }
    })
    .await;
}

/// Between two looks the stopwatch tells that the clock was set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_stops_serving_at_once() {
    on_postgres(|backend| async move {
        let provider = TestProvider::start(&backend).await;
        let browser = provider.browser();
        provider.provider.readiness.heard(Instant::now(), Some(provider.now()));
        assert_eq!(browser.get("/sign-in").await.status, 200);
        provider.advance(SignedDuration::from_secs(70));
        assert_told_to_come_again(&browser.get("/sign-in").await, "seventy seconds");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_is_unavailable_and_not_ready() {
    on_postgres(|backend| async move {
        let provider = TestProvider::on(&backend).real_time().start().await;
        let (browser, name) = (provider.browser(), backend.name());
        look(&provider).await;
        backend.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
        backend.end_sessions().await;
        assert_told_to_come_again(&browser.sign_in(ALICE, PASSWORD).await, "before it was noticed");
        look(&provider).await;
        assert_eq!(browser.get("/readyz").await.body, "the database is set to read-only");
        assert_told_to_come_again(&browser.get("/sign-in").await, "since it was noticed");
        let writable = format!(
            "SET transaction_read_only = off; ALTER DATABASE {name} RESET default_transaction_read_only"
        );
        backend.execute(&writable).await;
        // The first look meets a session of before, which leaves.
        look(&provider).await;
        look(&provider).await;
        assert_eq!(browser.get("/readyz").await.body, "ready");
        assert_eq!(browser.sign_in(ALICE, PASSWORD).await.status, 303);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_somebody_has_locked_is_told_before_the_requests_time_is_over() {
    on_postgres(|backend| async move {
        let provider =
            TestProvider::on(&backend).real_time().set("server.request_timeout", "\"3s\"").start().await;
        let browser = provider.browser();
        let held = backend.hold("LOCK TABLE accounts").await;
        assert_told_to_come_again(&browser.sign_in(ALICE, PASSWORD).await, "locked");
        look(&provider).await;
        assert_eq!(browser.get("/readyz").await.body, "ready", "other tables can be written");
        drop(held);
        assert_eq!(browser.sign_in(ALICE, PASSWORD).await.status, 303);
    })
    .await;
}

async fn rfc9112_9_6_a_refusal_that_leaves_the_body_unread_closes_the_connection(backend: Backend) {
    let provider = TestProvider::on(&backend).real_time().start().await;
    let post = async |host: &str, body: Vec<u8>| {
        let mut headers = reqwest::header::HeaderMap::new();
        if !host.is_empty() {
            headers.insert(reqwest::header::HOST, host.parse().unwrap());
        }
        let kind = "application/x-www-form-urlencoded".parse().unwrap();
        headers.insert(reqwest::header::CONTENT_TYPE, kind);
        provider.ask(reqwest::Method::POST, "/token", headers, body).await
    };
    let closes = |answer: &TestResponse| answer.header("connection") == Some("close");
    let other_host = post("other.example", b"a=b".to_vec()).await;
    assert!(other_host.status == 421 && closes(&other_host), "{}", other_host.page_summary());
    provider.provider.readiness.note(Check::Writes, Some(&NotReady::Writes));
    let not_ready = post("", b"a=b".to_vec()).await;
    assert!(not_ready.status == 503 && closes(&not_ready), "{}", not_ready.page_summary());
    provider.provider.readiness.note(Check::Writes, None);
    let refused = post("", b"grant_type=nonsense".to_vec()).await;
    assert!(refused.status < 500 && !closes(&refused), "{}", refused.page_summary());
}
