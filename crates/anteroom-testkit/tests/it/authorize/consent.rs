//! Consent: asked for by applications that are not the practice's own.

use crate::{ALICE, BOB};
use anteroom_testkit::{
    Backend, Browser, PASSWORD, STATE, TestProvider, TestResponse, Tokens, claims, on_both_databases,
};
use futures_util::future::join_all;

on_both_databases!(
    an_application_of_others_asks_and_is_allowed,
    registration_2_the_person_is_led_to_policy_and_terms,
    registration_2_the_logo_is_loaded_by_the_browser_from_its_origin_alone,
    a_refusal_is_access_denied,
    what_was_agreed_to_is_remembered,
    core_11_offline_access_is_asked_for_with_the_rest,
    the_practices_own_applications_do_not_ask,
    prompt_consent_asks_anyone_again,
    consent_is_the_persons_that_was_asked,
    whoever_came_after_does_not_agree_to_it,
    whoever_signed_in_for_a_request_is_the_one_it_is_about,
    consent_needs_its_form,
    consent_is_to_the_configured_client_that_the_page_showed,
    rfc8252_8_6_a_program_on_the_persons_machine_asks_once_in_each_browser_to_stay_signed_in,
    rfc8252_8_6_without_agreement_a_grant_does_not_outlive_its_session,
    rfc8252_8_6_a_native_application_on_the_persons_machine_asks_each_time_there,
    what_was_refused_is_not_allowed_by_the_same_page,
    of_two_decisions_at_once_the_one_that_is_answered_is_kept_alone,
);

async fn decide(browser: &Browser, page: &TestResponse, decision: &str) -> TestResponse {
    browser.submit(page, "/consent", &[("decision", decision)]).await
}

async fn an_application_of_others_asks_and_is_allowed(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.browser());
    let page = partner.authorize(&browser, &[("scope", "openid email")]).await;
    let answer = browser.enter(&page, ALICE, PASSWORD).await;
    let page = browser.follow(&answer).await;
    assert_eq!(page.heading(), "Allow Partner application?");
    let asked = page.text_of("scopes").unwrap();
    assert!(asked.contains("see your email address") && !asked.contains("profile"), "{asked}");
    assert_eq!(page.text_of("host").unwrap(), "It belongs to partner.example.");
    let buttons: Vec<String> = page.form("/consent").buttons.into_iter().map(|button| button.text).collect();
    assert_eq!(buttons, ["Allow", "Deny"]);
    let answer = decide(&browser, &page, "allow").await;
    let tokens = Tokens::of(&partner.redeem(&partner.code_in(&answer)).await);
    assert_eq!(partner.userinfo(&tokens.access_token).await.json()["email"], ALICE);
    assert_eq!(provider.audited("consent_given").await.len(), 1);
}

async fn registration_2_the_person_is_led_to_policy_and_terms(backend: Backend) {
    let toml = r#"
        [[clients]]
        client_id = "papers"
        token_endpoint_auth_method = "none"
        redirect_uris = ["https://papers.example/callback"]
        policy_uri = "https://papers.example/privacy"
        tos_uri = "https://papers.example/terms"
    "#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    let page = provider.client("papers").authorize(&browser, &[]).await;
    for uri in ["https://papers.example/privacy", "https://papers.example/terms"] {
        assert!(page.body.contains(&format!("href=\"{uri}\"")), "{uri}: {}", page.body);
    }
    let page = provider.client("partner").authorize(&browser, &[]).await;
    assert!(!page.body.contains("papers.example"));
}

async fn registration_2_the_logo_is_loaded_by_the_browser_from_its_origin_alone(backend: Backend) {
    let toml = r#"
        [[clients]]
        client_id = "pictured"
        token_endpoint_auth_method = "none"
        redirect_uris = ["https://pictured.example/callback"]
        logo_uri = "https://pictures.example:8443/logo.png?size=64"
    "#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    let page = provider.client("pictured").authorize(&browser, &[]).await;
    assert!(page.body.contains(r#"src="https://pictures.example:8443/logo.png?size=64""#), "{}", page.body);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.ends_with("; img-src 'self' https://pictures.example:8443"), "{policy}");
    let page = provider.client("partner").authorize(&browser, &[]).await;
    assert!(!page.body.contains("<img"));
    assert!(page.header("content-security-policy").unwrap().ends_with("; img-src 'self'"));
}

async fn a_refusal_is_access_denied(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    // Anything but a clear yes is a no.
    for decision in ["deny", "", "ALLOW"] {
        let page = partner.authorize(&browser, &[]).await;
        let answer = decide(&browser, &page, decision).await;
        let parameters = answer.parameters();
        assert!(answer.location().as_str().starts_with(&partner.redirect_uri));
        assert_eq!((parameters["error"].as_str(), parameters["state"].as_str()), ("access_denied", STATE));
        assert_eq!(parameters["iss"], provider.issuer);
    }
    assert!(provider.audited("consent_given").await.is_empty());
    assert_eq!(provider.audited("consent_denied").await.len(), 3);
    assert!(partner.authorize(&browser, &[]).await.has_form("/consent"));
}

async fn what_was_agreed_to_is_remembered(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    let page = partner.authorize(&browser, &[("scope", "openid email")]).await;
    partner.code_in(&decide(&browser, &page, "allow").await);
    for scope in ["openid email", "openid"] {
        partner.code(&browser, &[("scope", scope), ("prompt", "none")]).await;
    }
    // In another browser as well, for the same person alone.
    partner.code(&provider.signed_in(ALICE).await, &[]).await;
    assert!(partner.authorize(&provider.signed_in(BOB).await, &[]).await.has_form("/consent"));
    // More than before asks for all of it.
    let page = partner.authorize(&browser, &[("scope", "openid profile")]).await;
    assert!(page.text_of("scopes").unwrap().contains("see your name and profile"));
    partner.code_in(&decide(&browser, &page, "allow").await);
    partner.code(&browser, &[("scope", "openid email profile"), ("prompt", "none")]).await;
}

async fn core_11_offline_access_is_asked_for_with_the_rest(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    let page = partner.authorize(&browser, &[]).await;
    partner.code_in(&decide(&browser, &page, "allow").await);
    let page = partner.authorize(&browser, &[("scope", "openid offline_access")]).await;
    assert!(page.text_of("scopes").unwrap().contains("keep this access while you are signed out"));
    partner.code_in(&decide(&browser, &page, "allow").await);
}

async fn the_practices_own_applications_do_not_ask(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    provider.client("web").code(&browser, &[("scope", "openid profile email phone offline_access")]).await;
}

async fn prompt_consent_asks_anyone_again(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    for client in ["web", "partner"] {
        let app = provider.client(client);
        for _ in 0..2 {
            let page = app.authorize(&browser, &[("prompt", "consent")]).await;
            app.code_in(&decide(&browser, &page, "allow").await);
        }
    }
}

async fn consent_is_the_persons_that_was_asked(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    let alice = claims(provider.client("web").tokens(&browser, "openid").await.id_token())["sub"].clone();
    browser.sign_in(BOB, PASSWORD).await;
    // Bob signed in last; the hint says Alice, and Alice is asked.
    let page = partner.authorize(&browser, &[("login_hint", ALICE)]).await;
    let answer = decide(&browser, &page, "allow").await;
    let tokens = Tokens::of(&partner.redeem(&partner.code_in(&answer)).await);
    assert_eq!(claims(tokens.id_token())["sub"], alice);
    assert!(partner.authorize(&browser, &[("login_hint", BOB)]).await.has_form("/consent"));
    partner.code(&browser, &[("login_hint", ALICE)]).await;
}

async fn whoever_came_after_does_not_agree_to_it(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    let page = partner.authorize(&browser, &[]).await;
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    browser.sign_in(BOB, PASSWORD).await;
    let refused = decide(&browser, &page, "allow").await;
    assert_eq!(refused.status, 409, "{}", refused.page_summary());
    assert!(refused.body.contains(BOB) && refused.text_of("error-another-person").is_some());
    let forward = refused.links().into_iter().find(|link| link.text == "Try again").unwrap();
    assert!(browser.get(&forward.href).await.has_form("/consent"), "{}", refused.page_summary());
    assert!(provider.audited("consent_given").await.is_empty());
}

async fn whoever_signed_in_for_a_request_is_the_one_it_is_about(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    provider.advance(jiff::SignedDuration::from_secs(1));
    // After a mistake the request is a row; what was chosen on the way must be in it.
    let page = partner.authorize(&browser, &[("prompt", "login"), ("scope", "openid email")]).await;
    let page = browser.enter(&page, BOB, "wrong").await;
    let answer = browser.enter(&page, BOB, PASSWORD).await;
    let page = browser.follow(&answer).await;
    let answer = decide(&browser, &page, "allow").await;
    let tokens = Tokens::of(&partner.redeem(&partner.code_in(&answer)).await);
    assert_eq!(partner.userinfo(&tokens.access_token).await.json()["email"], BOB);
}

async fn consent_needs_its_form(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    let page = partner.authorize(&browser, &[]).await;
    let stale = browser.submit(&page, "/consent", &[("decision", "allow"), ("form_token", "x")]).await;
    assert!(stale.status == 422 && stale.text_of("error-stale-form").is_some(), "{}", stale.page_summary());
    // Its way forward is the question anew.
    let forward = stale.links().into_iter().find(|link| link.text == "Try again").unwrap();
    let page = browser.get(&forward.href).await;
    assert_eq!(page.heading(), "Allow Partner application?");
    // Signed out meanwhile: nothing is agreed to.
    let signed_out = provider.signed_in(ALICE).await;
    let page = partner.authorize(&signed_out, &[]).await;
    let dashboard = signed_out.get("/dashboard").await;
    signed_out.submit(&dashboard, "/sign-out", &[]).await;
    let answer = decide(&signed_out, &page, "allow").await;
    assert!(signed_out.follow(&answer).await.has_form("/sign-in"));
    assert!(provider.audited("consent_given").await.is_empty());
}

async fn rfc8252_8_6_a_program_on_the_persons_machine_asks_once_in_each_browser_to_stay_signed_in(
    backend: Backend,
) {
    let trusting = r#"
[[clients]]
client_id = "trusted"
application_type = "native"
first_party = true
redirect_uris = ["com.example.trusted:/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
offline_access_consent = false
scope = "openid offline_access"

[[clients]]
client_id = "claimed"
application_type = "native"
first_party = true
redirect_uris = ["http://127.0.0.1/callback", "https://claimed.example/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
scope = "openid offline_access"
"#;
    let provider = TestProvider::on(&backend).clients(trusting).start().await;
    let native = provider.client("native");
    let (here, there) = (provider.signed_in(ALICE).await, provider.signed_in(ALICE).await);
    let offline = ("scope", "openid email offline_access");
    let silent = ("prompt", "none");
    assert_eq!(native.authorize(&here, &[offline, silent]).await.error(), "consent_required");
    native.code(&here, &[("scope", "openid email"), silent]).await;
    let page = native.authorize(&here, &[offline]).await;
    let asked = page.text_of("scopes").unwrap();
    assert!(!asked.contains("email"), "{asked}");
    native.code_in(&decide(&here, &page, "allow").await);
    native.code(&here, &[offline, silent]).await;
    // Once: also after signing out and in again in the same browser.
    let dashboard = here.get("/dashboard").await;
    here.submit(&dashboard, "/sign-out", &[]).await;
    here.sign_in(ALICE, PASSWORD).await;
    native.code(&here, &[offline, silent]).await;
    // In another browser, or for another person in this one, it is asked again.
    assert_eq!(native.authorize(&there, &[offline, silent]).await.error(), "consent_required");
    here.sign_in(BOB, PASSWORD).await;
    let bobs = [offline, silent, ("login_hint", BOB)];
    assert_eq!(native.authorize(&here, &bobs).await.error(), "consent_required");
    let page = native.authorize(&there, &[offline]).await;
    assert_eq!(decide(&there, &page, "deny").await.error(), "access_denied");
    // What can be told from other programs, and what the operator vouches for, does not ask; nor does a client with a secret.
    let scope = ("scope", "openid offline_access");
    let mut claimed = provider.client("claimed");
    // A program that could take its place chooses the address.
    for address in ["http://127.0.0.1/callback", "http://127.0.0.1:41000/callback"] {
        address.clone_into(&mut claimed.redirect_uri);
        assert_eq!(
            claimed.authorize(&there, &[scope, silent]).await.error(),
            "consent_required",
            "{address}"
        );
    }
    "https://claimed.example/callback".clone_into(&mut claimed.redirect_uri);
    for client in [provider.client("trusted"), claimed, provider.client("web")] {
        client.code(&there, &[scope, silent]).await;
    }
}

async fn rfc8252_8_6_without_agreement_a_grant_does_not_outlive_its_session(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (native, browser) = (provider.client("native"), provider.signed_in(ALICE).await);
    let page = native.authorize(&browser, &[("scope", "openid offline_access")]).await;
    let tokens = Tokens::of(&native.redeem(&native.code_in(&decide(&browser, &page, "allow").await)).await);
    // As if it had been granted in silence, as release 0.1.0 did.
    backend.execute("DELETE FROM consents").await;
    let tokens = Tokens::of(&native.refresh(tokens.refresh_token()).await);
    assert_eq!(tokens.json["scope"], "openid");
    let dashboard = browser.get("/dashboard").await;
    browser.submit(&dashboard, "/sign-out", &[]).await;
    assert_eq!(native.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
}

async fn rfc8252_8_6_a_native_application_on_the_persons_machine_asks_each_time_there(backend: Backend) {
    let client = |kind: &str| {
        format!(
            "[[clients]]\nclient_id = \"a-{kind}\"\napplication_type = \"{kind}\"\n\
             token_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"http://127.0.0.1/callback\", \"https://{kind}.example/callback\"]\n"
        )
    };
    let toml = ["web", "native"].map(client);
    let provider = TestProvider::on(&backend).clients(&toml.concat()).start().await;
    let browser = provider.signed_in(ALICE).await;
    for id in ["web", "native"] {
        let mut app = provider.client(&format!("a-{id}"));
        let page = app.authorize(&browser, &[]).await;
        app.code_in(&decide(&browser, &page, "allow").await);
        // A browser application while it is developed renews its tokens in a frame.
        let silent = app.authorize(&browser, &[("prompt", "none")]).await;
        if id == "web" {
            app.code_in(&silent);
        } else {
            assert_eq!(silent.error(), "consent_required");
            assert!(app.authorize(&browser, &[]).await.has_form("/consent"));
        }
        app.redirect_uri = format!("https://{id}.example/callback");
        app.code(&browser, &[("prompt", "none")]).await;
    }
}

async fn what_was_refused_is_not_allowed_by_the_same_page(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    let page = partner.authorize(&browser, &[]).await;
    for decision in ["deny", "deny", "allow"] {
        assert_eq!(decide(&browser, &page, decision).await.error(), "access_denied");
    }
    let counted =
        [provider.audited("consent_denied").await.len(), provider.audited("consent_given").await.len()];
    assert_eq!(counted, [1, 0]);
    assert_eq!(partner.authorize(&browser, &[("prompt", "none")]).await.error(), "consent_required");
}

async fn of_two_decisions_at_once_the_one_that_is_answered_is_kept_alone(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (partner, browser) = (provider.client("partner"), provider.signed_in(ALICE).await);
    let mut allowed = 0;
    for round in 1..=10 {
        let page = partner.authorize(&browser, &[("prompt", "consent")]).await;
        let order = if round % 2 == 0 { ["allow", "deny"] } else { ["deny", "allow"] };
        let answers = join_all(order.map(|decision| decide(&browser, &page, decision))).await;
        let denied = answers[0].parameters().contains_key("error");
        assert_eq!(answers[0].location(), answers[1].location(), "one answer");
        allowed += usize::from(!denied);
        let given = provider.audited("consent_given").await.len();
        assert_eq!((given, given + provider.audited("consent_denied").await.len()), (allowed, round));
        if allowed == 0 {
            let silent = partner.authorize(&browser, &[("prompt", "none")]).await;
            assert_eq!(silent.error(), "consent_required");
        }
    }
}

async fn consent_is_to_the_configured_client_that_the_page_showed(backend: Backend) {
    let named = |name: &str| {
        format!(
            "[[clients]]\nclient_id = \"charts\"\nclient_name = \"{name}\"\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"https://charts.example/callback\"]\n"
        )
    };
    let first = TestProvider::on(&backend).clients(&named("Charts")).start().await;
    let second =
        TestProvider::on(&backend).clients(&named("More charts")).another_node_of(&first).start().await;
    let mut browser = first.signed_in(ALICE).await;
    let page = first.client("charts").authorize(&browser, &[]).await;
    assert_eq!(page.heading(), "Allow Charts?");
    // To a node that has the new configuration.
    browser.lead_to(&second);
    let anew = browser.follow(&decide(&browser, &page, "allow").await).await;
    assert_eq!(anew.heading(), "Allow More charts?", "{}", anew.page_summary());
    assert!(anew.text_of("changed").is_some() && second.audited("consent_given").await.is_empty());
    second.client("charts").code_in(&decide(&browser, &anew, "allow").await);
}
