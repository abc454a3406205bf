//! Requests that are refused: on a page as long as client and redirect URI are not known good, at the application after.

use crate::ALICE;
use anteroom_testkit::{Backend, STATE, TestProvider, on_both_databases};

on_both_databases!(
    rfc6749_4_1_2_1_an_unknown_client_is_a_page,
    rfc9700_4_1_3_a_redirect_uri_that_is_not_registered_is_a_page,
    core_3_1_2_1_redirect_uri_is_required,
    the_reference_on_the_page_is_found_in_the_trail,
    what_is_told_to_the_application_is_in_the_trail_too,
    the_path_of_a_page_that_is_missing_is_in_the_trail,
    core_3_1_2_6_other_errors_go_back_to_the_application,
    multiple_response_types_5_errors_of_hybrid_requests_are_in_the_fragment,
    rfc6749_3_1_a_parameter_given_twice_is_an_error,
    an_error_goes_back_the_way_that_was_asked_for,
    bad_input_is_never_an_internal_error,
);

async fn rfc6749_4_1_2_1_an_unknown_client_is_a_page(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for client_id in ["nobody", "", "WEB", "web "] {
        for prompt in ["", "none"] {
            let page = web.authorize(&browser, &[("client_id", client_id), ("prompt", prompt)]).await;
            assert_eq!((page.status, page.header("location")), (400, None), "{client_id:?}");
            assert!(page.text_of("error-unknown-client").is_some(), "{}", page.page_summary());
        }
    }
    let twice = browser.get(&format!("{}&client_id=web", web.request(&[]))).await;
    assert_eq!((twice.status, twice.header("location")), (400, None));
}

async fn rfc9700_4_1_3_a_redirect_uri_that_is_not_registered_is_a_page(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for uri in [
        "https://evil.example/callback",
        "https://web.example/callback/",
        "https://web.example/callback?x=y",
        "https://web.example/Callback",
        "https://web.example:443/callback",
        "https://web.example/callback#here",
        "https://web.example/a/../callback",
        "https://WEB.example/callback",
        "http://web.example/callback",
        "https://user@web.example/callback",
        "https://web.example.evil.example/callback",
        "//web.example/callback",
        "/callback",
        "javascript:alert(1)",
        "data:text/html,hello",
    ] {
        let page = web.authorize(&browser, &[("redirect_uri", uri)]).await;
        assert_eq!((page.status, page.header("location")), (400, None), "{uri}");
        assert!(page.text_of("error-redirect-uri-mismatch").is_some(), "{uri}: {}", page.page_summary());
        assert!(!page.body.contains(&format!("href=\"{uri}")), "{uri}");
    }
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fweb.example%2Fcallback", web.request(&[]));
    assert_eq!(browser.get(&twice).await.status, 400);
}

async fn core_3_1_2_1_redirect_uri_is_required(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    assert_eq!(web.authorize(&browser, &[("redirect_uri", "")]).await.status, 400);
    // Plain OAuth may leave out the only one that is registered (RFC 6749 §3.1.2.3).
    let answer = web.authorize(&browser, &[("redirect_uri", ""), ("scope", "profile")]).await;
    let code = web.code_in(&answer);
    assert_eq!(web.redeem_with(&code, &[("redirect_uri", "")]).await.status, 200);
}

async fn the_reference_on_the_page_is_found_in_the_trail(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    for (name, value, said) in [
        ("client_id", "nobody", &["client_id", "nobody"][..]),
        ("redirect_uri", "https://evil.example/", &["https://evil.example/", "https://web.example/callback"]),
    ] {
        let page = web.authorize(&browser, &[(name, value)]).await;
        let entries = provider.provider.store.entries_by_reference(&page.reference().unwrap()).await.unwrap();
        let refused = entries.iter().find(|entry| entry.kind == "request_refused").unwrap();
        for word in said {
            assert!(refused.detail.contains(word), "{word}: {}", refused.detail);
        }
    }
}

/// The log has its reference, and the operator looks it up.
async fn what_is_told_to_the_application_is_in_the_trail_too(backend: Backend) {
    let toml = "[[clients]]\nclient_id = \"robot\"\nredirect_uris = [\"https://service.example/callback\"]\n\
        response_types = []\ngrant_types = [\"client_credentials\"]\nsecret_env = \"TEST_CLIENT_SECRET\"\n";
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let browser = provider.browser();
    let changes = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(provider.client("web").authorize(&browser, &changes).await.error(), "invalid_request");
    let callback = [("redirect_uri", "https://service.example/callback")];
    let answer = provider.client("web").named("robot").authorize(&browser, &callback).await;
    assert_eq!(answer.error(), "unauthorized_client");
    let entries = provider.audited("request_refused").await;
    for (client, said) in [("web", "code_challenge"), ("robot", "unauthorized_client")] {
        let entry = entries.iter().find(|entry| entry.client.as_deref() == Some(client)).unwrap();
        assert!(entry.detail.contains(said) && entry.reference.is_some(), "{entry:?}");
    }
}

async fn the_path_of_a_page_that_is_missing_is_in_the_trail(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let page = provider.browser().get("/missing/page?code=secret").await;
    assert_eq!(page.status, 404);
    let entries = provider.provider.store.entries_by_reference(&page.reference().unwrap()).await.unwrap();
    assert!(entries[0].detail.contains("/missing/page"), "{entries:?}");
    assert!(!entries[0].detail.contains("secret"), "{entries:?}");
}

async fn core_3_1_2_6_other_errors_go_back_to_the_application(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    // Whether or not a person is signed in: mistakes are told before they are asked anything.
    for browser in [provider.browser(), provider.signed_in(ALICE).await] {
        for (changes, error) in [
            (&[("response_type", "")][..], "invalid_request"),
            (&[("response_type", "token")], "unsupported_response_type"),
            (&[("response_type", "nonsense")], "unsupported_response_type"),
            (&[("response_mode", "nonsense")], "invalid_request"),
            (&[("code_challenge", "")], "invalid_request"),
            (&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
            (&[("code_challenge_method", "plain")], "invalid_request"),
            (&[("code_challenge_method", "")], "invalid_request"),
            (&[("code_challenge", "too-short")], "invalid_request"),
            (&[("prompt", "none login")], "invalid_request"),
            (&[("prompt", "create")], "invalid_request"),
            (&[("max_age", "-1")], "invalid_request"),
            (&[("max_age", "soon")], "invalid_request"),
            (&[("claims", "not json")], "invalid_request"),
            (&[("id_token_hint", "not a token")], "invalid_request"),
            (&[("resource", "https://api.example/")], "invalid_target"),
            (&[("request", "e30.e30.")], "invalid_request_object"),
            (&[("request_uri", "https://web.example/r")], "invalid_request_uri"),
            (&[("registration", "{}")], "registration_not_supported"),
        ] {
            let answer = web.authorize(&browser, changes).await;
            assert!(answer.location().as_str().starts_with(&web.redirect_uri), "{changes:?}");
            let parameters = answer.parameters();
            assert_eq!(answer.error(), error, "{changes:?}");
            assert_eq!((parameters["state"].as_str(), &parameters["iss"]), (STATE, &provider.issuer));
            assert!(!parameters.contains_key("code"), "{changes:?}");
        }
    }
}

async fn multiple_response_types_5_errors_of_hybrid_requests_are_in_the_fragment(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    for response_type in ["code id_token", "id_token"] {
        let answer = web.authorize(&browser, &[("response_type", response_type)]).await;
        let (location, issuer) =
            (answer.location(), url::form_urlencoded::byte_serialize(provider.issuer.as_bytes()));
        let fragment = location.fragment().unwrap();
        assert!(location.query().is_none() && fragment.contains("error=unauthorized_client"), "{location}");
        assert!(fragment.contains(&format!("iss={}", issuer.collect::<String>())), "{location}");
    }
}

async fn rfc6749_3_1_a_parameter_given_twice_is_an_error(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for again in ["scope=openid", "nonce=nonce-1", "prompt=none", "login_hint=a", "code_challenge=x"] {
        let request = format!("{}&{again}&{again}", web.request(&[("prompt", "")]));
        assert_eq!(browser.get(&request).await.error(), "invalid_request", "{again}");
    }
    let answer = browser.get(&format!("{}&state=other", web.request(&[]))).await;
    assert_eq!((answer.error().as_str(), answer.parameters().get("state")), ("invalid_request", None));
    // What is not a parameter of ours may come as often as it likes.
    web.code_in(&browser.get(&format!("{}&x=1&x=2", web.request(&[]))).await);
}

async fn an_error_goes_back_the_way_that_was_asked_for(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let asked = [("prompt", "none"), ("response_mode", "form_post")];
    let page = web.authorize(&browser, &asked).await;
    let form = page.form(&web.redirect_uri);
    assert_eq!((page.status, form.fields["error"].as_str()), (200, "login_required"));
    assert_eq!((form.fields["state"].as_str(), &form.fields["iss"]), (STATE, &provider.issuer));
}

async fn bad_input_is_never_an_internal_error(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let long = "x".repeat(20_000);
    let request = web.request(&[]);
    let many = format!("{request}{}", "&x=1".repeat(200));
    for target in [
        "/authorize".to_owned(),
        "/authorize?".to_owned(),
        "/authorize?%ff=%ff".to_owned(),
        "/authorize?client_id=%00".to_owned(),
        format!("{request}&state=%ff"),
        format!("{request}&login_hint={long}"),
        format!("{request}&claims=%7B%22userinfo%22%3A%7B%22{long}%22%3Anull%7D%7D"),
        web.request(&[("scope", &long)]),
        web.request(&[("state", &long)]),
        web.request(&[("nonce", &long)]),
        web.request(&[("max_age", "99999999999999999999")]),
        web.request(&[("ui_locales", &long)]),
        many,
    ] {
        let answer = browser.get(&target).await;
        assert!(answer.status < 500, "{} for {target:.200}", answer.page_summary());
    }
}
