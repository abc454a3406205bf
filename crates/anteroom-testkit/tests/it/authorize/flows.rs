//! The implicit and hybrid flows (OpenID Connect Core §3.2, §3.3).

use crate::ALICE;
use anteroom_testkit::{
    Backend, Browser, NONCE, PASSWORD, RelyingParty, STATE, TestProvider, TestResponse, left_half_hash,
    on_both_databases,
};
use futures_util::future::join_all;
use std::collections::BTreeMap;

on_both_databases!(
    core_3_3_2_5_each_response_type_gives_what_it_names,
    core_3_3_2_11_hashes_bind_code_and_token_to_the_id_token,
    core_5_4_scope_claims_are_in_an_id_token_that_comes_alone,
    core_3_2_2_9_an_access_token_from_the_authorization_endpoint_ends_with_its_session,
    core_11_offline_access_means_nothing_where_nothing_can_be_refreshed,
    form_post_2_tokens_are_posted_where_asked_for,
    off_unless_the_client_asks_for_them,
    of_two_decisions_at_once_only_the_answer_has_released_tokens,
);

const TOML: &str = r#"
[[clients]]
client_id = "hybrid"
first_party = true
redirect_uris = ["https://hybrid.example/callback"]
grant_types = ["authorization_code", "implicit", "refresh_token"]
response_types = ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"]
token_endpoint_auth_method = "none"
scope = "openid profile email offline_access"
backchannel_logout_uri = "https://hybrid.example/logout"
"#;

async fn started(backend: &Backend) -> (TestProvider, RelyingParty) {
    let provider = TestProvider::on(backend).clients(TOML).start().await;
    let client = provider.client("hybrid");
    (provider, client)
}

/// What a redirect carries in its fragment.
fn fragment(answer: &TestResponse) -> BTreeMap<String, String> {
    let location = answer.location();
    assert!(location.query().is_none(), "{location}");
    let fragment = location.fragment().unwrap_or_default();
    url::form_urlencoded::parse(fragment.as_bytes()).into_owned().collect()
}

async fn core_3_3_2_5_each_response_type_gives_what_it_names(backend: Backend) {
    let (provider, client) = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    for kind in ["id_token", "id_token token", "code id_token", "code token", "code id_token token"] {
        let answer = fragment(&client.authorize(&browser, &[("response_type", kind)]).await);
        for (word, parameter) in [("code", "code"), ("id_token", "id_token"), ("token", "access_token")] {
            let named = kind.split(' ').any(|one| one == word);
            assert_eq!(answer.contains_key(parameter), named, "{kind}: {parameter}");
        }
        assert_eq!(answer["state"], STATE);
        assert_eq!(answer["iss"], provider.issuer);
        assert!(!answer.contains_key("refresh_token"));
        if let Some(token) = answer.get("access_token") {
            assert_eq!((answer["token_type"].as_str(), answer["expires_in"].as_str()), ("Bearer", "600"));
            assert_eq!(client.userinfo(token).await.status, 200, "{kind}");
        }
        if let Some(code) = answer.get("code") {
            let tokens = client.redeem(code).await;
            assert_eq!(tokens.status, 200, "{kind}: {}", tokens.page_summary());
            let second = client.verified(tokens.json()["id_token"].as_str().unwrap()).await;
            if let Some(first) = answer.get("id_token") {
                let first = client.verified(first).await;
                for claim in ["iss", "sub", "auth_time", "sid", "nonce"] {
                    assert_eq!(first.claims[claim], second.claims[claim], "{kind}: {claim}");
                }
            }
            assert_eq!(client.redeem(code).await.error(), "invalid_grant");
        }
    }
}

async fn core_3_3_2_11_hashes_bind_code_and_token_to_the_id_token(backend: Backend) {
    let (provider, client) = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    for kind in ["id_token", "id_token token", "code id_token", "code id_token token"] {
        let answer = fragment(&client.authorize(&browser, &[("response_type", kind)]).await);
        let claims = client.verified(&answer["id_token"]).await.claims;
        assert_eq!(claims["nonce"], NONCE);
        for (hash, parameter) in [("at_hash", "access_token"), ("c_hash", "code")] {
            let expected = answer.get(parameter).map(|value| left_half_hash(value));
            assert_eq!(
                claims.get(hash).and_then(|hash| hash.as_str()),
                expected.as_deref(),
                "{kind}: {hash}"
            );
        }
    }
}

async fn core_5_4_scope_claims_are_in_an_id_token_that_comes_alone(backend: Backend) {
    let (provider, client) = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    for (kind, there) in [("id_token", true), ("id_token token", false), ("code id_token", false)] {
        let asked = [("response_type", kind), ("scope", "openid email")];
        let answer = fragment(&client.authorize(&browser, &asked).await);
        let claims = client.verified(&answer["id_token"]).await.claims;
        assert_eq!(claims.get("email").is_some_and(|email| email == ALICE), there, "{kind}");
        assert!(claims.get("given_name").is_none());
    }
}

async fn core_3_2_2_9_an_access_token_from_the_authorization_endpoint_ends_with_its_session(
    backend: Backend,
) {
    let (provider, client) = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let answer = fragment(&client.authorize(&browser, &[("response_type", "id_token token")]).await);
    let dashboard = browser.get("/dashboard").await;
    assert_eq!(browser.submit(&dashboard, "/sign-out", &[]).await.status, 303);
    assert_eq!(client.userinfo(&answer["access_token"]).await.status, 401);
    assert_eq!(provider.audited("tokens_released").await.len(), 1);
    // The application hears of the end, though it never came to the token endpoint.
    assert_eq!(provider.deliver_logouts().await, 1);
}

async fn core_11_offline_access_means_nothing_where_nothing_can_be_refreshed(backend: Backend) {
    let toml = format!("{TOML}access_token_format = \"jwt\"\n");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (client, browser) = (provider.client("hybrid"), provider.signed_in(ALICE).await);
    let asked = [("response_type", "code token"), ("scope", "openid offline_access")];
    let answer = fragment(&client.authorize(&browser, &asked).await);
    let claims = anteroom_testkit::claims(&answer["access_token"]);
    assert_eq!((&claims["scope"], answer["scope"].as_str()), (&"openid".into(), "openid"));
    let tokens = client.redeem(&answer["code"]).await.json();
    assert!(tokens["refresh_token"].is_string() && tokens["scope"] == "openid offline_access", "{tokens}");
}

async fn form_post_2_tokens_are_posted_where_asked_for(backend: Backend) {
    let (provider, client) = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    let asked = [("response_type", "code id_token token"), ("response_mode", "form_post")];
    let page = client.authorize(&browser, &asked).await;
    let form = page.form("https://hybrid.example/callback");
    for name in ["code", "id_token", "access_token", "token_type", "expires_in", "state", "iss"] {
        assert!(form.fields.contains_key(name), "{name}");
    }
    let query = [("response_type", "id_token"), ("response_mode", "query")];
    let refused = fragment(&client.authorize(&browser, &query).await);
    assert_eq!(refused["error"], "invalid_request");
}

async fn off_unless_the_client_asks_for_them(backend: Backend) {
    let (provider, _) = started(&backend).await;
    let browser = provider.signed_in(ALICE).await;
    for types in ["id_token", "id_token token", "code id_token", "code token", "code id_token token"] {
        let answer = provider.client("web").authorize(&browser, &[("response_type", types)]).await;
        assert_eq!(fragment(&answer)["error"], "unauthorized_client", "{types}");
    }
}

async fn decide(browser: &Browser, page: &TestResponse, decision: &str) -> TestResponse {
    browser.submit(page, "/consent", &[("decision", decision)]).await
}

async fn of_two_decisions_at_once_only_the_answer_has_released_tokens(backend: Backend) {
    let toml = r#"
        [[clients]]
        client_id = "frames"
        redirect_uris = ["https://frames.example/callback"]
        grant_types = ["implicit"]
        response_types = ["id_token token"]
        token_endpoint_auth_method = "none"
        frontchannel_logout_uri = "https://frames.example/signed-out"
    "#;
    let provider = TestProvider::on(&backend).clients(toml).start().await;
    let (frames, browser) = (provider.client("frames"), provider.signed_in(ALICE).await);
    let asked = [("prompt", "consent"), ("response_type", "id_token token")];
    let mut allowed = 0;
    let orders = [["allow", "deny"], ["deny", "allow"], ["allow", "allow"]];
    for (round, order) in orders.iter().cycle().take(12).enumerate() {
        let page = frames.authorize(&browser, &asked).await;
        let answers = join_all(order.map(|decision| decide(&browser, &page, decision))).await;
        assert_eq!(answers[0].location(), answers[1].location(), "one answer");
        allowed += usize::from(answers[0].location().as_str().contains("access_token="));
        assert_eq!(backend.rows().await["grants"], i64::try_from(allowed).unwrap(), "{round} {order:?}");
        assert_eq!(provider.audited("tokens_released").await.len(), allowed, "{round} {order:?}");
        if allowed == 0 {
            let dashboard = browser.get("/dashboard").await;
            let over = browser.clone().submit(&dashboard, "/sign-out", &[]).await;
            assert!(!over.body.contains("frames.example"), "it was not told of the person");
            assert_eq!(browser.sign_in(ALICE, PASSWORD).await.status, 303);
        }
    }
    assert!(allowed >= 4, "where both allow");
}
