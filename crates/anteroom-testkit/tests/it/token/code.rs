//! Authorization codes.

use crate::ALICE;
use anteroom_testkit::{Backend, TestProvider, Tokens, on_both_databases};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jiff::SignedDuration;

on_both_databases!(
    rfc6749_4_1_3_a_code_is_bound_to_its_redirect_uri,
    rfc6749_4_1_3_a_code_is_bound_to_its_client,
    rfc7636_4_6_a_wrong_verifier_is_refused_and_does_not_spend_the_code,
    rfc7636_4_6_a_verifier_without_a_challenge_is_refused,
    rfc6749_4_1_2_a_second_redemption_is_refused_and_revokes,
    rfc6749_4_1_2_of_many_redemptions_at_once_one_wins,
    rfc6749_4_1_2_a_code_expires_after_a_minute,
    rfc6749_5_1_answers_are_never_cached,
    rfc6749_5_2_malformed_requests_are_told_apart,
    a_late_second_redemption_still_revokes,
    a_code_dies_with_its_session,
    a_code_dies_with_the_account,
    a_code_of_an_application_that_changed_is_refused,
    a_made_up_code_is_refused,
    rfc6749_10_10_a_code_has_more_chance_in_it_than_can_be_guessed,
);

async fn rfc6749_4_1_3_a_code_is_bound_to_its_redirect_uri(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let code = web.code(&browser, &[]).await;
    for uri in ["", "https://web.example/callback/", "https://web.example/Callback", "https://evil.example/"]
    {
        let answer = web.redeem_with(&code, &[("redirect_uri", uri)]).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{uri}");
    }
    assert_eq!(web.redeem(&code).await.status, 200);
}

async fn rfc6749_4_1_3_a_code_is_bound_to_its_client(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let code = web.code(&browser, &[]).await;
    for other in ["imaging", "native"] {
        let mut thief = provider.client(other);
        thief.redirect_uri.clone_from(&web.redirect_uri);
        let answer = thief.redeem(&code).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{other}");
    }
    assert_eq!(web.redeem(&code).await.status, 200);
}

async fn rfc7636_4_6_a_wrong_verifier_is_refused_and_does_not_spend_the_code(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let code = web.code(&browser, &[]).await;
    let wrong = "x".repeat(43);
    for verifier in ["", "short", wrong.as_str(), anteroom_testkit::CHALLENGE] {
        let answer = web.redeem_with(&code, &[("code_verifier", verifier)]).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{verifier}");
    }
    assert_eq!(web.redeem(&code).await.status, 200);
}

async fn rfc7636_4_6_a_verifier_without_a_challenge_is_refused(backend: Backend) {
    let toml = r#"
[[clients]]
client_id = "old"
first_party = true
redirect_uris = ["https://old.example/callback"]
secret_env = "TEST_CLIENT_SECRET"
require_pkce = false
"#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (old, browser) = (provider.client("old"), provider.signed_in(ALICE).await);
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = old.code(&browser, &without).await;
    assert_eq!(old.redeem(&code).await.error(), "invalid_grant");
    assert_eq!(old.redeem_with(&code, &[("code_verifier", "")]).await.status, 200);
}

async fn rfc6749_4_1_2_a_second_redemption_is_refused_and_revokes(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let code = web.code(&browser, &[("scope", "openid offline_access")]).await;
    let tokens = Tokens::of(&web.redeem(&code).await);
    // A client that cannot even redeem it cannot revoke with it either.
    assert_eq!(provider.client("imaging").redeem(&code).await.error(), "invalid_grant");
    assert_eq!(web.redeem_with(&code, &[("code_verifier", &"x".repeat(43))]).await.error(), "invalid_grant");
    assert_eq!(web.userinfo(&tokens.access_token).await.status, 200);
    let second = web.redeem(&code).await;
    assert_eq!((second.status, second.error().as_str()), (400, "invalid_grant"));
    assert_eq!(web.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    assert_eq!(web.userinfo(&tokens.access_token).await.status, 401);
    // However often: what ends nothing any more is a refused request.
    let again = futures_util::future::join_all((0..20).map(|_| web.redeem(&code))).await;
    assert!(again.iter().all(|answer| answer.error() == "invalid_grant"));
    assert_eq!(provider.audited("code_replayed").await.len(), 1);
}

async fn rfc6749_4_1_2_of_many_redemptions_at_once_one_wins(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let code = web.code(&browser, &[]).await;
    let answers = join_all((0..10).map(|_| web.redeem(&code))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 9));
    assert!(lost.iter().all(|answer| answer.status == 400 && answer.error() == "invalid_grant"));
    // The others were replays: nothing is left of it.
    assert_eq!(web.refresh(Tokens::of(&won[0]).refresh_token()).await.error(), "invalid_grant");
}

async fn rfc6749_4_1_2_a_code_expires_after_a_minute(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for (seconds, status) in [(59, 200), (60, 400)] {
        let code = web.code(&browser, &[]).await;
        provider.advance(SignedDuration::from_secs(seconds));
        assert_eq!(web.redeem(&code).await.status, status, "{seconds}");
    }
}

async fn a_late_second_redemption_still_revokes(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let code = web.code(&browser, &[("scope", "openid offline_access")]).await;
    let tokens = Tokens::of(&web.redeem(&code).await);
    provider.advance(SignedDuration::from_mins(10));
    assert_eq!(web.redeem(&code).await.error(), "invalid_grant");
    assert_eq!(web.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
}

async fn rfc6749_5_1_answers_are_never_cached(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let good = web.redeem(&web.code(&browser, &[]).await).await;
    let token = Tokens::of(&good).access_token;
    assert_eq!(
        (good.json()["token_type"].as_str(), good.json()["expires_in"].as_i64()),
        (Some("Bearer"), Some(600))
    );
    for answer in [good, web.redeem("x").await, web.introspect(&token).await, web.revoke(&token).await] {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.page_summary());
        assert_eq!(answer.header("pragma"), Some("no-cache"), "{}", answer.page_summary());
    }
    assert_eq!(web.userinfo(&token).await.header("cache-control"), Some("no-store"));
}

async fn rfc6749_5_2_malformed_requests_are_told_apart(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    let code = ("grant_type", "authorization_code");
    for (fields, error) in [
        (&[][..], "invalid_request"),
        (&[code], "invalid_request"),
        (&[("grant_type", "password"), ("username", ALICE)], "unsupported_grant_type"),
        (&[("grant_type", "urn:ietf:params:oauth:grant-type:device_code")], "unsupported_grant_type"),
        (&[("grant_type", "client_credentials")], "unauthorized_client"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
        (&[code, code, ("code", "x")], "invalid_request"),
        (&[code, ("code", "x"), ("code", "x")], "invalid_request"),
        (&[code, ("code", "x"), ("redirect_uri", "a"), ("redirect_uri", "a")], "invalid_request"),
    ] {
        let answer = web.post("/token", fields).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{fields:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    // RFC 7009 §2.2: the body does not count, and yet clients look at its type.
    let revoked = web.revoke("x").await;
    assert_eq!((revoked.status, revoked.header("content-type")), (200, Some("application/json")));
    assert_eq!(revoked.json(), serde_json::json!({}));
    for path in ["/token", "/revoke", "/introspect", "/par"] {
        let get = provider.browser().get(path).await;
        assert_eq!((get.status, get.error().as_str()), (405, "invalid_request"), "{path}");
        assert_eq!((get.header("set-cookie"), get.header("allow").is_some()), (None, true), "{path}");
    }
}

async fn a_code_dies_with_its_session(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    for scope in ["openid", "openid offline_access"] {
        browser.sign_in(ALICE, anteroom_testkit::PASSWORD).await;
        let code = web.code(&browser, &[("scope", scope)]).await;
        let dashboard = browser.get("/dashboard").await;
        browser.submit(&dashboard, "/sign-out", &[]).await;
        assert_eq!(web.redeem(&code).await.error(), "invalid_grant", "{scope}");
    }
}

async fn a_code_dies_with_the_account(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let code = web.code(&browser, &[]).await;
    let address = anteroom_domain::address::EmailAddress::parse(ALICE).unwrap();
    anteroom_flows::people::admin::disable(&provider.local(), &address).await.unwrap();
    anteroom_flows::people::admin::enable(&provider.local(), &address).await.unwrap();
    assert_eq!(web.redeem(&code).await.error(), "invalid_grant");
}

async fn a_code_of_an_application_that_changed_is_refused(backend: Backend) {
    let toml = |scope: &str| {
        format!(
            "[[clients]]\nclient_id = \"changing\"\nfirst_party = true\nscope = \"{scope}\"\n\
             redirect_uris = [\"https://changing.example/callback\"]\ntoken_endpoint_auth_method = \"none\"\n"
        )
    };
    let before = TestProvider::on(&backend).clients(&toml("openid email")).start().await;
    let after = TestProvider::on(&backend).clients(&toml("openid")).another_node_of(&before).start().await;
    let same =
        TestProvider::on(&backend).clients(&toml("openid email")).another_node_of(&before).start().await;
    let browser = before.signed_in(ALICE).await;
    let app = before.client("changing");
    let codes = [app.code(&browser, &[]).await, app.code(&browser, &[]).await];
    assert_eq!(after.client("changing").redeem(&codes[0]).await.error(), "invalid_grant");
    assert_eq!(same.client("changing").redeem(&codes[1]).await.status, 200);
}

async fn a_made_up_code_is_refused(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let code = web.code(&browser, &[]).await;
    let tokens = web.tokens(&browser, "openid").await;
    let flipped = format!("{}{}", &code[..code.len() - 1], if code.ends_with('A') { 'B' } else { 'A' });
    for made_up in ["x", "%00", &code[1..], &flipped, &tokens.access_token, tokens.refresh_token()] {
        let answer = web.redeem(made_up).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{made_up}");
    }
}

/// The clock stands still and the request is the same, so whatever differs was drawn.
async fn rfc6749_10_10_a_code_has_more_chance_in_it_than_can_be_guessed(backend: Backend) {
    const HEAD: usize = 5;
    const DRAWN: usize = 24;
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let (mut ever, mut always) = ([0_u8; DRAWN], [0xff_u8; DRAWN]);
    for _ in 0..64 {
        let code = URL_SAFE_NO_PAD.decode(web.code(&browser, &[]).await).unwrap();
        for (i, byte) in code[HEAD..HEAD + DRAWN].iter().enumerate() {
            ever[i] |= byte;
            always[i] &= byte;
        }
    }
    // Each of 192 bits was set in one code and not in another.
    assert_eq!((ever, always), ([0xff; DRAWN], [0; DRAWN]));
    // A guess at any of them, and at the 128 that seal them, is no code.
    let code = URL_SAFE_NO_PAD.decode(web.code(&browser, &[]).await).unwrap();
    for place in [HEAD, HEAD + DRAWN - 1, code.len() - 16, code.len() - 1] {
        let mut guessed = code.clone();
        guessed[place] ^= 1;
        assert_eq!(web.redeem(&URL_SAFE_NO_PAD.encode(guessed)).await.error(), "invalid_grant", "{place}");
    }
    assert_eq!(web.redeem(&URL_SAFE_NO_PAD.encode(code)).await.status, 200);
}
