//! Which claims of the granted scopes one place has, and how much of them an ID token can carry.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{ClaimMapping, claims_of};
use crate::names::ScopeSet;

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

    /// A listed name that no claim of these scopes has: the client would wait for it in vain.
    pub fn beyond<'a>(&'a self, scope: &ScopeSet, mapping: &ClaimMapping) -> Option<&'a str> {
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

/// What did not fit into an ID token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many groups were cut off.
    pub groups: usize,
    /// Claims that are not there at all.
    pub claims: Vec<String>,
}

impl LeftOut {
    pub fn is_nothing(&self) -> bool {
        self.groups == 0 && self.claims.is_empty()
    }
}

impl ClaimMapping {
    /// Cuts off groups, the last ones first, until the claims fit into an ID token. Where that is not enough, the longest
    /// claims about the person go; the client's constants stay.
    pub fn fit_id_token(&self, claims: &mut Map<String, Value>) -> LeftOut {
        let mut left_out = LeftOut::default();
        let mut size = bytes(claims);
        let name = self.name_of("groups");
        if let Some(Value::Array(groups)) = claims.get_mut(name) {
            while size > ID_TOKEN_CLAIMS_MAX
                && let Some(group) = groups.pop()
            {
                // A comma as well.
                size = size.saturating_sub(bytes(&group).saturating_add(1));
                left_out.groups = left_out.groups.saturating_add(1);
            }
            if groups.is_empty() {
                claims.remove(name);
            }
        }
        while bytes(claims) > ID_TOKEN_CLAIMS_MAX
            && let Some(longest) = self.longest(claims)
        {
            claims.remove(&longest);
            left_out.claims.push(longest);
        }
        left_out
    }

    fn longest(&self, claims: &Map<String, Value>) -> Option<String> {
        let is_constant = |name: &str| self.constants.keys().any(|constant| constant.as_str() == name);
        let of_person = claims.iter().filter(|(name, _)| !is_constant(name));
        of_person.max_by_key(|(_, value)| bytes(value)).map(|(name, _)| name.clone())
    }
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
        for count in [0, 1, 150] {
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
            assert!((ID_TOKEN_CLAIMS_MAX - 20..=ID_TOKEN_CLAIMS_MAX).contains(&bytes(&claims)));
            assert_eq!(claims[name][0], "group-000");
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
        assert_eq!(left_out, LeftOut { groups: 20, claims: vec!["profile".to_owned()] });
        let kept: BTreeSet<&str> = claims.keys().map(String::as_str).collect();
        assert_eq!(kept, ["name", "picture", "tenant"].into());
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
            assert_eq!(claims.beyond(&scope, mapping), expected, "{claims:?}");
        }
    }
}
