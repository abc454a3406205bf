//! Scopes: RFC 6749 §3.3, OpenID Connect Core §5.4 and §11.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::wire::{InvalidValue, serde_as_text};

/// One scope token. The standard ones by name, any other belongs to an API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    OpenId,
    Profile,
    Email,
    Address,
    Phone,
    Groups,
    OfflineAccess,
    /// Made by parsing only, so that it holds what RFC 6749 §3.3 admits.
    Other(ApiScope),
}

/// The text of a scope that only an API understands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiScope(String);

impl Scope {
    /// The scopes that this provider itself gives meaning to.
    pub const STANDARD: &'static [Self] = &[
        Self::OpenId,
        Self::Profile,
        Self::Email,
        Self::Address,
        Self::Phone,
        Self::Groups,
        Self::OfflineAccess,
    ];

    pub fn as_str(&self) -> &str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Address => "address",
            Self::Phone => "phone",
            Self::Groups => "groups",
            Self::OfflineAccess => "offline_access",
            Self::Other(ApiScope(text)) => text,
        }
    }
}

/// RFC 6749 §3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
const fn is_scope_char(c: char) -> bool {
    matches!(c, '!' | '#'..='[' | ']'..='~')
}

impl FromStr for Scope {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const MAX_BYTES: usize = 128;
        if let Some(standard) = Self::STANDARD.iter().find(|scope| scope.as_str() == text) {
            return Ok(standard.clone());
        }
        if text.is_empty() || text.len() > MAX_BYTES || !text.chars().all(is_scope_char) {
            return Err(InvalidValue::new("a scope (1 to 128 characters of RFC 6749 §3.3)", text));
        }
        Ok(Self::Other(ApiScope(text.to_owned())))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(Scope);

/// RFC 6749 §3.3 separates scopes by spaces, and admits commas within them: a list with commas is one scope that is not known,
/// which a developer must be told.
pub fn contains_comma(text: &str) -> bool {
    text.contains(',')
}

/// A set of scopes; order and repetition on the wire mean nothing (RFC 6749 §3.3), so it is written sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeSet(BTreeSet<Scope>);

impl ScopeSet {
    /// Every scope that this provider itself gives meaning to.
    pub fn standard() -> Self {
        Scope::STANDARD.iter().cloned().collect()
    }

    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    pub fn insert(&mut self, scope: Scope) {
        self.0.insert(scope);
    }

    pub fn remove(&mut self, scope: &Scope) {
        self.0.remove(scope);
    }

    /// Those scopes that fit.
    #[must_use]
    pub fn filtered(&self, fits: impl Fn(&Scope) -> bool) -> Self {
        self.0.iter().filter(|scope| fits(scope)).cloned().collect()
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.intersection(&other.0).cloned().collect()
    }

    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.0.difference(&other.0).cloned().collect()
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.0.union(&other.0).cloned().collect()
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl FromStr for ScopeSet {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(' ').filter(|token| !token.is_empty()).map(str::parse).collect()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

serde_as_text!(ScopeSet);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc6749_3_3_scopes_are_space_separated_and_unordered() {
        let set: ScopeSet = "email  openid email schedule:read".parse().unwrap();
        assert_eq!(set.to_string(), "openid email schedule:read");
        assert_eq!(set, "schedule:read openid email".parse().unwrap());
        assert!(set.contains(&Scope::OpenId) && !set.contains(&Scope::Profile));
        assert!("openid".parse::<ScopeSet>().unwrap().is_subset(&set));
        assert_eq!(set.intersection(&"email phone".parse().unwrap()).to_string(), "email");
    }

    #[test]
    fn rfc6749_3_3_characters_outside_the_grammar_are_refused() {
        for bad in ["a\"b", "a\\b", "é", "a\tb", "open\nid"] {
            assert!(bad.parse::<ScopeSet>().is_err(), "{bad:?}");
        }
        assert!("".parse::<ScopeSet>().unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn rfc6749_3_3_what_is_parsed_is_written_and_read_back(text in "([!#-\\[\\]-~]{1,9} ?|openid |email ){0,6}") {
            let set: ScopeSet = text.parse().unwrap();
            prop_assert_eq!(&set.to_string().parse::<ScopeSet>().unwrap(), &set);
            for word in text.split(' ').filter(|word| !word.is_empty()) {
                prop_assert!(set.contains(&word.parse().unwrap()));
            }
        }

        #[test]
        fn parsing_never_panics(text in ".{0,80}") {
            let _ = text.parse::<ScopeSet>();
        }
    }
}
