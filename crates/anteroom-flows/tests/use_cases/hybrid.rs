//! Tokens of the authorization endpoint: their grant is written with the answer, or not at all.

use anteroom_domain::address::EmailAddress;
use anteroom_flows::interaction::next::Next;
use anteroom_flows::people::admin;
use anteroom_flows::people::sign_in::SignInOutcome;
use anteroom_flows::protocol::sign_out;
use anteroom_flows::protocol::userinfo::userinfo;
use anteroom_testkit::{Backend, Builder, PASSWORD, on_both_databases};
use futures_util::future::join_all;

use crate::ALICE;
use crate::application::{Application, answer};
use crate::browser::{attempt, page, signed_in};
use crate::installation::Installation;

on_both_databases!(
    tokens_are_written_with_the_answer_and_a_code_alone_is_not,
    of_one_page_submitted_at_once_in_two_forms_one_answer_has_tokens,
    a_sign_out_beside_the_answer_leaves_no_tokens,
    a_disablement_beside_the_answer_leaves_no_tokens,
    a_second_use_of_the_code_leaves_the_tokens_beside_it,
);

const CLIENT: &str = r#"
[[clients]]
client_id = "hybrid"
first_party = true
redirect_uris = ["https://hybrid.example/callback"]
grant_types = ["authorization_code", "implicit"]
response_types = ["code", "code id_token", "code id_token token"]
token_endpoint_auth_method = "none"
"#;
const EVERYTHING: [(&str, &str); 1] = [("response_type", "code id_token token")];

fn with_client(builder: Builder) -> Builder {
    builder.clients(CLIENT)
}

fn hybrid() -> Application {
    Application::new("hybrid", "https://hybrid.example/callback", None)
}

async fn is_good(at: &Installation, access_token: &str) -> bool {
    userinfo(&at.call(), &access_token.into()).await.is_ok()
}

async fn tokens_are_written_with_the_answer_and_a_code_alone_is_not(backend: Backend) {
    let at = Installation::with(backend.clone(), with_client).await;
    at.person(ALICE).create().await;
    let browser = signed_in(&at, ALICE).await;
    for (response_type, grants) in [("code", 0), ("code id_token", 1), ("code id_token token", 1)] {
        let before = backend.rows().await["grants"];
        let next = hybrid().authorize(&at, &browser, &[("response_type", response_type)]).await;
        let answer = answer(&next);
        assert_eq!(backend.rows().await["grants"] - before, grants, "{response_type}");
        assert_eq!(answer.contains_key("access_token"), response_type.ends_with(" token"), "{response_type}");
        // The code is redeemed to a grant of its own.
        assert!(hybrid().redeem(&at.call(), &answer["code"]).await.is_ok());
        assert_eq!(backend.rows().await["grants"] - before, grants + 1, "{response_type}");
    }
    assert_eq!(at.audited("tokens_released").await.len(), 2);
}

async fn of_one_page_submitted_at_once_in_two_forms_one_answer_has_tokens(backend: Backend) {
    let at = Installation::with(backend.clone(), with_client).await;
    at.person(ALICE).create().await;
    let browser = at.browser();
    let request = page(hybrid().authorize(&at, &browser, &EVERYTHING).await);
    let submissions = (0..3).map(|_| {
        let (visit, interaction_ref) = browser.form_of(&at, &request);
        attempt(visit, ALICE, PASSWORD, interaction_ref)
    });
    let mut answers = Vec::new();
    for outcome in join_all(submissions).await {
        let outcome = outcome.unwrap();
        let SignInOutcome::SignedIn { next, .. } = outcome else { panic!("{outcome:?}") };
        if matches!(next, Next::Application(_)) {
            answers.push(answer(&next));
        }
    }
    assert_eq!(answers.len(), 1);
    assert!(is_good(&at, &answers[0]["access_token"]).await);
    assert_eq!((backend.rows().await["grants"], at.audited("tokens_released").await.len()), (1, 1));
}

async fn a_sign_out_beside_the_answer_leaves_no_tokens(backend: Backend) {
    let at = Installation::with(backend, with_client).await;
    at.person(ALICE).create().await;
    for _ in 0..3 {
        let browser = signed_in(&at, ALICE).await;
        let (visit, application) = (browser.visit(&at), hybrid());
        let (next, signed_out) = tokio::join!(
            application.authorize(&at, &browser, &EVERYTHING),
            sign_out::end_all_of_browser(&visit)
        );
        signed_out.unwrap();
        // No session: a page, or an error; else tokens of a session that has ended.
        if let Next::Application(_) = &next
            && let Some(token) = answer(&next).get("access_token")
        {
            assert!(!is_good(&at, token).await);
        }
    }
}

async fn a_disablement_beside_the_answer_leaves_no_tokens(backend: Backend) {
    let first = Installation::with(backend, with_client).await;
    let second = first.another_node().await;
    first.person(ALICE).create().await;
    let browser = signed_in(&first, ALICE).await;
    let address = EmailAddress::parse(ALICE).unwrap();
    let (local, application) = (second.local(), hybrid());
    let (next, disabled) =
        tokio::join!(application.authorize(&first, &browser, &EVERYTHING), admin::disable(&local, &address),);
    disabled.unwrap();
    let Next::Application(_) = &next else { return };
    let answer = answer(&next);
    match answer.get("access_token") {
        Some(token) => assert!(!is_good(&second, token).await),
        None => assert_eq!(answer["error"], "login_required"),
    }
}

async fn a_second_use_of_the_code_leaves_the_tokens_beside_it(backend: Backend) {
    let at = Installation::with(backend, with_client).await;
    at.person(ALICE).create().await;
    let browser = signed_in(&at, ALICE).await;
    let answer = answer(&hybrid().authorize(&at, &browser, &EVERYTHING).await);
    let redeemed = hybrid().redeem(&at.call(), &answer["code"]).await.unwrap();
    assert!(hybrid().redeem(&at.call(), &answer["code"]).await.is_err());
    assert!(!is_good(&at, &redeemed.access_token).await);
    // They are of another grant.
    assert!(is_good(&at, &answer["access_token"]).await);
}
