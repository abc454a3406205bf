//! Where an outage begins and where it ends is found by the word "ready".

use crate::listening;
use anteroom_domain::ids::NodeId;
use anteroom_flows::node::health::HealthMonitor;
use anteroom_testkit::{TestProvider, on_sqlite};
use jiff::SignedDuration;

#[tokio::test]
async fn a_node_that_was_not_ready_says_when_it_is_again() {
    let (page, _guard) = listening();
    on_sqlite(async |backend| {
        let provider = TestProvider::start(&backend).await;
        let node = NodeId(provider.provider.random.uuid_v4());
        let mut monitor = HealthMonitor::default();
        // Another node with another configuration: seen now, seen a minute later, and never again.
        for (seconds, is_seen, expected) in [
            (0, true, None),
            (61, true, Some("not ready: another node has run with another configuration")),
            (46, false, Some("ready again after ")),
        ] {
            provider.clock.advance(SignedDuration::from_secs(seconds));
            let now = provider.now();
            if is_seen {
                let digest = "0".repeat(64);
                let alive = provider.provider.store.write(move |tx| {
                    let digest = digest.clone();
                    async move { tx.heartbeat(node, &digest, now).await }
                });
                alive.await.unwrap();
            }
            monitor.check_writes_next();
            monitor.run_checks(&provider.provider).await;
            let log = page.text();
            let said = log.lines().rfind(|line| line.contains("ready ") || line.contains("ready:"));
            assert_eq!(said.is_some(), expected.is_some(), "{log}");
            assert!(expected.is_none_or(|words| said.unwrap_or_default().contains(words)), "{log}");
        }
        let log = page.text();
        assert!(log.contains("all nodes run with the same configuration again"), "{log}");
        assert!(log.contains("differs, and its audit entries do not say in what"), "{log}");
    })
    .await;
}
