//! `[clients.claims]`: an application is told in words of its own.

use crate::{ALICE, BOB};
use anteroom_domain::address::EmailAddress;
use anteroom_flows::people::undefined_groups;
use anteroom_testkit::{Backend, TestProvider, Tokens, claims, on_both_databases};
use serde_json::json;

on_both_databases!(
    an_application_is_told_groups_in_its_own_words,
    an_application_is_told_of_no_group_that_left_the_configuration,
    a_claim_under_another_name_is_agreed_to_like_any_other,
);

const APP: &str = r#"
[[clients]]
client_id = "charts"
redirect_uris = ["https://charts.example/callback"]
token_endpoint_auth_method = "none"
scope = "openid groups"
FIRST
[clients.claims]
groups_as = "roles"
groups = { clinicians = "ROLE_CLINICIAN" }
[clients.claims.constants]
"https://charts.example/tenant" = "north"
limits = { seats = 12 }
"#;

async fn an_application_is_told_groups_in_its_own_words(backend: Backend) {
    let toml = APP.replace("FIRST", "first_party = true");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let charts = provider.client("charts");
    for (email, roles) in [(ALICE, json!(["ROLE_CLINICIAN"])), (BOB, json!(null))] {
        let browser = provider.signed_in(email).await;
        let tokens = charts.tokens(&browser, "openid groups").await;
        let info = charts.userinfo(&tokens.access_token).await.json();
        assert_eq!((&info["roles"], info.get("groups")), (&roles, None), "{email}");
        let token = claims(tokens.id_token());
        assert_eq!((&token["roles"], token.get("groups")), (&roles, None), "{email}");
        for said in [&info, &token] {
            assert_eq!(said["https://charts.example/tenant"], "north");
            assert_eq!(said["limits"], json!({ "seats": 12 }));
        }
        assert!(charts.introspect(&tokens.access_token).await.json().get("limits").is_none());
    }
    // An operator sees what the application is told.
    let (address, id) = (EmailAddress::parse(ALICE).unwrap(), "charts".parse().unwrap());
    let shown =
        anteroom_flows::people::profile::claims(&provider.local(), &address, Some(&id)).await.unwrap();
    let alice = provider.signed_in(ALICE).await;
    let info = charts.userinfo(&charts.tokens(&alice, "openid groups").await.access_token).await.json();
    assert_eq!(shown, info);
    // The others are told as ever.
    let browser = provider.signed_in(ALICE).await;
    let web = provider.client("web");
    let info = web.userinfo(&web.tokens(&browser, "openid groups").await.access_token).await.json();
    assert_eq!(info["groups"], json!(["clinicians", "staff"]));
    assert!(info.get("roles").is_none() && info.get("limits").is_none());
}

async fn an_application_is_told_of_no_group_that_left_the_configuration(backend: Backend) {
    const EMAIL: &str = "erin@practice.example";
    let provider = TestProvider::start(&backend).await;
    provider.person(EMAIL).groups(&["staff", "locums"]).create().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(EMAIL).await);
    let info = web.userinfo(&web.tokens(&browser, "openid groups").await.access_token).await.json();
    assert_eq!(info["groups"], json!(["staff"]));
    let undefined = undefined_groups::undefined(&provider.local()).await.unwrap();
    let shown: Vec<_> = undefined.iter().map(|(group, members)| (group.as_str(), *members)).collect();
    assert_eq!(shown, [("locums", 1)]);
    // Where it is defined again, its members are in it again.
    let clients = "[[groups]]\nname = \"locums\"\n";
    let again = TestProvider::on(&backend).another_node_of(&provider).clients(clients).start().await;
    assert!(undefined_groups::undefined(&again.local()).await.unwrap().is_empty());
}

async fn a_claim_under_another_name_is_agreed_to_like_any_other(backend: Backend) {
    let provider = TestProvider::on(&backend).clients(&APP.replace("FIRST", "")).start().await;
    let (charts, browser) = (provider.client("charts"), provider.signed_in(ALICE).await);
    let agree = async |asked: &[(&str, &str)]| {
        let page = charts.authorize(&browser, asked).await;
        assert!(page.has_form("/consent"), "{}", page.page_summary());
        let code = charts.code_in(&browser.submit(&page, "/consent", &[("decision", "allow")]).await);
        claims(Tokens::of(&charts.redeem(&code).await).id_token())
    };
    agree(&[]).await;
    let asked = json!({ "id_token": { "roles": null } }).to_string();
    let token = agree(&[("claims", &asked)]).await;
    assert_eq!(token["roles"], json!(["ROLE_CLINICIAN"]));
}
