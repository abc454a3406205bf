//! What one application, one thief or one neighbour uses up is not what the others need.

use crate::{ALICE, BOB};
use anteroom_testkit::{
    Backend, Browser, Documents, PASSWORD, RelyingParty, TestProvider, TestResponse, on_both_databases,
};
use jiff::SignedDuration;
use serde_json::json;

on_both_databases!(
    a_public_clients_requests_count_for_the_address_that_sends_them,
    what_one_account_revokes_uses_up_nothing_of_anothers,
    a_client_of_a_stranger_uses_up_a_quarter_of_the_request_objects_of_an_address_and_all_such_half,
    an_application_uses_up_its_own_answers_alone,
    all_applications_together_get_so_many_answers,
    an_account_gets_so_many_answers_in_all_its_sessions,
    frames_use_up_nothing_of_what_a_person_opens,
    an_image_is_no_authorization_request,
    a_script_of_another_origin_uses_up_no_answer_of_a_frame,
    right_passwords_from_unknown_browsers_wait_and_the_owners_browser_does_not,
    beyond_its_rows_a_network_has_its_requests_wait_in_their_pages,
    strangers_use_up_no_row_that_somebody_signed_in_needs,
    without_a_row_another_account_signs_in_from_the_page_itself,
    a_row_of_a_stranger_is_there_for_two_hours,
);

const OTHER: &str = "[[clients]]\nclient_id = \"other\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
                     redirect_uris = [\"https://other.example/callback\"]\n";
const ANSWERS: &str = "policy.limits.authorization.max";

async fn an_application_uses_up_its_own_answers_alone(backend: Backend) {
    let provider = TestProvider::on(&backend).clients(OTHER).set(ANSWERS, "3").start().await;
    let browser = provider.signed_in(ALICE).await;
    let (web, other) = (provider.client("web"), provider.client("other"));
    for _ in 0..3 {
        web.code(&browser, &[]).await;
    }
    assert_eq!(web.authorize(&browser, &[]).await.parameters()["error"], "temporarily_unavailable");
    other.code(&browser, &[]).await;
}

async fn all_applications_together_get_so_many_answers(backend: Backend) {
    let all = "policy.limits.authorization_of_session.max";
    let provider = TestProvider::on(&backend).clients(OTHER).set(all, "3").start().await;
    let browser = provider.signed_in(ALICE).await;
    let (web, other) = (provider.client("web"), provider.client("other"));
    for _ in 0..2 {
        web.code(&browser, &[]).await;
    }
    other.code(&browser, &[]).await;
    for app in [&web, &other] {
        assert_eq!(app.authorize(&browser, &[]).await.parameters()["error"], "temporarily_unavailable");
    }
    web.code(&provider.signed_in(ALICE).await, &[]).await;
}

async fn an_account_gets_so_many_answers_in_all_its_sessions(backend: Backend) {
    let all = "policy.limits.authorization_of_account.max";
    let provider = TestProvider::on(&backend).set(all, "2").start().await;
    let web = provider.client("web");
    for _ in 0..2 {
        web.code(&provider.signed_in(ALICE).await, &[]).await;
    }
    let refused = web.authorize(&provider.signed_in(ALICE).await, &[]).await;
    assert_eq!(refused.parameters()["error"], "temporarily_unavailable");
    web.code(&provider.signed_in(BOB).await, &[]).await;
}

/// The same browser, loading a part of a page of some application.
fn loading(browser: &Browser, part: &str) -> Browser {
    browser.clone().with("sec-fetch-dest", part)
}

async fn frames_use_up_nothing_of_what_a_person_opens(backend: Backend) {
    let provider = TestProvider::on(&backend).set(ANSWERS, "3").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let frame = loading(&browser, "iframe");
    for _ in 0..3 {
        web.code(&frame, &[("prompt", "none")]).await;
    }
    let script =
        loading(&browser, "empty").with("sec-fetch-mode", "cors").with("sec-fetch-site", "same-origin");
    for part in [frame, script] {
        let refused = web.authorize(&part, &[("prompt", "none")]).await;
        assert_eq!(refused.parameters()["error"], "temporarily_unavailable");
    }
    web.code(&browser, &[]).await;
    web.code(&loading(&browser, "document"), &[]).await;
}

async fn an_image_is_no_authorization_request(backend: Backend) {
    let provider = TestProvider::on(&backend).set(ANSWERS, "1").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for part in ["image", "script", "style", "font", "video"] {
        let answer = web.authorize(&loading(&browser, part), &[]).await;
        assert_eq!((answer.status, answer.header("location")), (403, None), "{part}");
    }
    // What a script asks for without being able to read it.
    let fetched = loading(&browser, "empty").with("sec-fetch-mode", "no-cors");
    let answer = web.authorize(&fetched, &[("prompt", "none")]).await;
    assert_eq!((answer.status, answer.header("location")), (403, None));
    let frame = loading(&browser, "iframe").with("sec-fetch-mode", "navigate");
    web.code(&frame, &[("prompt", "none")]).await;
    web.code(&browser, &[]).await;
}

async fn a_script_of_another_origin_uses_up_no_answer_of_a_frame(backend: Backend) {
    let provider = TestProvider::on(&backend).set(ANSWERS, "1").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for site in ["same-site", "cross-site"] {
        // A link that a script follows to keep what it leads to navigates, for no page and no frame.
        for mode in ["cors", "websocket", "navigate"] {
            let script = loading(&browser, "empty").with("sec-fetch-mode", mode).with("sec-fetch-site", site);
            let answer = web.authorize(&script, &[("prompt", "none")]).await;
            assert_eq!((answer.status, answer.header("location")), (403, None), "{site} {mode}");
        }
    }
    let frame =
        loading(&browser, "iframe").with("sec-fetch-mode", "navigate").with("sec-fetch-site", "same-site");
    web.code(&frame, &[("prompt", "none")]).await;
    // Node.js says this of each request, and nothing of where it comes from.
    web.code(&browser.clone().with("sec-fetch-mode", "cors"), &[]).await;
}

async fn right_passwords_from_unknown_browsers_wait_and_the_owners_browser_does_not(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.right_password.max", "3").start().await;
    let owner = provider.signed_in(ALICE).await;
    for _ in 0..2 {
        provider.signed_in(ALICE).await;
    }
    let before = backend.rows().await;
    let script = provider.browser();
    for _ in 0..3 {
        let page = script.get("/sign-in").await;
        let refused = script.enter(&page, ALICE, PASSWORD).await;
        assert_eq!(refused.status, 429, "{}", refused.page_summary());
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
        assert!(refused.body.contains("to this account from new browsers"), "{}", refused.page_summary());
        assert!(!refused.body.contains("your network"), "{}", refused.page_summary());
    }
    let entries = provider.audited("sign_in_refused").await;
    assert_eq!(entries.len(), 3);
    let account = Some(super::sessions::alice(&provider).await.id);
    for entry in entries {
        assert!(entry.detail.contains("\"too_many_sign_ins\"") && entry.subject == account, "{entry:?}");
    }
    let after = backend.rows().await;
    for table in ["sessions", "known_devices", "interactions"] {
        assert_eq!(before[table], after[table], "{table}");
    }
    owner.forget("anteroom_session");
    assert_eq!(owner.sign_in(ALICE, PASSWORD).await.status, 303);
    provider.signed_in(BOB).await;
    provider.write_tallies().await;
    let entries = provider.audited("rate_limited").await;
    assert!(entries[0].detail.contains("\"right_password\""), "{entries:?}");
    provider.advance(SignedDuration::from_mins(10));
    provider.signed_in(ALICE).await;
}

async fn beyond_its_rows_a_network_has_its_requests_wait_in_their_pages(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.waiting_rows.max", "3").start().await;
    let web = provider.client("web");
    let guess = async |address: &str, email: &str| {
        let unknown_browser = provider.browser().from(address);
        let page = web.authorize(&unknown_browser, &[]).await;
        let refused = unknown_browser.enter(&page, email, "wrong").await;
        assert_eq!(refused.status, 422);
        (unknown_browser, refused)
    };
    let rows = async || backend.rows().await["interactions"];
    for number in 1..=6 {
        guess(&format!("203.0.113.{number}"), &format!("nobody{number}@practice.example")).await;
    }
    assert_eq!(rows().await, 3);
    // A wrong password counts against the account as ever, and the right one leads where the request wanted to go.
    provider.advance(SignedDuration::from_secs(1));
    let (unknown_browser, page) = guess("203.0.113.7", ALICE).await;
    assert_eq!(rows().await, 3);
    let refused = provider.audited("sign_in_refused").await;
    assert!(refused.iter().any(|entry| entry.detail.contains("\"failures\":1")), "{refused:?}");
    assert!(!web.code_in(&unknown_browser.enter(&page, ALICE, PASSWORD).await).is_empty());
    let before = rows().await;
    guess("198.51.100.1", "nobody@practice.example").await;
    assert_eq!(rows().await, before + 1, "another network");
}

async fn use_another(browser: &Browser, page: &TestResponse) -> TestResponse {
    browser.submit(page, "/choose-account", &[("account", "another")]).await
}

async fn strangers_use_up_no_row_that_somebody_signed_in_needs(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.waiting_rows.max", "1").start().await;
    let (web, alice) = (provider.client("web"), provider.signed_in(ALICE).await);
    let unknown_browser = provider.browser();
    let page = web.authorize(&unknown_browser, &[]).await;
    unknown_browser.enter(&page, "nobody@practice.example", "wrong").await;
    for _ in 0..3 {
        let page = web.authorize(&alice, &[("prompt", "select_account")]).await;
        let answer = use_another(&alice, &page).await;
        assert_eq!(answer.status, 303, "{}", answer.page_summary());
        let form = alice.follow(&answer).await;
        assert!(!web.code_in(&alice.enter(&form, BOB, PASSWORD).await).is_empty());
    }
}

async fn without_a_row_another_account_signs_in_from_the_page_itself(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.waiting_rows.max", "1").start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let choice = web.authorize(&browser, &[("prompt", "select_account")]).await;
    let unknown_browser = provider.browser();
    let page = web.authorize(&unknown_browser, &[]).await;
    unknown_browser.enter(&page, "nobody@practice.example", "wrong").await;
    // The session has ended while the page was open.
    browser.forget("anteroom_session");
    let before = backend.rows().await["interactions"];
    let form = use_another(&browser, &choice).await;
    assert_eq!(form.status, 200, "{}", form.page_summary());
    assert_eq!(backend.rows().await["interactions"], before);
    assert!(!web.code_in(&browser.enter(&form, BOB, PASSWORD).await).is_empty());
}

/// What a person does in it gives a row its whole time.
async fn a_row_of_a_stranger_is_there_for_two_hours(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let mistyped = async || {
        let browser = provider.browser();
        let page = web.authorize(&browser, &[]).await;
        let page = browser.enter(&page, ALICE, "wrong").await;
        (browser, page)
    };
    let rows = async || {
        let store = &provider.provider.store;
        store.sweep(provider.now(), 100, anteroom_storage::Sweeps::ALL).await.unwrap();
        backend.rows().await["interactions"]
    };
    let (gone, (asked, page)) = (mistyped().await, mistyped().await);
    let link = page.links().into_iter().find(|link| link.href.starts_with("/forgot-password")).unwrap();
    let form = asked.get(&link.href).await;
    asked.submit(&form, "/forgot-password", &[("email", ALICE)]).await;
    provider.advance(SignedDuration::from_mins(119));
    assert_eq!(rows().await, 2);
    provider.advance(SignedDuration::from_mins(2));
    assert_eq!(rows().await, 1);
    assert_eq!(gone.0.enter(&gone.1, ALICE, PASSWORD).await.status, 400);
    assert!(!web.code_in(&asked.enter(&page, ALICE, PASSWORD).await).is_empty());
}

async fn a_public_clients_requests_count_for_the_address_that_sends_them(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.client_request.max", "3").start().await;
    let from = |client: &str, address: &str| provider.client(client).from(address);
    let (eve, alice) = (from("native", "203.0.113.9"), from("native", "198.51.100.7"));
    for _ in 0..3 {
        assert_eq!(eve.refresh("garbage").await.error(), "invalid_grant");
    }
    assert_eq!(eve.refresh("garbage").await.status, 429);
    assert_eq!(alice.refresh("garbage").await.error(), "invalid_grant");
    // A client that has proven who it is has what it may have, wherever its nodes are.
    let (one, two) = (from("web", "203.0.113.9"), from("web", "198.51.100.7"));
    for _ in 0..3 {
        assert_eq!(one.refresh("garbage").await.error(), "invalid_grant");
    }
    assert_eq!(two.refresh("garbage").await.status, 429);
}

async fn what_one_account_revokes_uses_up_nothing_of_anothers(backend: Backend) {
    let provider = TestProvider::on(&backend).set("policy.limits.revocation.max", "2").start().await;
    let native = provider.client("native");
    let (eve, alice) = (provider.signed_in(BOB).await, provider.signed_in(ALICE).await);
    let ended = native.tokens(&eve, "openid").await;
    let kept = native.tokens(&alice, "openid").await;
    // What has ended costs nothing.
    for _ in 0..5 {
        for token in [ended.refresh_token(), &ended.access_token] {
            assert_eq!(native.revoke(token).await.status, 200);
        }
    }
    let mut last = native.tokens(&eve, "openid").await;
    assert_eq!(native.revoke(&last.access_token).await.status, 200);
    for _ in 0..3 {
        assert_eq!(native.revoke(&last.access_token).await.status, 200, "it is revoked already");
    }
    last = native.tokens(&eve, "openid").await;
    assert_eq!(native.revoke(last.refresh_token()).await.status, 429);
    assert_eq!(native.revoke(kept.refresh_token()).await.status, 200);
    assert_eq!(native.userinfo(&kept.access_token).await.status, 401);
}

fn fetching(id: &str, place: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"{id}\"\ntoken_endpoint_auth_method = \"none\"\n\
         redirect_uris = [\"https://{id}.example/callback\"]\nrequest_object_signing_alg = \"none\"\n\
         request_uris = [\"{place}\"]\n"
    )
}

async fn a_client_of_a_stranger_uses_up_a_quarter_of_the_request_objects_of_an_address_and_all_such_half(
    backend: Backend,
) {
    let place = Documents::start("no request object").await;
    let toml = fetching("one", &place.url) + &fetching("two", &place.url);
    let few = TestProvider::on(&backend).set("policy.limits.request_uri.max", "8").clients(&toml);
    let provider = few.set("registration.mode", "\"open\"").start().await;
    let metadata = json!({
        "redirect_uris": ["https://stranger.example/callback"], "request_uris": [place.url],
        "request_object_signing_alg": "none", "token_endpoint_auth_method": "none",
    });
    let nobody = provider.browser();
    let by_place = [("request_uri", place.url.as_str())];
    let error = async |app: &RelyingParty, browser: &Browser| {
        let answer = app.authorize(browser, &by_place).await;
        // What a stranger's client is told waits on a page.
        if answer.header("location").is_some() { answer.error() } else { answer.status.to_string() }
    };
    let [unknown_browsers, others, further] = [
        provider.registered(&crate::registration::register(&provider, &metadata).await),
        provider.registered(&crate::registration::register(&provider, &metadata).await),
        provider.registered(&crate::registration::register(&provider, &metadata).await),
    ];
    for _ in 0..3 {
        error(&unknown_browsers, &nobody).await;
    }
    assert_eq!(place.asked(), 2, "one that registered itself has a quarter");
    for app in [&others, &others, &further, &further] {
        error(app, &nobody).await;
    }
    assert_eq!(place.asked(), 4, "all that registered themselves have half");
    let [one, two] = ["one", "two"].map(|id| provider.client(id));
    for _ in 0..5 {
        error(&one, &nobody).await;
    }
    assert_eq!(place.asked(), 8);
    // Frames, and people who are signed in, have counts of their own.
    assert_eq!(error(&two, &nobody).await, "temporarily_unavailable");
    assert_eq!(error(&two, &loading(&nobody, "iframe")).await, "invalid_request_object");
    assert_eq!(error(&two, &provider.signed_in(ALICE).await).await, "invalid_request_object");
}
