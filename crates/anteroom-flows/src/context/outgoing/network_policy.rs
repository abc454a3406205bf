//! Which addresses requests may go to.

use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// Where outgoing requests may go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NetworkPolicy {
    /// https to public addresses, and to the networks that the operator allows; these can include loopback.
    Public { allowed: Vec<IpNet> },
    /// https to public addresses alone, for addresses that clients registered themselves.
    Registered,
    /// Loopback over http as well: the clients of a development issuer run on the same machine.
    Loopback,
}

/// Why an address is not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Https,
    Loopback,
    Private,
    /// Not public, and named by a client that registered itself: nothing in the configuration allows it.
    Registered,
    /// Neither public nor of this machine, under a loopback issuer, where `outgoing.allow` has no effect.
    Development,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Https => "only https is allowed; http only to loopback, if the issuer is loopback",
            Self::Loopback => {
                "the machine itself is reached where `outgoing.allow` names its network, such as 127.0.0.0/8, and then only for \
                 addresses in the configuration"
            }
            Self::Private => {
                "an address that is not public is reached where `outgoing.allow` names its network, and then only for addresses in \
                 the configuration"
            }
            Self::Registered => "addresses that clients registered themselves must be public, whatever `outgoing.allow` names",
            Self::Development => "with a loopback issuer, only public and loopback addresses are reached",
        })
    }
}

impl NetworkPolicy {
    /// For addresses that clients registered themselves: networks that the operator allows are for configured clients alone.
    pub(super) fn of_registered(&self) -> Self {
        match self {
            Self::Public { .. } | Self::Registered => Self::Registered,
            Self::Loopback => Self::Loopback,
        }
    }

    /// The rule that an address is refused by.
    pub(super) fn refuses(&self, address: IpAddr) -> Option<Rule> {
        let address = address.to_canonical();
        let is_allowed = match self {
            Self::Public { allowed } => allowed.iter().any(|network| network.contains(&address)),
            Self::Registered => false,
            Self::Loopback => address.is_loopback(),
        };
        let rule = match self {
            Self::Public { .. } if address.is_loopback() => Rule::Loopback,
            Self::Public { .. } => Rule::Private,
            Self::Registered => Rule::Registered,
            Self::Loopback => Rule::Development,
        };
        (!is_allowed && !is_public(address)).then_some(rule)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let special = a == 0
                || a >= 240
                || (a == 192 && v4.octets() < [192, 0, 1, 0])
                || (a == 198 && b & 0xfe == 18);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_documentation()
                || shared
                || special)
        }
        IpAddr::V6(v6) => {
            // Only 2000::/3 is globally routed. Within it, 6to4 and Teredo lead to IPv4 addresses, and documentation is unused.
            let [first, second, ..] = v6.segments();
            let tunnels = first == 0x2002 || (first == 0x2001 && second == 0);
            let documentation = (first == 0x2001 && second == 0xdb8) || first == 0x3fff;
            first & 0xe000 == 0x2000 && !tunnels && !documentation
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(policy: &NetworkPolicy, address: &str) -> bool {
        policy.refuses(address.parse().unwrap()).is_none()
    }

    fn public_only() -> NetworkPolicy {
        NetworkPolicy::Public { allowed: Vec::new() }
    }

    #[test]
    fn an_allowed_network_is_reached_and_no_other() {
        let policy = NetworkPolicy::Public { allowed: vec!["10.1.0.0/16".parse().unwrap()] };
        assert!(admits(&policy, "10.1.2.3"));
        assert!(!admits(&policy, "10.2.0.1"));
        assert!(!admits(&policy.of_registered(), "10.1.2.3"));
        let policy = NetworkPolicy::Public { allowed: vec!["127.0.0.0/8".parse().unwrap()] };
        assert!(admits(&policy, "127.0.0.1") && admits(&policy, "::ffff:127.0.0.1"));
        assert!(!admits(&policy, "::1") && !admits(&policy.of_registered(), "127.0.0.1"));
    }

    /// What the log advises must help: `outgoing.allow` is for addresses in the configuration, and not under a loopback issuer.
    #[test]
    fn outgoing_allow_is_advised_where_it_helps_and_nowhere_else() {
        let rule = |policy: &NetworkPolicy, address: &str| policy.refuses(address.parse().unwrap()).unwrap();
        let allowing = NetworkPolicy::Public { allowed: vec!["10.0.0.0/8".parse().unwrap()] };
        for address in ["127.0.0.1", "::1", "192.168.1.1", "10.0.0.1", "fc00::1"] {
            assert_eq!(rule(&allowing.of_registered(), address), Rule::Registered, "{address}");
            let of_configuration = rule(&public_only(), address).to_string();
            assert!(of_configuration.contains("where `outgoing.allow` names its network"), "{address}");
        }
        assert_eq!(allowing.of_registered().of_registered(), NetworkPolicy::Registered);
        assert_eq!(rule(&NetworkPolicy::Loopback, "10.0.0.1"), Rule::Development);
        assert_eq!(NetworkPolicy::Loopback.of_registered(), NetworkPolicy::Loopback);
        for rule in [Rule::Https, Rule::Registered, Rule::Development] {
            assert!(!rule.to_string().contains("where `outgoing.allow`"), "{rule}");
        }
    }

    #[test]
    fn only_public_addresses_are_reached() {
        for (address, public) in [
            ("93.184.216.34", true),
            ("10.0.0.1", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("100.64.0.1", false),
            ("169.254.169.254", false),
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("224.0.0.1", false),
            ("198.18.0.1", false),
            ("2606:2800:220:1::1", true),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("64:ff9b::7f00:1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(admits(&public_only(), address), public, "{address}");
        }
        assert!(admits(&NetworkPolicy::Loopback, "127.0.0.1"));
        assert!(!admits(&NetworkPolicy::Loopback, "10.0.0.1"));
    }
}
