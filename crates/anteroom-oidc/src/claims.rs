//! Claims about a person and who gets which: OpenID Connect Core §5.

mod mapping;
mod scope_claims;

use std::collections::BTreeSet;

use jiff::{Timestamp, fmt::serde::timestamp::second};
use serde::Serialize;
use serde_json::{Map, Value};

pub use self::{
    mapping::{ClaimMapping, ClaimName, InvalidClaimName},
    scope_claims::{ID_TOKEN_CLAIMS_MAX, OmittedClaims, ScopeClaims},
};
use crate::{
    authorization::ClaimRequests,
    protocol_values::{Scope, ScopeSet, Subject},
};

/// What is known of a person: OpenID Connect Core §5.1, and `groups`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StandardClaims<'a> {
    pub name: Option<&'a str>,
    pub given_name: Option<&'a str>,
    pub family_name: Option<&'a str>,
    pub middle_name: Option<&'a str>,
    pub nickname: Option<&'a str>,
    pub preferred_username: Option<&'a str>,
    pub profile: Option<&'a str>,
    pub picture: Option<&'a str>,
    pub website: Option<&'a str>,
    pub gender: Option<&'a str>,
    pub birthdate: Option<&'a str>,
    pub zoneinfo: Option<&'a str>,
    pub locale: Option<&'a str>,
    #[serde(with = "second::optional")]
    pub updated_at: Option<Timestamp>,
    pub email: Option<&'a str>,
    pub email_verified: Option<bool>,
    pub phone_number: Option<&'a str>,
    pub phone_number_verified: Option<bool>,
    pub address: Option<AddressClaim<'a>>,
    pub groups: Vec<String>,
}

/// OpenID Connect Core §5.1.1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AddressClaim<'a> {
    pub formatted: Option<&'a str>,
    pub street_address: Option<&'a str>,
    pub locality: Option<&'a str>,
    pub region: Option<&'a str>,
    pub postal_code: Option<&'a str>,
    pub country: Option<&'a str>,
}

/// The userinfo response: OpenID Connect Core §5.3.2. `sub` is always there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    pub sub: Subject,
    #[serde(flatten)]
    pub person: Map<String, Value>,
}

/// What a client is to get.
#[derive(Debug, Clone, Copy)]
pub struct ClaimSelection<'a> {
    /// The granted scopes, which stand for claims.
    pub scope: &'a ScopeSet,
    /// Which scope claims are returned here: all at userinfo and in an ID token issued without an access token (Core
    /// §5.4), none in another ID token from the authorization endpoint, and those that the client registered in one
    /// from the token endpoint.
    pub told: &'a ScopeClaims,
    /// Claims asked for one by one (Core §5.5), of the place in question.
    pub asked: &'a ClaimRequests,
    /// The scopes that the client is registered for. They bound what it can ask for one by one, so that the `claims`
    /// parameter opens nothing that the operator did not.
    pub allowed: &'a ScopeSet,
    /// The client's own name and values for `groups`, and its constant claims.
    pub mapping: &'a ClaimMapping,
    /// Whether the e-mail address is returned as `preferred_username` where the account has none and the client may have `email`.
    /// Not for pairwise clients: the e-mail address is the same for every client.
    pub email_as_username: bool,
}

/// Every claim name that an Anteroom provider can return about a person or a sign-in, for discovery.
pub const CLAIMS_SUPPORTED: &[&str] = &[
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "sid",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "address",
    "groups",
];

/// OpenID Connect Core §5.4: the claims that a scope stands for.
pub const fn claims_of(scope: &Scope) -> &'static [&'static str] {
    match scope {
        Scope::Profile => &[
            "name",
            "given_name",
            "family_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
        Scope::Email => &["email", "email_verified"],
        Scope::Address => &["address"],
        Scope::Phone => &["phone_number", "phone_number_verified"],
        Scope::Groups => &["groups"],
        Scope::OpenId | Scope::OfflineAccess | Scope::Other(_) => &[],
    }
}

/// The claims that go out, in the client's words, without any that is null or empty (Core §5.3.2). A claim that was asked for and
/// is not known is left out, essential or not (Core §5.5.1).
pub fn select_claims(person: &StandardClaims<'_>, wanted: ClaimSelection<'_>) -> Map<String, Value> {
    let of_scopes = wanted.scope.iter().flat_map(claims_of).copied();
    let mut names: BTreeSet<&str> = of_scopes.filter(|name| wanted.told.has(name, wanted.mapping)).collect();
    let may_ask = wanted.allowed.iter().flat_map(claims_of).copied();
    names.extend(may_ask.filter(|name| wanted.mapping.is_asked_for(name, wanted.asked)));

    let person = StandardClaims {
        groups: wanted.mapping.groups(&person.groups),
        preferred_username: username(person, wanted, names.contains("email")),
        ..*person
    };
    let Ok(Value::Object(all)) = serde_json::to_value(&person) else { return Map::new() };
    let mut released: Map<String, Value> = all
        .into_iter()
        .filter(|(name, _)| names.contains(name.as_str()))
        .filter_map(|(name, value)| Some((name, nonempty(value)?)))
        .collect();
    // `email_verified` and `phone_number_verified` are omitted if the claim they qualify is absent.
    for (value, verdict) in [(person.email, "email_verified"), (person.phone_number, "phone_number_verified")]
    {
        if value.is_none_or(str::is_empty) {
            released.remove(verdict);
        }
    }
    wanted.mapping.rename_and_add_constants(released)
}

/// The e-mail address stands in for a missing `preferred_username`, if it is ASCII: e-mail addresses that differ only in the case
/// of a non-ASCII letter belong to different accounts, while usernames ignore case, so such an address could equal the username
/// of another account.
fn username<'a>(
    person: &StandardClaims<'a>,
    wanted: ClaimSelection<'_>,
    with_email: bool,
) -> Option<&'a str> {
    let may_know = wanted.email_as_username && (with_email || wanted.scope.contains(&Scope::Email));
    let own = person.preferred_username.filter(|name| !name.is_empty());
    own.or_else(|| person.email.filter(|email| may_know && email.is_ascii()))
}

/// The claim with everything empty taken out of it; nothing where nothing is left.
fn nonempty(value: Value) -> Option<Value> {
    let value = match value {
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(members.filter_map(|(name, value)| Some((name, nonempty(value)?))).collect())
        }
        other => other,
    };
    let is_empty = match &value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    (!is_empty).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::ClaimRequest;

    fn alice() -> StandardClaims<'static> {
        StandardClaims {
            name: Some("Alice"),
            nickname: Some(""),
            updated_at: Some(Timestamp::from_second(1_700_000_000).unwrap()),
            email: Some("alice@demo.example"),
            email_verified: Some(true),
            phone_number_verified: Some(false),
            address: Some(AddressClaim { locality: Some("Springfield"), ..AddressClaim::default() }),
            groups: vec!["front-desk".to_owned()],
            ..StandardClaims::default()
        }
    }

    fn released(scope: &str, asked: &[&str], allowed: &str) -> Value {
        let asked = asked.iter().map(|name| ((*name).to_owned(), ClaimRequest::default())).collect();
        let (scope, allowed) = (&scope.parse().unwrap(), &allowed.parse().unwrap());
        told(scope, &asked, allowed, &ScopeClaims::All)
    }

    fn told(scope: &ScopeSet, asked: &ClaimRequests, allowed: &ScopeSet, told: &ScopeClaims) -> Value {
        let mapping = &ClaimMapping::default();
        let wanted = ClaimSelection { scope, told, asked, allowed, mapping, email_as_username: true };
        Value::Object(select_claims(&alice(), wanted))
    }

    #[test]
    fn core_5_4_a_place_has_all_some_or_none_of_the_claims_of_scopes() {
        let scope = "openid profile email groups".parse().unwrap();
        let asked = [("birthdate".to_owned(), ClaimRequest::default())].into();
        let listed = ["email", "groups", "phone_number"].map(str::to_owned).into();
        for (claims, expected) in [
            (ScopeClaims::None, serde_json::json!({})),
            (
                ScopeClaims::Listed(listed),
                serde_json::json!({ "email": "alice@demo.example", "groups": ["front-desk"] }),
            ),
            (
                ScopeClaims::All,
                serde_json::json!({
                    "name": "Alice", "preferred_username": "alice@demo.example",
                    "updated_at": 1_700_000_000, "email": "alice@demo.example",
                    "email_verified": true, "groups": ["front-desk"],
                }),
            ),
        ] {
            assert_eq!(told(&scope, &asked, &scope, &claims), expected, "{claims:?}");
        }
        let asked = [("name".to_owned(), ClaimRequest::default())].into();
        let none = told(&scope, &asked, &scope, &ScopeClaims::None);
        assert_eq!(
            none,
            serde_json::json!({ "name": "Alice" }),
            "what a request asks for one by one is told"
        );
    }

    #[test]
    fn core_5_4_scopes_stand_for_claims() {
        for (scope, expected) in [
            ("openid", "{}"),
            ("openid profile", r#"{"name":"Alice","updated_at":1700000000}"#),
            ("email", r#"{"email":"alice@demo.example","email_verified":true}"#),
            ("phone", "{}"),
            ("address", r#"{"address":{"locality":"Springfield"}}"#),
            ("groups schedule:read", r#"{"groups":["front-desk"]}"#),
        ] {
            assert_eq!(
                released(scope, &[], scope),
                serde_json::from_str::<Value>(expected).unwrap(),
                "{scope}"
            );
        }
    }

    #[test]
    fn core_5_1_the_address_stands_in_for_a_name_where_it_may_be_known() {
        let named = StandardClaims { preferred_username: Some("amoreno"), ..alice() };
        let asks = |names: &[&str]| -> ClaimRequests {
            names.iter().map(|name| ((*name).to_owned(), ClaimRequest::default())).collect()
        };
        let not_ascii = StandardClaims { email: Some("álice@demo.example"), ..alice() };
        let (address, all) = (Some("alice@demo.example"), "openid profile email");
        for (person, scope, asked, email_as_username, expected) in [
            (alice(), all, asks(&[]), true, address),
            (alice(), all, asks(&[]), false, None),
            (not_ascii, all, asks(&[]), true, None),
            (alice(), "openid profile", asks(&[]), true, None),
            (alice(), "openid profile", asks(&["email"]), true, address),
            (alice(), "openid", asks(&["preferred_username"]), true, None),
            (alice(), "openid email", asks(&["preferred_username"]), true, address),
            (alice(), "openid email", asks(&[]), true, None),
            (named.clone(), all, asks(&[]), true, Some("amoreno")),
            (named.clone(), "openid profile", asks(&[]), false, Some("amoreno")),
        ] {
            let (scope, allowed) = (&scope.parse().unwrap(), &all.parse().unwrap());
            let (told, mapping) = (&ScopeClaims::All, &ClaimMapping::default());
            let wanted = ClaimSelection { scope, told, asked: &asked, allowed, mapping, email_as_username };
            let claims = select_claims(&person, wanted);
            let said = claims.get("preferred_username").and_then(Value::as_str);
            assert_eq!(said, expected, "{scope} {asked:?} {email_as_username}");
        }
    }

    #[test]
    fn core_5_5_single_claims_within_what_the_client_is_registered_for() {
        let asked = ["email", "groups", "birthdate", "made_up", "sub"];
        assert_eq!(
            released("openid", &asked, "openid email profile"),
            serde_json::json!({ "email": "alice@demo.example" })
        );
    }

    #[test]
    fn core_5_3_2_no_null_and_no_empty_string() {
        let everything = "profile email address phone groups";
        let text = released(everything, &[], everything).to_string();
        assert!(!text.contains("null") && !text.contains(r#""""#), "{text}");
    }

    #[test]
    fn core_5_1_every_claim_belongs_to_a_scope_and_is_announced() {
        let of_scopes: BTreeSet<&str> = Scope::STANDARD.iter().flat_map(claims_of).copied().collect();
        let Value::Object(all) = serde_json::to_value(StandardClaims::default()).unwrap() else { panic!() };
        let of_person: BTreeSet<&str> = all.keys().map(String::as_str).collect();
        assert_eq!(of_scopes, of_person);
        assert!(of_person.iter().all(|name| CLAIMS_SUPPORTED.contains(name)));
    }

    #[test]
    fn core_5_3_2_sub_is_always_there() {
        let info = UserInfo { sub: "s".parse().unwrap(), person: Map::new() };
        assert_eq!(serde_json::to_string(&info).unwrap(), r#"{"sub":"s"}"#);
    }
}
