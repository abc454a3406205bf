//! The wire of client registration: RFC 7591 §3, RFC 7592 §2, OpenID Connect Registration §3.

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{ClientMetadata, ClientMetadataInput, MetadataErrors};
use crate::{display_text::shorten, errors::RegistrationErrorCode};

/// What a client says of itself. Members that are not known here are ignored (RFC 7591 §2), and so is one that is null:
/// it says nothing.
#[derive(Debug, Clone)]
pub struct RegistrationRequest {
    pub metadata: ClientMetadataInput,
    /// RFC 7592 §2.2: an update names the client that it is for.
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
}

/// RFC 7591 §3.2.2. The description names the parameter and says what is wrong with it, in the characters that RFC 6749
/// §5.2 allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct RegistrationRefusal {
    pub code: RegistrationErrorCode,
    pub description: String,
}

/// Longer descriptions are cut off.
const MAX_DESCRIPTION: usize = 400;

impl RegistrationRefusal {
    pub fn new(code: RegistrationErrorCode, description: &str) -> Self {
        let allowed = |c: char| match c {
            '"' => '\'',
            ' '..='~' if c != '\\' => c,
            _ => '?',
        };
        Self { code, description: description.chars().take(MAX_DESCRIPTION).map(allowed).collect() }
    }

    pub fn metadata(description: &str) -> Self {
        Self::new(RegistrationErrorCode::InvalidClientMetadata, description)
    }
}

/// A bad redirect URI has the code of its own, also beside other mistakes.
impl From<MetadataErrors> for RegistrationRefusal {
    fn from(errors: MetadataErrors) -> Self {
        let of_redirects = RegistrationErrorCode::InvalidRedirectUri;
        let code = if errors.0.iter().any(|error| error.code() == of_redirects) {
            of_redirects
        } else {
            RegistrationErrorCode::InvalidClientMetadata
        };
        Self::new(code, &errors.to_string())
    }
}

impl RegistrationRequest {
    pub fn from_json(body: &[u8]) -> Result<Self, RegistrationRefusal> {
        let mut members: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| RegistrationRefusal::metadata("the body is not a JSON object"))?;
        members.retain(|_, value| !value.is_null());
        let client_id = text(&mut members, "client_id")?;
        let client_secret = text(&mut members, "client_secret")?.map(SecretString::from);
        let metadata = serde_json::from_value(Value::Object(members.clone()))
            .map_err(|error| refuse_member(members, &error))?;
        Ok(Self { metadata, client_id, client_secret })
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, RegistrationRefusal> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(RegistrationRefusal::metadata(&format!("{name}: must be a string"))),
    }
}

/// A deserializer does not say which member it stopped at: the one that cannot be read alone is it.
fn refuse_member(members: Map<String, Value>, whole: &serde_json::Error) -> RegistrationRefusal {
    let alone = |name: String, value: Value| {
        let member = Value::Object(Map::from_iter([(name.clone(), value)]));
        let error = serde_json::from_value::<ClientMetadataInput>(member).err()?;
        let code = match name.as_str() {
            "redirect_uris" => RegistrationErrorCode::InvalidRedirectUri,
            _ => RegistrationErrorCode::InvalidClientMetadata,
        };
        Some(RegistrationRefusal::new(code, &format!("{name}: {}", shorten(&error.to_string()))))
    };
    let refused = members.into_iter().find_map(|(name, value)| alone(name, value));
    refused.unwrap_or_else(|| RegistrationRefusal::metadata(&shorten(&whole.to_string())))
}

impl ClientMetadata {
    /// The metadata with every default made explicit. This is what is stored of a registration, so that a later release with
    /// other defaults changes no client.
    pub fn with_explicit_defaults(&self) -> Result<ClientMetadataInput, serde_json::Error> {
        serde_json::to_value(self).and_then(serde_json::from_value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capabilities, ClientMetadata, Issuer, MetadataRules, ScopeSet};

    #[test]
    fn rfc7591_3_2_1_what_is_registered_reads_back_as_itself() {
        let body = r#"{"redirect_uris":["https://a.example/cb"],"client_name":"A","default_max_age":60,
            "grant_types":["authorization_code","refresh_token"],"default_acr_values":["urn:anteroom:acr:mfa"],
            "frontchannel_logout_uri":"https://a.example/out","backchannel_logout_uri":"https://a.example/back",
            "backchannel_logout_session_required":true,"userinfo_signed_response_alg":"ES256",
            "post_logout_redirect_uris":["https://a.example/"],"tos_uri":"https://a.example/tos",
            "scope":"openid email","require_auth_time":true}"#;
        let issuer = Issuer::parse("https://id.example").unwrap();
        let (capabilities, scope) = (Capabilities::of_this_release(Vec::new()), ScopeSet::standard());
        let rules = MetadataRules {
            issuer: &issuer,
            capabilities: &capabilities,
            require_pkce: false,
            scope: &scope,
        };
        let parse = |input: &ClientMetadataInput| ClientMetadata::parse("a".parse().unwrap(), input, rules);
        let registered = parse(&RegistrationRequest::from_json(body.as_bytes()).unwrap().metadata).unwrap();
        let stricter = MetadataRules { require_pkce: true, ..rules };
        let kept = registered.with_explicit_defaults().unwrap();
        let read = ClientMetadata::parse("a".parse().unwrap(), &kept, stricter).unwrap();
        assert_eq!(read, registered);
    }

    fn refused(body: &str) -> String {
        RegistrationRequest::from_json(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn rfc7591_2_unknown_members_are_ignored_and_null_says_nothing() {
        let body = r#"{"redirect_uris":["https://a.example/cb"],"contacts":["x"],"client_name#fr":"é",
            "scope":null,"software_statement":"e30.e30.","client_id":"a"}"#;
        let request = RegistrationRequest::from_json(body.as_bytes()).unwrap();
        assert_eq!(request.metadata.redirect_uris, ["https://a.example/cb"]);
        assert_eq!((request.metadata.scope, request.client_id.as_deref()), (None, Some("a")));
        assert!(request.client_secret.is_none());
    }

    #[test]
    fn rfc7591_3_2_2_a_value_of_the_wrong_type_is_named() {
        for (body, expected) in [
            ("[]", "invalid_client_metadata: the body is not a JSON object"),
            ("{", "invalid_client_metadata: the body is not a JSON object"),
            (
                r#"{"client_name":"A","scope":7}"#,
                "invalid_client_metadata: scope: invalid type: integer `7`, expected a string",
            ),
            (
                r#"{"redirect_uris":"https://a.example"}"#,
                "invalid_redirect_uri: redirect_uris: invalid type: string 'https://a.example', expected a sequence",
            ),
            (r#"{"client_id":7}"#, "invalid_client_metadata: client_id: must be a string"),
        ] {
            assert_eq!(refused(body), expected);
        }
    }

    #[test]
    fn rfc6749_5_2_descriptions_are_plain_and_short() {
        let refusal = RegistrationRefusal::metadata(&format!("a \"b\" \\ \n é{}", "x".repeat(1_000)));
        assert!(refusal.description.starts_with("a 'b' ? ? ?x"), "{refusal}");
        assert_eq!(refusal.description.len(), MAX_DESCRIPTION);
    }
}
