use super::*;
use crate::capabilities::Capabilities;
use crate::errors::RegistrationErrorCode;

fn parse_under(issuer: &str, input: &ClientMetadataInput) -> Result<ClientMetadata, MetadataErrors> {
    let issuer = Issuer::parse(issuer).unwrap();
    let capabilities = Capabilities::of_this_release(vec!["en".to_owned()]);
    let scope = "openid profile email".parse().unwrap();
    let rules =
        MetadataRules { issuer: &issuer, capabilities: &capabilities, require_pkce: true, scope: &scope };
    ClientMetadata::parse("app".parse().unwrap(), input, rules)
}

fn parse(input: &ClientMetadataInput) -> Result<ClientMetadata, MetadataErrors> {
    parse_under("https://id.example", input)
}

fn json(text: &str) -> ClientMetadataInput {
    serde_json::from_str(text).unwrap()
}

/// The names of what is wrong with a client that has one redirect URI and the members of `text`.
fn wrong(text: &str) -> Vec<&'static str> {
    let mut input = json(text);
    if !text.contains(r#""redirect_uris""#) {
        input.redirect_uris = vec!["https://app.example/cb".to_owned()];
    }
    parse(&input).map_or_else(|errors| errors.0.iter().map(|error| error.parameter).collect(), |_| vec![])
}

#[test]
fn rfc7591_2_defaults() {
    let client = parse(&json(r#"{"redirect_uris": ["https://app.example/cb"]}"#)).unwrap();
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode].into());
    assert_eq!(client.response_types, [ResponseType::Code].into());
    assert_eq!(client.token_endpoint_auth_method, TokenEndpointAuthMethod::ClientSecretBasic);
    assert_eq!(client.id_token_signed_response_alg, SigningAlgorithm::Rs256);
    assert_eq!(client.application_type, ApplicationType::Web);
    assert_eq!(client.scope.to_string(), "openid profile email");
    assert!(client.require_pkce && !client.is_public());
}

#[test]
fn rfc7591_2_each_value_is_checked() {
    let mut checked = BTreeSet::new();
    for (text, parameter) in [
        (r#"{"client_name": " "}"#, "client_name"),
        (r#"{"client_name": "a\nb"}"#, "client_name"),
        (r#"{"client_name": "a\u202eb"}"#, "client_name"),
        (r#"{"client_name": "\ufeff"}"#, "client_name"),
        (r#"{"client_name": "a\u200b"}"#, "client_name"),
        (r#"{"application_type": "desktop"}"#, "application_type"),
        (r#"{"redirect_uris": ["http://app.example/cb"]}"#, "redirect_uris"),
        (r#"{"redirect_uris": ["https://a.example/#f"]}"#, "redirect_uris"),
        (r#"{"redirect_uris": ["https://a.example/", "https://a.example/"]}"#, "redirect_uris"),
        (r#"{"response_types": ["id_token"]}"#, "response_types"),
        (r#"{"grant_types": ["password"]}"#, "grant_types"),
        (r#"{"token_endpoint_auth_method": "tls_client_auth"}"#, "token_endpoint_auth_method"),
        (r#"{"token_endpoint_auth_signing_alg": "none"}"#, "token_endpoint_auth_signing_alg"),
        (r#"{"jwks": {"keys": []}}"#, "jwks"),
        (r#"{"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}"#, "jwks"),
        (r#"{"jwks_uri": "http://app.example/jwks"}"#, "jwks_uri"),
        (r#"{"request_object_signing_alg": "HS256"}"#, "request_object_signing_alg"),
        (r#"{"request_object_encryption_alg": "RSA1_5"}"#, "request_object_encryption_alg"),
        (r#"{"id_token_encrypted_response_alg": "dir"}"#, "id_token_encrypted_response_alg"),
        (r#"{"userinfo_encrypted_response_alg": "A128KW"}"#, "userinfo_encrypted_response_alg"),
        (
            r#"{"request_object_encryption_alg": "ECDH-ES", "request_object_encryption_enc": "A192GCM"}"#,
            "request_object_encryption_enc",
        ),
        (r#"{"request_uris": ["http://app.example/r"]}"#, "request_uris"),
        (r#"{"scope": "a\"b"}"#, "scope"),
        (r#"{"id_token_signed_response_alg": "none"}"#, "id_token_signed_response_alg"),
        (r#"{"userinfo_signed_response_alg": "HS256"}"#, "userinfo_signed_response_alg"),
        (r#"{"subject_type": "ephemeral"}"#, "subject_type"),
        (r#"{"sector_identifier_uri": "https://app.example/s#x"}"#, "sector_identifier_uri"),
        (r#"{"default_max_age": -1}"#, "default_max_age"),
        (r#"{"default_acr_values": ["gold"]}"#, "default_acr_values"),
        (r#"{"initiate_login_uri": "http://app.example/start"}"#, "initiate_login_uri"),
        (r#"{"post_logout_redirect_uris": ["ftp://app.example/"]}"#, "post_logout_redirect_uris"),
        (r#"{"backchannel_logout_uri": "https://app.example/bc#x"}"#, "backchannel_logout_uri"),
        (r#"{"logo_uri": "data:image/png;base64,"}"#, "logo_uri"),
        (r#"{"audience": [""]}"#, "audience"),
        (r#"{"access_token_format": "paseto"}"#, "access_token_format"),
        (r#"{"access_token_signed_response_alg": "HS256"}"#, "access_token_signed_response_alg"),
        (r#"{"frontchannel_logout_uri": "http://app.example/fc"}"#, "frontchannel_logout_uri"),
        (r#"{"client_uri": "javascript:alert(1)"}"#, "client_uri"),
        (r#"{"policy_uri": "javascript:alert(1)"}"#, "policy_uri"),
        (r#"{"tos_uri": "/terms"}"#, "tos_uri"),
    ] {
        assert_eq!(wrong(text), [parameter], "{text}");
        checked.insert(parameter);
    }
    // What is left out are words beside an `alg`, which a test of their own has, and what is either true or false.
    let elsewhere = ["id_token_encrypted_response_enc", "userinfo_encrypted_response_enc"];
    let yes_or_no = |name: &str| name.starts_with("require_") || name.ends_with("_required");
    for name in ClientMetadataInput::PARAMETERS {
        assert!(checked.contains(name) || elsewhere.contains(name) || yes_or_no(name), "{name}");
    }
}

const P256: &str = r#""kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;

#[test]
fn registration_2_what_is_encrypted_for_a_client_needs_a_key_of_its_own_that_fits() {
    let jwks = |members: &str| format!(r#""jwks": {{"keys": [{{{P256}{members}}}]}}"#);
    for (keys, alg, fits) in [
        (jwks(""), "ECDH-ES", true),
        (jwks(r#", "use": "enc""#), "ECDH-ES+A256KW", true),
        (jwks(r#", "use": "enc", "alg": "ECDH-ES""#), "ECDH-ES+A256KW", false),
        (jwks(r#", "use": "sig""#), "ECDH-ES", false),
        (jwks(""), "RSA-OAEP-256", false),
        (r#""jwks_uri": "https://app.example/jwks""#.to_owned(), "RSA-OAEP", true),
        (r#""client_name": "A""#.to_owned(), "RSA-OAEP", false),
    ] {
        for parameter in ["id_token_encrypted_response_alg", "userinfo_encrypted_response_alg"] {
            let text = format!(r#"{{{keys}, "{parameter}": "{alg}"}}"#);
            assert_eq!(wrong(&text), if fits { vec![] } else { vec![parameter] }, "{text}");
        }
        // What the client encrypts, it encrypts to a key of ours.
        let text = format!(r#"{{{keys}, "request_object_encryption_alg": "{alg}"}}"#);
        assert_eq!(wrong(&text), [""; 0], "{text}");
    }
}

#[test]
fn registration_2_enc_has_a_default_and_no_meaning_without_alg() {
    for name in ["id_token_encrypted_response", "userinfo_encrypted_response", "request_object_encryption"] {
        let text = format!(r#"{{"jwks": {{"keys": [{{{P256}}}]}}, "{name}_enc": "A128GCM"}}"#);
        let parameters = wrong(&text);
        assert!(matches!(parameters[..], [one] if one == format!("{name}_enc")), "{parameters:?}");
    }
    let text = format!(
        r#"{{"redirect_uris": ["https://app.example/cb"], "jwks": {{"keys": [{{{P256}}}]}},
            "id_token_encrypted_response_alg": "ECDH-ES", "userinfo_encrypted_response_alg": "ECDH-ES",
            "userinfo_encrypted_response_enc": "A256GCM", "request_object_encryption_alg": "RSA-OAEP"}}"#
    );
    let client = parse(&json(&text)).unwrap();
    let pairs = [client.id_token_encryption, client.userinfo_encryption, client.request_object_encryption];
    let encs = pairs.map(|pair| pair.unwrap().enc.as_str());
    assert_eq!(encs, ["A128CBC-HS256", "A256GCM", "A128CBC-HS256"]);
    // The registration's answer says so, and what is kept reads back as itself.
    let answer = serde_json::to_value(&client).unwrap();
    assert_eq!(answer["id_token_encrypted_response_enc"], "A128CBC-HS256");
    assert_eq!(parse(&client.with_explicit_defaults().unwrap()).unwrap(), client);
}

#[test]
fn registration_2_keys_that_are_only_encrypted_to_prove_nothing() {
    let jwks = format!(r#""jwks": {{"keys": [{{{P256}, "use": "enc"}}]}}"#);
    for member in [
        r#""token_endpoint_auth_method": "private_key_jwt""#,
        r#""request_object_signing_alg": "ES256""#,
        r#""require_signed_request_object": true"#,
    ] {
        assert_eq!(wrong(&format!("{{{jwks}, {member}}}")), ["jwks"]);
    }
}

#[test]
fn registration_2_values_must_agree() {
    for (text, parameter) in [
        (r#"{"redirect_uris": []}"#, "redirect_uris"),
        (r#"{"redirect_uris": ["com.example.app:/cb"]}"#, "redirect_uris"),
        (r#"{"grant_types": ["client_credentials"], "response_types": ["code"]}"#, "response_types"),
        (r#"{"grant_types": ["refresh_token"]}"#, "grant_types"),
        (r#"{"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}"#, "grant_types"),
        (r#"{"token_endpoint_auth_method": "none", "require_pkce": false}"#, "require_pkce"),
        (r#"{"token_endpoint_auth_method": "private_key_jwt"}"#, "token_endpoint_auth_method"),
        (
            r#"{"token_endpoint_auth_method": "none", "require_pushed_authorization_requests": true}"#,
            "require_pushed_authorization_requests",
        ),
        (r#"{"request_object_signing_alg": "ES256"}"#, "request_object_signing_alg"),
        (r#"{"require_signed_request_object": true}"#, "require_signed_request_object"),
        (
            r#"{"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "RS256"}"#,
            "token_endpoint_auth_signing_alg",
        ),
        (
            r#"{"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "HS256",
                "jwks_uri": "https://app.example/jwks"}"#,
            "token_endpoint_auth_signing_alg",
        ),
        (r#"{"frontchannel_logout_uri": "https://other.example/fc"}"#, "frontchannel_logout_uri"),
        (r#"{"backchannel_logout_session_required": true}"#, "backchannel_logout_session_required"),
    ] {
        assert_eq!(wrong(text), [parameter], "{text}");
    }
    let key = r#"{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let both = format!(r#"{{"jwks": {{"keys": [{key}]}}, "jwks_uri": "https://app.example/jwks"}}"#);
    assert_eq!(wrong(&both), ["jwks_uri"]);
    let native = r#"{"application_type": "native", "redirect_uris": ["com.example.app:/cb"]}"#;
    assert!(wrong(native).is_empty());
    assert!(wrong(r#"{"redirect_uris": [], "grant_types": ["client_credentials"]}"#).is_empty());
}

#[test]
fn registration_2_tokens_of_the_authorization_endpoint_go_to_no_program_on_the_machine() {
    let refused = |issuer: &str, uri: &str, more: &str| {
        let text = format!(r#"{{"redirect_uris": ["https://app.example/cb", "{uri}"], {more}}}"#);
        let client = parse_under(issuer, &json(&text)).unwrap();
        let errors = client.check_as_new(&Issuer::parse(issuer).unwrap()).err();
        errors.map(|errors| errors.0.iter().map(|e| (e.parameter, e.index)).collect::<Vec<_>>())
    };
    let (ours, local) = ("https://id.example", "http://localhost:8080");
    let hybrid =
        r#""grant_types": ["authorization_code", "implicit"], "response_types": ["code", "code id_token"]"#;
    let implicit = r#""grant_types": ["implicit"], "response_types": ["id_token token"]"#;
    let native =
        r#""application_type": "native", "grant_types": ["implicit"], "response_types": ["id_token"]"#;
    let here = Some(vec![("redirect_uris", Some(1))]);
    for (issuer, uri, more, expected) in [
        (ours, "http://localhost/cb", hybrid, here.clone()),
        (ours, "http://127.0.0.1:3000/cb", implicit, here.clone()),
        (ours, "http://[::1]/cb", implicit, here.clone()),
        (ours, "https://localhost/cb", implicit, here),
        (ours, "https://localhost.example/cb", implicit, None),
        (ours, "http://localhost/cb", r#""grant_types": ["authorization_code"]"#, None),
        (ours, "http://127.0.0.1/cb", native, None),
        (local, "http://localhost/cb", hybrid, None),
    ] {
        assert_eq!(refused(issuer, uri, more), expected, "{issuer} {uri} {more}");
    }
}

#[test]
fn everything_wrong_is_said_at_once_with_its_place() {
    let input = json(
        r#"{"redirect_uris": ["https://app.example/cb", "nonsense"], "grant_types": ["authorization_code", "x"],
            "subject_type": "y"}"#,
    );
    let errors = parse(&input).unwrap_err();
    let said: Vec<_> = errors.0.iter().map(|e| (e.parameter, e.index, e.received.as_str())).collect();
    assert_eq!(
        said,
        [("grant_types", Some(1), "x"), ("redirect_uris", Some(1), "nonsense"), ("subject_type", None, "y")]
    );
    assert_eq!(errors.0[1].code(), RegistrationErrorCode::InvalidRedirectUri);
    assert_eq!(errors.0[2].code(), RegistrationErrorCode::InvalidClientMetadata);
    assert!(
        errors.to_string().contains(r#"subject_type: "y" is not offered here; one of: public, pairwise"#)
    );
}

#[test]
fn core_4_initiate_login_uri_may_be_http_on_loopback_under_a_loopback_issuer() {
    let input = json(
        r#"{"redirect_uris": ["http://127.0.0.1:9000/cb"], "initiate_login_uri": "http://127.0.0.1:9000/start",
            "backchannel_logout_uri": "http://127.0.0.1:9000/bc"}"#,
    );
    assert!(parse_under("http://localhost:8080", &input).is_ok());
    assert_eq!(parse(&input).unwrap_err().0.len(), 2);
    let elsewhere = json(
        r#"{"redirect_uris": ["http://127.0.0.1/cb"], "initiate_login_uri": "http://app.example/start"}"#,
    );
    assert!(parse_under("http://localhost:8080", &elsewhere).is_err());
}

#[test]
fn core_6_2_a_request_uri_is_found_whatever_its_fragment() {
    let input = json(
        r#"{"redirect_uris": ["https://app.example/cb"],
            "request_uris": ["https://app.example/r", "https://app.example/q?a=1#v1"]}"#,
    );
    let client = parse(&input).unwrap();
    for (requested, found) in [
        ("https://app.example/r", true),
        ("https://app.example/r#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM", true),
        ("https://app.example/q?a=1#v2", true),
        ("https://app.example/q", false),
        ("https://app.example/r/", false),
        ("https://app.example/r?x", false),
        ("/r", false),
    ] {
        assert_eq!(client.find_request_uri(requested).is_some(), found, "{requested}");
    }
}

#[test]
fn metadata_reads_back_from_what_it_writes() {
    let input = json(
        r#"{"client_name": "Schedule", "redirect_uris": ["https://app.example/cb"], "scope": "openid offline_access",
            "grant_types": ["authorization_code", "refresh_token"], "default_max_age": 600, "audience": ["a:b"],
            "default_acr_values": ["urn:anteroom:acr:mfa"], "access_token_format": "opaque",
            "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "EdDSA",
            "request_object_signing_alg": "none", "request_uris": ["https://app.example/r#1"],
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]},
            "backchannel_logout_uri": "https://app.example/bc", "userinfo_signed_response_alg": "EdDSA"}"#,
    );
    let client = parse(&input).unwrap();
    let again: ClientMetadataInput = serde_json::from_value(serde_json::to_value(&client).unwrap()).unwrap();
    assert_eq!(parse(&again).unwrap(), client);
}

#[test]
fn parameters_names_every_field() {
    let written = serde_json::to_value(ClientMetadataInput::default()).unwrap();
    let mut fields: Vec<_> = written.as_object().unwrap().keys().map(String::as_str).collect();
    let mut named = ClientMetadataInput::PARAMETERS.to_vec();
    fields.sort_unstable();
    named.sort_unstable();
    assert_eq!(fields, named);
}
