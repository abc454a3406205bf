//! What the provider said about the person: the claims of the ID token and those of userinfo, kept apart.

use jiff::Timestamp;
use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Everything beyond the standard claims (`sid`, `groups`, …), so that nothing received is lost.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ExtraClaims {
    #[serde(flatten)]
    pub(crate) all: Map<String, Value>,
}

impl AdditionalClaims for ExtraClaims {}

/// As `/claims.json` shows them. Both sets were verified before they came here, and their `sub` is the same.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReceivedClaims {
    pub(crate) id_token: Map<String, Value>,
    pub(crate) userinfo: Map<String, Value>,
}

impl ReceivedClaims {
    pub(crate) fn sub(&self) -> &str {
        text(&self.id_token, "sub").unwrap_or_default()
    }

    pub(crate) fn sid(&self) -> Option<&str> {
        text(&self.id_token, "sid")
    }

    pub(crate) fn acr(&self) -> Option<&str> {
        text(&self.id_token, "acr")
    }

    pub(crate) fn amr(&self) -> Vec<&str> {
        let values = self.id_token.get("amr").and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    pub(crate) fn auth_time(&self) -> Option<Timestamp> {
        let seconds = self.id_token.get("auth_time").and_then(Value::as_i64)?;
        Timestamp::from_second(seconds).ok()
    }

    /// What to call the person: the friendliest name there is.
    pub(crate) fn greeting_name(&self) -> Option<&str> {
        ["given_name", "name", "preferred_username", "email"]
            .into_iter()
            .find_map(|claim| text(&self.userinfo, claim).or_else(|| text(&self.id_token, claim)))
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn received(id_token: &Value, userinfo: &Value) -> ReceivedClaims {
        let map = |value: &Value| value.as_object().cloned().unwrap();
        ReceivedClaims { id_token: map(id_token), userinfo: map(userinfo) }
    }

    #[test]
    fn the_friendliest_name_wins_and_empty_ones_do_not_count() {
        let cases = [
            (json!({"given_name": "Alice", "name": "Alice Example"}), Some("Alice")),
            (json!({"given_name": "", "name": "Alice Example"}), Some("Alice Example")),
            (json!({"email": "alice@demo.example"}), Some("alice@demo.example")),
            (json!({}), None),
        ];
        for (userinfo, expected) in cases {
            assert_eq!(received(&json!({"sub": "s"}), &userinfo).greeting_name(), expected);
        }
    }

    #[test]
    fn values_of_an_unexpected_kind_are_not_there() {
        let claims = received(&json!({"sub": 7, "sid": null, "amr": "pwd", "auth_time": "now"}), &json!({}));
        assert_eq!((claims.sub(), claims.sid(), claims.auth_time()), ("", None, None));
        assert!(claims.amr().is_empty());
    }
}
