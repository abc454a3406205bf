//! Exports that are older than the newest checkpoint: what came later is no damage, and a cut before is.

use super::*;

/// The first six entries with their checkpoint, exported at second 200 by a good key.
fn export() -> Vec<String> {
    let good = AuditTrail::good();
    AuditTrail { entries: good.entries[..6].to_vec(), checkpoints: good.checkpoints[..1].to_vec() }.lines()
}

/// A checkpoint of the ninth entry.
fn of_the_ninth(second: i64) -> Checkpoint {
    Checkpoint::sign(AuditTrail::good().entries[8].link, at(second), &signer(&keyring())).unwrap()
}

fn is_cut(findings: &[AuditFinding]) -> bool {
    findings.iter().any(|finding| matches!(finding, AuditFinding::Truncated { seq: 9, .. }))
}

#[test]
fn a_checkpoint_from_after_the_export_is_newer_and_no_damage() {
    // Signed by another node, whose clock is a little behind.
    for second in [191, 200, 201, 90_000] {
        let report = verify(&export(), true, &[of_the_ninth(second)]);
        assert_eq!((report.findings.as_slice(), report.newer), (&[][..], 1), "{second}");
        assert_eq!(report.exported, Some((6, at(200))));
    }
    for second in [100, 189] {
        let report = verify(&export(), true, &[of_the_ninth(second)]);
        assert!(is_cut(&report.findings), "{second}: the trail had been cut off before it was exported");
        assert_eq!(report.newer, 0);
    }
}

#[test]
fn an_export_that_was_cut_is_not_taken_for_an_older_one() {
    let mut lines = export();
    lines.remove(5);
    let found = verify(&lines, true, &[of_the_ninth(201)]).findings;
    assert!(matches!(found[..], [AuditFinding::OtherEnd { seq: 6, last: 5, .. }]), "{found:?}");
    // Without its last line nothing says when it was made.
    let lines = export();
    let report = verify(&lines[..7], true, &[of_the_ninth(201)]);
    assert_eq!(report.exported, None);
    assert!(is_cut(&report.findings) && report.findings.contains(&AuditFinding::NoEnd { last: 6 }));
}

#[test]
fn an_export_cannot_be_dated_anew() {
    let mut lines = export();
    let dated = lines[7].replacen(&at(200).to_string(), &at(50).to_string(), 1);
    assert_ne!(dated, lines[7]);
    lines[7] = dated;
    let report = verify(&lines, true, &[of_the_ninth(100)]);
    assert_eq!(report.exported, None);
    assert!(is_cut(&report.findings) && report.findings.contains(&AuditFinding::UnsignedEnd { seq: 6 }));
}

#[test]
fn checkpoints_of_what_is_in_the_export_still_count() {
    let good = AuditTrail::good();
    let mut replaced = good.checkpoints[0].clone();
    replaced.link.digest = KeyedDigest::from_slice(&[1; 32]).unwrap();
    let other = Checkpoint::sign(replaced.link, at(300), &signer(&keyring())).unwrap();
    let found = verify(&export(), true, &[other, of_the_ninth(300)]).findings;
    assert!(matches!(found[..], [AuditFinding::Replaced { seq: 4, .. }]), "{found:?}");
}
