//! Front-Channel Logout 1.0: applications are told by frames on the page after a sign-out.

use crate::{ALICE, BOB};
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, TestResponse, on_both_databases};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use url::Url;

on_both_databases!(
    front_channel_3_the_page_after_sign_out_loads_each_application_with_iss_and_sid,
    front_channel_3_an_application_that_signs_out_is_returned_to_after_the_frames,
    only_this_page_may_frame_and_only_these_origins,
    sessions_that_stay_are_not_spoken_of,
    the_applications_of_all_sessions_of_a_browser_are_one_read,
    a_session_that_ended_before_is_told_of_at_sign_out,
    the_second_of_two_clicks_tells_as_well,
    an_address_made_up_or_taken_elsewhere_tells_nobody_and_leads_nowhere,
);

const CLIENTS: &str = r#"
[[clients]]
client_id = "charts"
client_name = "Charts"
first_party = true
redirect_uris = ["https://charts.example/callback"]
post_logout_redirect_uris = ["https://charts.example/bye?x=1"]
frontchannel_logout_uri = "https://charts.example/out"
frontchannel_logout_session_required = true
token_endpoint_auth_method = "none"

[[clients]]
client_id = "billing"
first_party = true
redirect_uris = ["https://billing.example:8443/callback"]
frontchannel_logout_uri = "https://billing.example:8443/out?practice=7"
token_endpoint_auth_method = "none"
"#;

async fn started(backend: &Backend) -> TestProvider {
    TestProvider::on(backend).clients(CLIENTS).start().await
}

async fn sign_out(browser: &Browser) -> TestResponse {
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await
}

async fn end_session(browser: &Browser, parameters: &[(&str, &str)]) -> TestResponse {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    browser.get(&format!("/end-session?{query}")).await
}

/// Signs in to an application; its ID token, and the `sid` in it.
async fn at(provider: &TestProvider, client: &str, browser: &Browser) -> (String, String) {
    let client = provider.client(client);
    let tokens = client.tokens(browser, "openid").await;
    let sid = client.verified(tokens.id_token()).await.claims["sid"].as_str().unwrap().to_owned();
    (tokens.id_token().to_owned(), sid)
}

fn parameters(frame: &str) -> BTreeMap<String, String> {
    frame.parse::<Url>().unwrap().query_pairs().into_owned().collect()
}

/// Who is told of which session.
fn notified(page: &TestResponse) -> Vec<(String, String)> {
    let host = |frame: &str| frame.parse::<Url>().unwrap().host_str().unwrap().to_owned();
    page.frames().iter().map(|frame| (host(frame), parameters(frame)["sid"].clone())).collect()
}

/// Where a browser without scripts goes by itself.
fn goes_to(page: &TestResponse) -> Option<String> {
    let (before, after) = page.body.split_once("<meta http-equiv=\"refresh\" content=\"")?;
    assert!(before.ends_with("<noscript>"), "a browser with scripts obeys it as well: {}", page.body);
    let (content, rest) = after.split_once('"').unwrap();
    assert!(!rest.contains("http-equiv"), "{rest}");
    let address = content.strip_prefix("1; url=").unwrap();
    Some(address.replace("&#x3D;", "=").replace("&amp;", "&"))
}

async fn front_channel_3_the_page_after_sign_out_loads_each_application_with_iss_and_sid(backend: Backend) {
    let provider = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    at(&provider, "web", &browser).await;
    let (_, sid) = at(&provider, "charts", &browser).await;
    at(&provider, "billing", &browser).await;
    let page = browser.follow(&sign_out(&browser).await).await;
    assert_eq!((page.status, page.heading().as_str()), (200, "You are signed out"));
    let frames = page.frames();
    assert!(frames[0].starts_with("https://billing.example:8443/out?practice=7&iss="), "{frames:?}");
    assert!(frames[1].starts_with("https://charts.example/out?iss="), "{frames:?}");
    assert_eq!(frames.len(), 2);
    // Whether or not the application requires them.
    for frame in &frames {
        let sent = parameters(frame);
        assert_eq!((&sent["iss"], &sent["sid"]), (&provider.issuer, &sid));
    }
    // No application waits: the page stays.
    assert_eq!((goes_to(&page), page.header("refresh")), (None, None));
    assert!(!page.body.contains("/assets/signed-out-"));
}

async fn front_channel_3_an_application_that_signs_out_is_returned_to_after_the_frames(backend: Backend) {
    let provider = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let (hint, _) = at(&provider, "charts", &browser).await;
    let back = ("post_logout_redirect_uri", "https://charts.example/bye?x=1");
    let answer = end_session(&browser, &[("id_token_hint", &hint), back, ("state", "s&t")]).await;
    assert_eq!((answer.status, answer.location().path()), (303, "/signed-out"));
    let page = browser.follow(&answer).await;
    assert_eq!(page.frames().len(), 1);
    // By script, by the browser itself only where there are no scripts, and by hand.
    let home = "https://charts.example/bye?x=1&state=s%26t";
    assert_eq!((goes_to(&page).as_deref(), page.header("refresh")), (Some(home), None));
    assert!(page.links().iter().any(|link| link.href == home && link.text == "Back to Charts"));
    assert!(page.body.contains("/assets/signed-out-"));
}

async fn only_this_page_may_frame_and_only_these_origins(backend: Backend) {
    let provider = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    for client in ["charts", "billing", "web"] {
        at(&provider, client, &browser).await;
    }
    let policy = |page: &TestResponse| page.header("content-security-policy").unwrap().to_owned();
    assert!(!policy(&browser.get("/dashboard").await).contains("frame-src"));
    let page = browser.follow(&sign_out(&browser).await).await;
    let framing = "; frame-src https://billing.example:8443 https://charts.example";
    assert!(policy(&page).ends_with(framing), "{}", policy(&page));
    assert!(policy(&page).contains("default-src 'none'") && policy(&page).contains("frame-ancestors 'none'"));
    assert!(!policy(&browser.get("/signed-out").await).contains("frame-src"));
}

async fn sessions_that_stay_are_not_spoken_of(backend: Backend) {
    let provider = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let (hint, alices) = at(&provider, "charts", &browser).await;
    browser.sign_in(BOB, PASSWORD).await;
    let charts = provider.client("charts");
    let code = charts.code(&browser, &[("login_hint", BOB)]).await;
    assert_eq!(charts.redeem(&code).await.status, 200);
    let page = browser.follow(&end_session(&browser, &[("id_token_hint", &hint)]).await).await;
    assert_eq!(notified(&page), [("charts.example".to_owned(), alices)]);
    assert!(browser.is_signed_in().await);
}

async fn the_applications_of_all_sessions_of_a_browser_are_one_read(backend: Backend) {
    let provider = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    at(&provider, "charts", &browser).await;
    browser.sign_in(BOB, PASSWORD).await;
    let charts = provider.client("charts");
    let code = charts.code(&browser, &[("login_hint", BOB)]).await;
    assert_eq!(charts.redeem(&code).await.status, 200);
    let answer = sign_out(&browser).await;
    let store = &provider.provider.store;
    drop(store.take_statements());
    let page = browser.follow(&answer).await;
    assert_eq!(notified(&page).len(), 2);
    let asked = store.take_statements();
    let of_sessions = asked.iter().filter(|asked| asked.sql.contains("subject_sector"));
    assert_eq!(of_sessions.count(), 1, "{asked:?}");
}

async fn a_session_that_ended_before_is_told_of_at_sign_out(backend: Backend) {
    let provider = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let (hint, sid) = at(&provider, "charts", &browser).await;
    provider.advance(SignedDuration::from_hours(24));
    provider.end_lapsed_sessions().await;
    let page = browser.follow(&end_session(&browser, &[("id_token_hint", &hint)]).await).await;
    assert_eq!(notified(&page), [("charts.example".to_owned(), sid)]);
    // From then on there is nothing left to tell.
    let page = end_session(&browser, &[("id_token_hint", &hint)]).await;
    assert!(page.text_of("error-nothing-ended").is_some(), "{}", page.page_summary());
    assert!(page.frames().is_empty());
}

async fn the_second_of_two_clicks_tells_as_well(backend: Backend) {
    let provider = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let (hint, sid) = at(&provider, "charts", &browser).await;
    // Sent before the answer to the first one came.
    let second = browser.clone();
    for click in [&browser, &second] {
        let page = click.follow(&end_session(click, &[("id_token_hint", &hint)]).await).await;
        assert_eq!(notified(&page), [("charts.example".to_owned(), sid.clone())]);
    }
}

async fn an_address_made_up_or_taken_elsewhere_tells_nobody_and_leads_nowhere(backend: Backend) {
    let provider = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let (hint, _) = at(&provider, "charts", &browser).await;
    let back = ("post_logout_redirect_uri", "https://charts.example/bye?x=1");
    let answer = end_session(&browser, &[("id_token_hint", &hint), back]).await;
    let address = answer.location().to_string();
    let plain = |page: &TestResponse| {
        assert_eq!((page.status, goes_to(page), page.header("refresh")), (200, None, None));
        assert!(page.frames().is_empty());
        assert_eq!(page.links().iter().filter(|link| link.href == "/sign-in").count(), 1);
    };
    plain(&provider.browser().get(&address).await);
    plain(&browser.get(&format!("{address}A")).await);
    plain(&browser.get(&format!("{address}&farewell=x")).await);
    plain(&browser.get("/signed-out?farewell=https%3A%2F%2Fevil.example").await);
    plain(&browser.get("/signed-out?back=https%3A%2F%2Fevil.example").await);
    assert_eq!(browser.get(&address).await.frames().len(), 1);
    provider.advance(SignedDuration::from_mins(3));
    plain(&browser.get(&address).await);
}
