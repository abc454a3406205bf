//! The rotation of signing keys at two nodes at once.

use anteroom_flows::keys::signing_keys::{
    KeyRotation, KeySchedule, NewKeys, Rotated, RotationReason, RotationTrigger, rotate,
};
use anteroom_oidc::SigningAlgorithm;
use anteroom_storage::SigningKeyRow;
use anteroom_testkit::{Backend, on_both_databases};
use jiff::SignedDuration;
use std::sync::Arc;

use crate::installation::Installation;

on_both_databases!(
    of_two_nodes_that_rotate_by_the_schedule_at_once_one_makes_the_key,
    of_two_operators_who_rotate_as_planned_at_once_one_makes_the_key,
    of_two_operators_who_replace_a_leaked_key_at_once_one_does,
    a_planned_rotation_beside_the_schedule_leaves_one_next_key,
    a_rotation_before_its_time_changes_nothing,
);

const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Of algorithms whose keys are made in a moment.
fn schedule() -> KeySchedule {
    KeySchedule {
        maker: Arc::new(NewKeys),
        algorithms: vec![SigningAlgorithm::Es256, SigningAlgorithm::EdDsa],
        rotate_every: MONTH,
        overlap: DAY,
    }
}

async fn rotated(at: &Installation, trigger: RotationTrigger) -> Rotated {
    let (schedule, local) = (schedule(), at.local());
    let rotation = KeyRotation {
        store: &at.node.store,
        keyring: &at.node.keyring,
        schedule: &schedule,
        trigger,
        audit: local.audit().clone(),
    };
    rotate(rotation).await.unwrap()
}

async fn keys(at: &Installation) -> Vec<SigningKeyRow> {
    let rows = at.node.store.signing_keys().await.unwrap();
    rows.into_iter().filter(|row| row.algorithm == SigningAlgorithm::Es256.as_str()).collect()
}

/// Those that sign at this moment.
async fn signing(at: &Installation) -> usize {
    let now = at.now();
    let signs =
        |row: &SigningKeyRow| row.signs_from <= now && row.signs_until.is_none_or(|until| now < until);
    keys(at).await.iter().filter(|row| signs(row)).count()
}

async fn two(backend: Backend) -> (Installation, Installation) {
    let first = Installation::start(backend).await;
    let second = first.another_node().await;
    // The first key, where the configured algorithms do not include this one.
    rotated(&first, RotationTrigger::Schedule).await;
    assert_eq!((keys(&first).await.len(), signing(&first).await), (1, 1));
    (first, second)
}

async fn of_two_nodes_that_rotate_by_the_schedule_at_once_one_makes_the_key(backend: Backend) {
    let (first, second) = two(backend).await;
    first.advance(MONTH);
    let before = first.audited("signing_key_created").await.len();
    tokio::join!(rotated(&first, RotationTrigger::Schedule), rotated(&second, RotationTrigger::Schedule));
    assert_eq!(first.audited("signing_key_created").await.len() - before, 2, "one of each algorithm");
    assert_eq!(keys(&first).await.len(), 2);
    assert_eq!(first.audited("signing_key_retired").await.len(), 2, "one of each algorithm");
    // At every moment one key signs.
    for _ in 0..4 {
        assert_eq!(signing(&second).await, 1);
        first.advance(DAY);
    }
}

async fn of_two_operators_who_replace_a_leaked_key_at_once_one_does(backend: Backend) {
    let (first, second) = two(backend).await;
    let leaked = keys(&first).await.remove(0);
    first.advance(SignedDuration::from_hours(1));
    let trigger = RotationTrigger::Operator(RotationReason::Compromised);
    let before = first.audited("signing_key_created").await.len();
    tokio::join!(rotated(&first, trigger), rotated(&second, trigger));
    assert_eq!(first.audited("signing_key_created").await.len() - before, 2, "one of each algorithm");
    let keys = keys(&first).await;
    let present: Vec<_> = keys.iter().filter(|key| key.signs_until.is_none()).collect();
    assert_eq!((present.len(), signing(&first).await), (1, 1));
    assert_ne!(present[0].kid, leaked.kid);
    // Nothing that was signed with the old key is accepted from now on.
    let old = keys.iter().find(|key| key.kid == leaked.kid);
    assert!(old.is_none_or(|old| old.published_until.is_some_and(|until| until <= first.now())));
}

async fn of_two_operators_who_rotate_as_planned_at_once_one_makes_the_key(backend: Backend) {
    let (first, second) = two(backend).await;
    first.advance(SignedDuration::from_hours(1));
    let before = first.audited("signing_key_created").await.len();
    let planned = RotationTrigger::Operator(RotationReason::Planned);
    tokio::join!(rotated(&first, planned), rotated(&second, planned));
    assert_eq!(first.audited("signing_key_created").await.len() - before, 2, "one of each algorithm");
    assert_eq!((keys(&first).await.len(), signing(&first).await), (2, 1));
}

async fn a_planned_rotation_beside_the_schedule_leaves_one_next_key(backend: Backend) {
    let (first, second) = two(backend).await;
    first.advance(MONTH - DAY);
    let planned = RotationTrigger::Operator(RotationReason::Planned);
    tokio::join!(rotated(&first, RotationTrigger::Schedule), rotated(&second, planned));
    rotated(&second, planned).await;
    let present = keys(&first).await.into_iter().filter(|key| key.signs_until.is_none());
    assert_eq!(present.count(), 1);
    for _ in 0..4 {
        assert_eq!(signing(&second).await, 1);
        first.advance(SignedDuration::from_hours(12));
    }
}

async fn a_rotation_before_its_time_changes_nothing(backend: Backend) {
    let (first, second) = two(backend).await;
    let before: Vec<String> = keys(&first).await.into_iter().map(|key| key.kid).collect();
    first.advance(MONTH - DAY - DAY);
    for node in [&first, &second] {
        assert!(!rotated(node, RotationTrigger::Schedule).await.made);
    }
    let after: Vec<String> = keys(&first).await.into_iter().map(|key| key.kid).collect();
    assert_eq!(after, before);
}
