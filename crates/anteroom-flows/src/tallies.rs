//! What the trail learns as a count per minute instead of an entry each: tokens that clients get for themselves, refusals by
//! rate limit, and refusals beyond what one address may have written down, so that a stranger cannot fill the disk.

use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::ClientId;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Refusals of one address prefix that get an entry of their own in a minute.
const REFUSALS_WRITTEN: u32 = 30;
/// Prefixes remembered in a minute; beyond, refusals are only counted.
const PREFIXES_REMEMBERED: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tally {
    ClientTokens(ClientId),
    RateLimited(&'static str),
    /// Of requests that were wrong, beyond those written down.
    Refusals,
}

/// Of this node, since the trail was last told.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    counts: Mutex<BTreeMap<Tally, u32>>,
    refusals: Mutex<HashMap<AddressPrefix, u32>>,
}

impl Tallies {
    pub(crate) fn count(&self, tally: Tally) {
        let mut counts = lock(&self.counts);
        let count = counts.entry(tally).or_default();
        *count = count.saturating_add(1);
    }

    /// Whether a refusal from this address deserves an entry of its own.
    pub(crate) fn may_write(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address else { return true };
        let mut refusals = lock(&self.refusals);
        let prefix = AddressPrefix::of(address);
        if refusals.len() >= PREFIXES_REMEMBERED && !refusals.contains_key(&prefix) {
            return false;
        }
        let count = refusals.entry(prefix).or_default();
        *count = count.saturating_add(1);
        *count <= REFUSALS_WRITTEN
    }

    pub(crate) fn take(&self) -> BTreeMap<Tally, u32> {
        lock(&self.refusals).clear();
        std::mem::take(&mut *lock(&self.counts))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_cannot_fill_the_trail() {
        let tallies = Tallies::default();
        let address = |text: &str| Some(text.parse().unwrap());
        let written = (0..1000).filter(|_| tallies.may_write(address("203.0.113.9"))).count();
        assert_eq!(written, 30);
        assert!(tallies.may_write(address("203.0.113.10")), "another address has its own share");
        drop(tallies.take());
        assert!(tallies.may_write(address("203.0.113.9")), "and a new one each minute");
    }
}
