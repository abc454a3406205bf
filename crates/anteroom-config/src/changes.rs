//! In what a configuration differs from the one before it, and what of that waits for the next start of the node.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::documentation::at_start;
use crate::fingerprint::{LengthPrefixed, Named, NonDefaultValues};
use crate::reference;

/// Digests of what was written for each key, group and client, with what is in the files that they name.
///
/// They stay in memory: a digest of a short secret is as good as the secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PartDigests(BTreeMap<String, [u8; 32]>);

impl fmt::Debug for PartDigests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl PartDigests {
    /// `main` is everything but groups and clients; `contents` are those of the files that a key names.
    pub(crate) fn of(
        main: &NonDefaultValues,
        contents: impl Fn(&str) -> Vec<[u8; 32]>,
        groups: &[Named<'_>],
        clients: &[Named<'_>],
    ) -> Self {
        let keys = main.iter().map(|(key, value)| {
            let mut frames = LengthPrefixed::default();
            frames.push(value);
            for content in contents(key) {
                frames.push_bytes(&content);
            }
            (key.clone(), frames.digest())
        });
        let kinds = [("groups", groups), ("clients", clients)];
        let named = kinds.into_iter().flat_map(|(kind, named)| {
            named.iter().map(move |item| {
                let mut frames = LengthPrefixed::default();
                frames.push_named(item);
                (format!("{kind}.{}", item.name), frames.digest())
            })
        });
        Self(keys.chain(named).collect())
    }

    /// The names whose digests differ, or that only one side has.
    fn differing(&self, other: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name)).cloned().collect()
    }
}

/// What a reload has found, by the names of keys (`policy.session.idle`), groups and clients (`clients.schedule`).
#[derive(Debug, PartialEq, Eq)]
pub struct Changes {
    /// Since the configuration before this one.
    pub changed: Vec<String>,
    /// What the node does not run with until it starts anew, whenever it was changed.
    pub waiting: Vec<String>,
}

impl Changes {
    /// `started` is what the node was started with, `before` what was taken up last.
    pub fn of(now: &PartDigests, before: &PartDigests, started: &PartDigests) -> Self {
        let sections = reference::sections();
        let at_start = at_start(&sections);
        let waits = |name: &String| at_start.iter().any(|part| part.covers(name));
        let waiting = now.differing(started).into_iter().filter(waits).collect();
        Self { changed: now.differing(before), waiting }
    }
}
