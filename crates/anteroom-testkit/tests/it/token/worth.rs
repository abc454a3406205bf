//! What a grant is worth when its client is registered otherwise than it was when the grant was made.

use crate::ALICE;
use anteroom_domain::ids::NodeId;
use anteroom_flows::node::configured_clients::{end_grants, end_grants_of_absent_clients, record};
use anteroom_storage::{StoreError, Tx};
use anteroom_testkit::{Backend, TestProvider, Tokens, claims, on_both_databases};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

on_both_databases!(
    scopes_and_apis_taken_from_a_client_are_gone_from_its_grants,
    rfc8707_2_2_a_grant_for_an_api_that_was_taken_away_is_worth_nothing,
    what_was_proven_is_not_enough_once_a_client_demands_more,
    a_client_that_is_no_longer_the_practices_own_has_what_was_agreed_to,
    core_8_1_a_grant_ends_when_its_client_knows_people_by_another_sub,
    a_grant_of_release_0_1_0_ends_as_well_when_the_sub_changes,
    a_client_that_is_gone_gets_nothing_and_keeps_its_grants_for_ten_minutes,
    a_client_that_is_added_again_after_its_grants_ended_has_none,
    another_node_with_another_configuration_keeps_the_grants,
    an_operator_ends_all_grants_of_a_client,
    what_a_waiting_request_asked_for_is_narrowed_as_well,
    core_3_1_2_1_a_waiting_request_whose_client_has_lost_openid_is_not_answered,
    a_token_of_the_clients_own_is_narrowed_as_well,
);

const ALL: &str = "scope = \"openid email groups phone reports offline_access\"\n\
                   audience = [\"https://api.example/\", \"https://b.example/\"]\n";

fn app(first_party: bool, more: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"app\"\nfirst_party = {first_party}\nsecret_env = \"TEST_CLIENT_SECRET\"\n\
         redirect_uris = [\"https://app.example/callback\"]\n\
         grant_types = [\"authorization_code\", \"refresh_token\"]\n{more}\n"
    )
}

async fn with(backend: &Backend, clients: &str) -> TestProvider {
    TestProvider::on(backend).clients(clients).start().await
}

/// The same installation after its configuration has changed.
async fn changed(backend: &Backend, before: &TestProvider, clients: &str) -> TestProvider {
    TestProvider::on(backend).another_node_of(before).clients(clients).start().await
}

async fn granted(provider: &TestProvider, scope: &str) -> Tokens {
    let browser = provider.signed_in(ALICE).await;
    provider.client("app").tokens(&browser, scope).await
}

async fn scopes_and_apis_taken_from_a_client_are_gone_from_its_grants(backend: Backend) {
    let asked = json!({ "userinfo": { "phone_number": null, "email": null } }).to_string();
    let before = with(&backend, &app(true, ALL)).await;
    let browser = before.signed_in(ALICE).await;
    let wanted = [("scope", "openid groups reports offline_access"), ("claims", asked.as_str())];
    let code = before.client("app").code(&browser, &wanted).await;
    let tokens = Tokens::of(&before.client("app").redeem(&code).await);
    let said = before.client("app").userinfo(&tokens.access_token).await.json();
    assert!(said["groups"].is_array() && said["email"].is_string(), "{said}");
    let api = before.client("https://api.example/");
    assert_eq!(api.introspect(&tokens.access_token).await.json()["active"], true);

    let fewer = "scope = \"openid email offline_access\"\naudience = [\"https://b.example/\"]\n";
    let after = changed(&backend, &before, &app(true, fewer)).await;
    let (app, api) = (after.client("app"), after.client("https://api.example/"));
    let said = app.userinfo(&tokens.access_token).await.json();
    assert_eq!((said.get("groups"), said["email"].as_str()), (None, Some(ALICE)), "{said}");
    assert_eq!(api.introspect(&tokens.access_token).await.json(), json!({ "active": false }));
    let own = app.introspect(&tokens.access_token).await.json();
    assert_eq!((&own["active"], &own["scope"]), (&json!(true), &json!("openid offline_access")));
    let issuer = after.issuer.as_str();
    assert_eq!(own["aud"], json!(["https://b.example/", issuer]));
    let refresh = app.introspect(tokens.refresh_token()).await.json();
    assert_eq!((&refresh["active"], &refresh["scope"]), (&json!(true), &json!("openid offline_access")));
    let refreshed = Tokens::of(&app.refresh(tokens.refresh_token()).await);
    assert_eq!(refreshed.json["scope"], "openid offline_access");
    assert_eq!(claims(&refreshed.access_token)["aud"], json!(["https://b.example/", issuer]));
    // The same as it was again: nothing was taken from the grant itself.
    let restored = Tokens::of(&before.client("app").refresh(refreshed.refresh_token()).await);
    assert_eq!(restored.json["scope"], "openid groups offline_access reports");
}

async fn rfc8707_2_2_a_grant_for_an_api_that_was_taken_away_is_worth_nothing(backend: Backend) {
    let before = with(&backend, &app(true, ALL)).await;
    let browser = before.signed_in(ALICE).await;
    let code = before.client("app").code(&browser, &[("resource", "https://api.example/")]).await;
    let tokens = Tokens::of(&before.client("app").redeem(&code).await);
    assert_eq!(claims(&tokens.access_token)["aud"], json!("https://api.example/"));
    let fewer = ALL.replace("\"https://api.example/\", ", "");
    let after = changed(&backend, &before, &app(true, &fewer)).await;
    let (app, api) = (after.client("app"), after.client("https://api.example/"));
    for caller in [&app, &api] {
        assert_eq!(caller.introspect(&tokens.access_token).await.json(), json!({ "active": false }));
    }
    assert_eq!(app.introspect(tokens.refresh_token()).await.json()["active"], false);
    assert_eq!(app.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
}

async fn what_was_proven_is_not_enough_once_a_client_demands_more(backend: Backend) {
    let before = with(&backend, &app(true, ALL)).await;
    let tokens = granted(&before, "openid offline_access").await;
    let stricter = format!("{ALL}min_acr = \"urn:anteroom:acr:mfa\"\n");
    let after = changed(&backend, &before, &app(true, &stricter)).await;
    let app = after.client("app");
    assert_eq!(app.userinfo(&tokens.access_token).await.status, 401);
    assert_eq!(app.introspect(&tokens.access_token).await.json()["active"], false);
    assert_eq!(app.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
}

async fn a_client_that_is_no_longer_the_practices_own_has_what_was_agreed_to(backend: Backend) {
    let before = with(&backend, &app(true, ALL)).await;
    let tokens = granted(&before, "openid email groups offline_access").await;
    let after = changed(&backend, &before, &app(false, ALL)).await;
    let app = after.client("app");
    assert_eq!(app.userinfo(&tokens.access_token).await.status, 401);
    assert_eq!(app.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    let browser = after.signed_in(ALICE).await;
    let page = app.authorize(&browser, &[("scope", "openid email")]).await;
    let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    Tokens::of(&app.redeem(&app.code_in(&agreed)).await);
    let said = app.userinfo(&tokens.access_token).await.json();
    assert_eq!((said["email"].as_str(), said.get("groups")), (Some(ALICE), None), "{said}");
}

async fn core_8_1_a_grant_ends_when_its_client_knows_people_by_another_sub(backend: Backend) {
    let before = with(&backend, &app(true, ALL)).await;
    let tokens = granted(&before, "openid offline_access").await;
    let pairwise = format!("{ALL}subject_type = \"pairwise\"\n");
    let after = changed(&backend, &before, &app(true, &pairwise)).await;
    assert_eq!(after.client("app").userinfo(&tokens.access_token).await.status, 401);
    assert_eq!(after.client("app").refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    let ended = after.audited("client_grants_ended").await;
    assert_eq!((ended.len(), ended[0].client.as_deref()), (1, Some("app")));
    assert!(ended[0].detail.contains("subjects_changed") && ended[0].detail.contains("\"grants\":1"));
    // For good: it does not come to life when the change is taken back.
    let again = changed(&backend, &before, &app(true, ALL)).await;
    assert_eq!(again.client("app").refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    granted(&again, "openid").await;
}

async fn a_grant_of_release_0_1_0_ends_as_well_when_the_sub_changes(backend: Backend) {
    let before = with(&backend, &app(true, ALL)).await;
    let tokens = granted(&before, "openid offline_access").await;
    backend.execute("UPDATE grants SET subject_sector = NULL, sid_by_sector = NULL").await;
    // As the step of the schema leaves them: no node has noted yet how the client knows people.
    backend.execute("UPDATE configured_clients SET subject_sector = NULL, seen_at = 0").await;
    let upgraded = changed(&backend, &before, &app(true, ALL)).await;
    let tokens = Tokens::of(&upgraded.client("app").refresh(tokens.refresh_token()).await);
    let pairwise = format!("{ALL}subject_type = \"pairwise\"\n");
    let after = changed(&backend, &before, &app(true, &pairwise)).await;
    assert_eq!(after.client("app").refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    assert_eq!(after.audited("client_grants_ended").await.len(), 1);
}

async fn a_client_that_is_gone_gets_nothing_and_keeps_its_grants_for_ten_minutes(backend: Backend) {
    let before = with(&backend, &app(true, ALL)).await;
    let tokens = granted(&before, "openid offline_access").await;
    let after = changed(&backend, &before, "").await;
    assert_eq!(after.client("web").userinfo(&tokens.access_token).await.status, 401);
    end_grants_of_absent_clients(&after.local()).await.unwrap();
    after.advance(SignedDuration::from_secs(599));
    end_grants_of_absent_clients(&after.local()).await.unwrap();
    // A reload that missed a file takes nothing for good.
    let refreshed = Tokens::of(&before.client("app").refresh(tokens.refresh_token()).await);
    assert!(after.audited("client_grants_ended").await.is_empty());
    after.advance(SignedDuration::from_secs(1));
    end_grants_of_absent_clients(&after.local()).await.unwrap();
    end_grants_of_absent_clients(&after.local()).await.unwrap();
    assert_eq!(before.client("app").refresh(refreshed.refresh_token()).await.error(), "invalid_grant");
    let ended = after.audited("client_grants_ended").await;
    assert_eq!((ended.len(), ended[0].client.as_deref()), (1, Some("app")));
    assert!(ended[0].detail.contains("client_removed") && ended[0].detail.contains("\"grants\":1"));
}

async fn a_client_that_is_added_again_after_its_grants_ended_has_none(backend: Backend) {
    let before = with(&backend, &app(false, ALL)).await;
    let browser = before.signed_in(ALICE).await;
    let page = before.client("app").authorize(&browser, &[("scope", "openid offline_access")]).await;
    let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let code = before.client("app").code_in(&agreed);
    let tokens = Tokens::of(&before.client("app").redeem(&code).await);
    let after = changed(&backend, &before, "").await;
    end_grants_of_absent_clients(&after.local()).await.unwrap();
    after.advance(SignedDuration::from_mins(10));
    end_grants_of_absent_clients(&after.local()).await.unwrap();
    let again = changed(&backend, &before, &app(false, ALL)).await;
    let app = again.client("app");
    assert_eq!(app.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    let browser = again.signed_in(ALICE).await;
    assert!(app.authorize(&browser, &[]).await.has_form("/consent"), "what was agreed to is forgotten");
    // Others have kept what they had.
    let rows = backend.rows().await;
    assert_eq!(rows["configured_clients"], 7);
}

pub(crate) async fn heartbeat(
    tx: Tx,
    node: NodeId,
    digest: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.heartbeat(node, &digest, now).await
}

async fn another_node_with_another_configuration_keeps_the_grants(backend: Backend) {
    let before = with(&backend, &app(true, ALL)).await;
    let tokens = granted(&before, "openid offline_access").await;
    let after = changed(&backend, &before, "").await;
    let mut refresh = tokens.refresh_token().to_owned();
    for _ in 0..3 {
        end_grants_of_absent_clients(&after.local()).await.unwrap();
        after.advance(SignedDuration::from_mins(6));
        record(&before.local()).await.unwrap();
        end_grants_of_absent_clients(&after.local()).await.unwrap();
        refresh = Tokens::of(&before.client("app").refresh(&refresh).await).refresh_token.unwrap();
    }
    // One of the release before notes no clients, and is known by its heartbeat alone.
    after.advance(SignedDuration::from_mins(11));
    let node = NodeId(before.provider.random.uuid_v4());
    let (digest, now) = (before.provider.snapshot().digest.clone(), before.now());
    let store = &before.provider.store;
    store.write(move |tx| heartbeat(tx, node, digest.clone(), now)).await.unwrap();
    end_grants_of_absent_clients(&after.local()).await.unwrap();
    refresh = Tokens::of(&before.client("app").refresh(&refresh).await).refresh_token.unwrap();
    after.advance(SignedDuration::from_mins(1));
    end_grants_of_absent_clients(&after.local()).await.unwrap();
    assert_eq!(before.client("app").refresh(&refresh).await.error(), "invalid_grant");
}

async fn an_operator_ends_all_grants_of_a_client(backend: Backend) {
    let provider = with(&backend, &app(true, ALL)).await;
    let tokens = [granted(&provider, "openid offline_access").await, granted(&provider, "openid").await];
    let others = provider.client("web").tokens(&provider.signed_in(ALICE).await, "openid").await;
    let id = "app".parse().unwrap();
    assert_eq!(end_grants(&provider.local(), &id).await.unwrap(), Some(2));
    for tokens in tokens {
        assert_eq!(provider.client("app").userinfo(&tokens.access_token).await.status, 401);
        assert_eq!(provider.client("app").refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    }
    assert_eq!(provider.client("web").userinfo(&others.access_token).await.status, 200);
    assert_eq!(end_grants(&provider.local(), &id).await.unwrap(), Some(0));
    assert_eq!(end_grants(&provider.local(), &"nobody".parse().unwrap()).await.unwrap(), None);
    let ended = provider.audited("client_grants_ended").await;
    let of_two = ended.iter().filter(|entry| entry.detail.contains("\"grants\":2"));
    assert_eq!((ended.len(), of_two.count()), (2, 1), "{ended:?}");
    assert!(ended.iter().all(|entry| entry.actor == "operator"));
}

async fn what_a_waiting_request_asked_for_is_narrowed_as_well(backend: Backend) {
    let before = with(&backend, &app(true, ALL)).await;
    let mut browser = before.browser();
    let wanted = [("scope", "openid email groups"), ("resource", "https://api.example/")];
    let page = before.client("app").authorize(&browser, &wanted).await;
    let other = before.client("app").authorize(&browser, &[("scope", "openid email groups")]).await;
    let fewer = "scope = \"openid email\"\naudience = [\"https://b.example/\"]\n";
    let after = changed(&backend, &before, &app(true, fewer)).await;
    browser.lead_to(&after);
    let app = after.client("app");
    let answer = browser.enter(&other, ALICE, anteroom_testkit::PASSWORD).await;
    let tokens = Tokens::of(&app.redeem(&app.code_in(&answer)).await);
    assert_eq!(tokens.json["scope"], "openid email");
    let gone = browser.enter(&page, ALICE, anteroom_testkit::PASSWORD).await;
    assert!(!gone.body.contains("code=") && gone.header("location").is_none(), "{}", gone.page_summary());
}

async fn core_3_1_2_1_a_waiting_request_whose_client_has_lost_openid_is_not_answered(backend: Backend) {
    let before = with(&backend, &app(true, ALL)).await;
    let mut browser = before.browser();
    let page = before.client("app").authorize(&browser, &[("scope", "openid email")]).await;
    let after = changed(&backend, &before, &app(true, "scope = \"email\"\n")).await;
    browser.lead_to(&after);
    let gone = browser.enter(&page, ALICE, anteroom_testkit::PASSWORD).await;
    assert!(!gone.body.contains("code=") && gone.header("location").is_none(), "{}", gone.page_summary());
}

async fn a_token_of_the_clients_own_is_narrowed_as_well(backend: Backend) {
    let own = |scope: &str, audience: &str| {
        format!(
            "[[clients]]\nclient_id = \"robot\"\nsecret_env = \"TEST_CLIENT_SECRET\"\nredirect_uris = []\n\
             response_types = []\ngrant_types = [\"client_credentials\"]\nscope = \"{scope}\"\n\
             audience = [{audience}]\n"
        )
    };
    let before =
        with(&backend, &own("reports archive", "\"https://api.example/\", \"https://b.example/\"")).await;
    let answer = before.client("robot").post("/token", &[("grant_type", "client_credentials")]).await;
    let token = Tokens::of(&answer).access_token;
    let introspected = async |provider: &TestProvider| {
        provider.client("https://api.example/").introspect(&token).await.json()
    };
    assert_eq!(introspected(&before).await["scope"], "archive reports");
    let after = changed(&backend, &before, &own("reports", "\"https://api.example/\"")).await;
    let said = introspected(&after).await;
    assert_eq!((&said["scope"], &said["aud"]), (&json!("reports"), &json!(["https://api.example/"])));
    let after = changed(&backend, &before, &own("reports", "\"https://b.example/\"")).await;
    assert_eq!(introspected(&after).await, json!({ "active": false }));
}
