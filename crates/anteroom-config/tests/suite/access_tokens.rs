//! Access tokens of clients: what they are by default, what is refused, and the examples of the book.

use crate::{BASE, WEB_CLIENT, assert_refused, parse, parse_with};
use anteroom_oidc::jwt::AccessTokenTyp;
use anteroom_oidc::{AccessTokenFormat, SigningAlgorithm};

const PAGE: &str = include_str!("../../../../docs/src/apis.md");

#[test]
fn tokens_are_opaque_where_no_api_is_their_audience_and_rs256_elsewhere() {
    use AccessTokenFormat::{Jwt, Opaque};
    for (more, format) in [
        ("", Opaque),
        ("audience = []\n", Opaque),
        ("audience = [\"http://localhost:8080\"]\n", Opaque),
        ("audience = [\"https://api.example\"]\n", Jwt),
        ("audience = [\"http://localhost:8080\", \"https://api.example\"]\n", Jwt),
        ("access_token_format = \"jwt\"\n", Jwt),
        ("audience = [\"https://api.example\"]\naccess_token_format = \"opaque\"\n", Opaque),
    ] {
        let configuration = parse_with(&format!("{WEB_CLIENT}{more}")).unwrap();
        assert!(configuration.warnings.is_empty(), "{more}: {}", configuration.warnings);
        let client = &configuration.settings.clients[0];
        assert_eq!(client.metadata.access_token_format, format, "{more}");
        assert_eq!(client.metadata.access_token_signed_response_alg, SigningAlgorithm::Rs256);
        assert_eq!(client.policy.access_token_typ, AccessTokenTyp::AtJwt);
    }
}

#[test]
fn rfc8725_3_11_a_typ_of_id_tokens_is_for_no_audience_that_is_a_client() {
    let app = format!("{WEB_CLIENT}audience = [\"https://api.example\"]\naccess_token_typ = \"JWT\"\n");
    let configuration = parse_with(&app).unwrap();
    assert_eq!(configuration.settings.clients[0].policy.access_token_typ, AccessTokenTyp::Jwt);
    let api = "[[clients]]\nclient_id = \"https://api.example\"\nredirect_uris = []\nresponse_types = []\n\
               grant_types = []\nsecret_env = \"CLIENT_SECRET\"\n";
    assert_refused(
        &format!("{BASE}{app}{api}"),
        r#"
error: access tokens of client `web` could pass for ID tokens
  --> anteroom.toml:9:20
   |
 9 | access_token_typ = "JWT"
   |                    ^^^^^ this is the `typ` of ID tokens
10 | [[clients]]
11 | client_id = "https://api.example"
   |             --------------------- and this client is their audience
   |
   = help: let the API go by a name in `audience` that is no `client_id`; it cannot introspect then. An API that takes `at+jwt` needs no `access_token_typ`"#,
    );
    // Its own name, and that of the issuer.
    for (client, audience) in [("web", "web"), ("http://localhost:8080", "https://api.example")] {
        let text = WEB_CLIENT.replace("client_id = \"web\"", &format!("client_id = \"{client}\""));
        let text = format!("{text}audience = [\"{audience}\"]\naccess_token_typ = \"JWT\"\n");
        let found = parse_with(&text).unwrap_err().to_string();
        assert!(found.contains("could pass for ID tokens"), "{client}: {found}");
    }
}

#[test]
fn what_is_said_of_a_signature_that_there_is_not_is_found() {
    let refused = parse_with(&format!("{WEB_CLIENT}access_token_typ = \"JWT\"\n")).unwrap_err().to_string();
    assert!(refused.contains("the access tokens of client `web` are opaque"), "{refused}");
    // Of release 0.1.0, where it had a meaning.
    let text = format!("{WEB_CLIENT}access_token_signed_response_alg = \"ES256\"\n");
    let warned = parse_with(&text).unwrap().warnings.to_string();
    assert!(warned.contains("the access tokens of client `web` are opaque"), "{warned}");
    assert!(warned.contains("access_token_format = \"jwt\""), "{warned}");
    let unknown =
        parse_with(&format!("{WEB_CLIENT}access_token_typ = \"at+JWT\"\n")).unwrap_err().to_string();
    assert!(unknown.contains("must be one of: at+jwt, JWT"), "{unknown}");
}

#[test]
fn the_examples_of_the_page_on_apis_are_accepted_without_a_warning() {
    let blocks = PAGE.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
    let blocks: Vec<&str> = blocks.collect();
    assert_eq!(blocks.len(), 3);
    for block in &blocks {
        let configuration = parse_with(block).unwrap_or_else(|found| panic!("{found}"));
        assert!(configuration.warnings.is_empty(), "{}", configuration.warnings);
    }
    // Together as well.
    let all = blocks.concat();
    let clients = parse(&format!("{BASE}{all}")).unwrap().settings.clients;
    let signed = clients.iter().map(|client| client.metadata.access_token_signature().is_some());
    assert_eq!(signed.collect::<Vec<_>>(), [true, true, false, false]);
    assert!(clients[3].metadata.grant_types.is_empty());
}
