//! The part of `[[clients]]` that registration over the wire knows as well. What it means is judged by
//! [`ClientMetadata::parse`] alone; here it is read, and complaints are led back to their lines.

use anteroom_oidc::client::MetadataProblem;
use anteroom_oidc::{
    Capabilities, ClientAlgorithm, ClientMetadata, ClientMetadataInput, Issuer, MetadataError, MetadataRules,
    Scope, ScopeSet, SigningAlgorithm, TokenEndpointAuthMethod,
};

use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{ClientDraft, client_warnings};
use crate::diagnostics::{ConfigFinding, SourceSpan};
use crate::fingerprint::CLIENT_SECRET_KEYS;
use crate::reader::kind::{Kind, any_text, boolean, did_you_mean, integer, list, parsed, quoted};
use crate::reader::{Context, Section, key};
use crate::suggest::nearest;

pub(super) fn read_metadata(section: &mut Section<'_, '_>) -> ClientMetadataInput {
    let mut input = ClientMetadataInput::default();
    read_basics(section, &mut input);
    read_proof(section, &mut input);
    read_requests(section, &mut input);
    read_authentication_defaults(section, &mut input);
    read_uris(section, &mut input);
    read_logout(section, &mut input);
    read_signing(section, &mut input);
    input
}

fn read_basics(s: &mut Section<'_, '_>, input: &mut ClientMetadataInput) {
    input.client_name = s.get(key("client_name", any_text("string"), "What people know it as."));
    let meaning =
        "Native applications may redirect to any loopback port and to private-use schemes (RFC 8252).";
    let kind = any_text("`web` or `native`");
    input.application_type = s.get(key("application_type", kind, meaning).defaults_to("\"web\""));
    let meaning = "Where sign-ins may lead back to, compared character for character.";
    input.redirect_uris = s.get(key("redirect_uris", list(any_text("URI")), meaning)).unwrap_or_default();
    let meaning = "What it may ask of the authorization endpoint.";
    let response_types = key("response_types", list(any_text("string")), meaning);
    input.response_types = s.get(response_types.defaults_to("[\"code\"]"));
    let meaning = "What it may ask of the token endpoint: `authorization_code`, `refresh_token`, `client_credentials`; and \
        `implicit`, without which the authorization endpoint gives it no tokens. `[]` for an API that only introspects.";
    let grant_types = key("grant_types", list(any_text("string")), meaning);
    input.grant_types = s.get(grant_types.defaults_to("[\"authorization_code\"]"));
    let scope = key("scope", any_text("scopes, separated by spaces"), "The scopes that it may ask for.");
    input.scope = s.get(scope.defaults_to("\"openid profile email\""));
    let meaning = "The APIs that its access tokens are for; without any, the userinfo endpoint alone.";
    let audience = key("audience", list(any_text("string")), meaning).defaults_to("[]");
    input.audience = s.get(audience).unwrap_or_default();
    let meaning = "Whether requests need a code challenge (RFC 7636); a public client's always do.";
    let pkce = key("require_pkce", boolean(), meaning).looser_when(|given, default| !given && *default);
    input.require_pkce = Some(s.get_or(pkce, true));
}

/// How it proves who it is.
fn read_proof(s: &mut Section<'_, '_>, input: &mut ClientMetadataInput) {
    let meaning = "`client_secret_basic`, `client_secret_post`, `client_secret_jwt`, `private_key_jwt`, or `none` for \
        an application that can keep no secret. A named one is the only one that it may use; where none is named, it may \
        send its secret in the header or in the form (`client_secret_basic` or `client_secret_post`), in one of them in a \
        request.";
    let method = key("token_endpoint_auth_method", any_text("string"), meaning);
    input.token_endpoint_auth_method = s.get(method);
    let meaning = "What its assertions must be signed with; if left out, any algorithm that fits the key.";
    let algorithm = key("token_endpoint_auth_signing_alg", any_text("signing algorithm"), meaning);
    input.token_endpoint_auth_signing_alg = s.get(algorithm);
    let meaning = "Its public keys: a JWK set as JSON, in a string.";
    input.jwks = s.get(key("jwks", json(), meaning));
    let meaning = "Where it publishes its keys, in place of `jwks`.";
    input.jwks_uri = s.get(key("jwks_uri", any_text("https URL"), meaning));
}

const KEY_ALGORITHM: &str =
    "`RSA-OAEP`, `RSA-OAEP-256`, `ECDH-ES`, `ECDH-ES+A128KW`, `ECDH-ES+A192KW` or `ECDH-ES+A256KW`";
const CONTENT_ALGORITHM: &str = "`A128CBC-HS256`, `A256CBC-HS512`, `A128GCM` or `A256GCM`";

/// How it signs what it asks for, and encrypts it.
fn read_requests(s: &mut Section<'_, '_>, input: &mut ClientMetadataInput) {
    let meaning = "What its request objects must be signed with, or `none`; any algorithm that fits a key of its own \
        without.";
    let algorithm = key("request_object_signing_alg", any_text("signing algorithm or `none`"), meaning);
    input.request_object_signing_alg = s.get(algorithm);
    let meaning = "Algorithm of encrypted request objects; if left out, any that is offered.";
    input.request_object_encryption_alg =
        s.get(key("request_object_encryption_alg", any_text(KEY_ALGORITHM), meaning));
    let enc = key(
        "request_object_encryption_enc",
        any_text(CONTENT_ALGORITHM),
        "Content encryption of request objects.",
    );
    input.request_object_encryption_enc = s.get(enc);
    let meaning = "Where its request objects may be (`request_uri`).";
    let uris = key("request_uris", list(any_text("https URL")), meaning).defaults_to("[]");
    input.request_uris = s.get(uris).unwrap_or_default();
    let meaning = "Whether it must push its requests (RFC 9126); any but a public client may.";
    let pushed = key("require_pushed_authorization_requests", boolean(), meaning).defaults_to("false");
    input.require_pushed_authorization_requests = s.get(pushed);
    let meaning = "Whether each of its requests must be a signed request object; then nothing that stands beside one \
        counts (RFC 9101).";
    let signed = key("require_signed_request_object", boolean(), meaning).defaults_to("false");
    input.require_signed_request_object = s.get(signed);
}

fn json() -> Kind<Value> {
    parsed(
        "JSON in a string",
        |value: &Value| quoted(&value.to_string()),
        |text| serde_json::from_str(text).map_err(|error| format!("not JSON: {error}")),
    )
}

fn read_authentication_defaults(s: &mut Section<'_, '_>, input: &mut ClientMetadataInput) {
    let meaning = "How old a sign-in may be, where the request does not say.";
    let seconds = integer(i64::MIN..=i64::MAX).named("seconds");
    input.default_max_age = s.get(key("default_max_age", seconds, meaning));
    let meaning = "What must have been proven at sign-in, where the request does not say.";
    let acr_values = key("default_acr_values", list(any_text("string")), meaning);
    input.default_acr_values = s.get(acr_values).unwrap_or_default();
    let meaning = "Whether every ID token says when the person signed in.";
    let auth_time = key("require_auth_time", boolean(), meaning).defaults_to("false");
    input.require_auth_time = s.get(auth_time);
    let meaning = "`public`: every such application knows a person by the same `sub`. `pairwise`: each sector gets \
                   another `sub` for the same person, so that sectors cannot link them.";
    let subject_type = key("subject_type", any_text("string"), meaning).defaults_to("\"public\"");
    input.subject_type = s.get(subject_type);
    let meaning = "The sector of a pairwise application is the host of this address, at which its `redirect_uris` are \
        listed (a JSON array); without it, the one host of the `redirect_uris`. Changing it changes every `sub`.";
    input.sector_identifier_uri = s.get(key("sector_identifier_uri", any_text("https URL"), meaning));
}

fn read_uris(s: &mut Section<'_, '_>, input: &mut ClientMetadataInput) {
    let mut uri = |name, meaning| s.get(key(name, any_text("https URL"), meaning));
    input.initiate_login_uri =
        uri("initiate_login_uri", "Where it begins its own sign-in; its tile leads there (Core §4).");
    input.client_uri = uri("client_uri", "Its home page.");
    input.logo_uri = uri("logo_uri", "Its logo.");
    input.policy_uri = uri("policy_uri", "How it uses what it learns, for the consent page.");
    input.tos_uri = uri("tos_uri", "Its terms of service, for the consent page.");
}

fn read_logout(s: &mut Section<'_, '_>, input: &mut ClientMetadataInput) {
    let meaning = "Where signing out may lead back to.";
    let uris = key("post_logout_redirect_uris", list(any_text("URI")), meaning);
    input.post_logout_redirect_uris = s.get(uris).unwrap_or_default();
    let meaning = "Where it is told that a session has ended (OpenID Connect Back-Channel Logout).";
    input.backchannel_logout_uri = s.get(key("backchannel_logout_uri", any_text("https URL"), meaning));
    let meaning = "Whether it needs `sid` in that. With `true` there is `sid` alone, so that it ends the one session; without, \
        `sid` and `sub`.";
    let session = key("backchannel_logout_session_required", boolean(), meaning);
    input.backchannel_logout_session_required = s.get(session.defaults_to("false"));
    let meaning = "What the page after a sign-out loads in a frame (OpenID Connect Front-Channel Logout); on the \
        origin of one of the `redirect_uris`.";
    input.frontchannel_logout_uri = s.get(key("frontchannel_logout_uri", any_text("https URL"), meaning));
    let meaning = "Whether it needs `iss` and `sid` in that. They are always there.";
    let session = key("frontchannel_logout_session_required", boolean(), meaning);
    input.frontchannel_logout_session_required = s.get(session.defaults_to("false"));
}

fn read_signing(s: &mut Section<'_, '_>, input: &mut ClientMetadataInput) {
    let algorithm = || any_text("one of `keys.signing.algorithms`");
    let id_token = key("id_token_signed_response_alg", algorithm(), "What its ID tokens are signed with.");
    input.id_token_signed_response_alg = s.get(id_token.defaults_to("\"RS256\""));
    let meaning = "What its ID tokens and logout tokens are encrypted with after that, to a key of its `jwks` or `jwks_uri`; \
        not at all without.";
    let alg = key("id_token_encrypted_response_alg", any_text(KEY_ALGORITHM), meaning);
    input.id_token_encrypted_response_alg = s.get(alg);
    let meaning = "And their content; `A128CBC-HS256` where only the other is given.";
    let enc = key("id_token_encrypted_response_enc", any_text(CONTENT_ALGORITHM), meaning);
    input.id_token_encrypted_response_enc = s.get(enc);
    let meaning = "What the userinfo endpoint's answer is signed with; plain JSON without.";
    input.userinfo_signed_response_alg = s.get(key("userinfo_signed_response_alg", algorithm(), meaning));
    let meaning = "What that answer is encrypted with, signed or not; not at all without.";
    let alg = key("userinfo_encrypted_response_alg", any_text(KEY_ALGORITHM), meaning);
    input.userinfo_encrypted_response_alg = s.get(alg);
    let meaning = "And its content; `A128CBC-HS256` where only the other is given.";
    let enc = key("userinfo_encrypted_response_enc", any_text(CONTENT_ALGORITHM), meaning);
    input.userinfo_encrypted_response_enc = s.get(enc);
    let meaning = "`jwt` for APIs that read access tokens themselves (RFC 9068), `opaque` for those that ask \
        (RFC 7662) and for the userinfo endpoint. Left out: `jwt` where `audience` names an API, else `opaque`.";
    let format = key("access_token_format", any_text("`jwt` or `opaque`"), meaning);
    input.access_token_format = s.get(format);
    let meaning = "What its JWT access tokens are signed with.";
    let access_token = key("access_token_signed_response_alg", algorithm(), meaning);
    input.access_token_signed_response_alg = s.get(access_token.defaults_to("\"RS256\""));
}

/// What all clients of one configuration are held against.
pub(crate) struct ClientRules {
    issuer: Issuer,
    capabilities: Capabilities,
    scope: ScopeSet,
}

impl ClientRules {
    pub(crate) fn new(issuer: Issuer, algorithms: &[SigningAlgorithm]) -> Self {
        let languages = Vec::new();
        Self {
            issuer,
            capabilities: Capabilities {
                signing_algorithms: algorithms.to_vec(),
                ..Capabilities::of_this_release(languages)
            },
            scope: [Scope::OpenId, Scope::Profile, Scope::Email].into_iter().collect(),
        }
    }

    pub(crate) fn check(&self, cx: &Context<'_>, draft: &ClientDraft) -> Option<ClientMetadata> {
        let rules = MetadataRules {
            issuer: &self.issuer,
            capabilities: &self.capabilities,
            require_pkce: true,
            scope: &self.scope,
        };
        let parsed = ClientMetadata::parse(draft.client_id.clone(), &draft.metadata, rules);
        match parsed.and_then(|metadata| metadata.check_as_new(&self.issuer).map(|()| metadata)) {
            Ok(metadata) => {
                check_secrets(cx, draft, &metadata);
                check_id_token_claims(cx, draft, &metadata);
                client_warnings::check(cx, draft, &metadata);
                Some(metadata)
            }
            Err(errors) => {
                errors.0.iter().for_each(|error| report(cx, draft, error));
                None
            }
        }
    }
}

/// A listed claim that no scope of the client stands for would never be there.
fn check_id_token_claims(cx: &Context<'_>, draft: &ClientDraft, metadata: &ClientMetadata) {
    let policy = &draft.policy;
    if let Some(claim) = policy.id_token_claims.first_unavailable(&metadata.scope, &policy.claims) {
        let title = format!("client `{}` is never told the claim {}", draft.client_id, quoted(claim));
        let label = "is a claim of none of its scopes";
        cx.report(ConfigFinding::error(title).at(draft.place_of(cx, "id_token_claims"), label));
    }
}

/// A client has secrets exactly where its way of authenticating uses them.
fn check_secrets(cx: &Context<'_>, draft: &ClientDraft, metadata: &ClientMetadata) {
    let method = metadata.token_endpoint_auth_method;
    let given = CLIENT_SECRET_KEYS.iter().find_map(|key| cx.place(&format!("{}{key}", draft.path)));
    if method == TokenEndpointAuthMethod::ClientSecretJwt {
        check_mac_keys(cx, draft, metadata.token_endpoint_auth_signing_alg, given.clone());
    }
    if method.uses_secret() && given.is_none() {
        let finding = ConfigFinding::error(format!("client `{}` has no secret", draft.client_id));
        let label = format!("`{method}` needs one");
        let finding = finding.at(draft.place_of(cx, "token_endpoint_auth_method"), label);
        let help = "name its file with `secret_file`; for an application that can keep no secret, write \
            `token_endpoint_auth_method = \"none\"`";
        cx.report(finding.help(help));
    } else if !method.uses_secret() && given.is_some() {
        let finding =
            ConfigFinding::error(format!("client `{}` has a secret that it never uses", draft.client_id));
        let finding = finding.at(given, format!("`{method}` uses none"));
        cx.report(
            finding.at(cx.place(&format!("{}token_endpoint_auth_method", draft.path)), "because of this"),
        );
    }
}

/// RFC 7518 §3.2: the key of a MAC is as long as its hash. HS256 is the least of them.
fn check_mac_keys(
    cx: &Context<'_>,
    draft: &ClientDraft,
    algorithm: Option<ClientAlgorithm>,
    place: Option<SourceSpan>,
) {
    let algorithm = algorithm.unwrap_or(ClientAlgorithm::Hs256);
    let least = match algorithm {
        ClientAlgorithm::Hs512 => 64,
        ClientAlgorithm::Hs384 => 48,
        _ => 32,
    };
    if draft.secrets.iter().any(|secret| secret.expose_secret().len() < least) {
        let title = format!("the secret of client `{}` is too short to sign with", draft.client_id);
        let label = format!("{algorithm} needs at least {least} characters");
        cx.report(ConfigFinding::error(title).at(place, label));
    }
}

fn report(cx: &Context<'_>, draft: &ClientDraft, error: &MetadataError) {
    let element = error.index.and_then(|i| cx.place(&format!("{}{}.{i}", draft.path, error.parameter)));
    let place = element.or_else(|| draft.place_of(cx, error.parameter));
    let title = format!("bad value for `{}` of client `{}`", error.parameter, draft.client_id);
    let mut finding = ConfigFinding::error(title).at(place, error.problem.to_string());
    if let MetadataProblem::NotOffered { received, offered } = &error.problem
        && let Some(near) = nearest(received, offered.split(", "))
    {
        finding = finding.help(did_you_mean(near));
    }
    cx.report(finding);
}
