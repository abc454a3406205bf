//! Back-Channel Logout 1.0: every application that was signed in from a session hears of its end.

use crate::ALICE;
use crate::registration::register;
use anteroom_domain::ids::{AccountId, MessageId, SessionId};
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::jwe::EncryptionKeyType;
use anteroom_storage::{LogoutDelivery, StoreError};
use anteroom_testkit::{
    AppDecryptionKey, Backend, Browser, LogoutReceiver, TestProvider, claims, header, on_both_databases,
};
use jiff::SignedDuration;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

on_both_databases!(
    back_channel_2_4_a_logout_token_says_whose_session_ended,
    back_channel_2_4_a_client_that_needs_sid_is_told_of_the_session_alone,
    core_8_1_a_configured_client_is_told_by_the_sub_that_it_knew,
    back_channel_2_6_a_logout_token_is_encrypted_like_an_id_token,
    back_channel_2_5_only_those_signed_in_from_the_session_are_told,
    signing_out_at_one_application_tells_the_others,
    a_sleeping_application_holds_up_nobody,
    many_logouts_for_a_dead_application_hold_up_nobody_elses,
    back_channel_2_5_what_failed_is_tried_again,
    a_client_that_a_reload_missed_is_told_when_it_is_back,
    a_dead_application_is_given_up_in_the_end,
    an_address_that_no_rule_admits_waits_for_the_configuration_or_is_given_up_at_once,
    the_end_of_idleness_is_told_where_configured,
    disabling_an_account_is_told,
    two_nodes_tell_once,
);

pub(super) fn client(id: &str, listener: &LogoutReceiver, extra: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"{id}\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
         redirect_uris = [\"https://{id}.example/callback\"]\nbackchannel_logout_uri = \"{}\"\n{extra}\n",
        listener.url
    )
}

pub(super) async fn sign_out(browser: &Browser) {
    let dashboard = browser.get("/dashboard").await;
    assert_eq!(browser.submit(&dashboard, "/sign-out", &[]).await.status, 303);
}

async fn back_channel_2_4_a_logout_token_says_whose_session_ended(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let provider = TestProvider::on(&backend).clients(&client("charts", &listener, "")).start().await;
    let (charts, browser) = (provider.client("charts"), provider.signed_in(ALICE).await);
    let tokens = charts.tokens(&browser, "openid").await;
    let signed_in = charts.verified(tokens.id_token()).await.claims;
    sign_out(&browser).await;
    assert_eq!(provider.deliver_logouts().await, 1);
    let heard = listener.tokens();
    let token = charts.verified(&heard[0]).await;
    assert_eq!(token.header["typ"], "logout+jwt");
    for name in ["iss", "aud", "sub", "sid"] {
        assert_eq!(token.claims[name], signed_in[name], "{name}");
    }
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    assert_eq!(token.claims["events"], event);
    let now = provider.now().as_second();
    assert_eq!(token.claims["iat"], now);
    assert!((now + 1..=now + 120).contains(&token.claims["exp"].as_i64().unwrap()));
    assert!(token.claims["jti"].is_string());
    assert!(token.claims.get("nonce").is_none());
    assert_eq!(provider.audited("logout_delivered").await.len(), 1);
    // Told once.
    assert_eq!((provider.deliver_logouts().await, listener.tokens().len()), (0, 1));
    // It is no ID token.
    let silent = charts.authorize(&browser, &[("id_token_hint", &heard[0]), ("prompt", "none")]).await;
    assert!(!silent.error().is_empty());
}

async fn back_channel_2_4_a_client_that_needs_sid_is_told_of_the_session_alone(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let toml = client("desk", &listener, "backchannel_logout_session_required = true");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (desk, browser) = (provider.client("desk"), provider.signed_in(ALICE).await);
    let tokens = desk.tokens(&browser, "openid").await;
    let signed_in = desk.verified(tokens.id_token()).await.claims;
    sign_out(&browser).await;
    assert_eq!(provider.deliver_logouts().await, 1);
    let logout_claims = desk.verified(&listener.tokens()[0]).await.claims;
    assert_eq!(logout_claims["sid"], signed_in["sid"]);
    assert!(logout_claims.get("sub").is_none(), "{logout_claims}");
}

async fn core_8_1_a_configured_client_is_told_by_the_sub_that_it_knew(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let of = |kind: &str| client("lab", &listener, &format!("subject_type = \"{kind}\""));
    let before = TestProvider::on(&backend).clients(&of("pairwise")).start().await;
    for is_noted in [true, false] {
        let mut browser = before.signed_in(ALICE).await;
        let tokens = before.client("lab").tokens(&browser, "openid").await;
        let known = claims(tokens.id_token());
        if !is_noted {
            // As release 0.1.0 wrote it.
            backend.execute("UPDATE grants SET subject_sector = NULL").await;
        }
        let after = TestProvider::on(&backend).another_node_of(&before).clients(&of("public")).start().await;
        browser.lead_to(&after);
        sign_out(&browser).await;
        assert_eq!(after.deliver_logouts().await, 1);
        let heard = claims(listener.tokens().last().unwrap());
        assert_eq!((heard["sub"] == known["sub"], heard["sid"] == known["sid"]), (is_noted, is_noted));
    }
}

async fn back_channel_2_6_a_logout_token_is_encrypted_like_an_id_token(backend: Backend) {
    let (listener, key) = (LogoutReceiver::start().await, AppDecryptionKey::new(EncryptionKeyType::Ec));
    let keys = json!({ "keys": [key.jwk()] });
    let extra = format!("jwks = '{keys}'\nid_token_encrypted_response_alg = \"ECDH-ES+A128KW\"");
    let provider = TestProvider::on(&backend).clients(&client("charts", &listener, &extra)).start().await;
    let (charts, browser) = (provider.client("charts"), provider.signed_in(ALICE).await);
    charts.tokens(&browser, "openid").await;
    sign_out(&browser).await;
    assert_eq!(provider.deliver_logouts().await, 1);
    let heard = listener.tokens();
    let outside = header(&heard[0]);
    assert_eq!((&outside["cty"], &outside["iss"]), (&json!("JWT"), &json!(provider.issuer)));
    let inside = charts.verified(&key.open(&heard[0])).await;
    assert_eq!((&inside.header["typ"], &inside.claims["aud"]), (&json!("logout+jwt"), &json!("charts")));
}

async fn back_channel_2_5_only_those_signed_in_from_the_session_are_told(backend: Backend) {
    let (first, second) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let toml = client("first", &first, "") + &client("second", &second, "");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (here, elsewhere) = (provider.signed_in(ALICE).await, provider.signed_in(ALICE).await);
    provider.client("first").tokens(&here, "openid").await;
    provider.client("first").tokens(&here, "openid").await;
    provider.client("second").tokens(&elsewhere, "openid").await;
    // A code that was never redeemed signed no person in.
    provider.client("second").code(&here, &[]).await;
    sign_out(&here).await;
    provider.deliver_logouts().await;
    assert_eq!((first.tokens().len(), second.tokens().len()), (1, 0));
    assert!(elsewhere.is_signed_in().await);
}

async fn signing_out_at_one_application_tells_the_others(backend: Backend) {
    let (first, second) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let toml = client("first", &first, "") + &client("second", &second, "");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    let tokens = provider.client("first").tokens(&browser, "openid").await;
    provider.client("second").tokens(&browser, "openid").await;
    browser.get(&format!("/end-session?id_token_hint={}", tokens.id_token())).await;
    assert_eq!(provider.deliver_logouts().await, 2);
    assert_eq!((first.tokens().len(), second.tokens().len()), (1, 1));
}

async fn a_sleeping_application_holds_up_nobody(backend: Backend) {
    let (sleeper, other) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let toml = client("sleeper", &sleeper, "") + &client("other", &other, "");
    let provider = Arc::new(TestProvider::on(&backend).clients(&toml).start().await);
    let browser = provider.signed_in(ALICE).await;
    for app in ["sleeper", "other"] {
        provider.client(app).tokens(&browser, "openid").await;
    }
    sleeper.sleep();
    // The page does not wait: nothing has been sent when it comes.
    sign_out(&browser).await;
    assert!(sleeper.tokens().is_empty() && other.tokens().is_empty());
    let node = Arc::clone(&provider);
    let round = tokio::spawn(async move { node.deliver_logouts().await });
    while sleeper.tokens().is_empty() || other.tokens().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The other one has heard, and people sign in and out, while the sleeper still sleeps.
    sign_out(&provider.signed_in(ALICE).await).await;
    assert!(!round.is_finished());
    sleeper.wake();
    assert_eq!(round.await.unwrap(), 2);
}

/// As many logouts of one session, for a client that takes its time.
pub(super) async fn queue(provider: &TestProvider, client: &str, count: u32) {
    let delivery = LogoutDelivery {
        id: MessageId(provider.provider.random.uuid_v4()),
        client: client.parse().unwrap(),
        session: SessionId(provider.provider.random.uuid_v4()),
        account: AccountId(provider.provider.random.uuid_v4()),
        subjects: Some(SubjectNamespace::Public),
        attempts: 0,
        created_at: provider.now(),
        expires_at: provider.now() + SignedDuration::from_hours(1),
    };
    let ids: Vec<_> = (0..count).map(|_| MessageId(provider.provider.random.uuid_v4())).collect();
    let unit = provider.provider.store.write(move |tx| {
        let (delivery, ids) = (delivery.clone(), ids.clone());
        async move {
            for id in ids {
                tx.enqueue_logouts(&[LogoutDelivery { id, ..delivery.clone() }]).await?;
            }
            Ok::<_, StoreError>(())
        }
    });
    unit.await.unwrap();
}

async fn many_logouts_for_a_dead_application_hold_up_nobody_elses(backend: Backend) {
    let (dead, other) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let toml = client("dead", &dead, "") + &client("other", &other, "");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    dead.sleep();
    queue(&provider, "dead", 100).await;
    let node = Arc::clone(&provider.provider);
    let deliveries = tokio::spawn(async move { anteroom_flows::protocol::backchannel::run(&node).await });
    let until = async |heard: &dyn Fn() -> bool| {
        while !heard() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    until(&|| !dead.tokens().is_empty()).await;
    // The others' logouts go out while the first of the dead one's are still waiting for an answer.
    for round in 1..=3 {
        let browser = provider.signed_in(ALICE).await;
        provider.client("other").tokens(&browser, "openid").await;
        sign_out(&browser).await;
        until(&|| other.tokens().len() == round).await;
        assert!(dead.tokens().len() <= 8);
    }
    dead.wake();
    until(&|| dead.tokens().len() == 100).await;
    deliveries.abort();
}

async fn back_channel_2_5_what_failed_is_tried_again(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let provider = TestProvider::on(&backend).clients(&client("charts", &listener, "")).start().await;
    let (charts, browser) = (provider.client("charts"), provider.signed_in(ALICE).await);
    charts.tokens(&browser, "openid").await;
    sign_out(&browser).await;
    // A redirect is not followed, and an error is not success.
    for (status, wait) in [(503, 5), (302, 30), (400, 120)] {
        listener.answers(status);
        assert_eq!(provider.deliver_logouts().await, 1, "{status}");
        provider.advance(SignedDuration::from_secs(wait - 1));
        assert_eq!(provider.deliver_logouts().await, 0, "{status}");
        provider.advance(SignedDuration::from_secs(1));
    }
    assert!(provider.audited("logout_delivered").await.is_empty());
    listener.answers(204);
    assert_eq!(provider.deliver_logouts().await, 1);
    assert_eq!(provider.audited("logout_delivered").await.len(), 1);
    provider.advance(SignedDuration::from_hours(1));
    assert_eq!(provider.deliver_logouts().await, 0);
    // Each attempt is a token of its own: clients refuse a `jti` that they have seen.
    let mut seen = Vec::new();
    for token in listener.tokens() {
        let claims = charts.verified(&token).await.claims;
        assert!(!seen.contains(&claims["jti"]));
        seen.push(claims["jti"].clone());
    }
    assert_eq!(seen.len(), 4);
}

async fn a_dead_application_is_given_up_in_the_end(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let provider = TestProvider::on(&backend).clients(&client("charts", &listener, "")).start().await;
    let (charts, browser) = (provider.client("charts"), provider.signed_in(ALICE).await);
    charts.tokens(&browser, "openid").await;
    drop(listener);
    sign_out(&browser).await;
    for _ in 0..200 {
        provider.deliver_logouts().await;
        provider.advance(SignedDuration::from_mins(5));
    }
    assert_eq!(provider.audited("logout_undelivered").await.len(), 1);
    assert!(provider.audited("logout_delivered").await.is_empty());
}

async fn the_end_of_idleness_is_told_where_configured(backend: Backend) {
    let (wants, does_not) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let toml = client("wants", &wants, "logout_on_idle = true") + &client("does-not", &does_not, "");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    for app in ["wants", "does-not"] {
        provider.client(app).tokens(&browser, "openid").await;
    }
    provider.advance(SignedDuration::from_mins(30));
    provider.end_lapsed_sessions().await;
    provider.deliver_logouts().await;
    assert_eq!((wants.tokens().len(), does_not.tokens().len()), (1, 0));
    let ended = provider.audited("signed_out").await;
    assert!(ended[0].detail.contains("idle"), "{ended:?}");
}

async fn disabling_an_account_is_told(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let provider = TestProvider::on(&backend).clients(&client("charts", &listener, "")).start().await;
    let browser = provider.signed_in(ALICE).await;
    provider.client("charts").tokens(&browser, "openid").await;
    let address = anteroom_domain::address::EmailAddress::parse(ALICE).unwrap();
    anteroom_flows::people::admin::disable(&provider.local(), &address).await.unwrap();
    assert_eq!((provider.deliver_logouts().await, listener.tokens().len()), (1, 1));
}

async fn two_nodes_tell_once(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let toml = client("charts", &listener, "");
    let first = TestProvider::on(&backend).clients(&toml).start().await;
    let second = TestProvider::on(&backend).clients(&toml).another_node_of(&first).start().await;
    for _ in 0..5 {
        let browser = first.signed_in(ALICE).await;
        first.client("charts").tokens(&browser, "openid").await;
        sign_out(&browser).await;
    }
    let (one, other) = tokio::join!(first.deliver_logouts(), second.deliver_logouts());
    assert_eq!((one + other, listener.tokens().len()), (5, 5));
}

async fn a_client_that_a_reload_missed_is_told_when_it_is_back(backend: Backend) {
    let listener = LogoutReceiver::start().await;
    let charts = client("charts", &listener, "");
    let with = TestProvider::on(&backend).clients(&charts).start().await;
    let browser = with.signed_in(ALICE).await;
    with.client("charts").tokens(&browser, "openid").await;
    // A node whose configuration misses the client for a moment.
    let without = TestProvider::on(&backend).start().await;
    let mut elsewhere = browser.clone();
    elsewhere.lead_to(&without);
    sign_out(&elsewhere).await;
    assert_eq!(without.deliver_logouts().await, 1, "it is looked for, and not there");
    assert!(listener.tokens().is_empty());
    let minute = SignedDuration::from_mins(1);
    with.advance(minute);
    assert_eq!(with.deliver_logouts().await, 1);
    assert_eq!(listener.tokens().len(), 1);
}

/// What an operator allows, or where a configured client listens, is another after a restart, and the sign-out is told then. For
/// a client that registered itself the configuration allows nothing.
async fn an_address_that_no_rule_admits_waits_for_the_configuration_or_is_given_up_at_once(backend: Backend) {
    let at = |id: &str, uri: &str| {
        format!(
            "[[clients]]\nclient_id = \"{id}\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"https://{id}.example/callback\"]\nbackchannel_logout_uri = \"{uri}\"\n"
        )
    };
    let on = |toml: &str| TestProvider::on(&backend).clients(toml).set("registration.mode", "\"open\"");
    let toml = at("private", "https://10.1.2.3/logout") + &at("dead", "http://127.0.0.1:9/logout");
    let provider = on(&toml).start().await;
    let browser = provider.signed_in(ALICE).await;
    for app in ["private", "dead"] {
        provider.client(app).tokens(&browser, "openid").await;
    }
    let metadata = json!({ "redirect_uris": ["https://stranger.example/callback"], "scope": "openid",
        "backchannel_logout_uri": "https://10.1.2.4/logout" });
    let self_registered = provider.registered(&register(&provider, &metadata).await);
    let page = self_registered.authorize(&browser, &[]).await;
    let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    self_registered.redeem(&self_registered.code_in(&agreed)).await;
    sign_out(&browser).await;
    assert_eq!(provider.deliver_logouts().await, 3);
    let given_up = provider.audited("logout_undelivered").await;
    assert_eq!(given_up.len(), 1);
    assert_eq!(given_up[0].client.as_deref(), Some(self_registered.client_id.as_str()));
    provider.advance(SignedDuration::from_mins(1));
    assert_eq!(provider.deliver_logouts().await, 2, "the others are tried again");
    // The operator has put the address right and restarted.
    let listener = LogoutReceiver::start().await;
    let restarted = on(&at("private", &listener.url)).another_node_of(&provider).start().await;
    restarted.advance(SignedDuration::from_mins(1));
    restarted.deliver_logouts().await;
    assert_eq!(listener.tokens().len(), 1);
}
