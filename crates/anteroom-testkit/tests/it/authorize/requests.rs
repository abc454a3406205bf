//! Requests that are honoured, and what they may carry.

use crate::ALICE;
use anteroom_testkit::{Backend, PASSWORD, TestProvider, claims, on_both_databases};

on_both_databases!(
    core_3_1_2_1_post_answers_303_to_a_get_of_itself,
    core_3_1_2_1_unknown_parameters_are_ignored,
    core_3_1_2_1_unknown_scopes_are_ignored,
    core_3_1_2_1_display_and_locales_never_fail,
    core_3_1_2_1_ui_locales_choose_the_pages_language,
    core_5_5_claims_are_asked_for_by_name,
    core_5_5_1_1_an_essential_acr_binds_and_acr_values_do_not,
    core_3_1_2_1_acr_values_ask_whoever_can_prove_more_and_stop_nobody,
    an_application_can_demand_a_second_factor,
    rfc8252_7_3_a_native_application_returns_to_any_port,
    rfc8707_2_a_resource_becomes_the_audience,
    an_application_removed_meanwhile_is_gone,
    an_address_withdrawn_meanwhile_gets_nothing,
);

async fn core_3_1_2_1_post_answers_303_to_a_get_of_itself(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let fields: Vec<(String, String)> =
        url::form_urlencoded::parse(web.request(&[("state", "a b&c")]).split_once('?').unwrap().1.as_bytes())
            .into_owned()
            .collect();
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    // From the application's own page, so without the Lax cookie.
    let cross_site =
        provider.browser().with("origin", "https://web.example").with("sec-fetch-site", "cross-site");
    let answer = cross_site.post("/authorize", &fields).await;
    assert_eq!((answer.status, answer.location().path()), (303, "/authorize"));
    let followed = browser.follow(&answer).await;
    assert_eq!(followed.parameters()["state"], "a b&c");
    assert!(followed.parameters().contains_key("code"));
    // Encoded it would be three times as long.
    let long = cross_site.post("/authorize", &[("state", "=".repeat(60_000).as_str())]).await;
    assert_eq!((long.status, long.header("location")), (400, None));
    let json = cross_site.with("content-type", "application/json").post("/authorize", &fields).await;
    assert_eq!(json.status, 400);
}

async fn core_3_1_2_1_unknown_parameters_are_ignored(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    web.code(&browser, &[("unknown", "1"), ("redirect-uri", "https://evil.example/"), ("audience", "x")])
        .await;
    // In any order.
    let (path, query) = web.request(&[]).split_once('?').map(|(p, q)| (p.to_owned(), q.to_owned())).unwrap();
    let backwards: Vec<&str> = query.split('&').rev().collect();
    web.code_in(&browser.get(&format!("{path}?{}", backwards.join("&"))).await);
}

async fn core_3_1_2_1_unknown_scopes_are_ignored(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid email no-such-scope").await;
    assert_eq!(tokens.json["scope"], "openid email");
    // What others may ask for is not this application's to have.
    let native = provider.client("native");
    assert_eq!(native.tokens(&browser, "openid groups").await.json["scope"], "openid");
}

async fn core_3_1_2_1_display_and_locales_never_fail(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for (name, value) in [
        ("display", "popup"),
        ("display", "hologram"),
        ("ui_locales", "xx-YY ??"),
        ("claims_locales", "de fr"),
        ("acr_values", "urn:example:unknown"),
        ("login_hint", "not an address"),
    ] {
        web.code(&browser, &[(name, value)]).await;
    }
}

async fn core_3_1_2_1_ui_locales_choose_the_pages_language(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    for (ui_locales, accepted, language) in [
        ("es", "en", "es"),
        ("xx es-MX en", "en", "es"),
        ("es_MX", "en", "es"),
        ("es-mx", "en", "es"),
        ("", "es_MX", "es"),
        ("en", "es", "en"),
        ("", "es-ES,es;q=0.9", "es"),
        ("", "xx", "en"),
    ] {
        let browser = provider.browser().with("accept-language", accepted);
        let page = web.authorize(&browser, &[("ui_locales", ui_locales)]).await;
        assert!(page.body.contains(&format!("<html lang=\"{language}\">")), "{ui_locales} {accepted}");
        // It stays so after a mistake.
        let again = browser.enter(&page, ALICE, "wrong").await;
        assert!(again.body.contains(&format!("<html lang=\"{language}\">")), "{ui_locales} {accepted}");
    }
}

async fn core_5_5_claims_are_asked_for_by_name(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let asked =
        r#"{"userinfo": {"given_name": {"essential": true}, "nickname": null}, "id_token": {"email": null}}"#;
    let code = web.code(&browser, &[("claims", asked)]).await;
    let tokens = anteroom_testkit::Tokens::of(&web.redeem(&code).await);
    assert_eq!(claims(tokens.id_token())["email"], ALICE);
    let userinfo = web.userinfo(&tokens.access_token).await.json();
    let names: Vec<&String> = userinfo.as_object().unwrap().keys().collect();
    assert_eq!(names, ["given_name", "sub"]);
}

async fn core_5_5_1_1_an_essential_acr_binds_and_acr_values_do_not(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let acr = |value: &str, essential: bool| {
        format!(r#"{{"id_token": {{"acr": {{"essential": {essential}, "values": ["{value}"]}}}}}}"#)
    };
    let (pwd, mfa) = ("urn:anteroom:acr:pwd", "urn:anteroom:acr:mfa");
    web.code(&browser, &[("claims", &acr(pwd, true))]).await;
    web.code(&browser, &[("claims", &acr(mfa, false))]).await;
    web.code(&browser, &[("acr_values", mfa)]).await;
    let unmet = web.authorize(&browser, &[("claims", &acr("urn:example:unknown", true))]).await;
    assert_eq!(unmet.error(), "unmet_authentication_requirements");
    let silent = web.authorize(&browser, &[("claims", &acr(mfa, true)), ("prompt", "none")]).await;
    assert_eq!(silent.error(), "interaction_required");
    let page = web.authorize(&browser, &[("claims", &acr(mfa, true))]).await;
    assert_eq!((page.status, page.text_of("no-phone").is_some()), (200, true), "{}", page.page_summary());
    // With a phone on file there is a second step to take.
    provider.person("phone@practice.example").phone("+12025550143").create().await;
    let browser = provider.signed_in("phone@practice.example").await;
    let page = web.authorize(&browser, &[("claims", &acr(mfa, true))]).await;
    assert!(page.text_of("verify-identity").is_some(), "{}", page.page_summary());
}

async fn core_3_1_2_1_acr_values_ask_whoever_can_prove_more_and_stop_nobody(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, alice) = (provider.client("web"), provider.signed_in(ALICE).await);
    provider.person("phone@practice.example").phone("+12025550143").create().await;
    let phone = provider.signed_in("phone@practice.example").await;
    let (pwd, mfa) = ("urn:anteroom:acr:pwd", "urn:anteroom:acr:mfa");
    let (either, other) = (format!("{mfa} {pwd}"), format!("{pwd} {mfa}"));
    for (values, asks) in [(mfa, true), (&either, true), (&other, false), (pwd, false), ("urn:other", false)]
    {
        let page = web.authorize(&phone, &[("acr_values", values)]).await;
        assert_eq!(page.text_of("verify-identity").is_some(), asks, "{values}: {}", page.page_summary());
        web.code(&phone, &[("acr_values", values), ("prompt", "none")]).await;
        // No second factor is at hand.
        web.code(&alice, &[("acr_values", values)]).await;
    }
}

async fn an_application_can_demand_a_second_factor(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "strict"
first_party = true
redirect_uris = ["https://strict.example/callback"]
token_endpoint_auth_method = "none"
min_acr = "urn:anteroom:acr:mfa"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    provider.person("phone@practice.example").phone("+12025550143").create().await;
    let strict = provider.client("strict");
    for (email, step) in [(ALICE, "no-phone"), ("phone@practice.example", "verify-identity")] {
        let browser = provider.signed_in(email).await;
        let page = strict.authorize(&browser, &[]).await;
        assert!(page.text_of(step).is_some(), "{email}: {}", page.page_summary());
        assert_eq!(strict.authorize(&browser, &[("prompt", "none")]).await.error(), "interaction_required");
        // Elsewhere the password is enough.
        provider.client("web").code(&browser, &[]).await;
    }
}

async fn rfc8252_7_3_a_native_application_returns_to_any_port(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (mut native, browser) = (provider.client("native"), provider.signed_in(ALICE).await);
    for (uri, accepted) in [
        ("http://127.0.0.1:51004/callback", true),
        ("http://127.0.0.1/callback", true),
        ("http://127.0.0.1:51004/other", false),
        ("http://127.0.0.2:51004/callback", false),
        ("http://localhost:51004/callback", false),
        ("https://127.0.0.1:51004/callback", false),
    ] {
        uri.clone_into(&mut native.redirect_uri);
        let answer = native.authorize(&browser, &[]).await;
        assert_eq!(answer.status, if accepted { 303 } else { 400 }, "{uri}");
        if accepted {
            let code = native.code_in(&answer);
            // The port belongs to what the code is bound to.
            let other = native.redeem_with(&code, &[("redirect_uri", "http://127.0.0.1:1/callback")]).await;
            assert_eq!(other.error(), "invalid_grant");
            assert_eq!(native.redeem(&code).await.status, 200);
        }
    }
}

async fn rfc8707_2_a_resource_becomes_the_audience(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "resourceful"
first_party = true
redirect_uris = ["https://resourceful.example/callback"]
token_endpoint_auth_method = "none"
grant_types = ["authorization_code", "refresh_token"]
audience = ["https://api.example/", "https://files.example/"]
scope = "openid"
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (app, browser) = (provider.client("resourceful"), provider.signed_in(ALICE).await);
    let (api, files) = ("https://api.example/", "https://files.example/");
    let audience = |answer| {
        let tokens = anteroom_testkit::Tokens::of(&answer);
        claims(&tokens.access_token)["aud"].clone()
    };
    // Two at once, as the code's; fewer at its redemption; and none beyond.
    let request = format!("{}&resource={files}", app.request(&[("resource", api)]));
    let code = app.code_in(&browser.get(&request).await);
    assert_eq!(
        app.redeem_with(&code, &[("resource", "https://other.example/")]).await.error(),
        "invalid_target"
    );
    assert_eq!(audience(app.redeem_with(&code, &[("resource", files)]).await), files);
    let code = app.code_in(&browser.get(&request).await);
    assert_eq!(audience(app.redeem(&code).await), serde_json::json!([api, files]));
    let code = app.code(&browser, &[("resource", api)]).await;
    assert_eq!(audience(app.redeem(&code).await), api);
    let code = app.code(&browser, &[("resource", api)]).await;
    assert_eq!(app.redeem_with(&code, &[("resource", files)]).await.error(), "invalid_target");
    // Without any, the client's audience, and with `openid` the issuer; without an audience, the issuer alone.
    let all = serde_json::json!([api, files, provider.issuer]);
    assert_eq!(audience(app.redeem(&app.code(&browser, &[]).await).await), all);
    let web = provider.client("web");
    let opaque = anteroom_testkit::Tokens::of(&web.redeem(&web.code(&browser, &[]).await).await);
    let said = web.introspect(&opaque.access_token).await.json();
    assert_eq!(said["aud"], serde_json::json!([provider.issuer]));
}

async fn an_address_withdrawn_meanwhile_gets_nothing(backend: Backend) {
    let toml = |path: &str| {
        format!(
            "[[clients]]\nclient_id = \"passing\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"https://passing.example/{path}\"]\n"
        )
    };
    let before = TestProvider::on(&backend).clients(&toml("old")).start().await;
    let after = TestProvider::on(&backend).clients(&toml("new")).another_node_of(&before).start().await;
    let mut browser = before.browser();
    let page = before.client("passing").authorize(&browser, &[]).await;
    browser.lead_to(&after);
    let answer = browser.enter(&page, ALICE, PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (400, None), "{}", answer.page_summary());
    after.client("passing").code(&browser, &[]).await;
}

async fn an_application_removed_meanwhile_is_gone(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "passing"
first_party = true
redirect_uris = ["https://passing.example/callback"]
token_endpoint_auth_method = "none"
"#;
    let before = TestProvider::on(&backend).clients(toml).start().await;
    let after = TestProvider::on(&backend).another_node_of(&before).start().await;
    let mut browser = before.browser();
    let page = before.client("passing").authorize(&browser, &[]).await;
    browser.lead_to(&after);
    let answer = browser.enter(&page, ALICE, PASSWORD).await;
    assert!(
        answer.status == 400 && answer.text_of("error-application-gone").is_some(),
        "{}",
        answer.page_summary()
    );
    let links = answer.links();
    assert!(links.iter().any(|link| link.href == "/dashboard"), "{links:?}");
    // Signed in all the same.
    assert!(browser.is_signed_in().await);
}
