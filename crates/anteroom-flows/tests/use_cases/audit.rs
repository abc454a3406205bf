//! The chain of the audit trail while entries are written at two nodes.

use anteroom_flows::audit::chain::{CheckpointTime, checkpoint, link, link_all, verify};
use anteroom_flows::people::sign_in::SignInOutcome;
use anteroom_testkit::{Backend, PASSWORD, on_both_databases};
use futures_util::future::join_all;
use std::collections::BTreeSet;

use crate::ALICE;
use crate::browser::attempt;
use crate::installation::Installation;

on_both_databases!(
    entries_written_and_linked_at_two_nodes_at_once_are_one_chain,
    of_two_checkpoints_at_once_one_is_written,
    an_entry_is_written_with_its_act_and_not_without,
);

async fn two(backend: Backend) -> [Installation; 2] {
    let first = Installation::start(backend).await;
    let second = first.another_node().await;
    first.person(ALICE).create().await;
    [first, second]
}

async fn entries(at: &Installation) -> usize {
    at.node.store.recent_entries(10_000).await.unwrap().len()
}

async fn entries_written_and_linked_at_two_nodes_at_once_are_one_chain(backend: Backend) {
    let nodes = two(backend).await;
    let before = entries(&nodes[0]).await;
    let attempts = (0..12).map(|number| {
        let node = &nodes[number % 2];
        attempt(node.browser().form(node), ALICE, PASSWORD, None)
    });
    let links = (0..8).map(|number| link(&nodes[number % 2].node.store));
    let (attempts, links) = tokio::join!(join_all(attempts), join_all(links));
    for outcome in attempts {
        assert!(matches!(outcome, Ok(SignInOutcome::SignedIn { .. })));
    }
    assert!(links.iter().all(Result::is_ok));
    let [first, second] = &nodes;
    let rest = tokio::join!(link_all(&first.node.store), link_all(&second.node.store));
    assert!(rest.0.is_ok() && rest.1.is_ok());
    let written = entries(first).await;
    assert_eq!(written, before + 12);
    let report = verify(&second.node.store, &second.node.keyring, Vec::new(), Vec::new()).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!((report.entries, report.waiting, report.last.seq), (written as u64, 0, written as u64));
    let ids: BTreeSet<_> =
        first.node.store.recent_entries(10_000).await.unwrap().iter().map(|it| it.id).collect();
    assert_eq!(ids.len(), written);
}

async fn of_two_checkpoints_at_once_one_is_written(backend: Backend) {
    let [first, second] = two(backend).await;
    attempt(first.browser().form(&first), ALICE, PASSWORD, None).await.unwrap();
    link_all(&first.node.store).await.unwrap();
    let sign = |at: &Installation| {
        let (node, now) = (at.node.clone(), at.now());
        async move { checkpoint(&node.store, &node.keyring, CheckpointTime::Now, now).await.unwrap() }
    };
    let (one, other) = tokio::join!(sign(&first), sign(&second));
    let written: Vec<_> = [one, other].into_iter().flatten().collect();
    assert_eq!(written.len(), 1);
    // The chain has not grown since.
    assert!(sign(&second).await.is_none());
    let report = verify(&first.node.store, &first.node.keyring, written, Vec::new()).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

async fn an_entry_is_written_with_its_act_and_not_without(backend: Backend) {
    let [first, second] = two(backend).await;
    // Of guesses beyond the lock every one is in the trail, once.
    let before = entries(&first).await;
    let attempts = (0..10).map(|_| attempt(second.browser().form(&second), ALICE, "wrong", None));
    for outcome in join_all(attempts).await {
        assert!(matches!(outcome, Ok(SignInOutcome::Refused { .. })));
    }
    assert_eq!(first.audited("sign_in_refused").await.len(), 10);
    // And that the account was locked.
    assert_eq!(entries(&first).await, before + 11);
}
