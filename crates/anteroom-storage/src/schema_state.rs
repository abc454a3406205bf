//! Judges a database by the steps that made its schema.

use anteroom_migrations::STEPS;
use std::collections::BTreeSet;
use std::fmt;

/// This release runs on a schema that is so many steps ahead of it, so that nodes can be upgraded one after another.
const STEPS_AHEAD: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    UpToDate,
    /// So many steps are still to be applied.
    Pending(usize),
    /// So many steps are not known to this release.
    Newer(usize),
}

impl SchemaState {
    pub const fn is_usable(self) -> bool {
        match self {
            Self::UpToDate => true,
            Self::Pending(_) => false,
            Self::Newer(steps) => steps <= STEPS_AHEAD,
        }
    }

    pub(crate) fn of(applied: &BTreeSet<String>) -> Self {
        let known: BTreeSet<String> = STEPS.iter().map(|step| step.name.to_owned()).collect();
        match (known.difference(applied).count(), applied.difference(&known).count()) {
            (0, 0) => Self::UpToDate,
            (0, ahead) => Self::Newer(ahead),
            (pending, _) => Self::Pending(pending),
        }
    }
}

impl fmt::Display for SchemaState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UpToDate => f.write_str("is up to date"),
            Self::Pending(steps) => {
                write!(f, "is {steps} step(s) behind this release: run `anteroom migrate`")
            }
            Self::Newer(steps) => write!(f, "is {steps} step(s) ahead of this release"),
        }
    }
}
