//! ID tokens and access tokens: what they say, and what they are signed with.

use crate::ALICE;
use anteroom_testkit::{Backend, TestProvider, Tokens, claims, header, left_half_hash, on_both_databases};

on_both_databases!(
    core_2_an_id_token_says_who_when_and_how,
    core_3_1_3_7_without_nonce_there_is_none,
    each_application_gets_its_algorithm,
    rfc9068_2_an_access_token_says_what_it_is_for,
    a_sub_is_stable_and_says_nothing_of_the_address,
);

async fn core_2_an_id_token_says_who_when_and_how(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let signed_in = provider.now().as_second();
    provider.advance(jiff::SignedDuration::from_mins(3));
    let web = provider.client("web");
    let tokens = web.tokens(&browser, "openid email").await;
    let token = web.verified(tokens.id_token()).await;
    let said = token.claims;
    assert_eq!(said["iss"], provider.issuer);
    assert_eq!((&said["aud"], &said["azp"]), (&"web".into(), &"web".into()));
    assert_eq!(said["nonce"], "nonce-1");
    assert_eq!(said["auth_time"], signed_in);
    assert_eq!(
        (said["iat"].as_i64().unwrap(), said["exp"].as_i64().unwrap()),
        (signed_in + 180, signed_in + 780)
    );
    assert_eq!(said["acr"], "urn:anteroom:acr:pwd");
    assert_eq!(said["amr"], serde_json::json!(["pwd"]));
    assert!(!said["sid"].as_str().unwrap().is_empty());
    assert!(!said["sub"].as_str().unwrap().is_empty());
    assert_eq!(said["at_hash"], left_half_hash(&tokens.access_token));
    assert!(token.header["kid"].is_string());
    // The session's identifier is not what opens it.
    assert!(!browser.cookie("anteroom_session").unwrap().contains(said["sid"].as_str().unwrap()));
}

async fn core_3_1_3_7_without_nonce_there_is_none(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let code = web.code(&browser, &[("nonce", "")]).await;
    let tokens = Tokens::of(&web.redeem(&code).await);
    assert!(claims(tokens.id_token()).get("nonce").is_none());
}

async fn each_application_gets_its_algorithm(backend: Backend) {
    let client = |alg: &str| {
        format!(
            "[[clients]]\nclient_id = \"{alg}\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"https://app.example/{alg}\"]\nid_token_signed_response_alg = \"{alg}\"\n\
             access_token_signed_response_alg = \"{alg}\"\naccess_token_format = \"jwt\"\n"
        )
    };
    let algorithms = ["RS256", "PS256", "ES256", "EdDSA"];
    let toml: String = algorithms.map(client).concat();
    let provider = TestProvider::on(&backend)
        .set("keys.signing.algorithms", "[\"RS256\", \"PS256\", \"ES256\", \"EdDSA\"]")
        .clients(&toml)
        .start()
        .await;
    let browser = provider.signed_in(ALICE).await;
    for alg in algorithms {
        let app = provider.client(alg);
        let tokens = app.tokens(&browser, "openid").await;
        let token = app.verified(tokens.id_token()).await;
        assert_eq!((&token.header["alg"], &header(&tokens.access_token)["alg"]), (&alg.into(), &alg.into()));
        // Core §3.1.3.6: EdDSA over Ed25519 hashes with SHA-512.
        if alg != "EdDSA" {
            assert_eq!(token.claims["at_hash"], left_half_hash(&tokens.access_token), "{alg}");
        }
        assert_eq!(app.userinfo(&tokens.access_token).await.status, 200, "{alg}");
    }
}

async fn rfc9068_2_an_access_token_says_what_it_is_for(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "signed"
first_party = true
redirect_uris = ["https://signed.example/callback"]
secret_env = "TEST_CLIENT_SECRET"
access_token_format = "jwt"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (app, browser) = (provider.client("signed"), provider.signed_in(ALICE).await);
    let tokens = app.tokens(&browser, "openid email").await;
    let (head, said) = (header(&tokens.access_token), claims(&tokens.access_token));
    assert_eq!((&head["typ"], &head["alg"]), (&"at+jwt".into(), &"RS256".into()));
    let now = provider.now().as_second();
    assert_eq!(
        (&said["iss"], &said["aud"]),
        (&provider.issuer.clone().into(), &provider.issuer.clone().into())
    );
    assert_eq!((said["iat"].as_i64(), said["exp"].as_i64()), (Some(now), Some(now + 600)));
    assert_eq!((&said["client_id"], &said["scope"]), (&"signed".into(), &"openid email".into()));
    assert_eq!(said["sub"], claims(tokens.id_token())["sub"]);
    assert_ne!(said["jti"], claims(&app.tokens(&browser, "openid").await.access_token)["jti"]);
    // An ID token is no access token.
    assert_eq!(app.userinfo(tokens.id_token()).await.status, 401);
}

async fn a_sub_is_stable_and_says_nothing_of_the_address(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, native) = (provider.client("web"), provider.client("native"));
    let first =
        claims(web.tokens(&provider.signed_in(ALICE).await, "openid").await.id_token())["sub"].clone();
    provider.advance(jiff::SignedDuration::from_hours(24));
    let second =
        claims(native.tokens(&provider.signed_in(ALICE).await, "openid").await.id_token())["sub"].clone();
    assert_eq!(first, second);
    assert!(!first.as_str().unwrap().contains("alice"));
}
