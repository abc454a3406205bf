//! Keys: those that sign are published before they do and kept while anything they signed can be alive; those that are
//! encrypted to decrypt for longer than they are published.

use crate::ALICE;
use anteroom_crypto::KeyPurpose;
use anteroom_flows::keys::signing_keys::{OPERATOR_LEAD_TIME, RotationReason};
use anteroom_oidc::SigningAlgorithm;
use anteroom_oidc::keys::Jwks;
use anteroom_testkit::{Backend, TestProvider, header, on_both_databases};
use jiff::SignedDuration;
use std::collections::BTreeSet;

on_both_databases!(
    rfc7517_4_keys_have_unique_ids_and_public_parts_only,
    rfc7517_5_keys_of_rs256_come_first_also_after_a_rotation,
    a_new_key_is_published_before_it_signs_and_an_old_one_kept_after,
    nodes_do_not_make_keys_of_their_own,
    an_operator_rotates_ahead_of_the_schedule,
    an_application_that_keeps_the_jwks_as_long_as_it_may_never_meets_an_unknown_kid,
    an_operator_who_rotates_while_a_successor_waits_gets_no_other,
    an_operator_brings_a_successor_of_the_schedule_forward,
    rfc9110_13_1_2_the_jwks_is_sent_again_when_it_has_changed,
    core_2_every_configured_algorithm_signs_where_a_client_chose_it,
    after_a_leak_nothing_that_was_signed_is_believed,
    keys_to_encrypt_to_follow_each_other,
    private_keys_rest_sealed_each_under_its_own_name,
);

/// An application whose access tokens are signed as well.
const SIGNED: &str = r#"
[[clients]]
client_id = "signed"
first_party = true
redirect_uris = ["https://signed.example/callback"]
secret_env = "TEST_CLIENT_SECRET"
access_token_format = "jwt"
"#;

const fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// Those that signatures are held against.
async fn published(provider: &TestProvider) -> BTreeSet<String> {
    of_use(provider, "sig").await
}

async fn of_use(provider: &TestProvider, key_use: &str) -> BTreeSet<String> {
    let jwks = provider.browser().get("/jwks").await.json();
    let keys = jwks["keys"].as_array().unwrap().iter().filter(|key| key["use"] == key_use);
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn signing(provider: &TestProvider) -> String {
    let browser = provider.signed_in(ALICE).await;
    let web = provider.client("web");
    let tokens = web.tokens(&browser, "openid").await;
    // Whatever signs is published.
    web.verified(tokens.id_token()).await;
    header(tokens.id_token())["kid"].as_str().unwrap().to_owned()
}

async fn rfc7517_4_keys_have_unique_ids_and_public_parts_only(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let answer = provider.browser().get("/jwks").await;
    assert_eq!(answer.status, 200);
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    let (signing, encryption): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key["use"] == "sig");
    assert_eq!((signing.len(), encryption.len()), (3, 2));
    let ids: BTreeSet<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), keys.len());
    for key in &keys {
        // What is encrypted to serves several algorithms.
        assert_eq!(key["alg"].is_string(), key["use"] == "sig", "{key}");
        assert!(key["use"] == "sig" || key["use"] == "enc", "{key}");
        assert!(key["kty"].is_string(), "{key}");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }
}

async fn rfc7517_5_keys_of_rs256_come_first_also_after_a_rotation(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let order = async || {
        let jwks = provider.browser().get("/jwks").await.json();
        let keys = jwks["keys"].as_array().unwrap().clone();
        let name = |key: &serde_json::Value| key["alg"].as_str().unwrap_or("none").to_owned();
        keys.iter().map(name).collect::<Vec<_>>()
    };
    let before = order().await;
    assert_eq!((before[0].as_str(), before.len()), ("RS256", 5));
    provider.advance(SignedDuration::from_secs(1));
    provider.rotate_keys(RotationReason::Planned).await;
    provider.refresh_keys().await;
    let after = order().await;
    assert_eq!((after[0].as_str(), after[1].as_str()), ("RS256", "RS256"), "{after:?}");
    let encryption = after.iter().position(|algorithm| algorithm == "none").unwrap();
    assert!(after[encryption..].iter().all(|algorithm| algorithm == "none"), "{after:?}");
    assert!(after[2..encryption].iter().all(|algorithm| algorithm != "RS256"), "{after:?}");
}

async fn a_new_key_is_published_before_it_signs_and_an_old_one_kept_after(backend: Backend) {
    // 90 days each, with 7 days of overlap on either side.
    let never = "\"never\"";
    let provider = TestProvider::on(&backend).set("policy.password.max_age", never).start().await;
    let (first, all) = (signing(&provider).await, published(&provider).await);
    provider.advance(days(83) - SignedDuration::from_secs(1));
    provider.refresh_keys().await;
    assert_eq!((signing(&provider).await, published(&provider).await), (first.clone(), all.clone()));
    provider.advance(SignedDuration::from_secs(1));
    provider.refresh_keys().await;
    // Published, for clients that keep old lists, and not used yet.
    let both = published(&provider).await;
    assert_eq!((both.len(), both.is_superset(&all)), (6, true));
    assert_eq!(signing(&provider).await, first);
    provider.advance(days(7));
    provider.refresh_keys().await;
    let second = signing(&provider).await;
    assert!(second != first && both.contains(&second));
    assert_eq!(published(&provider).await, both);
    provider.advance(days(7));
    provider.refresh_keys().await;
    let left = published(&provider).await;
    assert_eq!((left.len(), left.is_disjoint(&all)), (3, true));
    assert_eq!(signing(&provider).await, second);
    assert_eq!(provider.audited("signing_key_created").await.len(), 6);
    assert_eq!(provider.audited("signing_key_retired").await.len(), 3);
}

async fn nodes_do_not_make_keys_of_their_own(backend: Backend) {
    let first = TestProvider::start(&backend).await;
    let second = TestProvider::on(&backend).another_node_of(&first).start().await;
    assert_eq!(published(&first).await, published(&second).await);
    assert_eq!(of_use(&first, "enc").await, of_use(&second, "enc").await);
    first.advance(days(83));
    first.refresh_keys().await;
    second.refresh_keys().await;
    let both = published(&first).await;
    assert_eq!((both.len(), &both), (6, &published(&second).await));
}

async fn an_operator_rotates_ahead_of_the_schedule(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let (first, before) = (signing(&provider).await, published(&provider).await);
    provider.advance(SignedDuration::from_secs(1));
    provider.rotate_keys(RotationReason::Planned).await;
    provider.refresh_keys().await;
    // Published at once, and not used yet.
    let both = published(&provider).await;
    assert_eq!((both.len(), both.is_superset(&before)), (before.len() + 3, true));
    assert_eq!(signing(&provider).await, first);
    provider.advance(OPERATOR_LEAD_TIME - SignedDuration::from_secs(1));
    provider.refresh_keys().await;
    let last = web.tokens(&browser, "openid").await;
    assert_eq!(header(last.id_token())["kid"], first.as_str());
    provider.advance(SignedDuration::from_secs(1));
    provider.refresh_keys().await;
    let second = signing(&provider).await;
    assert!(second != first && both.contains(&second));
    // What was signed before stays good for as long as it lives.
    web.verified(last.id_token()).await;
    provider.advance(SignedDuration::from_secs(598));
    provider.refresh_keys().await;
    assert_eq!(web.userinfo(&last.access_token).await.status, 200);
    provider.advance(days(7));
    provider.refresh_keys().await;
    assert_eq!(published(&provider).await, both.difference(&before).cloned().collect());
}

async fn an_application_that_keeps_the_jwks_as_long_as_it_may_never_meets_an_unknown_kid(backend: Backend) {
    let toml = format!("{SIGNED}access_token_signed_response_alg = \"ES256\"\n");
    let provider = TestProvider::on(&backend).clients(&toml).start().await;
    let (app, browser) = (provider.client("signed"), provider.signed_in(ALICE).await);
    let first = signing(&provider).await;
    // Fetched at the worst moment there is.
    let (mut list, mut fetched_at) = (published(&provider).await, provider.now());
    provider.rotate_keys(RotationReason::Planned).await;
    provider.refresh_keys().await;
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        let tokens = app.tokens(&browser, "openid").await;
        for token in [tokens.id_token(), &tokens.access_token] {
            let kid = header(token)["kid"].as_str().unwrap().to_owned();
            assert!(list.contains(&kid), "{kid} after {}", provider.now().duration_since(fetched_at));
            seen.insert(kid);
        }
        provider.advance(SignedDuration::from_secs(20));
        provider.refresh_keys().await;
        if provider.now().duration_since(fetched_at) > Jwks::MAX_AGE {
            (list, fetched_at) = (published(&provider).await, provider.now());
        }
    }
    // Two keys of RS256, two of ES256.
    assert!(seen.contains(&first) && seen.len() == 4, "{seen:?}");
}

async fn an_operator_who_rotates_while_a_successor_waits_gets_no_other(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let mut signers = vec![signing(&provider).await];
    let first = provider.rotate_keys(RotationReason::Planned).await;
    assert!(first.made);
    provider.advance(SignedDuration::from_mins(1));
    let second = provider.rotate_keys(RotationReason::Planned).await;
    assert_eq!((second.made, second.signs_from), (false, first.signs_from));
    for _ in 0..8 {
        provider.refresh_keys().await;
        signers.push(signing(&provider).await);
        provider.advance(SignedDuration::from_mins(1));
    }
    signers.dedup();
    assert_eq!((signers.len(), published(&provider).await.len()), (2, 6), "{signers:?}");
}

async fn an_operator_brings_a_successor_of_the_schedule_forward(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    provider.advance(days(83));
    provider.refresh_keys().await;
    let (first, all) = (signing(&provider).await, published(&provider).await);
    let rotated = provider.rotate_keys(RotationReason::Planned).await;
    assert!(rotated.brought_forward && !rotated.made);
    provider.refresh_keys().await;
    assert_eq!(signing(&provider).await, first);
    provider.advance(OPERATOR_LEAD_TIME);
    provider.refresh_keys().await;
    let second = signing(&provider).await;
    assert!(second != first && all.contains(&second));
    assert_eq!(provider.audited("signing_key_brought_forward").await.len(), 3);
}

async fn rfc9110_13_1_2_the_jwks_is_sent_again_when_it_has_changed(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let first = provider.browser().get("/jwks").await;
    assert_eq!(first.header("cache-control"), Some("public, max-age=300"));
    let etag = first.header("etag").unwrap().to_owned();
    for known in [etag.clone(), format!("\"other\", {etag}"), "*".to_owned()] {
        let again = provider.browser().with("if-none-match", &known).get("/jwks").await;
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{known}");
        assert_eq!(again.header("etag"), Some(etag.as_str()));
        assert_eq!(again.header("cache-control"), Some("public, max-age=300"));
    }
    provider.rotate_keys(RotationReason::Planned).await;
    provider.refresh_keys().await;
    for known in [etag.as_str(), "nonsense"] {
        let changed = provider.browser().with("if-none-match", known).get("/jwks").await;
        assert_eq!(changed.status, 200);
        assert_ne!(changed.header("etag"), Some(etag.as_str()));
    }
}

async fn core_2_every_configured_algorithm_signs_where_a_client_chose_it(backend: Backend) {
    let all = SigningAlgorithm::ALL;
    let client = |alg: &SigningAlgorithm| {
        format!(
            "[[clients]]\nclient_id = \"{alg}\"\nfirst_party = true\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"https://app.example/{alg}\"]\nid_token_signed_response_alg = \"{alg}\"\n\
             userinfo_signed_response_alg = \"{alg}\"\naccess_token_signed_response_alg = \"{alg}\"\n\
             access_token_format = \"jwt\"\n"
        )
    };
    let clients: String = all.iter().map(client).collect();
    let configured = serde_json::to_string(all).unwrap();
    let provider = TestProvider::on(&backend).set("keys.signing.algorithms", &configured);
    let provider = provider.clients(&clients).start().await;
    let browser = provider.signed_in(ALICE).await;
    for alg in all {
        let app = provider.client(alg.as_str());
        let tokens = app.tokens(&browser, "openid").await;
        let userinfo = app.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.status, 200, "{alg}");
        for token in [tokens.id_token(), &tokens.access_token, &userinfo.body] {
            assert_eq!(header(token)["alg"], alg.as_str());
        }
        let id_token = app.verified(tokens.id_token()).await;
        let at_hash = anteroom_oidc::jwt::token_hash(*alg, &tokens.access_token);
        assert_eq!(id_token.claims["at_hash"], at_hash.as_str());
    }
    let discovery = provider.browser().get("/.well-known/openid-configuration").await.json();
    for member in ["id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported"] {
        assert_eq!(discovery[member], serde_json::json!(all), "{member}");
    }
}

async fn after_a_leak_nothing_that_was_signed_is_believed(backend: Backend) {
    let provider = TestProvider::on(&backend).clients(SIGNED).start().await;
    let (web, browser) = (provider.client("web"), provider.signed_in(ALICE).await);
    let (before, leaked) = (web.tokens(&browser, "openid offline_access").await, published(&provider).await);
    let signed = provider.client("signed").tokens(&browser, "openid").await.access_token;
    assert_eq!(web.userinfo(&signed).await.status, 200);
    let encrypted_to = of_use(&provider, "enc").await;
    provider.advance(SignedDuration::from_secs(1));
    provider.rotate_keys(RotationReason::Compromised).await;
    provider.refresh_keys().await;
    assert!(published(&provider).await.is_disjoint(&leaked));
    assert!(of_use(&provider, "enc").await.is_disjoint(&encrypted_to));
    assert_eq!(web.userinfo(&signed).await.status, 401);
    // Sealed, and not under a key that leaked.
    assert_eq!(web.userinfo(&before.access_token).await.status, 200);
    let silent = [("id_token_hint", before.id_token()), ("prompt", "none")];
    assert_eq!(web.authorize(&browser, &silent).await.error(), "login_required");
    web.code(&browser, &[("id_token_hint", before.id_token())]).await;
    // People and applications go on with what does not hang on a signature.
    assert!(browser.is_signed_in().await);
    assert_eq!(web.refresh(before.refresh_token()).await.status, 200);
}

async fn keys_to_encrypt_to_follow_each_other(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let first = of_use(&provider, "enc").await;
    let jwks = provider.browser().get("/jwks").await.json();
    let kinds = jwks["keys"].as_array().unwrap().iter().filter(|key| key["use"] == "enc");
    let kinds: BTreeSet<_> = kinds.map(|key| key["kty"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["EC", "RSA"].into());
    provider.advance(days(90) - SignedDuration::from_secs(1));
    provider.refresh_keys().await;
    assert_eq!(of_use(&provider, "enc").await, first);
    provider.advance(SignedDuration::from_secs(1));
    provider.refresh_keys().await;
    // Every node can decrypt with the new ones before anybody can encrypt to them.
    assert_eq!(of_use(&provider, "enc").await, first);
    provider.advance(SignedDuration::from_mins(1));
    provider.refresh_keys().await;
    let second = of_use(&provider, "enc").await;
    assert_eq!((second.len(), second.is_disjoint(&first)), (2, true));
    provider.rotate_keys(RotationReason::Planned).await;
    provider.rotate_keys(RotationReason::Planned).await;
    provider.advance(SignedDuration::from_mins(1));
    provider.refresh_keys().await;
    let last = of_use(&provider, "enc").await;
    assert!(last.is_disjoint(&second) && !last.is_empty());
    assert_eq!(provider.audited("encryption_key_created").await.len(), 6);
    assert_eq!(provider.audited("encryption_key_retired").await.len(), 4);
}

async fn private_keys_rest_sealed_each_under_its_own_name(backend: Backend) {
    let provider = TestProvider::start(&backend).await;
    let (store, sealer) =
        (&provider.provider.store, provider.provider.keyring.sealer(KeyPurpose::SigningSeal));
    let signing = store.signing_keys().await.unwrap();
    let encryption = store.encryption_keys().await.unwrap();
    assert_eq!((signing.len(), encryption.len()), (3, 2));
    let signing = signing.iter().map(|row| ("signing_keys", &row.kid, &row.private_sealed));
    let encryption = encryption.iter().map(|row| ("encryption_keys", &row.kid, &row.private_sealed));
    let rows: Vec<_> = signing.chain(encryption).collect();
    let name = |table: &str, kid: &str| format!("{table}\nprivate_sealed\n{kid}").into_bytes();
    for (i, (table, kid, sealed)) in rows.iter().enumerate() {
        let private = sealer.open(&name(table, kid), sealed).unwrap();
        // DER of a private key is a sequence, which no sealed value looks like.
        assert_eq!((private[0], sealed[0]), (0x30, 1), "{table} {kid}");
        assert!(private.windows(16).all(|part| !sealed.windows(16).any(|at_rest| at_rest == part)));
        let (_, other, _) = rows[(i + 1) % rows.len()];
        assert!(sealer.open(&name(table, other), sealed).is_err(), "a row that stands in another's place");
    }
}
