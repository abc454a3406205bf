//! Counts what the audit trail has as one entry per minute instead of one entry each: tokens of the client credentials grant,
//! refusals by rate limit, and refusals beyond the number of entries that one address, and all of them, may cause. Without these
//! bounds, unauthenticated requests could fill the disk.

use anteroom_domain::ids::AccountId;
use anteroom_domain::rate::AddressPrefix;
use anteroom_oidc::ClientId;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many refusals of one IPv4 address or IPv6 /64 get an entry of their own in a minute.
const WRITTEN_OF_PREFIX: u32 = 30;
/// The same for an IPv6 /56, which has many /64s.
const WRITTEN_OF_WIDER_PREFIX: u32 = 120;
/// The same for the account that they are about. They are counted apart from refusals that are about no account, so that such
/// requests do not hide an attack on an account.
const WRITTEN_OF_ACCOUNT: u32 = 30;
/// The same for refusals about accounts from one IPv4 address or IPv6 /56: requests from one network about one account must not
/// use up the entries for an attack on another account.
const WRITTEN_OF_PREFIX_ABOUT_ACCOUNTS: u32 = 120;
/// The same for all refusals about accounts together, and for all others together, so that the growth of the trail is bounded.
const WRITTEN: u32 = 600;
/// How many prefixes, or accounts, are remembered in a minute; refusals of further ones are only counted.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AuditCounter {
    ClientTokens(ClientId),
    RateLimited(&'static str),
    /// Refused requests that got no entry of their own.
    Refusals,
}

/// The counts of this node since they were last written to the trail.
#[derive(Debug, Default)]
pub(crate) struct AuditCounters {
    counts: Mutex<BTreeMap<AuditCounter, u32>>,
    written: Mutex<WrittenRefusals>,
}

/// How many refusals have got an entry of their own.
#[derive(Debug, Default)]
struct WrittenRefusals {
    refusals: u32,
    by_prefix: HashMap<AddressPrefix, u32>,
    about_accounts: u32,
    by_account: HashMap<AccountId, u32>,
    about_accounts_by_prefix: HashMap<AddressPrefix, u32>,
}

impl AuditCounters {
    pub(crate) fn count(&self, counter: AuditCounter) {
        let mut counts = lock(&self.counts);
        let count = counts.entry(counter).or_default();
        *count = count.saturating_add(1);
    }

    /// Whether a refusal from this address, about this account, gets an entry of its own. A refusal without an address always
    /// does.
    pub(crate) fn may_write(&self, address: Option<IpAddr>, account: Option<AccountId>) -> bool {
        let Some(address) = address else { return true };
        let mut written = lock(&self.written);
        if let Some(account) = account {
            return written.admits_about(account, address);
        }
        let WrittenRefusals { refusals, by_prefix, .. } = &mut *written;
        let prefix = Some((AddressPrefix::of(address), WRITTEN_OF_PREFIX));
        let wider = AddressPrefix::wider(address).map(|prefix| (prefix, WRITTEN_OF_WIDER_PREFIX));
        if *refusals >= WRITTEN {
            return false;
        }
        let admitted =
            prefix.into_iter().chain(wider).all(|(prefix, most)| try_count(by_prefix, prefix, most));
        *refusals += u32::from(admitted);
        admitted
    }

    pub(crate) fn take(&self) -> BTreeMap<AuditCounter, u32> {
        *lock(&self.written) = WrittenRefusals::default();
        std::mem::take(&mut *lock(&self.counts))
    }
}

impl WrittenRefusals {
    fn admits_about(&mut self, account: AccountId, address: IpAddr) -> bool {
        let prefix = AddressPrefix::wider(address).unwrap_or_else(|| AddressPrefix::of(address));
        // A refusal that gets no entry is not counted for the account.
        let taken = self.about_accounts_by_prefix.get(&prefix).copied().unwrap_or_default();
        let admitted = self.about_accounts < WRITTEN
            && taken < WRITTEN_OF_PREFIX_ABOUT_ACCOUNTS
            && try_count(&mut self.by_account, account, WRITTEN_OF_ACCOUNT)
            && try_count(&mut self.about_accounts_by_prefix, prefix, WRITTEN_OF_PREFIX_ABOUT_ACCOUNTS);
        self.about_accounts += u32::from(admitted);
        admitted
    }
}

/// Counts one more for the key, up to `most`. `false`: `most` was reached before.
fn try_count<K: Eq + Hash>(taken: &mut HashMap<K, u32>, key: K, most: u32) -> bool {
    if taken.len() >= REMEMBERED && !taken.contains_key(&key) {
        return false;
    }
    let count = taken.entry(key).or_default();
    let admitted = *count < most;
    *count += u32::from(admitted);
    admitted
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_cannot_fill_the_trail() {
        let counters = AuditCounters::default();
        let address = |text: &str| Some(text.parse().unwrap());
        let written = (0..1000).filter(|_| counters.may_write(address("203.0.113.9"), None)).count();
        assert_eq!(written, 30);
        assert!(counters.may_write(address("203.0.113.10"), None), "another address has its own share");
        drop(counters.take());
        assert!(counters.may_write(address("203.0.113.9"), None), "and a new one each minute");
    }

    #[test]
    fn what_is_about_an_account_has_a_share_that_no_other_request_uses_up() {
        let counters = AuditCounters::default();
        let account = |number| Some(AccountId(uuid::Uuid::from_u128(number)));
        let from = |host: u8, account| {
            let address = Some(IpAddr::from([203, 0, 113, host]));
            (0..100).filter(|_| counters.may_write(address, account)).count()
        };
        assert_eq!(from(9, None), 30);
        assert_eq!(from(9, account(1)), 30);
        assert_eq!(from(9, account(2)), 30, "another account has its own");
        let all: usize = (3..100).map(|number| from(9, account(number))).sum();
        assert_eq!(all, 60, "120 of one address");
        assert_eq!(from(10, account(200)), 30, "what another address does is still written");
        let all: usize = (11..=100).map(|host| from(host, account(u128::from(host) + 1_000))).sum();
        assert_eq!(all, 450, "600 in all");
    }

    #[test]
    fn whoever_has_many_prefixes_cannot_fill_the_trail_either() {
        let counters = AuditCounters::default();
        let written = |addresses: &mut dyn Iterator<Item = String>| {
            addresses.filter(|address| counters.may_write(Some(address.parse().unwrap()), None)).count()
        };
        let of_one_line =
            (0..256).flat_map(|net| (0..35).map(move |host| format!("2001:db8:7:1{net:02x}::{host}")));
        assert_eq!(written(&mut of_one_line.into_iter()), 120);
        let of_many = (0..256).flat_map(|net| (0..35).map(move |_| format!("203.0.{net}.9")));
        assert_eq!(written(&mut of_many.into_iter()), 480, "600 in all");
    }
}
