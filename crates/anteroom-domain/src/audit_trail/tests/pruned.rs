//! A trail whose beginning was pruned, a head that was noted, and what is found where it was changed without the key.

use super::*;
use crate::audit_trail::chain::{ChainHead, PruningRecord};
use crate::audit_trail::verify::{ChainVerifier, CheckpointSource, VerificationKeys};

/// Pruned up to entry 4, whose checkpoint stays.
fn pruned() -> (AuditTrail, PruningRecord) {
    let mut trail = AuditTrail::good();
    let link = trail.entries[3].link;
    trail.entries.drain(..4);
    (trail, PruningRecord::sign(link, at(150), at(50), &signer(&keyring())).unwrap())
}

fn lines(trail: &AuditTrail, pruned: &PruningRecord) -> Vec<String> {
    let mut lines = trail.lines();
    lines.insert(0, ExportLine::Pruned(pruned.clone()).write().unwrap());
    lines
}

fn found(lines: &[String], outside: &[Checkpoint]) -> Vec<AuditFinding> {
    let with_key = verify(lines, true, outside).findings;
    assert_eq!(with_key, verify(lines, false, outside).findings);
    with_key
}

#[test]
fn a_trail_begins_where_a_signature_says_it_was_pruned() {
    let (trail, word) = pruned();
    let outside = AuditTrail::good().checkpoints;
    let lines = lines(&trail, &word);
    assert_eq!(ExportLine::read(&lines[0]), Some(ExportLine::Pruned(word.clone())));
    assert_eq!(found(&lines, &outside), []);
    let report = verify(&lines, true, &outside);
    assert_eq!((report.entries, report.last.seq, report.pruned), (5, 9, Some(word)));
    // Those of 4, 8 and 9, on either side.
    assert_eq!(report.checkpoints.values().copied().collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn a_removal_that_is_not_the_sweepers_is_found() {
    let (trail, word) = pruned();
    assert_eq!(
        found(&trail.lines(), &[])[0],
        AuditFinding::Missing { first: 1, last: 4 },
        "without a word of it"
    );
    let mut more = trail.clone();
    more.entries.remove(0);
    assert_eq!(found(&lines(&more, &word), &[]), [AuditFinding::Missing { first: 5, last: 5 }]);
    // A word that was made, or changed, without the key.
    let link = trail.entries[0].link;
    let forged = PruningRecord::sign(link, at(150), at(50), &signer(&Keyring::for_tests(2))).unwrap();
    assert_eq!(
        found(&lines(&more, &forged), &[]),
        [AuditFinding::UnsignedPruning { seq: 5 }, AuditFinding::Missing { first: 1, last: 5 }]
    );
    let raised = PruningRecord { link, ..word.clone() };
    assert_eq!(found(&lines(&more, &raised), &[])[0], AuditFinding::UnsignedPruning { seq: 5 });
    let later = PruningRecord { older_than: at(60), ..word.clone() };
    assert_eq!(found(&lines(&trail, &later), &[])[0], AuditFinding::UnsignedPruning { seq: 4 });
    // What was pruned does not come back, and the word stands first.
    let back = AuditTrail {
        entries: [&AuditTrail::good().entries[3..4], &trail.entries[..]].concat(),
        ..trail.clone()
    };
    assert_eq!(found(&lines(&back, &word), &[]), [AuditFinding::OutOfOrder { seq: 4, id: id(4) }]);
    let mut moved = lines(&trail, &word);
    moved.swap(0, 1);
    assert!(found(&moved, &[]).contains(&AuditFinding::Line { file: "export", line: 2 }));
}

#[test]
fn a_checkpoint_from_outside_has_seen_what_was_pruned() {
    let (trail, word) = pruned();
    let link = ChainLink { seq: 4, digest: KeyedDigest::from_slice(&[1; 32]).unwrap() };
    let other = Checkpoint::sign(link, at(100), &signer(&keyring())).unwrap();
    let finding = AuditFinding::PrunedAnother { seq: 4, kept: CheckpointSource::Outside };
    assert_eq!(found(&lines(&trail, &word), &[other]), [finding]);
}

fn findings_with(entries: &[ChainedEntry], head: Option<ChainHead>) -> Vec<AuditFinding> {
    let keyring = keyring();
    let mut verifier = ChainVerifier::new(VerificationKeys { keyring: Some(&keyring), signers: Vec::new() });
    verifier.head(head);
    for linked in entries {
        verifier.entry(linked);
    }
    verifier.finish().findings
}

#[test]
fn a_cut_since_the_last_checkpoint_is_found_by_the_head() {
    let entries = AuditTrail::good().entries;
    let head = |place: usize| Some(ChainHead::of(entries[place].link, &keyring()));
    assert_eq!(findings_with(&entries, head(8)), []);
    assert_eq!(findings_with(&entries, head(5)), [], "linked further while it was read");
    let cut = AuditFinding::Truncated { last: 6, seq: 9, kept: CheckpointSource::Head };
    assert_eq!(findings_with(&entries[..6], head(8)), [cut]);
    assert_eq!(findings_with(&entries, None), [AuditFinding::NoHead]);
    assert_eq!(findings_with(&[], None), []);
    let made_up = Some(ChainHead::of(entries[5].link, &Keyring::for_tests(2)));
    assert_eq!(findings_with(&entries[..6], made_up), [AuditFinding::AlteredHead { seq: 6 }]);
    let anew = chained((1..=9).map(|number| record(if number == 9 { 19 } else { number }, &keyring())));
    let replaced = AuditFinding::Replaced { seq: 9, id: id(19), kept: CheckpointSource::Head };
    assert_eq!(findings_with(&anew, head(8)), [replaced]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// One changed byte anywhere in the word of it.
    #[test]
    fn any_changed_byte_of_the_word_is_found(place in any::<prop::sample::Index>(), flip in 1_u8..128) {
        let (trail, word) = pruned();
        let mut lines = lines(&trail, &word);
        let mut first = std::mem::take(&mut lines[0]).into_bytes();
        let place = place.index(first.len());
        first[place] ^= flip;
        lines[0] = String::from_utf8(first).unwrap();
        prop_assert!(verify(&lines, true, &[]).found > 0);
    }
}
