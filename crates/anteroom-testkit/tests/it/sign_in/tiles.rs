//! The dashboard: a tile is visible exactly where its application admits the person.

use crate::{ALICE, BOB};
use anteroom_domain::account::GroupName;
use anteroom_domain::address::EmailAddress;
use anteroom_flows::people::admin::{Membership, change_group};
use anteroom_testkit::{Backend, TestProvider, TestResponse, on_both_databases};

on_both_databases!(
    tiles_show_what_the_person_may_use_in_the_operators_order,
    core_4_a_tile_starts_the_applications_own_sign_in,
    an_application_refuses_whom_it_does_not_show_to,
    joining_a_group_opens_its_applications_at_once,
);

const TILES: &str = r#"
[[clients]]
client_id = "charts"
client_name = "Charts"
first_party = true
groups = ["clinicians"]
redirect_uris = ["https://charts.example/callback"]
initiate_login_uri = "https://charts.example/start?from=tile"
token_endpoint_auth_method = "none"
scope = "openid"
[clients.tile]
name = "Charts"
description = "Who has which tooth"
order = 2

[[clients]]
client_id = "mail"
client_name = "Mail"
first_party = true
redirect_uris = ["https://mail.example/callback"]
token_endpoint_auth_method = "none"
scope = "openid"
[clients.tile]
name = "Mail"
launch_url = "https://mail.example/inbox"
order = 1
"#;

async fn with_tiles(backend: &Backend) -> TestProvider {
    TestProvider::on(backend).clients(TILES).start().await
}

fn tiles(dashboard: &TestResponse) -> Vec<(String, String)> {
    let links = dashboard.links().into_iter().filter(|link| link.href.starts_with("/open/"));
    links.map(|link| (link.text, link.href)).collect()
}

async fn tiles_show_what_the_person_may_use_in_the_operators_order(backend: Backend) {
    let provider = with_tiles(&backend).await;
    let tile = |name: &str| (name.to_owned(), format!("/open/{}", name.to_ascii_lowercase()));
    for (email, shown) in [(ALICE, vec![tile("Mail"), tile("Charts")]), (BOB, vec![tile("Mail")])] {
        let browser = provider.signed_in(email).await;
        assert_eq!(tiles(&browser.get("/dashboard").await), shown, "{email}");
        let status = browser.get("/open/charts").await.status;
        assert_eq!(status, if shown.len() == 2 { 303 } else { 404 }, "{email}");
        assert_eq!(browser.get("/open/nothing").await.status, 404);
    }
    assert_eq!(provider.browser().get("/open/charts").await.location().path(), "/sign-in");
}

async fn core_4_a_tile_starts_the_applications_own_sign_in(backend: Backend) {
    let provider = with_tiles(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let answer = browser.get("/open/charts").await;
    assert_eq!(answer.location().host_str(), Some("charts.example"));
    let parameters = answer.parameters();
    assert_eq!(parameters["from"], "tile");
    assert_eq!(parameters["iss"], provider.issuer);
    assert_eq!(parameters["login_hint"], ALICE);
    assert_eq!(browser.get("/open/mail").await.location().as_str(), "https://mail.example/inbox");
}

async fn an_application_refuses_whom_it_does_not_show_to(backend: Backend) {
    let provider = with_tiles(&backend).await;
    let (charts, browser) = (provider.client("charts"), provider.signed_in(BOB).await);
    let page = charts.authorize(&browser, &[]).await;
    assert_eq!((page.status, page.text_of("not-entitled").is_some()), (403, true));
    assert!(page.body.contains("the test desk"), "{}", page.page_summary());
    let back = browser.submit(&page, "/not-entitled", &[]).await;
    assert_eq!((back.status, back.error().as_str()), (303, "access_denied"));
    assert!(back.location().as_str().starts_with("https://charts.example/callback"));
    assert_eq!(
        (back.parameters()["state"].as_str(), &back.parameters()["iss"]),
        ("state-1", &provider.issuer)
    );
    // The page and its way back are one refusal.
    let entries = provider.provider.store.recent_entries(50).await.unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.kind == "access_refused").count(), 1, "{entries:?}");
    assert_eq!(charts.authorize(&browser, &[("prompt", "none")]).await.error(), "access_denied");
    // Also for a person who signs in for it.
    let fresh = provider.browser();
    let page = charts.authorize(&fresh, &[]).await;
    let answer = fresh.enter(&page, BOB, anteroom_testkit::PASSWORD).await;
    assert_eq!(fresh.follow(&answer).await.status, 403);
}

async fn joining_a_group_opens_its_applications_at_once(backend: Backend) {
    let provider = with_tiles(&backend).await;
    let (charts, browser) = (provider.client("charts"), provider.signed_in(BOB).await);
    let page = charts.authorize(&browser, &[]).await;
    assert_eq!(page.status, 403);
    let (address, group) = (EmailAddress::parse(BOB).unwrap(), GroupName::parse("clinicians").unwrap());
    change_group(&provider.local(), &address, group, Membership::Add).await.unwrap();
    // Admitted meanwhile: the refusal's own way back leads in.
    charts.code_in(&browser.submit(&page, "/not-entitled", &[]).await);
    assert_eq!(tiles(&browser.get("/dashboard").await).len(), 2);
}
