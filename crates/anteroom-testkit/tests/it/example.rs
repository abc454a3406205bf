use anteroom_testkit::{Backend, TestProvider, on_both_databases};

on_both_databases!(alice_signs_in_and_the_application_learns_who_she_is);

async fn alice_signs_in_and_the_application_learns_who_she_is(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let browser = provider.signed_in("alice@practice.example").await;
    let web = provider.client("web");
    let tokens = web.tokens(&browser, "openid email").await;
    assert_eq!(web.verified(tokens.id_token()).await.claims["nonce"], "nonce-1");
    assert_eq!(web.userinfo(&tokens.access_token).await.json()["email"], "alice@practice.example");
}
