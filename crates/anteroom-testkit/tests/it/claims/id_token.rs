//! Which claims about the person are in an ID token (OpenID Connect Core §5.4, §5.5).

use crate::ALICE;
use anteroom_testkit::{Backend, RelyingParty, TestProvider, Tokens, claims, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(
    core_5_4_an_id_token_from_the_token_endpoint_has_the_claims_of_its_scopes,
    core_5_4_an_application_chooses_which_claims_its_id_tokens_have,
    core_5_4_a_client_that_registered_itself_has_them_at_userinfo_alone,
    groups_that_would_make_an_id_token_too_long_are_cut_off,
);

fn app(id: &str, more: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"{id}\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
         redirect_uris = [\"https://{id}.example/callback\"]\ngrant_types = [\"authorization_code\", \"refresh_token\"]\n\
         scope = \"openid profile email groups\"\n{more}\n"
    )
}

async fn core_5_4_an_id_token_from_the_token_endpoint_has_the_claims_of_its_scopes(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid email groups").await;
    let refreshed = Tokens::of(&web.refresh(tokens.refresh_token()).await);
    for tokens in [&tokens, &refreshed] {
        let said = web.verified(tokens.id_token()).await.claims;
        let info = web.userinfo(&tokens.access_token).await.json();
        assert_eq!(said["groups"], json!(["clinicians", "staff"]));
        for name in ["sub", "email", "email_verified", "groups"] {
            assert!(!said[name].is_null(), "{name}");
            assert_eq!(said[name], info[name], "{name}");
        }
        // Of a scope that was not granted there is nothing, and an access token says nothing of the person.
        for name in ["name", "given_name", "phone_number", "address"] {
            assert!(said.get(name).is_none(), "{name}");
        }
        let known = web.introspect(&tokens.access_token).await.json();
        for name in ["email", "groups"] {
            assert!(known.get(name).is_none(), "{name}");
        }
    }
}

async fn core_5_4_an_application_chooses_which_claims_its_id_tokens_have(backend: Backend) {
    let toml = app("none", "id_token_claims = \"none\"")
        + &app("listed", "id_token_claims = [\"email\", \"roles\"]\nclaims.groups_as = \"roles\"");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    for (id, there) in [("none", &[][..]), ("listed", &["email", "roles"])] {
        let client = provider.client(id);
        let tokens = client.tokens(&browser, "openid profile email groups").await;
        let said = claims(tokens.id_token());
        let info = client.userinfo(&tokens.access_token).await.json();
        for name in ["name", "email", "email_verified", "groups", "roles"] {
            assert_eq!(said.get(name).is_some(), there.contains(&name), "{id} {name}");
        }
        assert!(info["name"].is_string() && info["email_verified"].is_boolean(), "{info}");
    }
    // What a request asks for one by one is told in any case.
    let asked = [("scope", "openid email"), ("claims", r#"{"id_token":{"email":null}}"#)];
    let none = provider.client("none");
    let tokens = Tokens::of(&none.redeem(&none.code(&browser, &asked).await).await);
    assert_eq!(claims(tokens.id_token())["email"], ALICE);
}

async fn core_5_4_a_client_that_registered_itself_has_them_at_userinfo_alone(backend: Backend) {
    let provider = TestProvider::on(&backend).set("registration.mode", "\"open\"").start().await;
    let metadata = json!({ "redirect_uris": ["https://stranger.example/callback"], "scope": "openid email" });
    let registered = provider.call("POST", "/clients", None, &metadata).await;
    assert_eq!(registered.status, 201, "{}", registered.page_summary());
    let self_registered = provider.registered(&registered.json());
    let tokens = agreed(&provider, &self_registered).await;
    assert!(claims(tokens.id_token()).get("email").is_none());
    assert_eq!(self_registered.userinfo(&tokens.access_token).await.json()["email"], ALICE);
}

async fn agreed(provider: &TestProvider, client: &RelyingParty) -> Tokens {
    let browser = provider.signed_in(ALICE).await;
    let page = client.authorize(&browser, &[("scope", "openid email")]).await;
    assert!(page.has_form("/consent"), "{}", page.page_summary());
    let answer = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    Tokens::of(&client.redeem(&client.code_in(&answer)).await)
}

async fn groups_that_would_make_an_id_token_too_long_are_cut_off(backend: Backend) {
    let names: Vec<String> = (0..200).map(|number| format!("department-{number:03}")).collect();
    let toml =
        names.iter().map(|name| format!("[[groups]]\nname = \"{name}\"\n")).collect::<Vec<_>>().concat();
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let groups: Vec<&str> = names.iter().map(String::as_str).collect();
    provider.person("carol@practice.example").groups(&groups).create().await;
    let browser = provider.signed_in("carol@practice.example").await;
    let web = provider.client("web");
    let tokens = web.tokens(&browser, "openid email groups").await;
    let said = web.verified(tokens.id_token()).await.claims;
    let of_person: Value =
        ["email", "email_verified", "groups"].iter().map(|name| (*name, said[*name].clone())).collect();
    let size = of_person.to_string().len();
    assert!((1_400..=1_536).contains(&size), "{size}");
    assert_eq!(said["email"], "carol@practice.example");
    let info = web.userinfo(&tokens.access_token).await.json();
    assert_eq!(info["groups"].as_array().unwrap().len(), 200);
    let kept = said["groups"].as_array().unwrap();
    assert_eq!(kept.as_slice(), &info["groups"].as_array().unwrap()[..kept.len()]);
    // It is good as a hint all the same.
    let out = browser.get(&format!("/end-session?id_token_hint={}", tokens.id_token())).await;
    assert_eq!(out.status, 303, "{}", out.page_summary());
    assert!(!browser.is_signed_in().await);
}
