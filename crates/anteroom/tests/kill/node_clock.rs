//! A node whose clock is taken away while the database keeps its own: the node stops serving, and nothing is spent or ended by
//! the wrong time.
//!
//! `ANTEROOM_TEST_FAKETIME` names libfaketime, which `cargo xtask test --only torture` sets; without it the test does nothing.

use std::fs;
use std::sync::Arc;

use crate::cluster::Cluster;
use crate::people::Person;
use crate::post::Post;
use crate::scenario::Scenario;
use crate::server::{Installation, Server, eventually};
use crate::walk::Ending;
use crate::{note, seed};

const LIBRARY: &str = "ANTEROOM_TEST_FAKETIME";
const SCOPE: &str = "openid offline_access";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_its_clock_serves_nothing_and_ends_nothing() {
    let (Ok(library), Some(mut cluster)) = (std::env::var(LIBRARY), Cluster::create()) else { return };
    cluster.start().await;
    cluster.create_database();
    let post = Post::open().await;
    let mut installation = Installation::new(tempfile::tempdir().unwrap(), &cluster.url(), &post);
    let clock = installation.path("clock");
    let set = |offset: &str| fs::write(&clock, offset).unwrap();
    set("+0");
    let invited = installation.invite(1).await;
    let clock_name = clock.display().to_string();
    for (name, value) in [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME_TIMESTAMP_FILE", &clock_name),
        ("FAKETIME_NO_CACHE", "1"),
        // The stopwatch is that of the machine.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("NO_FAKE_STAT", "1"),
    ] {
        installation.environment.push((name.to_owned(), value.to_owned()));
    }
    let scenario = Arc::new(Scenario::new(&installation, post));
    let server = Server::start(&installation).await;
    let (number, id) = invited[0];
    let mut person = Person::new(&scenario, number, id, seed());
    let password = person.new_password();
    assert!(person.register(&password).await == Ending::Done);
    let (desk, portal) = (scenario.browser(), scenario.application());
    assert_eq!(desk.sign_in(&person.address, &password).await.status, 303);
    let mut refresh_token = portal.tokens(&desk, SCOPE).await.refresh_token().to_owned();
    let ready = async || scenario.browser().get("/readyz").await;
    for offset in ["-70s", "+600s", "-3600s", "+86400s"] {
        note(offset);
        set(offset);
        eventually("the node notices", async || ready().await.body.contains("the clock is")).await;
        assert_eq!(ready().await.status, 503);
        assert_eq!(scenario.browser().get("/sign-in").await.status, 503);
        assert_eq!(desk.get("/dashboard").await.status, 503);
        assert_eq!(portal.refresh(&refresh_token).await.status, 503);
        set("+0");
        eventually("the node serves again", async || ready().await.status == 200).await;
        assert!(desk.is_signed_in().await, "the session did not end at {offset}");
        let answer = portal.refresh(&refresh_token).await;
        assert_eq!(answer.status, 200, "{offset}: {}", answer.page_summary());
        refresh_token = anteroom_testkit::Tokens::of(&answer).refresh_token().to_owned();
    }
    server.stop();
    let said = installation.run(&["audit", "verify"]);
    assert!(said.contains("The audit trail is intact"), "{said}");
}
