//! One key: its name, kind and meaning, said once for reading, complaining and documenting.

use super::kind::Kind;

pub(crate) struct Key<T> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind<T>,
    /// For the reference; Markdown.
    pub(crate) meaning: &'static str,
    /// Whether the first value is less safe than the second, which is the default.
    pub(crate) looser: Option<fn(&T, &T) -> bool>,
    /// Values that lock legitimate people or clients out, and the warning that says so.
    pub(crate) shuts_out: Option<ExcludingValue<T>>,
    /// As TOML, where the default is filled in elsewhere.
    pub(crate) defaults_to: Option<&'static str>,
}

pub(crate) struct ExcludingValue<T> {
    /// Whether the first value, which was given, is beyond the second.
    beyond: fn(&T, &T) -> bool,
    bound: T,
    /// How to say so; empty where there is one such value.
    word: &'static str,
    what: &'static str,
}

impl<T: 'static> ExcludingValue<T> {
    /// What happens, for a value that does.
    pub(crate) fn of(&self, value: &T, kind: &Kind<T>) -> Option<String> {
        let (word, what) = (self.word, self.what);
        (self.beyond)(value, &self.bound).then(|| match word {
            "" => what.to_owned(),
            word => format!("{word} {}, {what}", kind.show(&self.bound)),
        })
    }
}

pub(crate) const fn key<T>(name: &'static str, kind: Kind<T>, meaning: &'static str) -> Key<T> {
    Key { name, kind, meaning, looser: None, shuts_out: None, defaults_to: None }
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
    pub(crate) fn shuts_out_below(mut self, bound: T, what: &'static str) -> Self
    where
        T: PartialOrd,
    {
        let beyond = |given: &T, bound: &T| given < bound;
        self.shuts_out = Some(ExcludingValue { beyond, bound, word: "below", what });
        self
    }

    #[must_use]
    pub(crate) fn shuts_out_above(mut self, bound: T, what: &'static str) -> Self
    where
        T: PartialOrd,
    {
        let beyond = |given: &T, bound: &T| given > bound;
        self.shuts_out = Some(ExcludingValue { beyond, bound, word: "above", what });
        self
    }

    #[must_use]
    pub(crate) fn shuts_out_when(mut self, value: T, what: &'static str) -> Self
    where
        T: PartialEq,
    {
        let beyond = |given: &T, value: &T| given == value;
        self.shuts_out = Some(ExcludingValue { beyond, bound: value, word: "", what });
        self
    }

    #[must_use]
    pub(crate) fn looser_when(mut self, looser: fn(&T, &T) -> bool) -> Self {
        self.looser = Some(looser);
        self
    }
}
