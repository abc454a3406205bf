//! Who is hashed next: a data structure without threads or clocks.
//!
//! There are two lanes, each with half of the room: known devices, and all others. While both wait, three of four jobs that are
//! served are those of known devices, so that neither lane can keep the other out. Inside a lane there is one line for each
//! account or address prefix, and the lines take turns, so a client that sends a thousand requests only delays its own. When a
//! lane's room is full, the longest line gives up its youngest entry to a newcomer, but only where that makes the shares more
//! even: among lines of equal length no job is displaced, else the last one to come would always push out one that waits.

use std::collections::{HashMap, VecDeque};

use super::QueueKey;

/// Known devices that are served one after another while others wait.
const KNOWN_IN_A_ROW: u8 = 3;

pub(super) struct FairQueue<T> {
    known: Lane<T>,
    others: Lane<T>,
    /// Known devices served since one of the others was.
    known_in_a_row: u8,
    arrivals: u64,
}

/// One lane.
struct Lane<T> {
    /// Never empty while it is in the map.
    lines: HashMap<QueueKey, Line<T>>,
    /// Those that have a line, the next to be served first.
    turns: VecDeque<QueueKey>,
    waiting: usize,
    room: usize,
}

type Line<T> = VecDeque<(u64, T)>;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed<T> {
    Queued,
    /// Queued, and this one had to leave for it.
    Displaced(T),
    Full(T),
}

impl<T> FairQueue<T> {
    /// Room for `capacity` entries, at least one in each lane.
    pub(super) fn new(capacity: usize) -> Self {
        let known = capacity.div_ceil(2).max(1);
        Self {
            known: Lane::new(known),
            others: Lane::new(capacity.saturating_sub(known).max(1)),
            known_in_a_row: 0,
            arrivals: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.waiting + self.others.waiting
    }

    pub(super) fn has_room(&self, lane: QueueKey) -> bool {
        match lane {
            QueueKey::KnownDevice(_) => self.known.has_room(),
            QueueKey::Prefix(_) | QueueKey::Account(_) => self.others.has_room(),
        }
    }

    pub(super) fn push(&mut self, lane: QueueKey, item: T) -> Pushed<T> {
        let arrival = self.arrivals;
        self.arrivals += 1;
        match lane {
            QueueKey::KnownDevice(_) => self.known.push(lane, arrival, item),
            QueueKey::Prefix(_) | QueueKey::Account(_) => self.others.push(lane, arrival, item),
        }
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let others_turn = self.known_in_a_row >= KNOWN_IN_A_ROW && self.others.waiting > 0;
        if !others_turn && let Some(item) = self.known.pop() {
            self.known_in_a_row = self.known_in_a_row.saturating_add(1);
            return Some(item);
        }
        self.known_in_a_row = 0;
        self.others.pop()
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.known.retain(&mut keep);
        self.others.retain(&mut keep);
    }
}

impl<T> Lane<T> {
    fn new(room: usize) -> Self {
        Self { lines: HashMap::new(), turns: VecDeque::new(), waiting: 0, room }
    }

    fn has_room(&self) -> bool {
        self.waiting < self.room
    }

    fn push(&mut self, lane: QueueKey, arrival: u64, item: T) -> Pushed<T> {
        if self.has_room() {
            self.append(lane, (arrival, item));
            return Pushed::Queued;
        }
        let Some(displaced) = self.displace_for(lane) else { return Pushed::Full(item) };
        self.append(lane, (arrival, item));
        Pushed::Displaced(displaced)
    }

    fn pop(&mut self) -> Option<T> {
        let lane = self.turns.pop_front()?;
        let line = self.lines.get_mut(&lane)?;
        let (_, item) = line.pop_front()?;
        self.waiting -= 1;
        if line.is_empty() {
            self.lines.remove(&lane);
        } else {
            self.turns.push_back(lane);
        }
        Some(item)
    }

    fn retain(&mut self, keep: &mut impl FnMut(&T) -> bool) {
        self.lines.retain(|_, line| {
            line.retain(|(_, item)| keep(item));
            !line.is_empty()
        });
        self.turns.retain(|lane| self.lines.contains_key(lane));
        self.waiting = self.lines.values().map(VecDeque::len).sum();
    }

    fn append(&mut self, lane: QueueKey, entry: (u64, T)) {
        let line = self.lines.entry(lane).or_default();
        if line.is_empty() {
            self.turns.push_back(lane);
        }
        line.push_back(entry);
        self.waiting += 1;
    }

    /// Takes the youngest entry of the longest line (of equals, the one that grew last), if that line stays at least
    /// as long as the newcomer's will be.
    fn displace_for(&mut self, newcomer: QueueKey) -> Option<T> {
        let own = self.lines.get(&newcomer).map_or(0, VecDeque::len);
        let youngest = |line: &Line<T>| line.back().map(|(arrival, _)| *arrival);
        let longest = self.lines.values_mut().max_by_key(|line| (line.len(), youngest(line)))?;
        if longest.len() < own + 2 {
            return None;
        }
        let (_, displaced) = longest.pop_back()?;
        self.waiting -= 1;
        Some(displaced)
    }
}

#[cfg(test)]
mod tests;
