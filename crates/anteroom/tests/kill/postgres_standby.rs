//! A standby that had not received the last commits takes over under a running node: nothing is served until an operator goes
//! on with it, and then nothing that was given out before is worth anything.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use tokio::net::{TcpListener, TcpStream};

use crate::cluster::{Cluster, url_at};
use crate::people::Person;
use crate::post::Post;
use crate::scenario::Scenario;
use crate::server::{Installation, Server, eventually};
use crate::walk::Ending;
use crate::{note, seed};

const SCOPE: &str = "openid offline_access";
/// Seconds within which a node has looked at the database twice.
const LOOKED: u32 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_without_the_last_commits_is_not_served_until_it_is_accepted() {
    let Some(mut primary) = Cluster::create() else { return };
    primary.start().await;
    primary.create_database();
    let mut standby = primary.standby();
    standby.start().await;
    let way = Way::to(primary.port).await;
    let post = Post::open().await;
    let installation = Installation::new(tempfile::tempdir().unwrap(), &url_at(way.port), &post);
    let scenario = Arc::new(Scenario::new(&installation, post));
    let invited = installation.invite(1).await;
    let server = Server::start(&installation).await;
    let (number, id) = invited[0];
    let mut person = Person::new(&scenario, number, id, seed());
    let password = person.new_password();
    assert!(person.register(&password).await == Ending::Done);
    let (before, portal) = (scenario.browser(), scenario.application());
    assert_eq!(before.sign_in(&person.address, &password).await.status, 303);
    let early = portal.tokens(&before, SCOPE).await;
    note("the standby is left behind");
    eventually("the standby has everything", async || {
        primary.ask(
            "SELECT coalesce(bool_and(replay_lsn = pg_current_wal_lsn()), false) FROM pg_stat_replication",
        ) == "t"
    })
    .await;
    standby.stop();
    let after = scenario.browser();
    assert_eq!(after.sign_in(&person.address, &password).await.status, 303);
    let late = portal.tokens(&after, SCOPE).await;
    seen_by_the_node(&primary).await;
    note("the primary is gone, and the standby takes over");
    primary.crash();
    standby.start().await;
    standby.promote();
    way.lead_to(standby.port);
    let ready = async || scenario.browser().get("/readyz").await;
    eventually("the node notices", async || ready().await.body.contains("went back")).await;
    assert_eq!(ready().await.status, 503);
    assert_eq!(scenario.browser().get("/sign-in").await.status, 503);
    assert_eq!(portal.refresh(early.refresh_token()).await.status, 503);
    let refused = installation.fails(&["database", "accept"]);
    assert!(refused.contains("--yes"), "{refused}");
    assert_eq!(ready().await.status, 503, "nothing is accepted by asking");
    let accepted = installation.run(&["database", "accept", "--yes"]);
    eventually("the node serves it", async || ready().await.status == 200).await;
    for browser in [&before, &after] {
        assert!(!browser.is_signed_in().await, "{accepted}");
    }
    for tokens in [&early, &late] {
        assert_eq!(portal.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    }
    let again = scenario.browser();
    assert_eq!(again.sign_in(&person.address, &password).await.status, 303);
    let tokens = portal.tokens(&again, SCOPE).await;
    assert_eq!(portal.refresh(tokens.refresh_token()).await.status, 200);
    server.stop();
    let said = installation.run(&["audit", "verify"]);
    assert!(said.contains("The audit trail is intact"), "{said}");
}

/// Until everything written so far is linked into the audit trail, and the node has looked at its end since.
async fn seen_by_the_node(primary: &Cluster) {
    eventually("the trail is linked", async || primary.ask("SELECT count(*) FROM audit_waiting") == "0")
        .await;
    let looks = || primary.ask("SELECT max(seen_at) FROM nodes");
    let mut last = looks();
    for _ in 0..2 {
        let seen = last.clone();
        eventually(&format!("a look within {LOOKED} seconds"), async || looks() != seen).await;
        last = looks();
    }
}

/// The address under which a node finds its database, as a name in front of two servers would be.
struct Way {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Way {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let way =
            Self { port: listener.local_addr().unwrap().port(), target: Arc::new(AtomicU16::new(port)) };
        let target = Arc::clone(&way.target);
        tokio::spawn(async move {
            while let Ok((mut node, _)) = listener.accept().await {
                let port = target.load(Ordering::SeqCst);
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
                        return;
                    };
                    let _ = tokio::io::copy_bidirectional(&mut node, &mut server).await;
                });
            }
        });
        way
    }

    fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
    }
}
