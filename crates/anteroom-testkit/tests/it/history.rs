//! A database that goes back to an earlier state under running nodes, or before one starts: a standby that lagged took over, or
//! a backup was restored. Here later rows are taken out of it.

use crate::{ALICE, BOB};
use anteroom_domain::audit_trail::chain::Checkpoint;
use anteroom_flows::audit::chain::{self, CheckpointTime};
use anteroom_server::background::{extend_chain, keep_newest};
use anteroom_testkit::{AppKey, Backend, PASSWORD, TestProvider, Tokens, on_both_databases};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::path::Path;

on_both_databases!(
    a_database_that_went_back_is_not_served_until_an_operator_accepts_it,
    a_request_that_came_before_its_node_refused_the_database_is_not_served,
    a_node_that_remembers_nothing_is_told_by_the_others,
    a_trail_that_was_written_anew_is_another_database,
    a_database_that_lost_changes_of_keys_or_clients_went_back,
    after_it_is_accepted_everything_in_memory_is_read_anew,
    after_it_is_accepted_what_a_client_had_for_itself_is_worth_nothing,
    applications_are_told_of_the_sessions_that_ended_with_it,
    a_node_does_not_start_to_serve_a_database_behind_its_checkpoints_file,
    a_node_that_signs_no_checkpoint_remembers_those_of_the_others,
    a_trail_with_an_accepted_loss_verifies,
);

async fn linked(provider: &TestProvider, file: Option<&Path>) -> u64 {
    extend_chain(&provider.provider, file, CheckpointTime::Now).await.unwrap();
    provider.provider.store.chain_end().await.unwrap().seq
}

/// As it was when its trail ended there; what hangs on it stays, which a node does not look at.
async fn cut(backend: &Backend, end: u64) {
    backend.execute(&format!("DELETE FROM audit_entries WHERE chain_seq > {end}")).await;
    backend.execute(&format!("DELETE FROM audit_checkpoints WHERE seq > {end}")).await;
    backend.execute("DELETE FROM audit_head").await;
}

/// A node that has seen more of the database than there is now.
async fn gone_back(backend: &Backend) -> (TestProvider, Tokens) {
    let provider = TestProvider::start(backend).await;
    let tokens =
        provider.client("web").tokens(&provider.signed_in(ALICE).await, "openid offline_access").await;
    let end = linked(&provider, None).await;
    provider.look_at_history().await;
    provider.signed_in(BOB).await;
    assert!(linked(&provider, None).await > end);
    provider.look_at_history().await;
    assert!(is_served(&provider).await);
    cut(backend, end).await;
    (provider, tokens)
}

/// Readiness also asks for a clock like the database's, which a test has not.
async fn is_served(provider: &TestProvider) -> bool {
    provider.browser().get("/jwks").await.status == 200
}

async fn assert_is_refused(provider: &TestProvider) {
    let ready = provider.browser().get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("went back to an earlier state"), "{}", ready.body);
    for path in ["/sign-in", "/.well-known/openid-configuration", "/jwks", "/dashboard"] {
        assert_eq!(provider.browser().get(path).await.status, 503, "{path}");
    }
    assert_eq!(provider.client("web").introspect("x").await.status, 503);
}

async fn a_database_that_went_back_is_not_served_until_an_operator_accepts_it(backend: Backend) {
    let (provider, tokens) = gone_back(&backend).await;
    let (web, before) = (provider.client("web"), provider.audit().await.len());
    provider.look_at_history().await;
    assert_is_refused(&provider).await;
    // Looking again changes nothing, and nothing is written into it meanwhile.
    provider.look_at_history().await;
    assert_is_refused(&provider).await;
    assert_eq!(provider.audit().await.len(), before);
    provider.advance(SignedDuration::from_mins(1));
    provider.accept_database().await;
    provider.look_at_history().await;
    assert!(is_served(&provider).await);
    // What was made before is worth nothing; the person signs in anew.
    assert_eq!(web.refresh(tokens.refresh_token()).await.error(), "invalid_grant");
    assert_eq!(web.userinfo(&tokens.access_token).await.status, 401);
    let [entry] = &provider.audited("database_accepted").await[..] else { panic!("no entry") };
    assert!(entry.detail.contains(r#""grants":1"#) && entry.actor == "operator", "{}", entry.detail);
    let again = web.tokens(&provider.signed_in(ALICE).await, "openid").await;
    assert_eq!(web.userinfo(&again.access_token).await.status, 200);
    linked(&provider, None).await;
    provider.look_at_history().await;
    assert!(is_served(&provider).await);
}

/// Its headers came before, and its body after.
async fn a_request_that_came_before_its_node_refused_the_database_is_not_served(backend: Backend) {
    let (provider, tokens) = gone_back(&backend).await;
    let (web, browser) = (provider.client("web"), provider.browser());
    let page = browser.get("/sign-in").await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token())];
    let refreshing = provider.begin_of_client(&web, "/token", &refresh).await;
    let entered = [("email", ALICE), ("password", PASSWORD)];
    let signing_in = provider.begin_submit(&browser, &page, "/sign-in", &entered).await;
    let before = provider.audit().await.len();
    provider.look_at_history().await;
    assert_eq!(refreshing.finish().await.status, 503);
    assert_eq!(signing_in.finish().await.status, 503);
    assert_eq!(provider.audit().await.len(), before);
}

async fn a_node_that_remembers_nothing_is_told_by_the_others(backend: Backend) {
    let (first, _) = gone_back(&backend).await;
    first.look_at_history().await;
    let second = TestProvider::on(&backend).another_node_of(&first).start().await;
    assert_is_refused(&second).await;
    first.advance(SignedDuration::from_mins(1));
    first.accept_database().await;
    for node in [&first, &second] {
        node.look_at_history().await;
        assert_eq!(node.browser().sign_in(ALICE, PASSWORD).await.status, 303);
    }
}

async fn a_trail_that_was_written_anew_is_another_database(backend: Backend) {
    let (provider, _) = gone_back(&backend).await;
    // Others were faster than the look: the chain is longer than it was.
    for _ in 0..5 {
        provider.signed_in(BOB).await;
    }
    linked(&provider, None).await;
    provider.look_at_history().await;
    assert_is_refused(&provider).await;
}

async fn a_database_that_lost_changes_of_keys_or_clients_went_back(backend: Backend) {
    for column in ["keys_version", "clients_revision"] {
        let provider = TestProvider::start(&backend).await;
        backend.execute(&format!("UPDATE instance SET {column} = {column} + 1")).await;
        provider.look_at_history().await;
        assert!(is_served(&provider).await);
        backend.execute(&format!("UPDATE instance SET {column} = {column} - 1")).await;
        provider.look_at_history().await;
        assert_is_refused(&provider).await;
        provider.advance(SignedDuration::from_mins(1));
        provider.accept_database().await;
    }
}

async fn registered(provider: &TestProvider, name: &str) -> Value {
    let metadata = json!({ "redirect_uris": ["https://stranger.example/callback"], "client_name": name });
    let answer = provider.call("POST", "/clients", None, &metadata).await;
    assert_eq!(answer.status, 201, "{}", answer.page_summary());
    answer.json()
}

async fn after_it_is_accepted_what_a_client_had_for_itself_is_worth_nothing(backend: Backend) {
    let key = AppKey::new("ES256", "a");
    let signer = format!(
        "[[clients]]\nclient_id = \"signer\"\nfirst_party = true\nredirect_uris = []\nresponse_types = []\n\
         grant_types = [\"client_credentials\"]\nscope = \"reports\"\n\
         token_endpoint_auth_method = \"private_key_jwt\"\njwks = '{}'\n",
        AppKey::set(&[&key])
    );
    let provider = TestProvider::on(&backend).clients(&signer).start().await;
    let end = linked(&provider, None).await;
    let service = provider.client("service");
    let own = async || {
        let answer = service.post("/token", &[("grant_type", "client_credentials")]).await;
        Tokens::of(&answer).access_token
    };
    let is_active = async |token: &str| service.introspect(token).await.json()["active"] == true;
    let prove = async |assertion: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        provider.browser().post("/token", &fields).await.status
    };
    // The clock of its client may go a minute before ours.
    let assertion_of = |jti: &str, offset: i64| {
        let now = provider.now().as_second();
        let (iss, aud, iat) = ("signer", &provider.issuer, now + offset);
        key.sign(&json!({ "iss": iss, "sub": iss, "aud": aud, "exp": now + 600, "iat": iat, "jti": jti }))
    };
    let assertion = |jti: &str| assertion_of(jti, 0);
    let (revoked, kept, used) = (own().await, own().await, assertion("1"));
    let used_ahead = assertion_of("ahead", 60);
    assert_eq!(service.revoke(&revoked).await.status, 200);
    assert_eq!((prove(&used).await, prove(&used_ahead).await), (200, 200));
    assert!(is_active(&kept).await);
    provider.signed_in(BOB).await;
    linked(&provider, None).await;
    provider.look_at_history().await;
    cut(&backend, end).await;
    backend.execute("DELETE FROM revoked_jti").await;
    backend.execute("DELETE FROM assertion_jti").await;
    provider.look_at_history().await;
    assert_is_refused(&provider).await;
    provider.advance(SignedDuration::from_secs(30));
    provider.accept_database().await;
    provider.look_at_history().await;
    assert_eq!((is_active(&revoked).await, is_active(&kept).await, prove(&used).await), (false, false, 401));
    assert_eq!(prove(&used_ahead).await, 401);
    // A node that starts afterwards knows as much.
    let second = TestProvider::on(&backend).clients(&signer).another_node_of(&provider).start().await;
    assert_eq!(second.client("service").introspect(&kept).await.json()["active"], false);
    provider.advance(SignedDuration::from_secs(1));
    assert!(is_active(&own().await).await);
    provider.advance(SignedDuration::from_secs(60));
    assert_eq!((prove(&assertion("2")).await, prove(&used_ahead).await), (200, 401));
}

/// As many registrations as before, and others.
async fn after_it_is_accepted_everything_in_memory_is_read_anew(backend: Backend) {
    let open = || TestProvider::on(&backend).set("registration.mode", "\"open\"");
    let first = open().start().await;
    let end = linked(&first, None).await;
    let lost = first.registered(&registered(&first, "Lost").await);
    assert_eq!(lost.introspect("x").await.status, 200);
    linked(&first, None).await;
    first.look_at_history().await;
    cut(&backend, end).await;
    backend.execute("UPDATE instance SET clients_revision = 0").await;
    backend.execute("DELETE FROM registered_clients").await;
    first.look_at_history().await;
    assert_is_refused(&first).await;
    first.advance(SignedDuration::from_mins(1));
    first.accept_database().await;
    let second = open().another_node_of(&first).start().await;
    let kept = registered(&second, "Kept").await;
    first.look_at_history().await;
    assert_eq!(lost.introspect("x").await.status, 401);
    assert_eq!(first.registered(&kept).introspect("x").await.status, 200);
}

async fn applications_are_told_of_the_sessions_that_ended_with_it(backend: Backend) {
    let (provider, _) = gone_back(&backend).await;
    provider.look_at_history().await;
    provider.advance(SignedDuration::from_mins(1));
    provider.accept_database().await;
    provider.look_at_history().await;
    provider.end_lapsed_sessions().await;
    let out = provider.audited("signed_out").await;
    assert_eq!(out.len(), 2);
    assert!(out.iter().all(|entry| entry.detail.contains("database_accepted")), "{out:?}");
    provider.end_lapsed_sessions().await;
    assert_eq!(provider.audited("signed_out").await.len(), 2);
}

/// A node that keeps checkpoints in a file.
async fn with_file(backend: &Backend, file: &Path) -> TestProvider {
    TestProvider::on(backend).set("audit.checkpoints_file", &format!("\"{}\"", file.display())).start().await
}

async fn a_node_does_not_start_to_serve_a_database_behind_its_checkpoints_file(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoints.jsonl");
    let provider = with_file(&backend, &file).await;
    provider.signed_in(ALICE).await;
    let end = linked(&provider, Some(&file)).await;
    drop(with_file(&backend, &file).await);
    provider.advance(SignedDuration::from_mins(5));
    provider.signed_in(BOB).await;
    linked(&provider, Some(&file)).await;
    drop(provider);
    cut(&backend, end).await;
    let restarted = with_file(&backend, &file).await;
    assert_is_refused(&restarted).await;
    // The checkpoints of what was lost stay in the file, and are void from then on.
    restarted.advance(SignedDuration::from_hours(1));
    restarted.accept_database().await;
    let again = with_file(&backend, &file).await;
    assert!(is_served(&again).await);
}

async fn a_node_that_signs_no_checkpoint_remembers_those_of_the_others(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one.jsonl"), folder.path().join("other.jsonl"));
    let provider = with_file(&backend, &one).await;
    provider.signed_in(ALICE).await;
    let end = linked(&provider, Some(&one)).await;
    provider.advance(SignedDuration::from_mins(5));
    provider.signed_in(BOB).await;
    linked(&provider, Some(&one)).await;
    // The other node links nothing and signs nothing.
    keep_newest(&provider.provider, Some(&other)).await.unwrap();
    keep_newest(&provider.provider, Some(&other)).await.unwrap();
    assert_eq!(std::fs::read_to_string(&other).unwrap().lines().count(), 1);
    // What another program has put there is not taken for what was seen.
    backend.execute("UPDATE audit_checkpoints SET seq = seq + 1000").await;
    keep_newest(&provider.provider, Some(&other)).await.unwrap();
    assert_eq!(std::fs::read_to_string(&other).unwrap().lines().count(), 1);
    drop(provider);
    cut(&backend, end).await;
    assert_is_refused(&with_file(&backend, &other).await).await;
}

async fn a_trail_with_an_accepted_loss_verifies(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let parts = &provider.provider;
    provider.signed_in(ALICE).await;
    let end = linked(&provider, None).await;
    let mut outside: Vec<Checkpoint> = parts.store.last_checkpoint().await.unwrap().into_iter().collect();
    for _ in 0..2 {
        provider.advance(SignedDuration::from_mins(5));
        provider.signed_in(BOB).await;
        linked(&provider, None).await;
        outside.extend(parts.store.last_checkpoint().await.unwrap());
    }
    provider.look_at_history().await;
    cut(&backend, end).await;
    let verified = || chain::verify(&parts.store, &parts.keyring, outside.clone(), Vec::new());
    assert!(verified().await.unwrap().found > 0);
    provider.advance(SignedDuration::from_mins(1));
    provider.accept_database().await;
    linked(&provider, None).await;
    let report = verified().await.unwrap();
    assert_eq!((report.findings, report.lost), (Vec::new(), 2));
    // One from after it is not excused.
    provider.look_at_history().await;
    provider.signed_in(ALICE).await;
    provider.advance(SignedDuration::from_mins(5));
    let accepted = linked(&provider, None).await;
    outside.extend(parts.store.last_checkpoint().await.unwrap());
    cut(&backend, accepted - 1).await;
    let report = chain::verify(&parts.store, &parts.keyring, outside, Vec::new()).await.unwrap();
    assert!(report.found > 0);
}
