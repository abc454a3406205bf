//! What one person was answered for, as the trail must have it.

use std::collections::BTreeMap;

/// By the kind of entry. What got no answer may have happened or not.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    certain: BTreeMap<&'static str, u32>,
    possible: BTreeMap<&'static str, u32>,
}

/// A session ends by more than the person's own doing: at least so many.
const NO_UPPER_BOUND: &str = "signed_out";

impl Ledger {
    pub(crate) fn did(&mut self, kind: &'static str) {
        *self.certain.entry(kind).or_default() += 1;
    }

    pub(crate) fn perhaps(&mut self, kinds: &[&'static str]) {
        for kind in kinds {
            *self.possible.entry(kind).or_default() += 1;
        }
    }

    pub(crate) fn certain(&self, kind: &str) -> u32 {
        self.certain.get(kind).copied().unwrap_or_default()
    }

    pub(crate) fn most(&self, kind: &str) -> u32 {
        self.certain(kind) + self.possible.get(kind).copied().unwrap_or_default()
    }

    /// What the trail has otherwise, in words.
    pub(crate) fn differences(&self, recorded: &BTreeMap<String, u32>) -> Vec<String> {
        let mut kinds: Vec<_> = self.certain.keys().chain(self.possible.keys()).copied().collect();
        kinds.sort_unstable();
        kinds.dedup();
        let differs = |kind: &&str| {
            let (found, least) = (recorded.get(*kind).copied().unwrap_or_default(), self.certain(kind));
            let most = if *kind == NO_UPPER_BOUND { u32::MAX } else { self.most(kind) };
            (!(least..=most).contains(&found))
                .then(|| format!("{kind}: {found} entries, not {least} to {most}"))
        };
        kinds.iter().filter_map(differs).collect()
    }
}
