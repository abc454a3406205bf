use serde::{Deserialize, Serialize};

/// A client's metadata as it was written, every value still text so that all that is wrong can be said at once.
///
/// Unknown members are ignored, as RFC 7591 §2 has it; a reader that must refuse them has [`Self::PARAMETERS`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientMetadataInput {
    pub client_name: Option<String>,
    pub application_type: Option<String>,
    pub redirect_uris: Vec<String>,
    pub response_types: Option<Vec<String>>,
    pub grant_types: Option<Vec<String>>,
    pub token_endpoint_auth_method: Option<String>,
    pub token_endpoint_auth_signing_alg: Option<String>,
    pub jwks: Option<serde_json::Value>,
    pub jwks_uri: Option<String>,
    pub request_object_signing_alg: Option<String>,
    pub request_uris: Vec<String>,
    pub scope: Option<String>,
    pub id_token_signed_response_alg: Option<String>,
    pub userinfo_signed_response_alg: Option<String>,
    pub subject_type: Option<String>,
    pub default_max_age: Option<i64>,
    pub require_auth_time: Option<bool>,
    pub default_acr_values: Vec<String>,
    pub initiate_login_uri: Option<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub backchannel_logout_uri: Option<String>,
    pub backchannel_logout_session_required: Option<bool>,
    pub frontchannel_logout_uri: Option<String>,
    pub frontchannel_logout_session_required: Option<bool>,
    pub client_uri: Option<String>,
    pub logo_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
    pub require_pkce: Option<bool>,
    pub audience: Vec<String>,
    pub access_token_format: Option<String>,
    pub access_token_signed_response_alg: Option<String>,
}

impl ClientMetadataInput {
    /// Every parameter's name, in the order of the fields.
    pub const PARAMETERS: &'static [&'static str] = &[
        "client_name",
        "application_type",
        "redirect_uris",
        "response_types",
        "grant_types",
        "token_endpoint_auth_method",
        "token_endpoint_auth_signing_alg",
        "jwks",
        "jwks_uri",
        "request_object_signing_alg",
        "request_uris",
        "scope",
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "subject_type",
        "default_max_age",
        "require_auth_time",
        "default_acr_values",
        "initiate_login_uri",
        "post_logout_redirect_uris",
        "backchannel_logout_uri",
        "backchannel_logout_session_required",
        "frontchannel_logout_uri",
        "frontchannel_logout_session_required",
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "require_pkce",
        "audience",
        "access_token_format",
        "access_token_signed_response_alg",
    ];
}
