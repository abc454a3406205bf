//! The trail's beginning, and its end: what is old goes, and nothing else does unnoticed.

use crate::{ALICE, BOB};
use anteroom_domain::audit_trail::verify::{AuditFinding, CheckpointSource, VerificationReport};
use anteroom_domain::ids::{AuditId, NodeId};
use anteroom_flows::audit::chain::{self, CheckpointTime};
use anteroom_flows::audit::context::AuditContext;
use anteroom_flows::audit::pruning::{Pruning, prune};
use anteroom_server::background::extend_chain;
use anteroom_testkit::{Backend, TestProvider, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    the_oldest_entries_go_after_their_time_and_the_rest_verifies,
    nobody_gets_young_entries_pruned_by_making_them_old,
    entries_that_somebody_else_removed_are_not_covered_up,
    a_trail_cut_off_since_its_last_checkpoint_is_found_and_stays_found,
    an_entry_is_put_among_those_that_are_linked_in_one_write,
    entries_of_release_0_1_0_are_linked_in_their_order,
    an_entry_is_read_before_and_after_it_is_linked,
    entries_that_another_program_put_in_are_left_out_of_the_chain_and_found,
    what_a_node_has_not_linked_for_a_minute_is_found,
);

const SIX_YEARS: SignedDuration = SignedDuration::from_hours(24 * 2_192);
const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn signed(provider: &TestProvider) {
    extend_chain(&provider.provider, None, CheckpointTime::Now).await.unwrap();
}

async fn pruned(provider: &TestProvider) -> Pruning {
    let parts = &provider.provider;
    let origin = AuditContext::local(provider.now(), &parts.random);
    prune(&parts.store, &parts.keyring, &origin, SIX_YEARS).await.unwrap()
}

async fn verified(provider: &TestProvider) -> VerificationReport {
    let parts = &provider.provider;
    chain::verify(&parts.store, &parts.keyring, Vec::new(), Vec::new()).await.unwrap()
}

/// Entries of a first day with a checkpoint, then of the next week with one.
async fn of_two_weeks(backend: &Backend) -> (TestProvider, u64) {
    let provider = TestProvider::start(backend).await;
    provider.signed_in(ALICE).await;
    signed(&provider).await;
    let first = provider.provider.store.chain_end().await.unwrap().seq;
    provider.advance(DAY * 7);
    provider.signed_in(BOB).await;
    signed(&provider).await;
    assert!(first > 0 && provider.provider.store.chain_end().await.unwrap().seq > first);
    (provider, first)
}

async fn the_oldest_entries_go_after_their_time_and_the_rest_verifies(backend: Backend) {
    let (provider, first) = of_two_weeks(&backend).await;
    let all = provider.audit().await.len();
    provider.advance(SIX_YEARS - DAY * 7);
    assert_eq!(pruned(&provider).await, Pruning::Nothing, "a day's worth at a time");
    provider.advance(DAY + SignedDuration::from_secs(1));
    assert_eq!(pruned(&provider).await, Pruning::Done(first));
    assert_eq!(pruned(&provider).await, Pruning::Nothing);
    let left = provider.audit().await;
    assert_eq!(left.len() as u64, all as u64 - first + 1, "one more tells of it");
    assert!(left.iter().any(|entry| entry.kind == "trail_pruned" && entry.actor == "system"));
    signed(&provider).await;
    let report = verified(&provider).await;
    assert_eq!(report.findings, []);
    assert_eq!(report.pruned.map(|pruned| pruned.link.seq), Some(first));
    assert_eq!(
        report.checkpoints[&CheckpointSource::Inside],
        3,
        "that of the first day stays, as what the rest stands on"
    );
    // The next round goes on from there, and never takes the last link.
    provider.advance(SIX_YEARS * 2);
    assert!(matches!(pruned(&provider).await, Pruning::Done(_)));
    assert_eq!(pruned(&provider).await, Pruning::Nothing);
    provider.signed_in(ALICE).await;
    signed(&provider).await;
    assert_eq!(verified(&provider).await.findings, []);
    let parts = &provider.provider;
    let mut lines = Vec::new();
    let write = |line: &anteroom_domain::audit_trail::lines::ExportLine| {
        lines.push(line.write()?);
        Ok(())
    };
    chain::export(&parts.store, &parts.keyring, provider.now(), write).await.unwrap();
    assert!(lines[0].starts_with(r#"{"pruned":{"seq":"#), "{}", lines[0]);
}

async fn an_entry_is_put_among_those_that_are_linked_in_one_write(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let refused = if backend.url().starts_with("sqlite:") {
        "CREATE TRIGGER once BEFORE UPDATE ON audit_entries BEGIN SELECT RAISE(ABORT, 'twice'); END"
    } else {
        "CREATE RULE once AS ON UPDATE TO audit_entries DO INSTEAD NOTHING"
    };
    backend.execute(refused).await;
    provider.signed_in(ALICE).await;
    let waiting = backend.rows().await["audit_waiting"];
    let before = backend.rows().await["audit_entries"];
    assert!(waiting > 0);
    signed(&provider).await;
    let after = backend.rows().await;
    assert_eq!((after["audit_waiting"], after["audit_entries"]), (0, before + waiting));
    let report = verified(&provider).await;
    assert_eq!((report.findings, report.waiting), (Vec::new(), 0));
}

/// It writes them where they stay, without a place in the chain.
async fn entries_of_release_0_1_0_are_linked_in_their_order(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.signed_in(ALICE).await;
    provider.advance(SignedDuration::from_mins(1));
    provider.signed_in(BOB).await;
    let columns = "id, at, kind, outcome, actor, actor_account, subject_account, client_id, session_id, address, reference, \
                   detail, mac";
    let moved = format!(
        "INSERT INTO audit_entries ({columns}) SELECT {columns} FROM audit_waiting WHERE at = (SELECT max(at) FROM audit_waiting)"
    );
    backend.execute(&moved).await;
    backend.execute("DELETE FROM audit_waiting WHERE at = (SELECT max(at) FROM audit_entries)").await;
    provider.advance(SignedDuration::from_mins(1));
    provider.signed_in(ALICE).await;
    assert!(verified(&provider).await.waiting >= 3);
    signed(&provider).await;
    let report = verified(&provider).await;
    assert_eq!((report.findings, report.waiting), (Vec::new(), 0));
    let linked = provider.provider.store.linked_entries(0, 1_000).await.unwrap();
    assert!(linked.is_sorted_by_key(|linked| linked.record.at));
}

async fn an_entry_is_read_before_and_after_it_is_linked(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let store = &provider.provider.store;
    provider.signed_in(ALICE).await;
    let entry = provider.audited("signed_in").await.remove(0);
    let (reference, account) = (entry.reference.clone().unwrap(), entry.subject.unwrap());
    let read = async || {
        let of_account = store.entries_of_account(account, 100).await.unwrap();
        (store.entries_by_reference(&reference).await.unwrap(), of_account, provider.audit().await)
    };
    let before = read().await;
    assert!(before.0.contains(&entry) && before.1.contains(&entry));
    signed(&provider).await;
    assert_eq!(read().await, before);
    provider.advance(SignedDuration::from_mins(1));
    provider.signed_in(ALICE).await;
    let (_, of_account, all) = read().await;
    assert!(of_account.len() > before.1.len() && of_account.ends_with(&before.1), "newest first, over both");
    assert!(all.ends_with(&before.2));
    assert_eq!(store.entries_of_account(account, 1).await.unwrap(), of_account[..1]);
}

async fn nobody_gets_young_entries_pruned_by_making_them_old(backend: Backend) {
    let (provider, _) = of_two_weeks(&backend).await;
    backend.execute("UPDATE audit_entries SET at = 1000000000000").await;
    let before = provider.audit().await.len();
    let Pruning::Refused(findings) = pruned(&provider).await else { panic!("they were removed") };
    assert!(matches!(findings[0], AuditFinding::Altered { seq: 1, .. }), "{findings:?}");
    assert_eq!(provider.audit().await.len(), before);
}

async fn entries_that_somebody_else_removed_are_not_covered_up(backend: Backend) {
    let (provider, first) = of_two_weeks(&backend).await;
    backend.execute("DELETE FROM audit_entries WHERE chain_seq = 2").await;
    provider.advance(SIX_YEARS);
    let missing = AuditFinding::Missing { first: 2, last: 2 };
    assert_eq!(pruned(&provider).await, Pruning::Refused(vec![missing]));
    assert!(verified(&provider).await.findings.contains(&missing));
    // The beginning, without a word of it.
    backend.execute(&format!("DELETE FROM audit_entries WHERE chain_seq <= {first}")).await;
    backend.execute(&format!("DELETE FROM audit_checkpoints WHERE seq <= {first}")).await;
    assert!(verified(&provider).await.findings.contains(&AuditFinding::Missing { first: 1, last: first }));
}

async fn a_trail_cut_off_since_its_last_checkpoint_is_found_and_stays_found(backend: Backend) {
    let (provider, _) = of_two_weeks(&backend).await;
    let whole = provider.provider.store.chain_end().await.unwrap().seq;
    provider.signed_in(ALICE).await;
    chain::link_all(&provider.provider.store).await.unwrap();
    let end = provider.provider.store.chain_end().await.unwrap().seq;
    assert_eq!(verified(&provider).await.findings, []);
    backend.execute(&format!("DELETE FROM audit_entries WHERE chain_seq > {whole}")).await;
    let cut = AuditFinding::Truncated { last: whole, seq: end, kept: CheckpointSource::Head };
    assert_eq!(verified(&provider).await.findings, [cut]);
    // What is linked afterwards leaves the gap open.
    provider.signed_in(BOB).await;
    signed(&provider).await;
    let missing = AuditFinding::Missing { first: whole + 1, last: end };
    assert_eq!(verified(&provider).await.findings, [missing]);
}

async fn entries_that_another_program_put_in_are_left_out_of_the_chain_and_found(backend: Backend) {
    const COLUMNS: &str = "id, at, kind, outcome, actor, actor_account, subject_account, client_id, session_id, address, \
                           reference, detail, mac";
    let provider = TestProvider::start(&backend).await;
    let store = &provider.provider.store;
    provider.signed_in(ALICE).await;
    signed(&provider).await;
    // The copies are the oldest that wait.
    provider.advance(SignedDuration::from_secs(1));
    let copied = "FROM audit_entries WHERE chain_seq <= 2";
    backend.execute(&format!("INSERT INTO audit_waiting ({COLUMNS}) SELECT {COLUMNS} {copied}")).await;
    let grows = async || {
        let before = store.chain_end().await.unwrap().seq;
        provider.signed_in(BOB).await;
        let left_out = extend_chain(&provider.provider, None, CheckpointTime::Now).await.unwrap();
        assert!(store.chain_end().await.unwrap().seq > before);
        left_out
    };
    let copies = grows().await;
    let found =
        |ids: &[AuditId]| ids.iter().map(|id| AuditFinding::LinkedAndWaiting { id: *id }).collect::<Vec<_>>();
    assert_eq!((copies.len(), verified(&provider).await.findings), (2, found(&copies)));
    // However few are linked at a time, those that are left out do not take the place of the others.
    provider.signed_in(ALICE).await;
    let linked = store.link_entries(1).await.unwrap();
    assert_eq!((linked.entries, linked.left_out), (1, copies));

    backend.execute("DELETE FROM audit_waiting").await;
    provider.signed_in(ALICE).await;
    backend.execute("UPDATE audit_waiting SET mac = substr(mac, 1, 3)").await;
    let unreadable = grows().await;
    let findings = verified(&provider).await.findings;
    assert!(!unreadable.is_empty());
    for id in unreadable {
        assert!(findings.contains(&AuditFinding::UnreadableWaiting { id }), "{findings:?}");
    }
}

async fn what_a_node_has_not_linked_for_a_minute_is_found(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let store = &provider.provider.store;
    let beats = async || {
        let now = provider.now();
        let node: NodeId = "0190aaaa-0000-7000-8000-000000000001".parse().unwrap();
        store.write(move |tx| async move { tx.heartbeat(node, "configuration", now).await }).await.unwrap();
    };
    provider.signed_in(ALICE).await;
    signed(&provider).await;
    provider.signed_in(BOB).await;
    let waiting = store.unlinked_entries(100).await.unwrap().records;
    provider.advance(DAY);
    assert_eq!(verified(&provider).await.findings, [], "no node has run");
    beats().await;
    provider.advance(SignedDuration::from_secs(60));
    beats().await;
    assert_eq!(verified(&provider).await.findings, []);
    provider.advance(SignedDuration::from_secs(1));
    beats().await;
    let found = waiting.iter().map(|entry| AuditFinding::NotLinked { id: entry.id, at: entry.at });
    assert_eq!(verified(&provider).await.findings, found.collect::<Vec<_>>());
    signed(&provider).await;
    assert_eq!(verified(&provider).await.findings, []);
}
