//! Rate limits: who is counted, over what, and when the answer is "wait".
//!
//! Two adjoining fixed windows are weighed into one sliding estimate: two small rows per subject instead of a log.

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The part of an address that stands for one household, office or attacker: IPv4 whole, IPv6 by its /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressPrefix {
    network: IpAddr,
    /// A /56 and its first /64 have the same network address, so the prefix length distinguishes them.
    length: u8,
}

impl AddressPrefix {
    /// An IPv4 address, or the /64 of an IPv6 one.
    pub fn of(address: IpAddr) -> Self {
        Self::cut(address, 32, 64)
    }

    /// A wider net for IPv6, whose /64s are cheap: the /56 that a line usually gets. `None` for IPv4.
    pub fn wider(address: IpAddr) -> Option<Self> {
        address.to_canonical().is_ipv6().then(|| Self::network(address))
    }

    /// The network around it: IPv4 /24, IPv6 /56.
    pub fn network(address: IpAddr) -> Self {
        Self::cut(address, 24, 56)
    }

    fn cut(address: IpAddr, v4: u8, v6: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let kept = address.to_bits() & (u32::MAX << (32 - v4));
                Self { network: IpAddr::V4(Ipv4Addr::from_bits(kept)), length: v4 }
            }
            IpAddr::V6(address) => {
                let kept = address.to_bits() & (u128::MAX << (128 - v6));
                Self { network: IpAddr::V6(Ipv6Addr::from_bits(kept)), length: v6 }
            }
        }
    }
}

/// An IPv4 address and a /64 by their address alone, as release 0.1.0 counts them; anything wider with its length.
impl fmt::Display for AddressPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.network.fmt(f)?;
        match self.length {
            32 | 64 => Ok(()),
            length => write!(f, "/{length}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub max: u32,
    pub window: SignedDuration,
}

/// The practice's own networks. Whole offices share an address there, so their limits are raised; everywhere else an
/// address is a household or an attacker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnNetworks {
    pub networks: Vec<IpNet>,
    /// Factor by which limits are raised for these networks.
    pub factor: u32,
}

impl OwnNetworks {
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// How much more a /56 may than one of its /64s.
const WIDER_FACTOR: u32 = 4;

/// Every prefix that something done from `address` counts for, with what it is allowed: an IPv6 line has many /64s and
/// one /56, which is allowed a few offices' worth.
pub fn limits_for(
    address: IpAddr,
    limit: RateLimit,
    own: &OwnNetworks,
) -> impl Iterator<Item = (AddressPrefix, RateLimit)> + use<> {
    let limit = if own.contain(address) { limit.times(own.factor) } else { limit };
    let wider = AddressPrefix::wider(address).map(|prefix| (prefix, limit.times(WIDER_FACTOR)));
    std::iter::once((AddressPrefix::of(address), limit)).chain(wider)
}

/// The network that an address is in, with what is allowed to all of it together: who owns many addresses of a network is
/// not allowed more than its share.
pub fn network_limit(address: IpAddr, limit: RateLimit, own: &OwnNetworks) -> (AddressPrefix, RateLimit) {
    let limit = if own.contain(address) { limit.times(own.factor) } else { limit };
    (AddressPrefix::network(address), limit)
}

/// Counts of the window that `now` lies in and the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowCounts {
    pub previous: u32,
    pub current: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub SignedDuration);

/// The window that a moment lies in, in Unix milliseconds: what a statement needs that counts and decides at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub start: i64,
    pub previous_start: i64,
    pub length: i64,
    /// Until the window ends: so much of the window before it still counts.
    pub left: i64,
}

impl Window {
    /// How many the two windows count for together.
    fn weighed(&self, counts: WindowCounts) -> i64 {
        i64::from(counts.previous) * self.left / self.length + i64::from(counts.current)
    }

    /// Until a request that is refused now is worth another try.
    pub fn wait(&self) -> Wait {
        Wait(SignedDuration::from_millis(self.left.max(1_000)))
    }
}

impl RateLimit {
    fn times(self, factor: u32) -> Self {
        Self { max: self.max.saturating_mul(factor), ..self }
    }

    fn window_millis(&self) -> i64 {
        i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX).max(1)
    }

    pub fn window(&self, now: Timestamp) -> Window {
        let length = self.window_millis();
        let into = now.as_millisecond().rem_euclid(length);
        let start = now.as_millisecond() - into;
        Window { start, previous_start: start - length, length, left: length - into }
    }

    /// Whether one more is admitted on top of `counts`. The store decides the same in SQL (`Tx::spend`).
    pub fn admit(&self, counts: WindowCounts, now: Timestamp) -> Result<(), Wait> {
        let window = self.window(now);
        if window.weighed(counts) < i64::from(self.max) { Ok(()) } else { Err(window.wait()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { max: 300, window: SignedDuration::from_mins(5) };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn the_last_admitted_is_the_one_before_the_limit() {
        let counts = |previous, current| WindowCounts { previous, current };
        for (counts, now, admitted) in [
            (counts(0, 299), 0, true),
            (counts(0, 300), 0, false),
            (counts(300, 0), 0, false),
            (counts(300, 0), 150_000, true),
            (counts(300, 150), 150_000, false),
        ] {
            assert_eq!(LIMIT.admit(counts, at(now)).is_ok(), admitted, "{counts:?} at {now}");
        }
    }

    #[test]
    fn own_networks_are_allowed_more_and_nobody_else() {
        let own = OwnNetworks {
            networks: vec!["203.0.113.0/24".parse().unwrap(), "2001:db8:7::/48".parse().unwrap()],
            factor: 10,
        };
        for (address, allowed) in [
            ("203.0.113.9", vec![("203.0.113.9", 3_000)]),
            ("::ffff:203.0.113.9", vec![("203.0.113.9", 3_000)]),
            ("203.0.114.9", vec![("203.0.114.9", 300)]),
            ("2001:db8:7:102::9", vec![("2001:db8:7:102::", 3_000), ("2001:db8:7:100::/56", 12_000)]),
            ("2001:db8:8:102::9", vec![("2001:db8:8:102::", 300), ("2001:db8:8:100::/56", 1_200)]),
        ] {
            let found: Vec<_> = limits_for(address.parse().unwrap(), LIMIT, &own)
                .map(|(prefix, limit)| (prefix.to_string(), limit.max, limit.window))
                .collect();
            let expected: Vec<_> =
                allowed.into_iter().map(|(prefix, max)| (prefix.to_owned(), max, LIMIT.window)).collect();
            assert_eq!(found, expected, "{address}");
        }
    }

    #[test]
    fn a_network_is_a_24_or_a_56() {
        let own = OwnNetworks { networks: vec!["203.0.113.0/24".parse().unwrap()], factor: 10 };
        for (address, network, max) in [
            ("198.51.100.77", "198.51.100.0/24", 300),
            ("::ffff:198.51.100.77", "198.51.100.0/24", 300),
            ("203.0.113.9", "203.0.113.0/24", 3_000),
            ("2001:db8:8:1ff::9", "2001:db8:8:100::/56", 300),
        ] {
            let (prefix, limit) = network_limit(address.parse().unwrap(), LIMIT, &own);
            assert_eq!((prefix.to_string().as_str(), limit.max), (network, max), "{address}");
        }
    }

    #[test]
    fn prefixes_group_what_one_line_owns() {
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(AddressPrefix::of(parse("2001:db8::1")), AddressPrefix::of(parse("2001:db8::ffff")));
        assert_ne!(AddressPrefix::of(parse("2001:db8:0:1::1")), AddressPrefix::of(parse("2001:db8::1")));
        assert_eq!(
            AddressPrefix::wider(parse("2001:db8:0:1::1")),
            AddressPrefix::wider(parse("2001:db8::1"))
        );
        // The first /64 of a line shares its counters with the line's /56 in no case.
        let first = parse("2001:db8:0:100::1");
        assert_ne!(AddressPrefix::of(first), AddressPrefix::network(first));
        assert_ne!(AddressPrefix::of(first).to_string(), AddressPrefix::network(first).to_string());
        assert_eq!(AddressPrefix::of(parse("::ffff:192.0.2.1")), AddressPrefix::of(parse("192.0.2.1")));
        assert_ne!(AddressPrefix::of(parse("192.0.2.1")), AddressPrefix::of(parse("192.0.2.2")));
    }
}
