//! A database that went back, and an operator who went on with it.

use super::*;

/// Six entries of a backup, whose last checkpoint is of the fourth, and a seventh that accepts the database up to the sixth.
fn restored(inside: &[usize]) -> AuditTrail {
    let keyring = keyring();
    let mut accepted = record(7, &keyring);
    "database_accepted".clone_into(&mut accepted.kind);
    accepted.at = at(300);
    r#"{"epoch":1,"grants":0,"seen":6,"sessions":0,"up_to":6}"#.clone_into(&mut accepted.detail);
    accepted.mac = accepted.computed_mac(&keyring);
    let later = record(8, &keyring);
    let entries = chained((1..=6).map(|number| record(number, &keyring)).chain([accepted, later]));
    let mut trail = AuditTrail { entries, checkpoints: Vec::new() };
    trail.checkpoints = inside.iter().map(|seq| checkpoint(&trail, *seq, 100)).collect();
    trail
}

fn checkpoint(trail: &AuditTrail, seq: usize, second: i64) -> Checkpoint {
    Checkpoint::sign(trail.entries[seq - 1].link, at(second), &signer(&keyring())).unwrap()
}

#[test]
fn a_checkpoint_signed_after_the_backup_of_its_entry_was_lost_and_not_removed() {
    for (inside, seq, second, lost) in [
        (&[4][..], 6, 200, true),
        (&[4, 8], 6, 200, true),
        (&[4], 5, 200, true),
        // A later one was in the backup, so this one was too.
        (&[4, 6], 5, 200, false),
        (&[4], 2, 200, false),
        // Signed since the database was accepted, or of an entry since.
        (&[4], 6, 301, false),
        (&[4], 7, 200, false),
        (&[4], 8, 400, false),
    ] {
        let trail = restored(inside);
        let report = verify(&trail.lines(), true, &[checkpoint(&trail, seq, second)]);
        let expected = if lost { vec![] } else { vec![AuditFinding::CheckpointRemoved { seq: seq as u64 }] };
        let case = format!("{inside:?} {seq} {second}");
        assert_eq!((report.findings, report.lost), (expected, u64::from(lost)), "{case}");
    }
    // Without the operator's word it is damage.
    let mut trail = restored(&[4]);
    let outside = checkpoint(&trail, 6, 200);
    trail.entries.truncate(6);
    let found = verify(&trail.lines(), true, &[outside]).findings;
    assert_eq!(found, [AuditFinding::CheckpointRemoved { seq: 6 }]);
}
