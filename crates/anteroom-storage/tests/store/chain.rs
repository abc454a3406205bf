use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_crypto::{KeyPurpose, Keyring};
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::audit_trail::chain::{ChainLink, Checkpoint};
use anteroom_domain::audit_trail::verify::{ChainVerifier, CheckpointSource, VerificationKeys};
use anteroom_domain::ids::AuditId;
use anteroom_storage::{LinkingResult, Store, StoreError, StoreOptions};
use uuid::Uuid;

on_both_databases!(
    entries_are_linked_in_their_order_and_late_ones_behind,
    nodes_link_while_writers_write,
    a_unit_that_fails_leaves_no_gap,
    a_checkpoint_is_inserted_once,
);

/// A later second sorts behind, a larger number behind an equal second.
fn entry(second: i64, number: u128) -> AuditEntry {
    AuditEntry {
        id: AuditId(Uuid::from_u128(number)),
        at: at(second),
        actor: Actor::System,
        subject: None,
        client: None,
        session: None,
        ip_address: None,
        reference: None,
        event: Event::RateLimited { scope: "sign_in", count: 1 },
    }
}

async fn append(store: &Store, second: i64, number: u128) {
    write_with(store, entry(second, number), |tx, entry| Box::pin(tx.append(entry))).await.unwrap();
}

async fn numbers(store: &Store) -> Vec<u128> {
    let linked = store.linked_entries(0, 10_000).await.unwrap();
    linked.iter().map(|linked| linked.record.id.0.as_u128()).collect()
}

/// What `anteroom audit verify` does: no gap, every digest and MAC right.
async fn verify(store: &Store, entries: u64) {
    let keyring = Keyring::for_tests(1);
    let mut verifier = ChainVerifier::new(VerificationKeys { keyring: Some(&keyring), signers: Vec::new() });
    for linked in store.linked_entries(0, 10_000).await.unwrap() {
        verifier.entry(&linked);
    }
    let report = verifier.finish();
    assert_eq!((report.findings.as_slice(), report.entries, report.last.seq), (&[][..], entries, entries));
    assert_eq!(store.chain_end().await.unwrap(), report.last);
}

fn linking(entries: u64, more: bool) -> LinkingResult {
    LinkingResult { entries, more, left_out: Vec::new() }
}

async fn entries_are_linked_in_their_order_and_late_ones_behind(options: StoreOptions) {
    let store = store(&options).await;
    assert_eq!(store.link_entries(10).await.unwrap(), LinkingResult::default());
    assert_eq!(store.chain_end().await.unwrap(), ChainLink::beginning());
    for (second, number) in [(3, 1), (1, 3), (1, 2), (2, 9)] {
        append(&store, second, number).await;
    }
    assert_eq!(store.link_entries(3).await.unwrap(), linking(3, true));
    assert_eq!(store.unlinked_entries(10).await.unwrap().records.len(), 1);
    // Committed after those of its time were linked.
    append(&store, 0, 50).await;
    assert_eq!(store.link_entries(3).await.unwrap(), linking(2, false));
    assert_eq!(numbers(&store).await, [2, 3, 9, 50, 1]);
    Box::pin(verify(&store, 5)).await;
    assert_eq!(store.linked_entries(3, 1).await.unwrap()[0].link.seq, 4);
}

/// Two nodes, each with a store of its own, and writers on both.
async fn nodes_link_while_writers_write(options: StoreOptions) {
    const WRITERS: u128 = 4;
    const EACH: u128 = 25;
    let nodes = [store(&options).await, store(&options).await];
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = nodes[usize::try_from(writer).unwrap() % 2].clone();
        tasks.spawn(async move {
            for number in 0..EACH {
                append(&store, i64::try_from(number).unwrap(), writer * EACH + number + 1).await;
            }
        });
    }
    let linkers = nodes.clone().map(|store| {
        tokio::spawn(async move {
            loop {
                store.link_entries(7).await.unwrap();
                if store.chain_end().await.unwrap().seq == u64::try_from(WRITERS * EACH).unwrap() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        })
    });
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    for linker in linkers {
        linker.await.unwrap();
    }
    Box::pin(verify(&nodes[0], 100)).await;
    let mut linked = numbers(&nodes[1]).await;
    linked.sort_unstable();
    assert_eq!(linked, (1..=WRITERS * EACH).collect::<Vec<_>>(), "each once");
}

async fn a_unit_that_fails_leaves_no_gap(options: StoreOptions) {
    let store = store(&options).await;
    append(&store, 1, 1).await;
    let failed = store.write(|tx| async move {
        tx.append(&entry(2, 2)).await?;
        Err::<(), _>(StoreError::Statement("on purpose".to_owned()))
    });
    assert!(failed.await.is_err());
    append(&store, 3, 3).await;
    store.link_entries(10).await.unwrap();
    assert_eq!(numbers(&store).await, [1, 3]);
    Box::pin(verify(&store, 2)).await;
}

async fn a_checkpoint_is_inserted_once(options: StoreOptions) {
    let store = store(&options).await;
    assert_eq!(store.last_checkpoint().await.unwrap(), None);
    let keyring = Keyring::for_tests(1);
    let signer = keyring.signer(KeyPurpose::AuditMac).unwrap();
    for number in 1..=3 {
        append(&store, 1, number).await;
        store.link_entries(10).await.unwrap();
        let end = store.chain_end().await.unwrap();
        for (second, expected) in [(1, true), (2, false)] {
            let checkpoint = Checkpoint::sign(end, at(second), &signer).unwrap();
            let inserted =
                write_with(&store, checkpoint, |tx, checkpoint| Box::pin(tx.insert_checkpoint(checkpoint)));
            assert_eq!(inserted.await.unwrap(), expected);
        }
    }
    let all = store.checkpoints(0, 3, 10).await.unwrap();
    assert_eq!(all.iter().map(|checkpoint| checkpoint.link.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(store.last_checkpoint().await.unwrap().as_ref(), all.last());
    assert_eq!(store.checkpoints(1, 2, 10).await.unwrap(), all[1..2]);

    let mut verifier =
        ChainVerifier::new(VerificationKeys { keyring: Some(&keyring), signers: signer.verifying_keys() });
    for checkpoint in all {
        verifier.checkpoint(CheckpointSource::Inside, checkpoint);
    }
    for linked in store.linked_entries(0, 10).await.unwrap() {
        verifier.entry(&linked);
    }
    let report = verifier.finish();
    assert_eq!((report.findings.as_slice(), report.checkpoints[&CheckpointSource::Inside]), (&[][..], 3));
}
