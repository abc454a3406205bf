use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const A: Lane = Lane::Prefix(1);
const B: Lane = Lane::Prefix(2);
const C: Lane = Lane::Prefix(3);

fn filled(capacity: usize, entries: &[(Lane, &'static str)]) -> FairQueue<&'static str> {
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
fn known_devices_go_first_in_order_of_arrival() {
    let queue = filled(8, &[(A, "a1"), (Lane::KnownDevice, "k1"), (B, "b1"), (Lane::KnownDevice, "k2")]);
    assert_eq!(drained(queue), ["k1", "k2", "a1", "b1"]);
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
    assert_eq!(queue.push(Lane::KnownDevice, "k1"), Pushed::Queued);
    assert_eq!(queue.push(Lane::KnownDevice, "k2"), Pushed::Queued);
    assert_eq!(queue.push(Lane::KnownDevice, "k3"), Pushed::Full("k3"));
    assert_eq!(queue.len(), 4);
}

#[test]
fn the_smallest_queue_has_room_in_both_lanes() {
    for capacity in [0, 1, 2] {
        let queue = filled(capacity, &[(A, "a1"), (Lane::KnownDevice, "k1")]);
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
    let mut queue = filled(8, &[(A, "a1"), (B, "b1"), (A, "a2"), (A, "a3"), (Lane::KnownDevice, "k1")]);
    queue.retain(|item| !matches!(*item, "a1" | "b1" | "k1"));
    assert_eq!(queue.len(), 2);
    assert_eq!(queue.push(B, "b2"), Pushed::Queued);
    assert_eq!(drained(queue), ["a2", "b2", "a3"]);
}

#[derive(Clone, Debug)]
enum Step {
    Known,
    Stranger(u64),
    Pop,
    /// Every n-th entry is abandoned by its caller.
    Abandon(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Known),
        3 => Just(Step::Stranger(0)),
        5 => (0_u64..6).prop_map(Step::Stranger),
        5 => Just(Step::Pop),
        1 => (2_u64..7).prop_map(Step::Abandon),
    ];
    proptest::collection::vec(step, 0..300)
}

/// What the queue should hold, told by the simplest means: every entry in order of arrival.
#[derive(Default)]
struct Model {
    waiting: Vec<Waiting>,
    next_id: u64,
}

#[derive(Clone)]
struct Waiting {
    id: u64,
    lane: Lane,
    /// Entries of its own line that were ahead of it when it came.
    ahead: usize,
    /// How often each other prefix was served while it waited.
    served: HashMap<u64, usize>,
}

impl Model {
    fn count(&self, lane: Lane) -> usize {
        self.waiting.iter().filter(|entry| entry.lane == lane).count()
    }

    fn known(&self) -> usize {
        self.count(Lane::KnownDevice)
    }

    fn take(&mut self, id: u64) -> Waiting {
        let at = self.waiting.iter().position(|entry| entry.id == id).expect("comes out once");
        self.waiting.remove(at)
    }

    fn push(&mut self, queue: &mut FairQueue<u64>, lane: Lane, room: usize) {
        let id = self.next_id;
        self.next_id += 1;
        let (own, known) = (self.count(lane), self.known());
        let in_lane = if lane == Lane::KnownDevice { known } else { self.waiting.len() - known };
        let longest = self.waiting.iter().map(|entry| self.count(entry.lane)).max().unwrap_or(0);
        match queue.push(lane, id) {
            Pushed::Queued => assert!(in_lane < room),
            Pushed::Full(refused) => {
                assert_eq!((refused, in_lane), (id, room));
                let longest = self.longest_line();
                assert!(lane == Lane::KnownDevice || longest < own + 2);
                return;
            }
            Pushed::Displaced(displaced) => {
                assert!(lane != Lane::KnownDevice && in_lane == room && longest >= own + 2);
                let line_of = self.waiting.iter().find(|entry| entry.id == displaced).unwrap().lane;
                assert_ne!(line_of, Lane::KnownDevice);
                assert_eq!(self.count(line_of), self.longest_line());
                let youngest = self.waiting.iter().rfind(|entry| entry.lane == line_of).unwrap().id;
                assert_eq!(displaced, youngest);
                self.take(displaced);
            }
        }
        self.waiting.push(Waiting { id, lane, ahead: own, served: HashMap::new() });
    }

    fn longest_line(&self) -> usize {
        let strangers = self.waiting.iter().filter(|entry| entry.lane != Lane::KnownDevice);
        strangers.map(|entry| self.count(entry.lane)).max().unwrap_or(0)
    }

    fn pop(&mut self, queue: &mut FairQueue<u64>) {
        let Some(id) = queue.pop() else {
            assert!(self.waiting.is_empty(), "idle while something waits");
            return;
        };
        let first = self.waiting.iter().find(|entry| entry.lane == Lane::KnownDevice).cloned();
        let popped = self.take(id);
        if let Some(first) = first {
            assert_eq!(popped.id, first.id, "known devices first, in order");
            return;
        }
        let older = self.waiting.iter().any(|entry| entry.lane == popped.lane && entry.id < id);
        assert!(!older, "in order within a prefix");
        let Lane::Prefix(prefix) = popped.lane else { unreachable!() };
        for (other, times) in popped.served {
            assert!(times <= popped.ahead + 1, "{other} was served {times} times while {prefix} waited");
        }
        for entry in self.waiting.iter_mut().filter(|entry| entry.lane != popped.lane) {
            *entry.served.entry(prefix).or_default() += 1;
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
                Step::Known => model.push(&mut queue, Lane::KnownDevice, capacity.div_ceil(2)),
                Step::Stranger(prefix) => model.push(&mut queue, Lane::Prefix(prefix), capacity / 2),
                Step::Pop => model.pop(&mut queue),
                Step::Abandon(nth) => {
                    queue.retain(|id| id % nth != 0);
                    model.waiting.retain(|entry| entry.id % nth != 0);
                }
            }
            prop_assert_eq!(queue.len(), model.waiting.len());
            prop_assert!(queue.len() <= capacity);
            prop_assert_eq!(queue.turns.len(), queue.lines.len());
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
                queue.push(Lane::Prefix(prefix), entry);
            }
        }
        prop_assert!(!matches!(queue.push(Lane::Prefix(0), usize::MAX), Pushed::Full(_)) || flood == 1);
        let waited = std::iter::from_fn(|| queue.pop()).position(|item| item == usize::MAX);
        prop_assert!(waited.is_none_or(|waited| waited as u64 <= prefixes));
    }
}
