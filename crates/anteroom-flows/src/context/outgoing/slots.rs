//! Bounds how much is fetched at once: a host that answers slowly holds one file descriptor for each fetch, and unauthenticated
//! requests can cause many fetches.
//!
//! Each kind of document has slots of its own, so that slow request objects do not keep keys from being fetched. Clients that
//! registered themselves have half of the slots together; the rest is for those of the configuration. Within that, each party
//! has a few slots ([`Share`]): the client, and, because anyone can register any number of clients at any number of hosts that
//! never answer, also the host that is asked and the network whose request causes the fetch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Slots of each kind, on one node.
const MOST: usize = 32;

/// What is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchKind {
    /// From a `request_uri`.
    RequestObject,
    /// From a `jwks_uri`.
    Keys,
    /// From a `sector_identifier_uri`.
    Sector,
}

impl FetchKind {
    /// The time limit for the whole answer, where it is shorter than for other kinds. A server that does not answer holds its
    /// slot for no longer than this.
    pub(super) const fn longest(self) -> Option<Duration> {
        match self {
            Self::RequestObject | Self::Keys => None,
            Self::Sector => Some(Duration::from_secs(4)),
        }
    }
}

/// What is fetched, and whose shares of the slots it takes.
#[derive(Debug)]
pub struct FetchRequest {
    pub what: FetchKind,
    pub shares: Vec<Share>,
}

/// Which kind of party a share belongs to. It is part of the key because a client chooses its own name, which can be that of a
/// host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// An account at a client.
    AccountAtClient,
    /// All requests without a session.
    Anonymous,
    /// All requests without a session at one client.
    AnonymousAtClient,
    Client,
    /// The host that is asked.
    Host,
    /// The network whose request causes the fetch.
    Network,
}

/// What one party may have fetched at once, on one node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    of: Party,
    name: String,
    most: usize,
}

impl Share {
    pub fn new(of: Party, name: &str, most: usize) -> Self {
        Self { of, name: name.to_owned(), most }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    taken: Arc<Mutex<SlotsInUse>>,
    are_of_registered: bool,
}

#[derive(Debug, Default)]
struct SlotsInUse {
    all: HashMap<FetchKind, usize>,
    of_registered: HashMap<FetchKind, usize>,
    by_share: HashMap<(FetchKind, Share), usize>,
}

/// A slot that is held until this is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Slots,
    pub(super) what: FetchKind,
    shares: Vec<(FetchKind, Share)>,
}

impl Slots {
    /// The same slots, counted as those of clients that registered themselves.
    pub(super) fn of_registered(&self) -> Self {
        Self { taken: Arc::clone(&self.taken), are_of_registered: true }
    }

    pub(super) const fn are_of_registered(&self) -> bool {
        self.are_of_registered
    }

    /// `None`: all slots, or all of one of the shares, are taken.
    pub(super) fn take(&self, FetchRequest { what, shares }: FetchRequest) -> Option<Slot> {
        let shares: Vec<_> = shares.into_iter().map(|share| (what, share)).collect();
        let mut taken = self.lock();
        let count = |counts: &HashMap<FetchKind, usize>| counts.get(&what).copied().unwrap_or(0);
        let is_full = count(&taken.all) >= MOST
            || (self.are_of_registered && count(&taken.of_registered) >= MOST / 2)
            || shares.iter().any(|share| taken.by_share.get(share).copied().unwrap_or(0) >= share.1.most);
        if is_full {
            return None;
        }
        *taken.all.entry(what).or_default() += 1;
        if self.are_of_registered {
            *taken.of_registered.entry(what).or_default() += 1;
        }
        for share in &shares {
            *taken.by_share.entry(share.clone()).or_default() += 1;
        }
        Some(Slot { slots: self.clone(), what, shares })
    }

    fn lock(&self) -> MutexGuard<'_, SlotsInUse> {
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
        for share in &self.shares {
            less(taken.by_share.get_mut(share));
            if taken.by_share.get(share) == Some(&0) {
                taken.by_share.remove(share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FetchKind::{Keys, RequestObject, Sector};

    fn take(slots: &Slots, what: FetchKind, clients: usize) -> Vec<Slot> {
        let all = (0..clients).flat_map(|client| (0..10).map(move |_| client.to_string()));
        all.filter_map(|client| {
            slots.take(FetchRequest { what, shares: vec![Share::new(Party::Client, &client, 4)] })
        })
        .collect()
    }

    #[test]
    fn one_client_has_few_of_all_slots_and_gets_them_back() {
        let slots = Slots::default();
        let held = take(&slots, RequestObject, 1);
        assert_eq!(held.len(), 4);
        assert_eq!(take(&slots, RequestObject, 20).len(), 28, "the first client's are among the 32");
        drop(held);
        assert_eq!(take(&slots, RequestObject, 20).len(), 32);
        assert!(slots.lock().by_share.is_empty());
    }

    #[test]
    fn each_kind_has_its_own_and_registered_clients_leave_half() {
        let slots = Slots::default();
        let registered = take(&slots.of_registered(), RequestObject, 20);
        assert_eq!(registered.len(), 16);
        assert_eq!(take(&slots, RequestObject, 20).len(), 16);
        let configured = take(&slots, Keys, 20);
        assert_eq!(configured.len(), 32);
        assert!(slots.of_registered().take(FetchRequest { what: Keys, shares: Vec::new() }).is_none());
        assert_eq!(take(&slots.of_registered(), Sector, 1).len(), 4);
        assert_eq!(take(&slots.of_registered(), Sector, 20).len(), 16);
    }

    #[test]
    fn one_network_has_a_share_however_many_hosts_it_names() {
        let slots = Slots::default().of_registered();
        let look = |host: usize, network: &str| {
            let shares =
                vec![Share::new(Party::Host, &host.to_string(), 2), Share::new(Party::Network, network, 2)];
            slots.take(FetchRequest { what: Sector, shares })
        };
        let held: Vec<_> = (0..20).filter_map(|host| look(host, "203.0.113.0/24")).collect();
        assert_eq!(held.len(), 2);
        let other = look(0, "198.51.100.0/24");
        assert!(other.is_some());
        assert!(look(0, "192.0.2.0/24").is_none(), "the host has its share, for all networks together");
        drop((held, other));
        assert!(slots.lock().by_share.is_empty());
    }
}
