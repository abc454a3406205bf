//! The trail's beginning, and its end: what is old goes, and nothing else does unnoticed.

use crate::{ALICE, BOB};
use anteroom::background::extend_chain;
use anteroom_domain::trail::verify::{Finding, Kept, Report};
use anteroom_flows::chain::{self, When};
use anteroom_flows::pruning::{Pruning, prune};
use anteroom_flows::trail::Origin;
use anteroom_testkit::{Backend, TestProvider, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    the_oldest_entries_go_after_their_time_and_the_rest_verifies,
    nobody_gets_young_entries_pruned_by_making_them_old,
    entries_that_somebody_else_removed_are_not_covered_up,
    a_trail_cut_off_since_its_last_checkpoint_is_found_and_stays_found,
);

const SIX_YEARS: SignedDuration = SignedDuration::from_hours(24 * 2_192);
const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn signed(provider: &TestProvider) {
    extend_chain(&provider.provider, None, When::Now).await.unwrap();
}

async fn pruned(provider: &TestProvider) -> Pruning {
    let parts = &provider.provider;
    let origin = Origin::local(provider.now(), &parts.random);
    prune(&parts.store, &parts.keyring, &origin, SIX_YEARS).await.unwrap()
}

async fn verified(provider: &TestProvider) -> Report {
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
        report.checkpoints[&Kept::Inside],
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
    let write = |line: &anteroom_domain::trail::lines::Line| {
        lines.push(line.write()?);
        Ok(())
    };
    chain::export(&parts.store, &parts.keyring, provider.now(), write).await.unwrap();
    assert!(lines[0].starts_with(r#"{"pruned":{"seq":"#), "{}", lines[0]);
}

async fn nobody_gets_young_entries_pruned_by_making_them_old(backend: Backend) {
    let (provider, _) = of_two_weeks(&backend).await;
    backend.execute("UPDATE audit_entries SET at = 1000000000000").await;
    let before = provider.audit().await.len();
    let Pruning::Refused(findings) = pruned(&provider).await else { panic!("they were removed") };
    assert!(matches!(findings[0], Finding::Altered { seq: 1, .. }), "{findings:?}");
    assert_eq!(provider.audit().await.len(), before);
}

async fn entries_that_somebody_else_removed_are_not_covered_up(backend: Backend) {
    let (provider, first) = of_two_weeks(&backend).await;
    backend.execute("DELETE FROM audit_entries WHERE chain_seq = 2").await;
    provider.advance(SIX_YEARS);
    let missing = Finding::Missing { first: 2, last: 2 };
    assert_eq!(pruned(&provider).await, Pruning::Refused(vec![missing.clone()]));
    assert!(verified(&provider).await.findings.contains(&missing));
    // The beginning, without a word of it.
    backend.execute(&format!("DELETE FROM audit_entries WHERE chain_seq <= {first}")).await;
    backend.execute(&format!("DELETE FROM audit_checkpoints WHERE seq <= {first}")).await;
    assert!(verified(&provider).await.findings.contains(&Finding::Missing { first: 1, last: first }));
}

async fn a_trail_cut_off_since_its_last_checkpoint_is_found_and_stays_found(backend: Backend) {
    let (provider, _) = of_two_weeks(&backend).await;
    let whole = provider.provider.store.chain_end().await.unwrap().seq;
    provider.signed_in(ALICE).await;
    chain::link_all(&provider.provider.store).await.unwrap();
    let end = provider.provider.store.chain_end().await.unwrap().seq;
    assert_eq!(verified(&provider).await.findings, []);
    backend.execute(&format!("DELETE FROM audit_entries WHERE chain_seq > {whole}")).await;
    let cut = Finding::Truncated { last: whole, seq: end, kept: Kept::Head };
    assert_eq!(verified(&provider).await.findings, [cut]);
    // What is linked afterwards leaves the gap open.
    provider.signed_in(BOB).await;
    signed(&provider).await;
    let missing = Finding::Missing { first: whole + 1, last: end };
    assert_eq!(verified(&provider).await.findings, [missing]);
}
