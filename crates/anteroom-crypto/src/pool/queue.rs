//! Who is hashed next: a data structure without threads or clocks.
//!
//! There are two lanes, each with half of the room. Known devices are always first, in order of arrival. Strangers
//! are kept in one line for each address prefix, and the lines take turns; so a prefix that sends a thousand requests
//! waits behind itself. When the strangers' room is full, a prefix with a longer line gives up its youngest entry to a
//! newcomer, but only where that makes the shares more even: among lines of equal length nobody is displaced, else
//! whoever came last would always push out whoever waits.

use std::collections::{HashMap, VecDeque};

use super::Lane;

pub(super) struct FairQueue<T> {
    known: VecDeque<T>,
    known_room: usize,
    lines: HashMap<u64, Line<T>>,
    /// The prefixes that have a line, the next to be served first.
    turns: VecDeque<u64>,
    strangers: usize,
    strangers_room: usize,
    arrivals: u64,
}

/// Never empty while it is in the map.
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
        let known_room = capacity.div_ceil(2).max(1);
        Self {
            known: VecDeque::new(),
            known_room,
            lines: HashMap::new(),
            turns: VecDeque::new(),
            strangers: 0,
            strangers_room: capacity.saturating_sub(known_room).max(1),
            arrivals: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len() + self.strangers
    }

    pub(super) fn has_room(&self, lane: Lane) -> bool {
        match lane {
            Lane::KnownDevice => self.known.len() < self.known_room,
            Lane::Prefix(_) => self.strangers < self.strangers_room,
        }
    }

    pub(super) fn push(&mut self, lane: Lane, item: T) -> Pushed<T> {
        let has_room = self.has_room(lane);
        match lane {
            Lane::KnownDevice if has_room => self.known.push_back(item),
            Lane::KnownDevice => return Pushed::Full(item),
            Lane::Prefix(prefix) if has_room => self.append(prefix, item),
            Lane::Prefix(prefix) => {
                let Some(displaced) = self.displace_for(prefix) else {
                    return Pushed::Full(item);
                };
                self.append(prefix, item);
                return Pushed::Displaced(displaced);
            }
        }
        Pushed::Queued
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        if let Some(item) = self.known.pop_front() {
            return Some(item);
        }
        let prefix = self.turns.pop_front()?;
        let line = self.lines.get_mut(&prefix)?;
        let (_, item) = line.pop_front()?;
        self.strangers -= 1;
        if line.is_empty() {
            self.lines.remove(&prefix);
        } else {
            self.turns.push_back(prefix);
        }
        Some(item)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.known.retain(&mut keep);
        self.lines.retain(|_, line| {
            line.retain(|(_, item)| keep(item));
            !line.is_empty()
        });
        self.turns.retain(|prefix| self.lines.contains_key(prefix));
        self.strangers = self.lines.values().map(VecDeque::len).sum();
    }

    fn append(&mut self, prefix: u64, item: T) {
        let line = self.lines.entry(prefix).or_default();
        if line.is_empty() {
            self.turns.push_back(prefix);
        }
        line.push_back((self.arrivals, item));
        self.arrivals += 1;
        self.strangers += 1;
    }

    /// Takes the youngest entry of the longest line (of equals, the one that grew last), if that line stays at least
    /// as long as the newcomer's will be.
    fn displace_for(&mut self, newcomer: u64) -> Option<T> {
        let own = self.lines.get(&newcomer).map_or(0, VecDeque::len);
        let youngest = |line: &Line<T>| line.back().map(|(arrival, _)| *arrival);
        let longest = self.lines.values_mut().max_by_key(|line| (line.len(), youngest(line)))?;
        if longest.len() < own + 2 {
            return None;
        }
        let (_, displaced) = longest.pop_back()?;
        self.strangers -= 1;
        Some(displaced)
    }
}

#[cfg(test)]
mod tests;
