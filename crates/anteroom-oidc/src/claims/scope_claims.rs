//! Which claims of the granted scopes one place has, and how much of them an ID token can carry.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{ClaimMapping, claims_of};
use crate::protocol_values::{Scope, ScopeSet};

/// Which claims of the granted scopes are told in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeClaims {
    All,
    None,
    /// These, by the standard's name or by the client's, where a granted scope stands for them.
    Listed(BTreeSet<String>),
}

impl ScopeClaims {
    pub(super) fn has(&self, claim: &str, mapping: &ClaimMapping) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Listed(names) => names.contains(claim) || names.contains(mapping.name_of(claim)),
        }
    }

    /// The first listed name that none of these scopes stands for, so that it could never be returned.
    pub fn first_unavailable<'a>(&'a self, scope: &ScopeSet, mapping: &ClaimMapping) -> Option<&'a str> {
        let Self::Listed(names) = self else { return None };
        let claims: Vec<&str> = scope.iter().flat_map(claims_of).copied().collect();
        let is_there =
            |name: &str| claims.iter().any(|claim| *claim == name || mapping.name_of(claim) == name);
        names.iter().map(String::as_str).find(|name| !is_there(name))
    }
}

/// Claims about the person in an ID token have this many bytes of JSON at most: it comes back as `id_token_hint`, in the
/// address of a request, where proxies and browsers set limits.
pub const ID_TOKEN_CLAIMS_MAX: usize = 2048;

/// Of these bytes, this many are reserved for the claims of `profile` and `address`, which the person edits; groups cannot use
/// them.
const SELF_DESCRIBED_ROOM: usize = 512;

/// What did not fit into an ID token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OmittedClaims {
    /// How many groups were cut off.
    pub groups: usize,
    /// Claims that are not there at all.
    pub claims: Vec<String>,
}

impl OmittedClaims {
    pub fn is_nothing(&self) -> bool {
        self.groups == 0 && self.claims.is_empty()
    }
}

impl ClaimMapping {
    /// Leaves out what does not fit into an ID token; the client's constants stay.
    ///
    /// What an account can write about itself must not decide which of its groups an application is told. So these claims
    /// have room of their own, which groups never fill, and beyond it they go first, the longest ones before the others.
    pub fn fit_id_token(&self, claims: &mut Map<String, Value>) -> OmittedClaims {
        let mut left_out = OmittedClaims { groups: self.cut_groups(claims), claims: Vec::new() };
        let mut leave_out = |claims: &mut Map<String, Value>, of: &dyn Fn(&str) -> bool| {
            while bytes(claims) > ID_TOKEN_CLAIMS_MAX
                && let Some(longest) = longest(claims, of)
            {
                claims.remove(&longest);
                left_out.claims.push(longest);
            }
        };
        leave_out(claims, &|name| self.is_self_described(name));
        leave_out(claims, &|name| !self.is_constant(name));
        left_out
    }

    /// Removes groups from the end until they fit, and returns how many it removed.
    fn cut_groups(&self, claims: &mut Map<String, Value>) -> usize {
        let self_described: usize = claims
            .iter()
            .filter(|(name, _)| self.is_self_described(name))
            .map(|(name, value)| bytes(name).saturating_add(bytes(value)).saturating_add(2))
            .sum();
        let mut size = bytes(claims).saturating_sub(self_described);
        let name = self.name_of("groups");
        let Some(Value::Array(groups)) = claims.get_mut(name) else { return 0 };
        let before = groups.len();
        while size > ID_TOKEN_CLAIMS_MAX.saturating_sub(SELF_DESCRIBED_ROOM)
            && let Some(group) = groups.pop()
        {
            // A comma as well.
            size = size.saturating_sub(bytes(&group).saturating_add(1));
        }
        let cut = before.saturating_sub(groups.len());
        if groups.is_empty() {
            claims.remove(name);
        }
        cut
    }

    fn is_constant(&self, name: &str) -> bool {
        self.constants.keys().any(|constant| constant.as_str() == name)
    }

    fn is_self_described(&self, name: &str) -> bool {
        let mut claims = [Scope::Profile, Scope::Address].iter().flat_map(claims_of).copied();
        !self.is_constant(name) && claims.any(|claim| self.name_of(claim) == name)
    }
}

fn longest(claims: &Map<String, Value>, of: &dyn Fn(&str) -> bool) -> Option<String> {
    let candidates = claims.iter().filter(|(name, _)| of(name));
    candidates.max_by_key(|(_, value)| bytes(value)).map(|(name, _)| name.clone())
}

fn bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::ClaimName;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("{value}") };
        map
    }

    fn groups(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("group-{number:03}")).collect()
    }

    fn roles() -> ClaimMapping {
        ClaimMapping { groups_as: Some(ClaimName::of_groups("roles").unwrap()), ..ClaimMapping::default() }
    }

    #[test]
    fn what_fits_an_id_token_stays_as_it_is() {
        for count in [0, 1, 100] {
            let mut claims = map(json!({ "email": "alice@demo.example", "groups": groups(count) }));
            let before = bytes(&claims);
            assert!(before <= ID_TOKEN_CLAIMS_MAX, "{before}");
            assert!(ClaimMapping::default().fit_id_token(&mut claims).is_nothing());
            assert_eq!(claims.get("groups").is_some(), count > 0);
        }
    }

    #[test]
    fn groups_are_cut_off_until_the_rest_fits() {
        for (mapping, name) in [(ClaimMapping::default(), "groups"), (roles(), "roles")] {
            let mut claims = map(json!({ "email": "alice@demo.example", "name": "Alice" }));
            claims.insert(name.to_owned(), groups(300).into());
            let left_out = mapping.fit_id_token(&mut claims);
            let kept = claims[name].as_array().unwrap().len();
            assert_eq!((kept + left_out.groups, left_out.claims.is_empty()), (300, true));
            assert_eq!((&claims["email"], &claims["name"]), (&json!("alice@demo.example"), &json!("Alice")));
            assert!((1_520..=1_600).contains(&bytes(&claims)), "{}", bytes(&claims));
            assert_eq!(claims[name][0], "group-000");
        }
    }

    #[test]
    fn what_an_account_says_of_itself_decides_nothing_about_its_groups() {
        let fitted = |mut claims: Map<String, Value>| {
            let left_out = ClaimMapping::default().fit_id_token(&mut claims);
            assert!(bytes(&claims) <= ID_TOKEN_CLAIMS_MAX);
            (claims.get("groups").cloned(), left_out)
        };
        for count in [1, 50, 200] {
            let plain = map(json!({ "email": "bob@demo.example", "groups": groups(count) }));
            let mut long = plain.clone();
            for name in ["name", "website", "picture", "profile"] {
                long.insert(name.to_owned(), "x".repeat(2_000).into());
            }
            long.insert("address".to_owned(), json!({ "formatted": "y".repeat(2_000) }));
            let (expected, _) = fitted(plain);
            let (found, left_out) = fitted(long);
            assert_eq!(found, expected, "{count}");
            assert_eq!(left_out.claims.len(), 5);
        }
    }

    #[test]
    fn other_claims_go_the_longest_first_and_constants_stay() {
        let constant = ClaimName::of_constant("tenant").unwrap();
        let mapping = ClaimMapping {
            constants: [(constant, json!("n".repeat(600)))].into(),
            ..ClaimMapping::default()
        };
        let mut claims = map(json!({
            "tenant": "n".repeat(600), "picture": "p".repeat(900), "profile": "q".repeat(1_000), "name": "Alice",
            "groups": groups(20),
        }));
        let left_out = mapping.fit_id_token(&mut claims);
        assert_eq!(left_out, OmittedClaims { groups: 0, claims: vec!["profile".to_owned()] });
        let kept: BTreeSet<&str> = claims.keys().map(String::as_str).collect();
        assert_eq!(kept, ["groups", "name", "picture", "tenant"].into());
        let mut constants_alone = map(json!({ "tenant": "n".repeat(3_000) }));
        assert!(mapping.fit_id_token(&mut constants_alone).is_nothing());
        assert!(constants_alone.contains_key("tenant"));
    }

    #[test]
    fn a_listed_claim_belongs_to_a_scope_of_the_client() {
        let listed =
            |names: &[&str]| ScopeClaims::Listed(names.iter().map(|name| (*name).to_owned()).collect());
        let scope: ScopeSet = "openid email groups".parse().unwrap();
        let plain = ClaimMapping::default();
        for (claims, mapping, expected) in [
            (listed(&["email", "groups"]), &plain, None),
            (listed(&["email", "roles"]), &plain, Some("roles")),
            (listed(&["email", "roles"]), &roles(), None),
            (listed(&["name"]), &plain, Some("name")),
            (listed(&["sub"]), &plain, Some("sub")),
            (ScopeClaims::All, &plain, None),
            (ScopeClaims::None, &plain, None),
        ] {
            assert_eq!(claims.first_unavailable(&scope, mapping), expected, "{claims:?}");
        }
    }
}
