//! RP-Initiated Logout 1.0.

use crate::{ALICE, BOB};
use anteroom_flows::keys::signing_keys::RotationReason;
use anteroom_testkit::{Backend, Browser, PASSWORD, TestProvider, TestResponse, on_both_databases};
use jiff::SignedDuration;

on_both_databases!(
    rp_initiated_2_a_hint_ends_its_session_and_leads_back,
    rp_initiated_2_ui_locales_choose_the_language_of_question_and_end,
    rp_initiated_2_an_expired_hint_is_accepted,
    rp_initiated_3_never_to_an_address_that_is_not_registered,
    rp_initiated_3_with_such_an_address_the_person_can_sign_out_and_stays,
    rp_initiated_2_a_hint_ends_its_session_also_without_its_browser,
    rp_initiated_3_an_expired_or_older_hint_in_another_browser_ends_nothing,
    rp_initiated_3_with_such_a_hint_the_browser_that_lost_its_cookie_is_asked,
    what_ends_nothing_says_so,
    an_answer_after_the_session_ended_elsewhere_says_signed_out,
    rp_initiated_3_state_is_returned_and_nothing_else,
    rp_initiated_2_without_a_hint_the_person_is_asked,
    a_hint_of_an_application_that_is_gone_keeps_nobody_signed_in,
    rp_initiated_2_with_a_hint_that_verifies_no_more_the_person_is_asked_and_stays,
    somebody_elses_hint_does_not_end_my_session,
    of_several_accounts_the_one_of_the_hint_leaves,
    whoever_is_signed_out_already_is_led_back_at_once,
    rp_initiated_2_post_answers_303_to_a_get_of_itself,
    the_client_and_the_hint_must_agree,
    the_question_has_a_form_that_is_checked,
    a_native_application_returns_to_any_port,
);

const BACK: (&str, &str) = ("post_logout_redirect_uri", "https://web.example/signed-out");

async fn end_session(browser: &Browser, parameters: &[(&str, &str)]) -> TestResponse {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    browser.get(&format!("/end-session?{query}")).await
}

/// A person signed in, also at the application, which holds an ID token of theirs.
async fn at_web(provider: &TestProvider, email: &str) -> (Browser, String) {
    let browser = provider.signed_in(email).await;
    let tokens = provider.client("web").tokens(&browser, "openid").await;
    (browser, tokens.id_token.unwrap())
}

async fn rp_initiated_2_a_hint_ends_its_session_and_leads_back(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, hint) = at_web(&provider, ALICE).await;
    let copy = browser.clone();
    let answer = end_session(&browser, &[("id_token_hint", &hint), BACK]).await;
    assert_eq!((answer.status, answer.location().as_str()), (303, BACK.1));
    assert!(!browser.is_signed_in().await && !copy.is_signed_in().await);
    // Without an address to return to there is a page.
    let (browser, hint) = at_web(&provider, ALICE).await;
    let answer = end_session(&browser, &[("id_token_hint", &hint)]).await;
    assert!(browser.follow(&answer).await.text_of("signed-out").is_some());
    assert!(!browser.is_signed_in().await);
    assert_eq!(provider.audited("signed_out").await.len(), 2);
}

async fn rp_initiated_2_ui_locales_choose_the_language_of_question_and_end(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let spanish = "<html lang=\"es\">";
    let browser = provider.signed_in(ALICE).await;
    let question = end_session(&browser, &[("ui_locales", "es_MX en")]).await;
    assert!(question.has_form("/sign-out") && question.body.contains(spanish), "{}", question.body);
    let answer = browser.submit(&question, "/sign-out", &[]).await;
    let end = browser.follow(&answer).await;
    assert!(end.text_of("signed-out").is_some() && end.body.contains(spanish), "{}", end.body);
    let end = browser.get("/signed-out").await;
    assert!(!end.body.contains(spanish));
}

async fn rp_initiated_2_an_expired_hint_is_accepted(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, hint) = at_web(&provider, ALICE).await;
    for _ in 0..6 {
        provider.advance(SignedDuration::from_mins(20));
        assert!(browser.is_signed_in().await);
    }
    let answer = end_session(&browser, &[("id_token_hint", &hint), BACK]).await;
    assert_eq!(answer.location().as_str(), BACK.1);
    assert!(!browser.is_signed_in().await);
}

async fn rp_initiated_3_never_to_an_address_that_is_not_registered(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, hint) = at_web(&provider, ALICE).await;
    for uri in [
        "https://evil.example/",
        "https://web.example/signed-out/",
        "https://web.example/signed-out?x=1",
        "https://web.example/callback",
        "http://web.example/signed-out",
        "javascript:alert(1)",
        "not a url",
    ] {
        for who in [("id_token_hint", hint.as_str()), ("client_id", "web")] {
            let page = end_session(&browser, &[who, ("post_logout_redirect_uri", uri)]).await;
            assert_eq!((page.status, page.header("location")), (400, None), "{uri}");
            assert!(page.text_of("problem").is_some(), "{uri}: {}", page.page_summary());
            // With no one signed in there is nothing else to say.
            let page =
                end_session(&provider.browser(), &[("client_id", "web"), ("post_logout_redirect_uri", uri)])
                    .await;
            assert_eq!((page.status, page.header("location")), (400, None), "{uri}");
            assert!(page.text_of("error-redirect-uri-mismatch").is_some(), "{uri}: {}", page.page_summary());
        }
    }
    // Nor where it is not said whose it is.
    let page = end_session(&browser, &[BACK]).await;
    assert_eq!((page.status, page.header("location")), (400, None));
    assert!(browser.is_signed_in().await);
}

async fn rp_initiated_3_with_such_an_address_the_person_can_sign_out_and_stays(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let evil = ("post_logout_redirect_uri", "https://evil.example/");
    for case in 0..3 {
        let (browser, hint) = at_web(&provider, ALICE).await;
        let asked = match case {
            0 => vec![("id_token_hint", hint.as_str()), evil, ("state", "s")],
            1 => vec![("client_id", "web"), evil, ("state", "s")],
            // Without hint and client it is not known whose address that is.
            _ => vec![BACK, ("state", "s")],
        };
        let page = end_session(&browser, &asked).await;
        assert_eq!((page.status, page.heading().as_str()), (400, "Sign out?"), "{asked:?}");
        assert!(page.text_of("problem").is_some(), "{}", page.page_summary());
        let answer = browser.submit(&page, "/sign-out", &[]).await;
        assert_eq!(answer.location().as_str(), format!("{}/signed-out", provider.issuer), "{asked:?}");
        assert!(!browser.is_signed_in().await);
    }
}

async fn rp_initiated_2_a_hint_ends_its_session_also_without_its_browser(backend: Backend) {
    let pairwise = "[[clients]]\nclient_id = \"lab\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
                    redirect_uris = [\"https://lab.example/callback\"]\nsubject_type = \"pairwise\"\n\
                    post_logout_redirect_uris = [\"https://lab.example/bye\"]\n";
    let provider = TestProvider::on(&backend).clients(pairwise).start().await;
    for (client, back) in [("web", BACK.1), ("lab", "https://lab.example/bye")] {
        let (browser, other) = (provider.signed_in(ALICE).await, provider.signed_in(ALICE).await);
        let bob = provider.signed_in(BOB).await;
        let hint = provider.client(client).tokens(&browser, "openid").await.id_token.unwrap();
        provider.client(client).tokens(&bob, "openid").await;
        let server = provider.browser().from("203.0.113.20");
        let asked = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", back)];
        assert_eq!(end_session(&server, &asked).await.location().as_str(), back);
        assert!(!browser.is_signed_in().await, "{client}");
        assert!(other.is_signed_in().await && bob.is_signed_in().await, "{client}");
        let entries = provider.audited("signed_out").await;
        let entry = entries.iter().find(|entry| entry.client.as_deref() == Some(client)).unwrap();
        assert_eq!((entry.actor.as_str(), entry.address.as_deref()), ("client", Some("203.0.113.20")));
        assert!(entry.detail.contains("client"), "{entry:?}");
    }
    // Without an address to return to there is a page, which is true; with one that is not registered a person is asked.
    let (browser, hint) = at_web(&provider, ALICE).await;
    let server = provider.browser();
    let evil = ("post_logout_redirect_uri", "https://evil.example/");
    let page = end_session(&server, &[("id_token_hint", &hint), evil]).await;
    assert_eq!((page.status, page.heading().as_str()), (400, "Sign out?"));
    assert!(browser.is_signed_in().await);
    let answer = end_session(&server, &[("id_token_hint", &hint)]).await;
    assert!(server.follow(&answer).await.text_of("signed-out").is_some());
    assert!(!browser.is_signed_in().await);
    assert_eq!(provider.audited("signed_out").await.len(), 3);
}

/// An expired hint of one session, and one from before its person signed in again of the other.
async fn old_hints(provider: &TestProvider) -> [(Browser, String); 2] {
    let (expired, older) = (at_web(provider, ALICE).await, at_web(provider, BOB).await);
    provider.advance(SignedDuration::from_mins(20));
    assert!(expired.0.is_signed_in().await);
    let page = provider.client("web").authorize(&older.0, &[("prompt", "login")]).await;
    older.0.enter(&page, BOB, PASSWORD).await;
    [expired, older]
}

async fn rp_initiated_3_an_expired_or_older_hint_in_another_browser_ends_nothing(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for (browser, hint) in old_hints(&provider).await {
        for elsewhere in [provider.browser(), provider.browser().from("203.0.113.20")] {
            elsewhere.get("/sign-in").await;
            // The application that is waiting for its person gets them back.
            let answer = end_session(&elsewhere, &[("id_token_hint", &hint), BACK]).await;
            assert_eq!(
                (answer.status, answer.location().as_str()),
                (303, BACK.1),
                "{}",
                answer.page_summary()
            );
            let page = end_session(&elsewhere, &[("id_token_hint", &hint)]).await;
            assert_eq!((page.status, page.header("location")), (400, None), "{}", page.page_summary());
            assert!(page.text_of("error-nothing-ended").is_some(), "{}", page.page_summary());
        }
        assert!(browser.is_signed_in().await);
    }
    assert!(provider.audited("signed_out").await.is_empty());
}

async fn rp_initiated_3_with_such_a_hint_the_browser_that_lost_its_cookie_is_asked(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for (browser, hint) in old_hints(&provider).await {
        let cookie = browser.cookie("anteroom_session").unwrap();
        let lost = browser.clone();
        lost.set_cookie("anteroom_session", cookie.split_once('.').unwrap().0);
        let page = end_session(&lost, &[("id_token_hint", &hint), BACK]).await;
        assert_eq!((page.status, page.heading().as_str()), (200, "Sign out?"), "{}", page.page_summary());
        // It does not say whose session it is.
        assert!(page.text_of("people").is_none() && !page.body.contains(ALICE) && !page.body.contains(BOB));
        assert!(browser.is_signed_in().await);
        let answer = lost.submit(&page, "/sign-out", &[]).await;
        assert_eq!(answer.location().as_str(), BACK.1);
        assert!(!browser.is_signed_in().await);
    }
}

async fn what_ends_nothing_says_so(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, hint) = at_web(&provider, ALICE).await;
    let forged = format!("{hint}x");
    let nothing = async |asked: &[(&str, &str)]| {
        let page = end_session(&provider.browser(), asked).await;
        assert_eq!((page.status, page.header("location")), (400, None), "{asked:?}");
        assert!(page.text_of("error-nothing-ended").is_some(), "{}", page.page_summary());
    };
    nothing(&[]).await;
    nothing(&[("client_id", "web")]).await;
    nothing(&[("id_token_hint", &forged)]).await;
    nothing(&[("id_token_hint", "not a token")]).await;
    assert!(browser.is_signed_in().await);
    end_session(&browser, &[("id_token_hint", &hint)]).await;
    nothing(&[("id_token_hint", &hint)]).await;
    assert_eq!(provider.audited("signed_out").await.len(), 1);
}

async fn an_answer_after_the_session_ended_elsewhere_says_signed_out(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for asked in [&[][..], &[("client_id", "web")]] {
        let (browser, _) = at_web(&provider, ALICE).await;
        let page = end_session(&browser, asked).await;
        browser.submit(&browser.get("/dashboard").await, "/sign-out", &[]).await;
        assert!(!browser.is_signed_in().await);
        let answer = browser.submit(&page, "/sign-out", &[]).await;
        assert_eq!((answer.status, answer.location().path()), (303, "/signed-out"), "{asked:?}");
    }
}

async fn rp_initiated_3_state_is_returned_and_nothing_else(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    for state in ["s", "a b&c=d#e%20+é\"<>"] {
        let (browser, hint) = at_web(&provider, ALICE).await;
        let answer = end_session(&browser, &[("id_token_hint", &hint), BACK, ("state", state)]).await;
        let parameters: Vec<(String, String)> = answer.parameters().into_iter().collect();
        assert_eq!(parameters, [("state".to_owned(), state.to_owned())]);
    }
}

async fn a_hint_of_an_application_that_is_gone_keeps_nobody_signed_in(backend: Backend) {
    let toml = "[[clients]]\nclient_id = \"passing\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
                redirect_uris = [\"https://passing.example/callback\"]\n";
    let before = TestProvider::on(&backend).clients(toml).start().await;
    let mut browser = before.signed_in(ALICE).await;
    let hint = before.client("passing").tokens(&browser, "openid").await.id_token.unwrap();
    let after = TestProvider::on(&backend).another_node_of(&before).start().await;
    browser.lead_to(&after);
    let page = end_session(&browser, &[("id_token_hint", &hint)]).await;
    assert_eq!((page.status, page.heading().as_str()), (200, "Sign out?"));
    browser.submit(&page, "/sign-out", &[]).await;
    assert!(!browser.is_signed_in().await);
}

async fn rp_initiated_2_without_a_hint_the_person_is_asked(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, _) = at_web(&provider, ALICE).await;
    let asked = [("client_id", "web"), BACK, ("state", "s&t")];
    let page = end_session(&browser, &asked).await;
    assert_eq!((page.status, page.heading().as_str()), (200, "Sign out?"));
    assert!(page.body.contains("Web application"), "{}", page.page_summary());
    assert!(browser.is_signed_in().await);
    assert!(page.links().iter().any(|link| link.text == "Stay Signed In"));
    let answer = browser.submit(&page, "/sign-out", &[]).await;
    assert_eq!(answer.location().as_str(), "https://web.example/signed-out?state=s%26t");
    assert!(!browser.is_signed_in().await);
    // Also where not even the application is named.
    let browser = provider.signed_in(ALICE).await;
    let page = end_session(&browser, &[]).await;
    let answer = browser.submit(&page, "/sign-out", &[]).await;
    assert_eq!(answer.location().path(), "/signed-out");
}

async fn somebody_elses_hint_does_not_end_my_session(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (_, bobs) = at_web(&provider, BOB).await;
    let (alices_other_desk, others) = at_web(&provider, ALICE).await;
    let (browser, _) = at_web(&provider, ALICE).await;
    let forged = format!("{bobs}x");
    for hint in [&bobs, &others, &forged] {
        let page = end_session(&browser, &[("id_token_hint", hint), BACK]).await;
        assert!(page.header("location").is_none(), "{}", page.page_summary());
        assert!(browser.is_signed_in().await);
    }
    assert!(alices_other_desk.is_signed_in().await);
    assert!(provider.audited("signed_out").await.is_empty());
}

async fn of_several_accounts_the_one_of_the_hint_leaves(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, hint) = at_web(&provider, ALICE).await;
    browser.sign_in(BOB, PASSWORD).await;
    let answer = end_session(&browser, &[("id_token_hint", &hint), BACK]).await;
    assert_eq!(answer.location().as_str(), BACK.1);
    assert_eq!(browser.get("/dashboard").await.text_of("signed-in-as").unwrap(), BOB);
    assert_eq!(browser.get("/choose-account").await.form("/choose-account").buttons.len(), 2);
}

async fn whoever_is_signed_out_already_is_led_back_at_once(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, hint) = at_web(&provider, ALICE).await;
    end_session(&browser, &[("id_token_hint", &hint)]).await;
    for who in [("id_token_hint", hint.as_str()), ("client_id", "web")] {
        for browser in [&browser, &provider.browser()] {
            let answer = end_session(browser, &[who, BACK, ("state", "s")]).await;
            assert_eq!(answer.location().as_str(), "https://web.example/signed-out?state=s");
        }
    }
}

async fn rp_initiated_2_post_answers_303_to_a_get_of_itself(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, hint) = at_web(&provider, ALICE).await;
    let cross_site =
        provider.browser().with("origin", "https://web.example").with("sec-fetch-site", "cross-site");
    let answer = cross_site.post("/end-session", &[("id_token_hint", &hint), BACK, ("state", "a b")]).await;
    assert_eq!((answer.status, answer.location().path()), (303, "/end-session"));
    assert!(browser.is_signed_in().await);
    let answer = browser.follow(&answer).await;
    assert_eq!(answer.parameters()["state"], "a b");
    assert!(!browser.is_signed_in().await);
}

async fn the_client_and_the_hint_must_agree(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, hint) = at_web(&provider, ALICE).await;
    for client in ["native", "nobody"] {
        let page = end_session(&browser, &[("id_token_hint", &hint), ("client_id", client)]).await;
        assert_eq!((page.status, page.header("location")), (400, None), "{client}");
        assert!(page.reference().is_some());
    }
    assert_eq!(end_session(&browser, &[("client_id", "nobody")]).await.status, 400);
    let twice = browser.get("/end-session?client_id=web&client_id=web").await;
    assert_eq!(twice.status, 400);
    assert!(browser.is_signed_in().await);
    end_session(&browser, &[("id_token_hint", &hint), ("client_id", "web")]).await;
    assert!(!browser.is_signed_in().await);
}

async fn the_question_has_a_form_that_is_checked(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let page = end_session(&browser, &[("client_id", "web"), BACK]).await;
    let stale = browser.submit(&page, "/sign-out", &[("form_token", "x")]).await;
    assert_eq!(stale.status, 422);
    // The address to return to is looked at again.
    let evil = [("post_logout_redirect_uri", "https://evil.example/")];
    let answer = browser.submit(&page, "/sign-out", &evil).await;
    assert_eq!(answer.location().path(), "/signed-out");
    assert!(answer.location().as_str().starts_with(&provider.issuer), "{}", answer.location());
    assert!(!browser.is_signed_in().await);
}

async fn a_native_application_returns_to_any_port(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let tokens = provider.client("native").tokens(&browser, "openid").await;
    let back = "http://127.0.0.1:51004/signed-out";
    let asked = [("id_token_hint", tokens.id_token()), ("post_logout_redirect_uri", back)];
    assert_eq!(end_session(&browser, &asked).await.location().as_str(), back);
}

async fn rp_initiated_2_with_a_hint_that_verifies_no_more_the_person_is_asked_and_stays(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (browser, hint) = at_web(&provider, ALICE).await;
    provider.rotate_keys(RotationReason::Compromised).await;
    provider.refresh_keys().await;
    let forged = format!("{}.e30.c2ln", hint.split('.').next().unwrap());
    for hint in [forged.as_str(), &hint, "not a token"] {
        let page = end_session(&browser, &[("id_token_hint", hint), BACK, ("state", "s")]).await;
        assert_eq!((page.status, page.heading().as_str()), (200, "Sign out?"));
        assert!(browser.is_signed_in().await);
    }
    let page = end_session(&browser, &[("id_token_hint", &hint), BACK, ("state", "s")]).await;
    let answer = browser.submit(&page, "/sign-out", &[]).await;
    // It is not known any more whose address that is.
    assert_eq!(answer.location().path(), "/signed-out");
    assert!(!browser.is_signed_in().await);
    let again = end_session(&browser, &[("id_token_hint", &hint), BACK]).await;
    assert_eq!((again.status, again.header("location")), (400, None));
    assert!(again.text_of("error-nothing-ended").is_some(), "{}", again.page_summary());
}
