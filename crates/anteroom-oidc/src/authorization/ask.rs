//! What a request asks for, however it came and wherever its answer goes.

use serde::{Deserialize, Serialize};

use super::ClaimsRequest;
use crate::{
    jwt::UnverifiedHint,
    protocol_values::{Acr, ClientId, Display, Nonce, PromptSet, Scope, ScopeSet},
};

/// What a client asks for: whom to sign in and how, and what its tokens are to hold. Nothing here says where the answer goes
/// ([`super::ResponseDelivery`]), so that a grant without a redirect can ask for the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestContent {
    pub client_id: ClientId,
    /// What was asked for and is registered.
    pub scope: ScopeSet,
    /// For the ID token (OpenID Connect Core §3.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    #[serde(default, skip_serializing_if = "PromptSet::is_empty")]
    pub prompt: PromptSet,
    /// Seconds, of the request or else the client's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<ClaimsRequest>,
    /// The known ones, in order of preference, of the request or else the client's default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<Acr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_hint: Option<UnverifiedHint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Display>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ui_locales: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims_locales: Vec<String>,
    /// RFC 8707: the APIs that the access token is for, each one of the client's audience.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
}

/// Which authentication context a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcrRequirement {
    Any,
    /// OpenID Connect Core §3.1.2.1 `acr_values`, or `acr` as a claim that is not essential: tried, never a reason
    /// to refuse. Never empty.
    Voluntary(Vec<Acr>),
    /// OpenID Connect Core §5.5.1.1: one of these or an error. Empty where the client named only classes that this
    /// provider does not know, which nothing can satisfy.
    Essential(Vec<Acr>),
}

impl RequestContent {
    /// Only the client: for a stored record that keeps where the response went but no longer what was requested.
    #[must_use]
    pub fn of_client_only(client_id: ClientId) -> Self {
        Self {
            client_id,
            scope: ScopeSet::default(),
            nonce: None,
            prompt: PromptSet::default(),
            max_age: None,
            claims: None,
            acr_values: Vec::new(),
            id_token_hint: None,
            login_hint: None,
            display: None,
            ui_locales: Vec::new(),
            claims_locales: Vec::new(),
            resource: Vec::new(),
        }
    }

    /// OpenID Connect Core §3.1.2.1: without `openid` it is plain OAuth 2.0 and there is no ID token.
    pub fn is_openid(&self) -> bool {
        self.scope.contains(&Scope::OpenId)
    }

    pub fn acr_requirement(&self) -> AcrRequirement {
        let known = |texts: &mut dyn Iterator<Item = &str>| -> Vec<Acr> {
            texts.filter_map(|text| text.parse().ok()).collect()
        };
        if let Some(asked) = self.claims.as_ref().and_then(|claims| claims.id_token.get("acr")) {
            let names_values = asked.accepted_values().next().is_some();
            let values = known(&mut asked.accepted_texts());
            if asked.essential && names_values {
                return AcrRequirement::Essential(values);
            }
            if !values.is_empty() {
                return AcrRequirement::Voluntary(values);
            }
        }
        if self.acr_values.is_empty() {
            AcrRequirement::Any
        } else {
            AcrRequirement::Voluntary(self.acr_values.clone())
        }
    }

    /// OpenID Connect Core §5.5.1: `sub` asked for with a value names the one person who may answer, with several those who
    /// may. Empty where none of the values can be a `sub`, and so no person may.
    pub fn required_subjects(&self) -> Option<Vec<&str>> {
        let asked = self.claims.as_ref()?.id_token.get("sub")?;
        asked.accepted_values().next()?;
        Some(asked.accepted_texts().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::testing::{accepted, request_with};

    #[test]
    fn core_5_5_1_1_essential_acr_binds_and_the_rest_is_voluntary() {
        use AcrRequirement::{Any, Essential, Voluntary};
        let mfa = Acr::Mfa.as_str();
        let essential = format!(r#"{{"id_token":{{"acr":{{"essential":true,"value":"{mfa}"}}}}}}"#);
        let unknown = r#"{"id_token":{"acr":{"essential":true,"values":["gold"]}}}"#;
        let voluntary = format!(r#"{{"id_token":{{"acr":{{"values":["gold","{mfa}"]}}}}}}"#);
        let bare = r#"{"id_token":{"acr":{"essential":true}}}"#;
        for (extra, expected) in [
            (vec![], Any),
            (vec![("acr_values", mfa)], Voluntary(vec![Acr::Mfa])),
            (vec![("acr_values", "gold silver")], Any),
            (vec![("claims", essential.as_str())], Essential(vec![Acr::Mfa])),
            (vec![("claims", unknown), ("acr_values", mfa)], Essential(vec![])),
            (vec![("claims", voluntary.as_str())], Voluntary(vec![Acr::Mfa])),
            (vec![("claims", bare)], Any),
        ] {
            assert_eq!(accepted(&request_with(&extra)).ask.acr_requirement(), expected, "{extra:?}");
        }
    }

    #[test]
    fn core_5_5_1_sub_with_a_value_names_the_person() {
        for (claims, expected) in [
            (r#"{"id_token":{"sub":{"value":"248289761001"}}}"#, Some(vec!["248289761001"])),
            (r#"{"id_token":{"sub":{"values":["a","b"]}}}"#, Some(vec!["a", "b"])),
            (r#"{"id_token":{"sub":{"value":"a","values":["b",7]}}}"#, Some(vec!["a", "b"])),
            (r#"{"id_token":{"sub":{"value":7}}}"#, Some(vec![])),
            (r#"{"id_token":{"sub":{"values":[]}}}"#, None),
            (r#"{"id_token":{"sub":null}}"#, None),
            (r#"{"userinfo":{"sub":{"value":"a"}}}"#, None),
        ] {
            let request = accepted(&request_with(&[("claims", claims)]));
            assert_eq!(request.ask.required_subjects(), expected, "{claims}");
        }
        assert_eq!(accepted(&request_with(&[])).ask.required_subjects(), None);
    }
}
