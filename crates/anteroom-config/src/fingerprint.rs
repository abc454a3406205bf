//! Fingerprints: of the whole configuration, for nodes to compare, and of each client, for sealed values to name.
//!
//! They cover what was written and is not the default. So neither the order of files and keys nor a default written
//! out makes a difference, and a release that adds a key agrees with the one before it while both are running.

use anteroom_domain::client::ClientVersion;
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::inputs::sha256;

/// Nodes of one installation must run the same configuration. Equal digests mean that; keys that are each node's own
/// (addresses, paths) are left out.
///
/// Keyed with the master key, because secrets go into it and it is logged and stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ConfigurationDigest([u8; 32]);

impl ConfigurationDigest {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ConfigurationDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ConfigurationDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What nodes of one installation may differ in: keys, and sections with a dot behind.
pub(crate) const PER_NODE_KEYS: &[&str] = &[
    "include",
    "server.",
    "database.",
    "keys.master_key_file",
    "keys.master_key_env",
    "hashing.queue",
    "theme.",
    "audit.",
    "log.",
];

/// Keys that say where a client's secret is stored; they are not part of its fingerprint.
pub(crate) const CLIENT_SECRET_KEYS: &[&str] = &["secret_file", "secret_env", "secret_files"];

/// Keys with their values as TOML.
pub(crate) type NonDefaultValues = BTreeMap<String, String>;

/// A group or client, told from its like by name.
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) written: NonDefaultValues,
    pub(crate) secrets: &'a [SecretString],
}

pub(crate) fn client_version(written: &NonDefaultValues) -> ClientVersion {
    let mut buffer = LengthPrefixed::default();
    buffer.push_all(written, |key| !CLIENT_SECRET_KEYS.contains(&key));
    let hash = sha256(&buffer.0);
    ClientVersion(hash.iter().take(8).fold(0, |version, byte| version << 8 | u64::from(*byte)))
}

/// `main` is everything but groups and clients, which are in the order of their names.
pub(crate) fn configuration_digest(
    master_key: &SecretString,
    main: &NonDefaultValues,
    groups: &[Named<'_>],
    clients: &[Named<'_>],
) -> ConfigurationDigest {
    let mut buffer = LengthPrefixed::default();
    buffer.push("anteroom configuration 1");
    buffer.push_all(main, is_shared);
    for named in [groups, clients] {
        buffer.push_count(named.len());
        for item in named {
            buffer.push_named(item);
        }
    }
    let key = hmac::Key::new(HMAC_SHA256, master_key.expose_secret().trim().as_bytes());
    let mut digest = [0; 32];
    let tag = hmac::sign(&key, &buffer.0);
    digest.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    ConfigurationDigest(digest)
}

/// Past this many groups and clients they are fingerprinted together: what is compared is kept with each change.
const MOST_NAMED: usize = 200;

/// A short fingerprint of each key, group and client, by which nodes that differ can tell in what. Keyed like the digest, since
/// it is kept and shown around, and most values could be guessed.
pub(crate) fn configuration_parts(
    master_key: &SecretString,
    main: &NonDefaultValues,
    groups: &[Named<'_>],
    clients: &[Named<'_>],
) -> BTreeMap<String, String> {
    let key = hmac::Key::new(HMAC_SHA256, master_key.expose_secret().trim().as_bytes());
    let tag = |name: &str, buffer: LengthPrefixed| {
        let mut whole = LengthPrefixed::default();
        whole.push("anteroom configuration part 1");
        whole.push(name);
        whole.0.extend(buffer.0);
        let tag = hmac::sign(&key, &whole.0);
        let short = tag.as_ref().iter().take(4).fold(String::new(), |mut hex, byte| {
            // Writing to a String does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        (name.to_owned(), short)
    };
    let of_key = |(name, value): (&String, &String)| {
        let mut buffer = LengthPrefixed::default();
        buffer.push(value);
        tag(name, buffer)
    };
    let mut parts: BTreeMap<String, String> =
        main.iter().filter(|(name, _)| is_shared(name)).map(of_key).collect();
    for (kind, named) in [("groups", groups), ("clients", clients)] {
        let together = named.len() > MOST_NAMED;
        let mut all = LengthPrefixed::default();
        for item in named {
            let mut buffer = LengthPrefixed::default();
            buffer.push_named(item);
            if together {
                all.push(item.name);
                all.0.extend(buffer.0);
            } else {
                parts.extend([tag(&format!("{kind}.{}", item.name), buffer)]);
            }
        }
        if together {
            parts.extend([tag(kind, all)]);
        }
    }
    parts
}

fn is_shared(key: &str) -> bool {
    !PER_NODE_KEYS.iter().any(|own| if own.ends_with('.') { key.starts_with(own) } else { key == *own })
}

/// Texts one after another, each with its length before it, so that none runs into the next.
#[derive(Default)]
pub(crate) struct LengthPrefixed(Vec<u8>);

impl LengthPrefixed {
    pub(crate) fn digest(&self) -> [u8; 32] {
        sha256(&self.0)
    }

    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        self.push_count(bytes.len());
        self.0.extend(bytes);
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.push_count(text.len());
        self.0.extend(text.as_bytes());
    }

    fn push_all(&mut self, written: &NonDefaultValues, counts: impl Fn(&str) -> bool) {
        let counted: Vec<_> = written.iter().filter(|(key, _)| counts(key)).collect();
        self.push_count(counted.len());
        for (key, value) in counted {
            self.push(key);
            self.push(value);
        }
    }

    pub(crate) fn push_named(&mut self, item: &Named<'_>) {
        self.push_all(&item.written, |key| !CLIENT_SECRET_KEYS.contains(&key));
        self.push_count(item.secrets.len());
        item.secrets.iter().for_each(|secret| self.push(secret.expose_secret()));
    }

    fn push_count(&mut self, count: usize) {
        self.0.extend((count as u64).to_be_bytes());
    }
}
