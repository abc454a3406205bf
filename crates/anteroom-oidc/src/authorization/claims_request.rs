use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};

/// The `claims` parameter: OpenID Connect Core §5.5.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ClaimsRequest {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: ClaimRequests,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: ClaimRequests,
}

/// The claims asked for in one place, by name.
pub type ClaimRequests = BTreeMap<String, ClaimRequest>;

/// OpenID Connect Core §5.5.1: how a single claim is asked for. `null` and `{}` both ask for it plainly.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ClaimRequest {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

impl ClaimRequest {
    /// The values that would do, in order of preference; empty where any would.
    pub fn accepted_values(&self) -> impl Iterator<Item = &Value> {
        self.value.iter().chain(&self.values)
    }

    /// The accepted values that are text, as those of `acr` and `sub` are.
    pub fn accepted_texts(&self) -> impl Iterator<Item = &str> {
        self.accepted_values().filter_map(Value::as_str)
    }
}

/// Read by hand, because a derived reader would take an array for an object.
impl<'de> Deserialize<'de> for ClaimsRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = Map::deserialize(deserializer)?;
        let mut member = |name| read_requests(object.remove(name)).map_err(D::Error::custom);
        Ok(Self { userinfo: member("userinfo")?, id_token: member("id_token")? })
    }
}

fn read_requests(member: Option<Value>) -> Result<ClaimRequests, &'static str> {
    match member {
        None | Some(Value::Null) => Ok(ClaimRequests::new()),
        Some(Value::Object(claims)) => {
            claims.into_iter().map(|(name, how)| Ok((name, read_request(how)?))).collect()
        }
        Some(_) => Err("userinfo and id_token are objects"),
    }
}

fn read_request(how: Value) -> Result<ClaimRequest, &'static str> {
    let mut object = match how {
        Value::Null => return Ok(ClaimRequest::default()),
        Value::Object(object) => object,
        _ => return Err("a claim is asked for with null or an object"),
    };
    let essential = match object.remove("essential") {
        None => false,
        Some(Value::Bool(essential)) => essential,
        Some(_) => return Err("essential is a boolean"),
    };
    let values = match object.remove("values") {
        None => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(_) => return Err("values is an array"),
    };
    Ok(ClaimRequest { essential, value: object.remove("value"), values })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was asked for is carried in a page and read again: to the last bit.
    #[test]
    fn core_5_5_values_read_back_as_they_were_written() {
        let text = r#"{"userinfo": {"a": {"values": [0.1234567890123456789, 5e-324, 1.7976931348623157e308, -0.0]}}}"#;
        let request: ClaimsRequest = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<ClaimsRequest>(&again).unwrap(), request);
    }

    #[test]
    fn core_5_5_example() {
        let text = r#"{
            "userinfo": {
                "given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
                "email_verified": {"essential": true}, "picture": null,
                "http://example.info/claims/groups": null
            },
            "id_token": {
                "auth_time": {"essential": true},
                "acr": {"values": ["urn:mace:incommon:iap:silver"]}
            }
        }"#;
        let request: ClaimsRequest = serde_json::from_str(text).unwrap();
        assert_eq!(request.userinfo.len(), 6);
        assert!(request.userinfo["given_name"].essential);
        assert_eq!(request.userinfo["nickname"], ClaimRequest::default());
        assert_eq!(
            request.id_token["acr"].accepted_texts().collect::<Vec<_>>(),
            ["urn:mace:incommon:iap:silver"]
        );
        let again: ClaimsRequest = serde_json::from_str(&serde_json::to_string(&request).unwrap()).unwrap();
        assert_eq!(again, request);
    }

    #[test]
    fn core_5_5_unknown_members_are_ignored_and_wrong_types_refused() {
        assert!(serde_json::from_str::<ClaimsRequest>(r#"{"other": 1, "userinfo": null}"#).is_ok());
        for bad in [
            "[]",
            "1",
            "null",
            r#"{"userinfo": []}"#,
            r#"{"userinfo": {"a": 1}}"#,
            r#"{"userinfo": {"a": [true]}}"#,
            r#"{"id_token": {"a": {"values": 1}}}"#,
            r#"{"id_token": {"a": {"essential": "yes"}}}"#,
        ] {
            assert!(serde_json::from_str::<ClaimsRequest>(bad).is_err(), "{bad}");
        }
    }
}
