//! What makes configurations and clients equal.

use crate::{BASE, WEB_CLIENT, env, parse, parse_with};
use anteroom_config::{Configuration, ConfigurationDigest};
use anteroom_domain::client::ClientVersion;
use std::collections::BTreeSet;

fn digest(more: &str) -> ConfigurationDigest {
    parse_with(more).unwrap().digest
}

fn version(client: &str) -> ClientVersion {
    parse_with(client).unwrap().settings.clients[0].version
}

#[test]
fn spelling_order_defaults_and_the_nodes_own_make_no_difference() {
    let other = WEB_CLIENT.replace("\"web\"", "\"other\"");
    let one = digest(&format!("{WEB_CLIENT}{other}"));
    for same in [
        format!("# a comment\n{other}\n\n{WEB_CLIENT}"),
        format!("[policy.session]\nidle = \"30m\"\n{WEB_CLIENT}{other}"),
        format!("[policy.session]\nidle = \"1800s\"\n{WEB_CLIENT}{other}require_pkce = true\n"),
        format!(
            "[server]\nlisten = \"[::]:80\"\n[log]\nlevel = \"warn\"\n[hashing]\nqueue = 9\n{WEB_CLIENT}{other}"
        ),
        format!("[database]\nurl = \"sqlite:b.db\"\n[theme]\nfolder = \"t\"\n{WEB_CLIENT}{other}"),
    ] {
        assert_eq!(digest(&same), one, "{same}");
    }
}

#[test]
fn parts_tell_in_what_two_configurations_differ() {
    let parts = |more: &str| parse_with(more).unwrap().parts;
    let one = parts(WEB_CLIENT);
    assert!(one.contains_key("clients.web") && one.contains_key("issuer"), "{one:?}");
    assert!(!one.keys().any(|key| key.starts_with("keys.master_key")), "a node's own: {one:?}");
    for (other, expected) in [
        (format!("[server]\nlisten = \"[::]:80\"\n{WEB_CLIENT}"), &[][..]),
        (format!("[policy.session]\nidle = \"10m\"\n{WEB_CLIENT}"), &["policy.session.idle"]),
        (WEB_CLIENT.replace("CLIENT_SECRET", "OTHER_SECRET"), &["clients.web"]),
        (format!("{WEB_CLIENT}[[groups]]\nname = \"front-desk\"\n"), &["groups.front-desk"]),
    ] {
        let other = parts(&other);
        let names = one.keys().chain(other.keys()).collect::<BTreeSet<_>>();
        let differing: Vec<_> = names.into_iter().filter(|name| one.get(*name) != other.get(*name)).collect();
        assert_eq!(differing, expected);
    }
}

#[test]
fn whatever_decides_makes_a_difference() {
    let one = digest(WEB_CLIENT);
    for different in [
        format!("[policy.session]\nidle = \"10m\"\n{WEB_CLIENT}"),
        format!("[hashing]\niterations = 3\n{WEB_CLIENT}"),
        format!("{WEB_CLIENT}first_party = true\n"),
        format!("{WEB_CLIENT}[[groups]]\nname = \"front-desk\"\n"),
        WEB_CLIENT.replace("CLIENT_SECRET", "OTHER_SECRET"),
        WEB_CLIENT.replace("/callback", "/cb"),
        String::new(),
    ] {
        assert_ne!(digest(&different), one, "{different}");
    }
    let issuer = format!("{BASE}{WEB_CLIENT}").replace("8080", "8081");
    assert_ne!(parse(&issuer).unwrap().digest, one);
}

#[test]
fn secrets_in_the_digest_are_keyed() {
    let other = |name: &str| if name == "MASTER_KEY" { Some("r".repeat(43)) } else { env(name) };
    let text = format!("{BASE}{WEB_CLIENT}");
    let under_other = Configuration::parse_str("anteroom.toml", &text, &other).unwrap();
    assert_ne!(under_other.digest, digest(WEB_CLIENT));
}

#[test]
fn a_clients_version_is_of_its_settings_and_not_of_its_secrets() {
    let one = version(WEB_CLIENT);
    assert_eq!(version(&WEB_CLIENT.replace("CLIENT_SECRET", "OTHER_SECRET")), one);
    assert_eq!(version(&format!("{WEB_CLIENT}require_pkce = true\n")), one);
    assert_eq!(version(&format!("{WEB_CLIENT}[policy.session]\nidle = \"10m\"\n")), one);
    assert_ne!(version(&WEB_CLIENT.replace("/callback", "/cb")), one);
    assert_ne!(version(&format!("{WEB_CLIENT}min_acr = \"urn:anteroom:acr:mfa\"\n")), one);
    let tile = "[clients.tile]\nname = \"Web\"\nlaunch_url = \"https://web.example/\"\n";
    assert_ne!(version(&format!("{WEB_CLIENT}{tile}")), one);
}

#[test]
fn fingerprints_do_not_change_between_builds() {
    assert_eq!(version(WEB_CLIENT), ClientVersion(5_075_357_065_533_245_559));
    assert_eq!(
        digest(WEB_CLIENT).to_string(),
        "16a756d91f630e657b006c5f675556d28c22a74585759acfb99720c6f3367aeb"
    );
}
