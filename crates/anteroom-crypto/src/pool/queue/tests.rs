use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const A: QueueKey = QueueKey::Prefix(1);
const B: QueueKey = QueueKey::Prefix(2);
const C: QueueKey = QueueKey::Prefix(3);
const K: QueueKey = QueueKey::KnownDevice(1);
const L: QueueKey = QueueKey::KnownDevice(2);

fn filled(capacity: usize, entries: &[(QueueKey, &'static str)]) -> FairQueue<&'static str> {
    let mut queue = FairQueue::new(capacity);
    for (lane, item) in entries {
        assert_eq!(queue.push(*lane, *item), Pushed::Queued);
    }
    queue
}

fn drained<T>(mut queue: FairQueue<T>) -> Vec<T> {
    std::iter::from_fn(|| queue.pop()).collect()
}

#[test]
fn known_devices_go_first() {
    let queue = filled(8, &[(A, "a1"), (K, "k1"), (B, "b1"), (L, "l1")]);
    assert_eq!(drained(queue), ["k1", "l1", "a1", "b1"]);
}

#[test]
fn known_devices_leave_one_turn_in_four_to_everyone_else() {
    let known = ["k1", "k2", "k3", "k4", "k5", "k6", "k7"].map(|item| (K, item));
    let queue = filled(20, &[&known[..], &[(A, "a1"), (B, "b1")]].concat());
    assert_eq!(drained(queue), ["k1", "k2", "k3", "a1", "k4", "k5", "k6", "b1", "k7"]);
}

#[test]
fn no_account_fills_the_lane_of_known_devices() {
    let mut queue = filled(8, &[(K, "k1"), (K, "k2"), (K, "k3"), (K, "k4")]);
    assert_eq!(queue.push(K, "k5"), Pushed::Full("k5"));
    assert_eq!(queue.push(L, "l1"), Pushed::Displaced("k4"));
    assert_eq!(drained(queue), ["k1", "l1", "k2", "k3"]);
}

#[test]
fn an_account_takes_turns_with_prefixes() {
    let account = QueueKey::Account(1);
    let queue = filled(20, &[(account, "c1"), (account, "c2"), (account, "c3"), (A, "a1")]);
    assert_eq!(drained(queue), ["c1", "a1", "c2", "c3"]);
}

#[test]
fn prefixes_take_turns() {
    let queue = filled(20, &[(A, "a1"), (A, "a2"), (A, "a3"), (B, "b1"), (B, "b2"), (C, "c1")]);
    assert_eq!(drained(queue), ["a1", "b1", "c1", "a2", "b2", "a3"]);
}

#[test]
fn half_is_kept_for_known_devices() {
    let mut queue = filled(4, &[(A, "a1"), (B, "b1")]);
    assert_eq!(queue.push(C, "c1"), Pushed::Full("c1"));
    assert_eq!(queue.push(K, "k1"), Pushed::Queued);
    assert_eq!(queue.push(L, "l1"), Pushed::Queued);
    assert_eq!(queue.push(K, "k2"), Pushed::Full("k2"));
    assert_eq!(queue.len(), 4);
}

#[test]
fn the_smallest_queue_has_room_in_both_lanes() {
    for capacity in [0, 1, 2] {
        let queue = filled(capacity, &[(A, "a1"), (K, "k1")]);
        assert_eq!(queue.len(), 2);
    }
}

#[test]
fn a_newcomer_displaces_the_youngest_of_the_longest_line() {
    let mut queue = filled(8, &[(A, "a1"), (A, "a2"), (B, "b1"), (A, "a3")]);
    assert_eq!(queue.push(C, "c1"), Pushed::Displaced("a3"));
    assert_eq!(drained(queue), ["a1", "b1", "c1", "a2"]);
}

#[test]
fn of_equally_long_lines_the_one_that_grew_last_gives_way() {
    let mut queue = filled(8, &[(A, "a1"), (B, "b1"), (B, "b2"), (A, "a2")]);
    assert_eq!(queue.push(C, "c1"), Pushed::Displaced("a2"));
}

#[test]
fn nobody_is_displaced_where_shares_are_even() {
    let mut queue = filled(4, &[(A, "a1"), (B, "b1")]);
    assert_eq!(queue.push(C, "c1"), Pushed::Full("c1"), "many prefixes cannot push out a single one");
    let mut queue = filled(6, &[(A, "a1"), (A, "a2"), (B, "b1")]);
    assert_eq!(queue.push(A, "a3"), Pushed::Full("a3"), "a flood displaces nobody");
    assert_eq!(queue.push(B, "b2"), Pushed::Full("b2"), "the roles would only be swapped");
}

#[test]
fn what_is_not_retained_gives_its_room_back() {
    let mut queue = filled(8, &[(A, "a1"), (B, "b1"), (A, "a2"), (A, "a3"), (K, "k1")]);
    queue.retain(|item| !matches!(*item, "a1" | "b1" | "k1"));
    assert_eq!(queue.len(), 2);
    assert_eq!(queue.push(B, "b2"), Pushed::Queued);
    assert_eq!(drained(queue), ["a2", "b2", "a3"]);
}

#[derive(Clone, Debug)]
enum Step {
    Push(QueueKey),
    Pop,
    /// Every n-th entry is abandoned by its caller.
    Abandon(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u128..4).prop_map(|account| Step::Push(QueueKey::KnownDevice(account))),
        3 => Just(Step::Push(QueueKey::Prefix(0))),
        4 => (0_u64..6).prop_map(|prefix| Step::Push(QueueKey::Prefix(prefix))),
        1 => (0_u128..2).prop_map(|account| Step::Push(QueueKey::Account(account))),
        5 => Just(Step::Pop),
        1 => (2_u64..7).prop_map(Step::Abandon),
    ];
    proptest::collection::vec(step, 0..300)
}

fn is_known(lane: QueueKey) -> bool {
    matches!(lane, QueueKey::KnownDevice(_))
}

/// What the queue should hold, told by the simplest means: every entry in order of arrival.
#[derive(Default)]
struct Model {
    waiting: Vec<Waiting>,
    next_id: u64,
    known_in_a_row: usize,
}

struct Waiting {
    id: u64,
    lane: QueueKey,
    /// Entries of its own line that were ahead of it when it came.
    ahead: usize,
    /// How often each other line of its lane was served while it waited.
    served: HashMap<QueueKey, usize>,
}

impl Model {
    fn count(&self, lane: QueueKey) -> usize {
        self.waiting.iter().filter(|entry| entry.lane == lane).count()
    }

    fn beside(&self, lane: QueueKey) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter().filter(move |entry| is_known(entry.lane) == is_known(lane))
    }

    fn longest_line(&self, lane: QueueKey) -> usize {
        self.beside(lane).map(|entry| self.count(entry.lane)).max().unwrap_or(0)
    }

    fn take(&mut self, id: u64) -> Waiting {
        let at = self.waiting.iter().position(|entry| entry.id == id).expect("comes out once");
        self.waiting.remove(at)
    }

    fn push(&mut self, queue: &mut FairQueue<u64>, lane: QueueKey, room: usize) {
        let id = self.next_id;
        self.next_id += 1;
        let (own, in_lane, longest) = (self.count(lane), self.beside(lane).count(), self.longest_line(lane));
        match queue.push(lane, id) {
            Pushed::Queued => assert!(in_lane < room),
            Pushed::Full(refused) => {
                assert_eq!((refused, in_lane), (id, room));
                assert!(longest < own + 2);
                return;
            }
            Pushed::Displaced(displaced) => {
                assert!(in_lane == room && longest >= own + 2);
                let line_of = self.waiting.iter().find(|entry| entry.id == displaced).unwrap().lane;
                assert_eq!((is_known(line_of), self.count(line_of)), (is_known(lane), longest));
                let youngest = self.waiting.iter().rfind(|entry| entry.lane == line_of).unwrap().id;
                assert_eq!(displaced, youngest);
                self.take(displaced);
            }
        }
        self.waiting.push(Waiting { id, lane, ahead: own, served: HashMap::new() });
    }

    fn pop(&mut self, queue: &mut FairQueue<u64>) {
        let Some(id) = queue.pop() else {
            assert!(self.waiting.is_empty(), "idle while something waits");
            self.known_in_a_row = 0;
            return;
        };
        let waits = |known: bool| self.waiting.iter().any(|entry| is_known(entry.lane) == known);
        let known_is_next = waits(true) && (self.known_in_a_row < 3 || !waits(false));
        let popped = self.take(id);
        assert_eq!(is_known(popped.lane), known_is_next);
        self.known_in_a_row = if known_is_next { self.known_in_a_row + 1 } else { 0 };
        let older = self.waiting.iter().any(|entry| entry.lane == popped.lane && entry.id < id);
        assert!(!older, "in order within a line");
        for (other, times) in popped.served {
            let lane = popped.lane;
            assert!(times <= popped.ahead + 1, "{other:?} was served {times} times while {lane:?} waited");
        }
        for entry in self.waiting.iter_mut().filter(|entry| entry.lane != popped.lane) {
            *entry.served.entry(popped.lane).or_default() +=
                usize::from(is_known(entry.lane) == known_is_next);
        }
    }
}

proptest! {
    #[test]
    fn bounded_fair_and_never_idle(capacity in 2_usize..24, steps in steps()) {
        let mut queue = FairQueue::new(capacity);
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Push(lane) if is_known(lane) => model.push(&mut queue, lane, capacity.div_ceil(2)),
                Step::Push(lane) => model.push(&mut queue, lane, capacity / 2),
                Step::Pop => model.pop(&mut queue),
                Step::Abandon(nth) => {
                    queue.retain(|id| id % nth != 0);
                    model.waiting.retain(|entry| entry.id % nth != 0);
                }
            }
            prop_assert_eq!(queue.len(), model.waiting.len());
            prop_assert!(queue.len() <= capacity);
            prop_assert_eq!(queue.known.turns.len(), queue.known.lines.len());
            prop_assert_eq!(queue.others.turns.len(), queue.others.lines.len());
        }
        while queue.len() > 0 {
            model.pop(&mut queue);
        }
        model.pop(&mut queue);
    }

    #[test]
    fn a_single_request_waits_at_most_one_round(flood in 1_usize..200, prefixes in 1_u64..10) {
        let mut queue = FairQueue::new(1000);
        for entry in 0..flood {
            for prefix in 1..=prefixes {
                queue.push(QueueKey::Prefix(prefix), entry);
            }
        }
        prop_assert!(!matches!(queue.push(QueueKey::Prefix(0), usize::MAX), Pushed::Full(_)) || flood == 1);
        let waited = std::iter::from_fn(|| queue.pop()).position(|item| item == usize::MAX);
        prop_assert!(waited.is_none_or(|waited| waited as u64 <= prefixes));
    }
}
