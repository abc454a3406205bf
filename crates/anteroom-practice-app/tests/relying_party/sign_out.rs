//! Signing out and being signed out, and what every answer carries.

use std::collections::HashMap;

use anteroom_practice_app::{Screen, router, serve};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::support::browser::Browser;
use crate::support::test_tokens::Signer;
use crate::support::{BASE, Setup, clock, config};

#[tokio::test]
async fn rp_initiated_2_signing_out_goes_by_way_of_the_provider() {
    let setup = Setup::new().await;
    let mut browser = setup.signed_in().await;
    let url = browser.post("/sign-out", &[]).await.location();
    assert!(url.as_str().starts_with(&format!("{}/end-session?", setup.provider.issuer)));
    let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(asked["post_logout_redirect_uri"], format!("{BASE}/signed-out"));
    assert_eq!(asked["client_id"], "schedule");
    assert_eq!(asked["id_token_hint"].split('.').count(), 3);

    let page = browser.get(&format!("/signed-out?state={}", asked["state"])).await;
    assert!(page.body.contains("everything else you opened with the same sign-in"), "{}", page.body);
    let page = browser.get("/signed-out?state=another").await;
    assert!(page.body.contains("You are not signed in to Schedule"), "{}", page.body);
    assert_eq!(browser.get("/claims.json").await.status, 401);
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn signing_out_works_without_a_session_and_without_a_provider() {
    let setup = Setup::new().await;
    assert_eq!(setup.browser().post("/sign-out", &[]).await.location().path(), "/signed-out");
    let mut browser = setup.signed_in().await;
    assert_eq!(browser.get("/signed-out").await.location().path(), "/");
    setup.provider.set.lock().unwrap().down = true;
    setup.time.pass(16 * 60);
    assert_eq!(browser.post("/sign-out", &[]).await.location().path(), "/signed-out");
    assert_eq!(browser.get("/signed-out").await.status, 200);
}

#[tokio::test]
async fn backchannel_2_7_a_logout_token_ends_the_session() {
    let setup = Setup::new().await;
    let mut browser = setup.signed_in().await;
    let token = setup.provider.logout_token(&json!({}));
    let answer = setup.browser().post("/backchannel-logout", &[("logout_token", &token)]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(browser.get("/").await.location().as_str().contains("/authorize?"));

    let again = setup.browser().post("/backchannel-logout", &[("logout_token", &token)]).await;
    assert_eq!(again.status, 400);
    assert!(again.body.contains("jti"), "{}", again.body);
}

#[tokio::test]
async fn backchannel_2_8_what_is_refused_ends_nothing() {
    let setup = Setup::new().await;
    let mut browser = setup.signed_in().await;
    let forged = {
        let other_signer = Signer::new(9);
        other_signer.sign(&other_signer.header(), &json!({}))
    };
    let with_nonce = setup.provider.logout_token(&json!({"nonce": "n"}));
    for form in
        [&[][..], &[("logout_token", "x")], &[("logout_token", &forged)], &[("logout_token", &with_nonce)]]
    {
        let answer = setup.browser().post("/backchannel-logout", form).await;
        assert_eq!(answer.status, 400, "{form:?}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(answer.body.contains("invalid_request"), "{}", answer.body);
    }
    assert_eq!(browser.get("/").await.status, 200);
}

#[tokio::test]
async fn core_10_1_1_a_logout_token_of_a_new_key_holds() {
    let setup = Setup::new().await;
    let mut browser = setup.signed_in().await;
    setup.provider.set.lock().unwrap().signer = Signer::new(2);
    let token = setup.provider.logout_token(&json!({"sid": null, "sub": "alice-sub"}));
    let answer = setup.browser().post("/backchannel-logout", &[("logout_token", &token)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn front_channel_2_iss_and_sid_end_the_session() {
    let setup = Setup::new().await;
    let mut browser = setup.signed_in().await;
    let issuer = &setup.provider.issuer;
    let claims: serde_json::Value = serde_json::from_str(&browser.get("/claims.json").await.body).unwrap();
    let sid = claims["id_token"]["sid"].as_str().unwrap();
    for query in
        ["", &format!("?sid={sid}"), &format!("?iss={issuer}"), &format!("?iss=http://x.example&sid={sid}")]
    {
        let answer = setup.browser().get(&format!("/frontchannel-logout{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    assert_eq!(setup.browser().get(&format!("/frontchannel-logout?iss={issuer}&sid=x")).await.status, 200);
    assert_eq!(browser.get("/").await.status, 200);
    let answer = setup.browser().get(&format!("/frontchannel-logout?iss={issuer}&sid={sid}")).await;
    assert_eq!((answer.status, answer.headers["cache-control"].to_str().unwrap()), (200, "no-store"));
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains(&format!("frame-ancestors {issuer};")), "{policy}");
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn every_answer_carries_the_policy_and_nothing_personal_is_stored() {
    let setup = Setup::new().await;
    let mut browser = setup.signed_in().await;
    let paths = [
        ("/", "no-store"),
        ("/signed-out", "no-store"),
        ("/callback", "no-store"),
        ("/nowhere", "no-store"),
        ("/claims.json", "no-store"),
        ("/healthz", "no-store"),
        ("/assets/app.css", "public, max-age=300"),
        ("/assets/icon.svg", "public, max-age=300"),
    ];
    for (path, caching) in paths {
        let answer = browser.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{path}: {policy}");
        assert!(
            policy.contains(&format!("form-action 'self' {};", setup.provider.issuer)),
            "{path}: {policy}"
        );
        assert_eq!(answer.headers["cache-control"], caching, "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
    }
}

#[tokio::test]
async fn applications_on_one_host_do_not_share_cookies() {
    let setup = Setup::new().await;
    let mut names = Vec::new();
    for screen in Screen::ALL {
        let mut config = config(&setup.provider.issuer);
        config.screen = screen;
        let mut browser = Browser::new(router(config, clock(&setup.time)).unwrap());
        browser.get("/").await;
        names.extend(browser.cookies.into_keys());
    }
    names.sort();
    let expected = ["analytics", "imaging", "patient-forms", "schedule", "secure-mail"];
    assert_eq!(names, expected.map(|slug| format!("practice_{slug}_browser")));
}

#[tokio::test]
async fn it_serves_until_it_is_told_to_stop() {
    let setup = Setup::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(serve(config(&setup.provider.issuer), clock(&setup.time), listener, async {
        let _ = stopped.await;
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok"), "{answer}");
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}
