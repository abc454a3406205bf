//! Revocation (RFC 7009).

use crate::ALICE;
use anteroom_testkit::{Backend, TestProvider, Tokens, on_both_databases};

on_both_databases!(
    rfc7009_2_1_revoking_a_refresh_token_ends_its_access_tokens,
    rfc7009_2_1_an_access_token_ends_alone,
    rfc7009_2_2_unknown_tokens_answer_200,
    rfc7009_2_1_a_token_of_another_client_stays,
    any_token_of_the_family_ends_it,
    a_public_client_revokes_its_own,
);

async fn rfc7009_2_1_revoking_a_refresh_token_ends_its_access_tokens(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let first = web.tokens(&browser, "openid offline_access").await;
    let second = Tokens::of(&web.refresh(first.refresh_token()).await);
    let answer = web.revoke(second.refresh_token()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    for tokens in [&first, &second] {
        assert_eq!(web.userinfo(&tokens.access_token).await.status, 401);
        assert_eq!(web.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    }
    assert_eq!(provider.audited("grant_revoked").await.len(), 1);
    // Twice is no error, and no second entry.
    assert_eq!(web.revoke(second.refresh_token()).await.status, 200);
    assert_eq!(provider.audited("grant_revoked").await.len(), 1);
}

async fn rfc7009_2_1_an_access_token_ends_alone(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let first = web.tokens(&browser, "openid").await;
    let second = Tokens::of(&web.refresh(first.refresh_token()).await);
    assert_eq!(web.revoke(&first.access_token).await.status, 200);
    assert_eq!(web.userinfo(&first.access_token).await.status, 401);
    assert_eq!(web.userinfo(&second.access_token).await.status, 200);
    assert_eq!(web.refresh(second.refresh_token()).await.status, 200);
}

async fn rfc7009_2_2_unknown_tokens_answer_200(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let web = provider.client("web");
    for token in ["x", "a.b.c", &"A".repeat(70)] {
        assert_eq!(web.revoke(token).await.status, 200, "{token}");
    }
    // `token_type_hint` helps where it is right and does no harm where it is not.
    let hinted = [("token", "x"), ("token_type_hint", "nonsense")];
    assert_eq!(web.post("/revoke", &hinted).await.status, 200);
    let missing = web.post("/revoke", &[]).await;
    assert_eq!((missing.status, missing.error().as_str()), (400, "invalid_request"));
}

async fn rfc7009_2_1_a_token_of_another_client_stays(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let tokens = web.tokens(&browser, "openid").await;
    let other = provider.client("imaging");
    for token in [&tokens.access_token, tokens.refresh_token.as_ref().unwrap()] {
        assert_eq!(other.revoke(token).await.status, 200);
    }
    assert_eq!(web.userinfo(&tokens.access_token).await.status, 200);
    assert_eq!(web.refresh(tokens.refresh_token()).await.status, 200);
}

async fn any_token_of_the_family_ends_it(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let first = web.tokens(&browser, "openid").await;
    let second = Tokens::of(&web.refresh(first.refresh_token()).await);
    // An application that lost the answer revokes the token that it has.
    web.revoke(first.refresh_token()).await;
    assert_eq!(web.refresh(second.refresh_token()).await.error(), "invalid_grant");
}

async fn a_public_client_revokes_its_own(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (native, browser) = (provider.client("native"), provider.signed_in(ALICE).await);
    let tokens = native.tokens(&browser, "openid").await;
    assert_eq!(native.revoke(tokens.refresh_token()).await.status, 200);
    assert_eq!(native.userinfo(&tokens.access_token).await.status, 401);
}
