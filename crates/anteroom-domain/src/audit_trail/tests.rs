//! Damage of every kind to a good export, as a table and at random: all of it is found, and named.

mod newer;
mod pruned;
mod restored;

use crate::audit_trail::chain::{ChainLink, ChainedEntry, Checkpoint, is_checkpoint_due};
use crate::audit_trail::export::{ExportContents, ExportEnd, ExportVerifier};
use crate::audit_trail::lines::ExportLine;
use crate::audit_trail::record::AuditRecord;
use crate::audit_trail::verify::{AuditFinding, VerificationReport};
use crate::ids::{AccountId, AuditId, SessionId};
use anteroom_crypto::{KeyPurpose, KeyedDigest, Keyring, Signer};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

const ENTRIES: u8 = 9;

fn keyring() -> Keyring {
    Keyring::for_tests(1)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + second * 1000 + 7).unwrap()
}

fn id(number: u8) -> AuditId {
    AuditId(Uuid::from_bytes([number; 16]))
}

fn record(number: u8, keyring: &Keyring) -> AuditRecord {
    let odd = number % 2 == 1;
    let mut record = AuditRecord {
        id: id(number),
        at: at(i64::from(number)),
        kind: "sign_in_refused".to_owned(),
        outcome: "failure".to_owned(),
        actor: "anonymous".to_owned(),
        actor_account: None,
        subject: odd.then_some(AccountId(Uuid::from_bytes([7; 16]))),
        client: odd.then(|| "schedule".to_owned()),
        session: odd.then_some(SessionId(Uuid::from_bytes([8; 16]))),
        address: Some("203.0.113.9".to_owned()),
        reference: odd.then(|| "K7QF-3M2X".to_owned()),
        detail: r#"{"failures":3,"reason":"wrong_password"}"#.to_owned(),
        mac: KeyedDigest::from_slice(&[0; 32]).unwrap(),
    };
    record.mac = record.computed_mac(keyring);
    record
}

/// Entries 1 to 9, checkpoints of 4, 8 and 9.
#[derive(Clone)]
struct AuditTrail {
    entries: Vec<ChainedEntry>,
    checkpoints: Vec<Checkpoint>,
}

impl AuditTrail {
    fn good() -> Self {
        let keyring = keyring();
        let records = (1..=ENTRIES).map(|number| record(number, &keyring));
        let mut trail = Self { entries: chained(records), checkpoints: Vec::new() };
        let signer = signer(&keyring);
        for seq in [4, 8, 9] {
            let link = trail.entries[seq - 1].link;
            trail.checkpoints.push(Checkpoint::sign(link, at(100), &signer).unwrap());
        }
        trail
    }

    fn lines(&self) -> Vec<String> {
        let last = self.entries.last().map_or_else(ChainLink::beginning, |linked| linked.link);
        let end = ExportEnd::sign(last, at(200), self.checkpoints.len() as u64, &signer(&keyring())).unwrap();
        let entries = self.entries.iter().map(|linked| ExportLine::Entry(Box::new(linked.clone())));
        let checkpoints =
            self.checkpoints.iter().map(|checkpoint| ExportLine::Checkpoint(checkpoint.clone()));
        let lines = entries.chain(checkpoints).chain([ExportLine::End(end)]);
        lines.map(|line| line.write().unwrap()).collect()
    }
}

fn signer(keyring: &Keyring) -> Signer {
    keyring.signer(KeyPurpose::AuditMac).unwrap()
}

/// What a thief who may write to the database, and has no key, can do as well.
fn chained(records: impl IntoIterator<Item = AuditRecord>) -> Vec<ChainedEntry> {
    let mut last = ChainLink::beginning();
    let linked = records.into_iter().map(|record| {
        last = last.next(&record);
        ChainedEntry { link: last, record }
    });
    linked.collect()
}

fn verify(lines: &[String], with_key: bool, outside: &[Checkpoint]) -> VerificationReport {
    let keyring = keyring();
    let mut contents = ExportContents::default();
    for line in lines {
        contents.note(line);
    }
    let signers = signer(&keyring).verifying_keys();
    let mut verifier = ExportVerifier::new(&contents, with_key.then_some(&keyring), Some(signers));
    for checkpoint in outside {
        verifier.add_external_checkpoint(checkpoint.clone());
    }
    for line in lines {
        verifier.line(line);
    }
    verifier.finish()
}

fn findings(trail: &AuditTrail) -> Vec<AuditFinding> {
    verify(&trail.lines(), true, &[]).findings
}

#[test]
fn a_good_trail_has_no_findings() {
    let trail = AuditTrail::good();
    for with_key in [true, false] {
        let report = verify(&trail.lines(), with_key, &trail.checkpoints);
        assert_eq!((report.findings.as_slice(), report.entries, report.last.seq), (&[][..], 9, 9));
        assert_eq!(report.checkpoints.values().copied().collect::<Vec<_>>(), [3, 3]);
    }
    let empty = AuditTrail { entries: Vec::new(), checkpoints: Vec::new() };
    assert_eq!(findings(&empty), []);
}

#[test]
fn lines_read_back() {
    for text in AuditTrail::good().lines() {
        let line = ExportLine::read(&text).unwrap();
        assert_eq!(line.write().unwrap(), text);
        assert_eq!(ExportLine::read(&format!("{text} ")), None);
        assert_eq!(ExportLine::read(&text.replacen("007Z", "0071Z", 1)), None, "finer than what is signed");
    }
}

#[test]
fn every_change_of_a_field_is_named() {
    let changes: [fn(&mut ChainedEntry); 13] = [
        |linked| linked.record.at = at(99),
        |linked| linked.record.kind.push('x'),
        |linked| linked.record.outcome = "success".to_owned(),
        |linked| linked.record.actor.push('x'),
        |linked| linked.record.actor_account = linked.record.subject,
        |linked| linked.record.subject = None,
        |linked| linked.record.client = None,
        |linked| linked.record.session = None,
        |linked| linked.record.address = None,
        |linked| linked.record.reference = None,
        |linked| linked.record.detail.push(' '),
        |linked| linked.record.mac = KeyedDigest::from_slice(&[1; 32]).unwrap(),
        |linked| linked.record.detail = linked.record.detail.replace('3', "2"),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut trail = AuditTrail::good();
        change(&mut trail.entries[4]);
        assert_eq!(findings(&trail), [AuditFinding::Altered { seq: 5, id: id(5) }], "change {place}");
        let without_key = verify(&trail.lines(), false, &[]).findings;
        assert_eq!(without_key, [AuditFinding::Broken { seq: 5, id: id(5) }], "change {place}");
    }
    let mut trail = AuditTrail::good();
    trail.entries[4].record.id = id(77);
    assert_eq!(findings(&trail), [AuditFinding::Altered { seq: 5, id: id(77) }]);
    let mut trail = AuditTrail::good();
    trail.entries[4].link.digest = KeyedDigest::from_slice(&[1; 32]).unwrap();
    assert_eq!(findings(&trail), [AuditFinding::Broken { seq: 5, id: id(5) }], "found once");
}

#[test]
fn removing_moving_and_adding_is_named() {
    type Damage = fn(&mut AuditTrail);
    let cases: [(Damage, &[AuditFinding]); 5] = [
        (|trail| drop(trail.entries.drain(1..3)), &[AuditFinding::Missing { first: 2, last: 3 }]),
        (
            |trail| trail.entries.swap(1, 2),
            &[AuditFinding::Missing { first: 2, last: 2 }, AuditFinding::OutOfOrder { seq: 2, id: id(2) }],
        ),
        (
            |trail| {
                let (one, other) = (trail.entries[1].link.seq, trail.entries[2].link.seq);
                (trail.entries[1].link.seq, trail.entries[2].link.seq) = (other, one);
                trail.entries.swap(1, 2);
            },
            &[
                AuditFinding::Broken { seq: 2, id: id(3) },
                AuditFinding::Broken { seq: 3, id: id(2) },
                AuditFinding::Broken { seq: 4, id: id(4) },
            ],
        ),
        (
            |trail| trail.entries.insert(3, trail.entries[2].clone()),
            &[AuditFinding::OutOfOrder { seq: 3, id: id(3) }],
        ),
        (|trail| trail.checkpoints.swap(0, 1), &[AuditFinding::CheckpointOutOfOrder { seq: 4 }]),
    ];
    for (place, (damage, expected)) in cases.into_iter().enumerate() {
        let mut trail = AuditTrail::good();
        damage(&mut trail);
        assert_eq!(findings(&trail), expected, "case {place}");
    }
}

/// Numbers and digests made anew, without the key: what is left to find it is the next checkpoint.
#[test]
fn a_chain_made_anew_is_named() {
    let keyring = keyring();
    let replaced = |seq, number| AuditFinding::Replaced {
        seq,
        id: id(number),
        kept: crate::audit_trail::verify::CheckpointSource::Inside,
    };
    let without_third = (1..=ENTRIES).filter(|number| *number != 3).map(|number| record(number, &keyring));
    let trail = AuditTrail { entries: chained(without_third), ..AuditTrail::good() };
    let found = findings(&trail);
    assert_eq!(found[..2], [replaced(4, 5), replaced(8, 9)]);
    assert!(matches!(found[2], AuditFinding::Truncated { last: 8, seq: 9, .. }));

    let forged = Keyring::for_tests(2);
    let inserted = (1..=3).map(|number| record(number, &keyring)).chain([record(50, &forged)]);
    let trail = AuditTrail { entries: chained(inserted), checkpoints: Vec::new() };
    assert_eq!(findings(&trail), [AuditFinding::Altered { seq: 4, id: id(50) }]);
}

#[test]
fn a_cut_is_found_by_the_checkpoints_and_by_the_last_line() {
    let good = AuditTrail::good();
    let cut = AuditTrail { entries: good.entries[..6].to_vec(), checkpoints: good.checkpoints[..1].to_vec() };
    assert_eq!(findings(&cut), [], "by itself a good, shorter trail");
    let report = verify(&cut.lines(), true, &good.checkpoints);
    assert!(matches!(report.findings[..], [AuditFinding::Truncated { last: 6, seq: 9, .. }]));
    assert!(report.findings[0].to_string().contains("in the checkpoints file has seen entry 9"));

    let lines = good.lines();
    let report = verify(&lines[..5], true, &[]);
    assert_eq!(report.findings, [AuditFinding::NoEnd { last: 5 }]);
    let mut lines = lines;
    lines.remove(8);
    let found = verify(&lines, true, &[]).findings;
    assert!(matches!(
        found[..],
        [AuditFinding::OtherEnd { seq: 9, last: 8, .. }, AuditFinding::Truncated { last: 8, seq: 9, .. }]
    ));
}

#[test]
fn a_checkpoint_is_worth_its_signature() {
    let mut trail = AuditTrail::good();
    trail.checkpoints[1].at = at(101);
    assert!(matches!(findings(&trail)[..], [AuditFinding::Unsigned { seq: 8, .. }]));
    let foreign = signer(&Keyring::for_tests(2));
    let mut trail = AuditTrail::good();
    trail.checkpoints[1] = Checkpoint::sign(trail.entries[7].link, at(100), &foreign).unwrap();
    assert!(matches!(findings(&trail)[..], [AuditFinding::Unsigned { seq: 8, .. }]));
    let mut trail = AuditTrail::good();
    let removed = trail.checkpoints.remove(1);
    let report = verify(&trail.lines(), true, &[removed]);
    assert_eq!(report.findings, [AuditFinding::CheckpointRemoved { seq: 8 }]);
}

#[test]
fn a_checkpoint_is_due_after_many_entries_or_a_minute_with_some() {
    let signer = signer(&keyring());
    let link = |seq| ChainLink { seq, ..ChainLink::beginning() };
    let last = Checkpoint::sign(link(10), at(0), &signer).unwrap();
    for (seq, second, due) in [
        (10, 3600, false),
        (11, 59, false),
        (11, 60, true),
        (1009, 1, false),
        (1010, 1, true),
        (1010, -60, true),
    ] {
        assert_eq!(is_checkpoint_due(&link(seq), Some(&last), at(second)), due, "{seq} after {second}");
    }
    assert!(is_checkpoint_due(&link(1), None, at(0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// One changed byte anywhere in the file.
    #[test]
    fn any_changed_byte_is_found(place in any::<prop::sample::Index>(), flip in 1_u8..128, with_key: bool) {
        let mut text = AuditTrail::good().lines().join("\n").into_bytes();
        let place = place.index(text.len());
        text[place] ^= flip;
        // What is no text is refused before it comes here; a flip of seven bits keeps ASCII.
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        prop_assert!(verify(&lines, with_key, &[]).found > 0);
    }

    /// One line removed, doubled or exchanged with another.
    #[test]
    fn any_moved_line_is_found(one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), kind in 0..3) {
        let mut lines = AuditTrail::good().lines();
        let (one, other) = (one.index(lines.len()), other.index(lines.len()));
        match kind {
            0 => drop(lines.remove(one)),
            1 => lines.insert(other, lines[one].clone()),
            _ => {
                prop_assume!(one != other);
                lines.swap(one, other);
            }
        }
        prop_assert!(verify(&lines, true, &[]).found > 0);
    }
}
