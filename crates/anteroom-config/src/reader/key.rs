//! One key: its name, kind and meaning, said once for reading, complaining and documenting.

use super::kind::Kind;

pub(crate) struct Key<T> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind<T>,
    /// For the reference; Markdown.
    pub(crate) meaning: &'static str,
    /// Whether the first value is less safe than the second, which is the default.
    pub(crate) looser: Option<fn(&T, &T) -> bool>,
    /// As TOML, where somebody else fills in the default.
    pub(crate) defaults_to: Option<&'static str>,
}

pub(crate) const fn key<T>(name: &'static str, kind: Kind<T>, meaning: &'static str) -> Key<T> {
    Key { name, kind, meaning, looser: None, defaults_to: None }
}

impl<T> Key<T> {
    #[must_use]
    pub(crate) fn defaults_to(mut self, default: &'static str) -> Self {
        self.defaults_to = Some(default);
        self
    }

    /// More than the default is less safe.
    #[must_use]
    pub(crate) fn looser_above(self) -> Self
    where
        T: PartialOrd,
    {
        self.looser_when(|given, default| given > default)
    }

    /// Less than the default is less safe.
    #[must_use]
    pub(crate) fn looser_below(self) -> Self
    where
        T: PartialOrd,
    {
        self.looser_when(|given, default| given < default)
    }

    #[must_use]
    pub(crate) fn looser_when(mut self, looser: fn(&T, &T) -> bool) -> Self {
        self.looser = Some(looser);
        self
    }
}
