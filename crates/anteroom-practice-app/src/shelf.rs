//! A map that cannot grow without end: entries expire, and beyond its capacity the oldest one makes room.
//!
//! Everything this application remembers is on such a shelf, because strangers can make it remember things.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};

pub(crate) struct Shelf<K, V> {
    lifetime: SignedDuration,
    capacity: usize,
    entries: HashMap<K, Entry<V>>,
    /// Every entry lives equally long, so the order of placing is the order of expiring.
    order: BTreeMap<u64, K>,
    next: u64,
}

struct Entry<V> {
    place: u64,
    expires: Timestamp,
    value: V,
}

impl<K: Clone + Eq + Hash, V> Shelf<K, V> {
    pub(crate) fn new(lifetime: SignedDuration, capacity: usize) -> Self {
        Self { lifetime, capacity, entries: HashMap::new(), order: BTreeMap::new(), next: 0 }
    }

    pub(crate) fn put(&mut self, key: K, value: V, now: Timestamp) {
        self.take(&key);
        self.drop_expired(now);
        if self.entries.len() >= self.capacity
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        let place = self.next;
        self.next += 1;
        let expires = now.saturating_add(self.lifetime).unwrap_or(Timestamp::MAX);
        self.order.insert(place, key.clone());
        self.entries.insert(key, Entry { place, expires, value });
    }

    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q, now: Timestamp) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).filter(|entry| now < entry.expires).map(|entry| &entry.value)
    }

    pub(crate) fn take<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.place);
        Some(entry.value)
    }

    /// Takes away every entry that `matches`, and says how many there were.
    pub(crate) fn take_all(&mut self, matches: impl Fn(&V) -> bool) -> usize {
        let order = &mut self.order;
        let before = self.entries.len();
        self.entries.retain(|_, entry| {
            let stays = !matches(&entry.value);
            if !stays {
                order.remove(&entry.place);
            }
            stays
        });
        before - self.entries.len()
    }

    fn drop_expired(&mut self, now: Timestamp) {
        while let Some(first) = self.order.first_entry() {
            let expired = self.entries.get(first.get()).is_none_or(|entry| entry.expires <= now);
            if !expired {
                break;
            }
            self.entries.remove(&first.remove());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    #[test]
    fn an_entry_is_gone_when_its_lifetime_is_over() {
        let mut shelf = Shelf::new(HOUR, 10);
        shelf.put("a", 1, at(0));
        assert_eq!(shelf.get("a", at(59)), Some(&1));
        assert_eq!(shelf.get("a", at(60)), None);
    }

    #[test]
    fn the_oldest_makes_room_and_the_expired_go_first() {
        let mut shelf = Shelf::new(HOUR, 2);
        shelf.put("a", 1, at(0));
        shelf.put("b", 2, at(1));
        shelf.put("c", 3, at(2));
        assert_eq!((shelf.get("a", at(2)), shelf.get("b", at(2))), (None, Some(&2)));
        shelf.put("d", 4, at(61));
        assert_eq!((shelf.get("c", at(61)), shelf.get("d", at(61))), (Some(&3), Some(&4)));
        assert_eq!(shelf.entries.len(), shelf.order.len());
    }

    #[test]
    fn putting_again_renews_place_and_lifetime() {
        let mut shelf = Shelf::new(HOUR, 2);
        shelf.put("a", 1, at(0));
        shelf.put("b", 2, at(1));
        shelf.put("a", 5, at(30));
        shelf.put("c", 3, at(31));
        assert_eq!((shelf.get("a", at(80)), shelf.get("b", at(32))), (Some(&5), None));
    }

    #[test]
    fn taking_leaves_nothing_behind() {
        let mut shelf = Shelf::new(HOUR, 10);
        for n in 0..6 {
            shelf.put(n, n % 2, at(0));
        }
        assert_eq!(shelf.take(&0), Some(0));
        assert_eq!(shelf.take(&0), None);
        assert_eq!(shelf.take_all(|value| *value == 1), 3);
        assert_eq!((shelf.entries.len(), shelf.order.len()), (2, 2));
    }
}
