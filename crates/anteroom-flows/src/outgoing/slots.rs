//! What is fetched at once, bounded: a place that answers slowly holds a descriptor for each fetch from there, and a stranger can
//! cause many.
//!
//! Each kind has slots of its own, so that slow request objects keep no client's keys from being fetched. Of those, one client
//! has a few, and clients that registered themselves have half together: they leave the rest to those of the configuration.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fetched {
    /// From a `request_uri`.
    RequestObject,
    /// From a `jwks_uri`.
    Keys,
    /// From a `sector_identifier_uri`.
    Sector,
}

impl Fetched {
    /// At once, on one node.
    const fn most(self) -> usize {
        match self {
            Self::RequestObject | Self::Keys => 32,
            Self::Sector => 16,
        }
    }

    /// For one client, or one host where there is no client yet: any client can name any host.
    const fn most_for_one(self) -> usize {
        match self {
            Self::RequestObject | Self::Keys => 4,
            Self::Sector => 2,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    taken: Arc<Mutex<Taken>>,
    are_of_registered: bool,
}

#[derive(Debug, Default)]
struct Taken {
    all: HashMap<Fetched, usize>,
    of_registered: HashMap<Fetched, usize>,
    by_whom: HashMap<(Fetched, String), usize>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    what: Fetched,
    whom: String,
}

impl Slots {
    /// The same ones, as clients that registered themselves have them.
    pub(super) fn of_registered(&self) -> Self {
        Self { taken: Arc::clone(&self.taken), are_of_registered: true }
    }

    /// `None`: as many are taken as there may be.
    pub(super) fn take(&self, what: Fetched, whom: &str) -> Option<Slot> {
        let whom = whom.to_owned();
        let mut taken = self.lock();
        let count = |counts: &HashMap<Fetched, usize>| counts.get(&what).copied().unwrap_or(0);
        let key = (what, whom);
        let is_full = count(&taken.all) >= what.most()
            || (self.are_of_registered && count(&taken.of_registered) >= what.most() / 2)
            || taken.by_whom.get(&key).copied().unwrap_or(0) >= what.most_for_one();
        if is_full {
            return None;
        }
        *taken.all.entry(what).or_default() += 1;
        if self.are_of_registered {
            *taken.of_registered.entry(what).or_default() += 1;
        }
        *taken.by_whom.entry(key.clone()).or_default() += 1;
        Some(Slot { slots: self.clone(), what, whom: key.1 })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        let less = |count: Option<&mut usize>| {
            if let Some(count) = count {
                *count = count.saturating_sub(1);
            }
        };
        less(taken.all.get_mut(&self.what));
        if self.slots.are_of_registered {
            less(taken.of_registered.get_mut(&self.what));
        }
        let key = (self.what, std::mem::take(&mut self.whom));
        less(taken.by_whom.get_mut(&key));
        if taken.by_whom.get(&key) == Some(&0) {
            taken.by_whom.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Fetched::{Keys, RequestObject, Sector};

    fn take(slots: &Slots, what: Fetched, clients: usize) -> Vec<Slot> {
        let all = (0..clients).flat_map(|client| (0..10).map(move |_| client.to_string()));
        all.filter_map(|client| slots.take(what, &client)).collect()
    }

    #[test]
    fn one_client_has_few_of_all_slots_and_gets_them_back() {
        let slots = Slots::default();
        let held = take(&slots, RequestObject, 1);
        assert_eq!(held.len(), 4);
        assert_eq!(take(&slots, RequestObject, 20).len(), 28, "the first client's are among the 32");
        drop(held);
        assert_eq!(take(&slots, RequestObject, 20).len(), 32);
        assert!(slots.lock().by_whom.is_empty());
    }

    #[test]
    fn each_kind_has_its_own_and_registered_clients_leave_half() {
        let slots = Slots::default();
        let registered = take(&slots.of_registered(), RequestObject, 20);
        assert_eq!(registered.len(), 16);
        assert_eq!(take(&slots, RequestObject, 20).len(), 16);
        let configured = take(&slots, Keys, 20);
        assert_eq!(configured.len(), 32);
        assert!(slots.of_registered().take(Keys, "another").is_none());
        assert_eq!(take(&slots.of_registered(), Sector, 1).len(), 2);
        assert_eq!(take(&slots.of_registered(), Sector, 20).len(), 8);
    }
}
