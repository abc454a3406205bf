//! The table of what the provider told this application, claim by claim.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::{Text, words};
use crate::claims::ReceivedClaims;

/// The roles say again what the elements say, because on a phone the rows are laid out as blocks and browsers then
/// no longer take them for a table's.
pub(super) fn claim_table(claims: &ReceivedClaims) -> String {
    let rows = rows(claims).iter().fold(String::new(), |mut html, row| {
        let _ = writeln!(
            html,
            r#"<tr role="row"><th role="rowheader" scope="row"><code>{name}</code><span>{meaning}</span></th>
<td role="cell">{value}</td><td role="cell">{from}</td></tr>"#,
            name = Text(row.name),
            meaning = meaning(row.name),
            value = Text(&value_in_words(row.name, row.value)),
            from = row.from,
        );
        html
    });
    format!(
        r#"<table id="claims" role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Claim</th>
<th role="columnheader" scope="col">Value</th><th role="columnheader" scope="col">From</th></tr></thead>
<tbody role="rowgroup">
{rows}</tbody>
</table>"#
    )
}

struct Row<'a> {
    name: &'a str,
    value: &'a Value,
    from: &'static str,
}

/// Sorted by name; a claim that both sources gave alike is one row.
fn rows(claims: &ReceivedClaims) -> Vec<Row<'_>> {
    let names: BTreeSet<&String> = claims.id_token.keys().chain(claims.userinfo.keys()).collect();
    names.into_iter().flat_map(|name| rows_of(claims, name)).collect()
}

fn rows_of<'a>(claims: &'a ReceivedClaims, name: &'a str) -> Vec<Row<'a>> {
    let row = |value, from| Row { name, value, from };
    match (claims.id_token.get(name), claims.userinfo.get(name)) {
        (Some(one), Some(other)) if one == other => vec![row(one, "ID token and userinfo")],
        (one, other) => {
            let one = one.map(|value| row(value, "ID token"));
            let other = other.map(|value| row(value, "userinfo"));
            one.into_iter().chain(other).collect()
        }
    }
}

fn value_in_words(name: &str, value: &Value) -> String {
    match (name, value) {
        ("auth_time" | "exp" | "iat" | "updated_at", Value::Number(seconds)) => {
            let at = seconds.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok());
            at.map_or_else(|| seconds.to_string(), |at| format!("{seconds} ({})", words::moment(at)))
        }
        (_, Value::String(text)) => text.clone(),
        (_, Value::Bool(true)) => "yes".to_owned(),
        (_, Value::Bool(false)) => "no".to_owned(),
        (_, Value::Array(items)) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        (_, other) => other.to_string(),
    }
}

fn meaning(name: &str) -> &'static str {
    match name {
        "acr" => "how sure the sign-in is",
        "address" => "the postal address",
        "amr" => "the kinds of proof given",
        "at_hash" => "ties the access token to the ID token",
        "aud" => "whom the ID token is for",
        "auth_time" => "when you signed in",
        "azp" => "who asked for the ID token",
        "email" => "the email address",
        "email_verified" | "phone_number_verified" => "whether it was confirmed",
        "exp" => "when the ID token ends",
        "family_name" | "given_name" | "middle_name" | "name" | "nickname" | "preferred_username" => {
            "what you are called"
        }
        "groups" => "the groups you are in",
        "iat" => "when the ID token was made",
        "iss" => "who vouches for you",
        "locale" | "zoneinfo" => "language and time",
        "nonce" => "ties the ID token to this sign-in",
        "phone_number" => "the number to call back",
        "roles" => "what you may do",
        "sid" => "the session you signed in with",
        "sub" => "who you are, under every name",
        "updated_at" => "when any of this last changed",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_claims_share_a_row_and_different_ones_do_not() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let claims = ReceivedClaims {
            id_token: map(json!({"sub": "s", "email": "old@demo.example"})),
            userinfo: map(json!({"sub": "s", "email": "alice@demo.example", "groups": ["a", "b"]})),
        };
        let shown: Vec<_> = rows(&claims)
            .iter()
            .map(|row| (row.name, value_in_words(row.name, row.value), row.from))
            .collect();
        let expected = [
            ("email", "old@demo.example", "ID token"),
            ("email", "alice@demo.example", "userinfo"),
            ("groups", "a, b", "userinfo"),
            ("sub", "s", "ID token and userinfo"),
        ];
        assert_eq!(shown, expected.map(|(name, value, from)| (name, value.to_owned(), from)));
    }

    #[test]
    fn times_are_shown_as_sent_and_in_words() {
        assert_eq!(
            value_in_words("auth_time", &json!(1_795_456_800)),
            "1795456800 (23 November 2026, 18:00 UTC)"
        );
        assert_eq!(value_in_words("exp", &json!(u64::MAX)), u64::MAX.to_string());
    }
}
