//! What one client wants to be told in words of its own: the groups under another name and with other values, and claims
//! that are the same for every person. The scope `groups` is what lets a client have the groups, whatever they are called.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::CLAIMS_SUPPORTED;
use crate::{authorization::ClaimRequests, display_text::shorten};

const GROUPS: &str = "groups";

/// Names that tokens, userinfo and introspection mean something by, beside those that discovery announces: RFC 7519 §4.1,
/// OpenID Connect Core §2 and §5.6, RFC 7662, RFC 7800, RFC 8693, RFC 9068 and the logout specifications.
const RESERVED_CLAIMS: &[&str] = &[
    "nbf",
    "jti",
    "at_hash",
    "c_hash",
    "s_hash",
    "sub_jwk",
    "_claim_names",
    "_claim_sources",
    "active",
    "username",
    "token_type",
    "scope",
    "client_id",
    "cnf",
    "act",
    "may_act",
    "events",
    "txn",
];

/// Claims that say what a person may do: `groups`, and the others of RFC 9068 §2.2.3.1.
const AUTHORIZATION_CLAIMS: &[&str] = &[GROUPS, "roles", "entitlements"];

/// The name of a claim that the operator chooses; never a reserved one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimName(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClaimName {
    #[error("a claim's name has 1 to {max} visible characters", max = ClaimName::MAX_BYTES)]
    Form,
    #[error("{0:?} is a reserved claim name")]
    Taken(String),
}

impl ClaimName {
    const MAX_BYTES: usize = 128;

    /// For the claim that carries the groups.
    pub fn of_groups(text: &str) -> Result<Self, InvalidClaimName> {
        if text.is_empty() || text.len() > Self::MAX_BYTES || !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err(InvalidClaimName::Form);
        }
        let announced = CLAIMS_SUPPORTED.contains(&text) && text != GROUPS;
        if announced || RESERVED_CLAIMS.contains(&text) {
            return Err(InvalidClaimName::Taken(shorten(text)));
        }
        Ok(Self(text.to_owned()))
    }

    /// For a claim that is the same for every person: nothing that says what one may do.
    pub fn of_constant(text: &str) -> Result<Self, InvalidClaimName> {
        if AUTHORIZATION_CLAIMS.contains(&text) {
            return Err(InvalidClaimName::Taken(shorten(text)));
        }
        Self::of_groups(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The default renames and adds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimMapping {
    /// The claim that carries the groups, in the place of `groups`.
    pub groups_as: Option<ClaimName>,
    /// What a group is called; those that are not here are left out. Without it, all have their own names.
    pub groups: Option<BTreeMap<String, String>>,
    pub constants: BTreeMap<ClaimName, Value>,
}

impl ClaimMapping {
    /// What the client calls a claim of the standard list.
    pub fn name_of<'a>(&'a self, claim: &'a str) -> &'a str {
        match &self.groups_as {
            Some(name) if claim == GROUPS => name.as_str(),
            _ => claim,
        }
    }

    /// By its own name or by the standard's.
    pub fn is_asked_for(&self, claim: &str, asked: &ClaimRequests) -> bool {
        asked.contains_key(claim) || asked.contains_key(self.name_of(claim))
    }

    /// The groups as the client calls them, in their order and each once.
    pub(super) fn groups(&self, own: &[String]) -> Vec<String> {
        let Some(values) = &self.groups else { return own.to_vec() };
        let mut renamed = Vec::new();
        for value in own.iter().filter_map(|group| values.get(group)) {
            if !renamed.contains(value) {
                renamed.push(value.clone());
            }
        }
        renamed
    }

    /// Puts the claims under the client's names, and adds those that are always the same.
    pub(super) fn rename_and_add_constants(&self, released: Map<String, Value>) -> Map<String, Value> {
        let renamed = released.into_iter().map(|(name, value)| (self.name_of(&name).to_owned(), value));
        let constants = self.constants.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone()));
        // A claim about the person comes before a constant of the same name.
        let mut finished: Map<String, Value> = constants.collect();
        finished.extend(renamed);
        finished
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScopeSet;
    use crate::authorization::ClaimRequest;
    use crate::claims::{ClaimSelection, ScopeClaims, StandardClaims, select_claims};
    use serde_json::json;

    fn mapping(
        groups_as: Option<&str>,
        groups: Option<&[(&str, &str)]>,
        constants: &[(&str, Value)],
    ) -> ClaimMapping {
        let text = |text: &str| text.to_owned();
        ClaimMapping {
            groups_as: groups_as.map(|name| ClaimName::of_groups(name).unwrap()),
            groups: groups.map(|all| all.iter().map(|(group, value)| (text(group), text(value))).collect()),
            constants: constants
                .iter()
                .map(|(name, value)| (ClaimName::of_constant(name).unwrap(), value.clone()))
                .collect(),
        }
    }

    fn told(mapping: &ClaimMapping, scope: &str, asked: &[&str]) -> Value {
        let person = StandardClaims {
            nickname: Some("Al"),
            groups: ["billing", "clinical", "front-desk"].map(str::to_owned).to_vec(),
            ..StandardClaims::default()
        };
        let asked: ClaimRequests =
            asked.iter().map(|name| ((*name).to_owned(), ClaimRequest::default())).collect();
        let (scope, allowed): (ScopeSet, ScopeSet) =
            (scope.parse().unwrap(), "openid groups".parse().unwrap());
        let told = &ScopeClaims::All;
        let wanted = ClaimSelection {
            scope: &scope,
            told,
            asked: &asked,
            allowed: &allowed,
            mapping,
            email_as_username: false,
        };
        Value::Object(select_claims(&person, wanted))
    }

    #[test]
    fn a_client_is_told_groups_and_constants_in_its_own_words() {
        let plain = ClaimMapping::default();
        let roles = mapping(Some("roles"), None, &[]);
        let values = [("clinical", "ROLE_CHARTS"), ("billing", "ROLE_CHARTS"), ("managers", "ROLE_ADMIN")];
        let valued = mapping(Some("https://app.example/roles"), Some(&values), &[]);
        let nobody = mapping(Some("roles"), Some(&[("managers", "admin")]), &[]);
        let same = mapping(None, Some(&[("front-desk", "reception")]), &[]);
        let constants = [("tenant", json!("north")), ("features", json!({ "beta": [1, 2] }))];
        let fixed = mapping(Some("roles"), Some(&[("clinical", "c")]), &constants);
        for (mapping, scope, asked, expected) in [
            (&plain, "openid groups", &[][..], json!({ "groups": ["billing", "clinical", "front-desk"] })),
            (&roles, "openid groups", &[], json!({ "roles": ["billing", "clinical", "front-desk"] })),
            (&roles, "openid", &[], json!({})),
            (&roles, "openid", &["roles"], json!({ "roles": ["billing", "clinical", "front-desk"] })),
            (&roles, "openid", &["groups"], json!({ "roles": ["billing", "clinical", "front-desk"] })),
            (&plain, "openid", &["roles"], json!({})),
            (&valued, "openid groups", &[], json!({ "https://app.example/roles": ["ROLE_CHARTS"] })),
            (&nobody, "openid groups", &[], json!({})),
            (&same, "openid groups profile", &[], json!({ "groups": ["reception"], "nickname": "Al" })),
            (&fixed, "openid", &[], json!({ "tenant": "north", "features": { "beta": [1, 2] } })),
            (
                &fixed,
                "groups",
                &[],
                json!({ "roles": ["c"], "tenant": "north", "features": { "beta": [1, 2] } }),
            ),
        ] {
            assert_eq!(told(mapping, scope, asked), expected, "{mapping:?} {scope} {asked:?}");
        }
    }

    #[test]
    fn no_name_is_taken_that_means_something_already() {
        for (name, for_groups, for_constants) in [
            ("roles", true, false),
            ("groups", true, false),
            ("entitlements", true, false),
            ("https://app.example/roles", true, true),
            ("tenant", true, true),
            ("sub", false, false),
            ("iss", false, false),
            ("jti", false, false),
            ("email_verified", false, false),
            ("at_hash", false, false),
            ("scope", false, false),
            ("_claim_names", false, false),
            ("", false, false),
            ("a b", false, false),
            ("é", false, false),
        ] {
            assert_eq!(ClaimName::of_groups(name).is_ok(), for_groups, "{name}");
            assert_eq!(ClaimName::of_constant(name).is_ok(), for_constants, "{name}");
        }
        assert!(ClaimName::of_groups(&"x".repeat(129)).is_err());
    }
}
