//! Open connections, limited in total and for each address: a peer that opens many must leave descriptors to the
//! others, to the database and to outgoing requests. Connections from trusted proxies are limited in total only,
//! because all browsers come through them.

use anteroom_config::Settings;
use anteroom_domain::rate::AddressPrefix;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// File descriptors reserved for the database, outgoing requests (at most 96 logouts and 96 documents at once) and files.
const KEPT_BACK: usize = 256;
/// The usual limit of open files of a process.
const USUAL_OPEN_FILES: usize = 1_024;
/// The most connections where the system has no relevant limit.
const MOST: usize = 16_384;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    pub all: usize,
    /// For one address prefix. An office of eighty people may share one, and each browser opens six at most.
    pub each: usize,
    /// For an IPv6 /56, which contains many /64s.
    pub each_wider: usize,
}

impl ConnectionLimits {
    /// The limits for a process that may have `most` files open.
    fn for_open_files(most: usize) -> Self {
        let all = most.saturating_sub(KEPT_BACK).clamp(64, MOST);
        let each = 512.min(all / 2);
        Self { all, each, each_wider: (4 * each).min(all / 2) }
    }
}

/// The connections that are open now.
#[derive(Clone)]
pub struct Connections(Arc<Shared>);

struct Shared {
    bounds: ConnectionLimits,
    proxies: Vec<IpNet>,
    open: Mutex<OpenConnections>,
}

#[derive(Default)]
struct OpenConnections {
    all: usize,
    of: HashMap<AddressPrefix, usize>,
}

/// An admitted connection; dropping it frees its place.
pub struct ConnectionPermit {
    shared: Arc<Shared>,
    peer: IpAddr,
}

impl Connections {
    pub fn of(settings: &Settings) -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let bounds = ConnectionLimits::for_open_files(open_files(&limits).unwrap_or(USUAL_OPEN_FILES));
        Self::within(bounds, settings.server.trusted_proxies.clone())
    }

    pub fn within(bounds: ConnectionLimits, proxies: Vec<IpNet>) -> Self {
        Self(Arc::new(Shared { bounds, proxies, open: Mutex::default() }))
    }

    /// Whether one more connection from this peer may be opened, beside `about_to_be` others.
    pub fn has_room(&self, peer: IpAddr, about_to_be: usize) -> bool {
        self.0.has_room(&self.0.open(), peer, about_to_be)
    }

    /// `None` if there is no room: the connection has to be closed.
    pub fn admit(&self, peer: IpAddr) -> Option<ConnectionPermit> {
        let mut open = self.0.open();
        if !self.0.has_room(&open, peer, 0) {
            return None;
        }
        open.all += 1;
        for prefix in prefixes(peer) {
            *open.of.entry(prefix).or_default() += 1;
        }
        Some(ConnectionPermit { shared: Arc::clone(&self.0), peer })
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self, open: &OpenConnections, peer: IpAddr, about_to_be: usize) -> bool {
        let peer = peer.to_canonical();
        let bounds = [self.bounds.each, self.bounds.each_wider];
        let of_same = |prefix| open.of.get(&prefix).copied().unwrap_or_default();
        let has_share = prefixes(peer).zip(bounds).all(|(prefix, most)| of_same(prefix) < most);
        let is_proxy = self.proxies.iter().any(|network| network.contains(&peer));
        open.all + about_to_be < self.bounds.all && (is_proxy || has_share)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.shared.open();
        open.all = open.all.saturating_sub(1);
        for prefix in prefixes(self.peer) {
            if let Some(of_same) = open.of.get_mut(&prefix) {
                *of_same = of_same.saturating_sub(1);
                if *of_same == 0 {
                    open.of.remove(&prefix);
                }
            }
        }
    }
}

/// The prefix of an address, and for IPv6 also the wider one.
fn prefixes(peer: IpAddr) -> impl Iterator<Item = AddressPrefix> {
    let peer = peer.to_canonical();
    std::iter::once(AddressPrefix::of(peer)).chain(AddressPrefix::wider(peer))
}

/// The soft limit of open files, from `/proc/self/limits` of Linux.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_bounded_in_all_and_of_each_address_that_is_no_proxy() {
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        let connections = Connections::within(ConnectionLimits { all: 5, each: 2, each_wider: 3 }, proxies);
        let peer = |address: &str| address.parse::<IpAddr>().unwrap();
        let admit = |address: &str| connections.admit(peer(address));
        let one = admit("192.0.2.1").unwrap();
        let mapped = admit("::ffff:192.0.2.1").unwrap();
        assert!(admit("192.0.2.1").is_none() && !connections.has_room(peer("192.0.2.1"), 0));
        let [_a, _b, _c] = ["10.0.0.1"; 3].map(|proxy| admit(proxy).unwrap());
        assert!(admit("10.0.0.1").is_none() && admit("192.0.2.2").is_none(), "all are taken");
        drop(one);
        assert!(connections.has_room(peer("192.0.2.2"), 0) && !connections.has_room(peer("192.0.2.2"), 1));
        let _one = admit("192.0.2.1").unwrap();
        drop(mapped);
        let _v6 = admit("2001:db8::1").unwrap();
        assert!(admit("192.0.2.3").is_none());
        assert_eq!(connections.0.open().of.len(), 4, "nothing is kept of those that are gone");
    }

    #[test]
    fn an_ipv6_line_with_many_prefixes_has_a_share_of_its_own() {
        let connections =
            Connections::within(ConnectionLimits { all: 100, each: 2, each_wider: 5 }, Vec::new());
        let line: Vec<_> = (0..20_u16)
            .flat_map(|net| [1, 2, 3].map(|host| format!("2001:db8:7:1{net:02x}::{host}")))
            .filter_map(|address| connections.admit(address.parse().unwrap()))
            .collect();
        assert_eq!(line.len(), 5);
        assert!(connections.admit("2001:db8:7:2::1".parse().unwrap()).is_some(), "another line");
        drop(line);
        assert!(connections.admit("2001:db8:7:100::1".parse().unwrap()).is_some());
    }

    #[test]
    fn descriptors_are_left_for_everything_else() {
        let limits = "Limit        Soft Limit  Hard Limit  Units\nMax open files    1024    524288   files\n";
        assert_eq!(open_files(limits), Some(1_024));
        assert_eq!(open_files(""), None);
        assert_eq!(
            ConnectionLimits::for_open_files(1_024),
            ConnectionLimits { all: 768, each: 384, each_wider: 384 }
        );
        assert_eq!(
            ConnectionLimits::for_open_files(16),
            ConnectionLimits { all: 64, each: 32, each_wider: 32 }
        );
        assert_eq!(
            ConnectionLimits::for_open_files(usize::MAX),
            ConnectionLimits { all: MOST, each: 512, each_wider: 2_048 }
        );
    }
}
