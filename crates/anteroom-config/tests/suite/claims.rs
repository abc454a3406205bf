//! `[clients.claims]`, and the subject types of clients.

use crate::{BASE, assert_refused, parse_with};
use anteroom_config::Configuration;
use anteroom_oidc::Sector;
use anteroom_oidc::claims::{ClaimName, ScopeClaims};
use serde_json::json;

const CLIENT: &str = "[[groups]]\nname = \"staff\"\n[[clients]]\nclient_id = \"a\"\ntoken_endpoint_auth_method = \"none\"\n\
    redirect_uris = [\"https://a.example/\"]\n";

fn with(claims: &str) -> Result<Configuration, anteroom_config::Diagnostics> {
    parse_with(&format!("{CLIENT}{claims}"))
}

#[test]
fn an_application_says_what_it_calls_things() {
    let text = "[clients.claims]\ngroups_as = \"roles\"\n[clients.claims.groups]\nstaff = \"ROLE_STAFF\"\n\
        [clients.claims.constants]\n\"https://a.example/tenant\" = \"north\"\nlimits = { seats = 12, on = true, \
        share = 0.5, of = [\"a\"] }\n";
    let settings = with(text).unwrap().settings;
    let mapping = &settings.clients[0].policy.claims;
    assert_eq!(mapping.groups_as.as_ref().map(ClaimName::as_str), Some("roles"));
    assert_eq!(mapping.groups.as_ref().unwrap()["staff"], "ROLE_STAFF");
    let constants: Vec<_> =
        mapping.constants.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let limits = json!({ "seats": 12, "on": true, "share": 0.5, "of": ["a"] });
    assert_eq!(constants, [("https://a.example/tenant", json!("north")), ("limits", limits)]);
    let versions: Vec<_> = ["", "[clients.claims]\n", text, &text.replace("12", "13")]
        .map(|text| with(text).unwrap().settings.clients[0].version)
        .into();
    assert_eq!(versions[0], versions[1], "nothing said is nothing changed");
    assert!(
        versions[0] != versions[2] && versions[2] != versions[3],
        "a sealed code is not outlived by its rules"
    );
}

#[test]
fn what_an_application_cannot_be_told_is_refused() {
    for (text, message) in [
        ("groups_as = \"sub\"", "bad value for `groups_as` in `[clients.claims]`"),
        ("constants = { roles = [\"admin\"] }", "bad value for `constants`"),
        ("constants = { email = \"a@b.example\" }", "bad value for `constants`"),
        ("constants = { tenant = \"\" }", "bad value for `constants`"),
        ("constants = { since = 2027-01-04 }", "bad value for `constants`"),
        ("constants = { share = nan }", "bad value for `constants`"),
        ("groups = { Staff = \"x\" }", "bad value for `groups`"),
        ("groups = { staff = \"\" }", "bad value for `groups`"),
        ("groups = { stuff = \"x\" }", "group `stuff` of client `a` is not defined"),
        ("groups_as = \"tenant\"\nconstants = { tenant = 1 }", "claim `tenant` is said twice"),
        ("group_as = \"roles\"", "unknown key `group_as`"),
    ] {
        let refused = with(&format!("[clients.claims]\n{text}\n")).unwrap_err();
        assert!(refused.to_string().contains(message), "{text}\n{refused}");
    }
    assert_refused(
        &format!("{BASE}{CLIENT}[clients.claims]\nconstants = {{ tenant = 1, aud = \"x\" }}\n"),
        r#"
error: bad value for `constants` in `[clients.claims]`
  --> anteroom.toml:11:27
   |
11 | constants = { tenant = 1, aud = "x" }
   |                           ^^^ "aud" is a reserved claim name"#,
    );
}

#[test]
fn an_application_says_which_claims_its_id_tokens_have() {
    let of = |text: &str| with(text).unwrap().settings.clients.remove(0);
    let listed = |names: &[&str]| ScopeClaims::Listed(names.iter().map(|name| (*name).to_owned()).collect());
    for (text, expected) in [
        ("", ScopeClaims::All),
        ("id_token_claims = \"scopes\"\n", ScopeClaims::All),
        ("id_token_claims = \"none\"\n", ScopeClaims::None),
        ("id_token_claims = [\"name\", \"email\"]\n", listed(&["email", "name"])),
        (
            "scope = \"openid groups\"\nid_token_claims = [\"roles\"]\nclaims.groups_as = \"roles\"\n",
            listed(&["roles"]),
        ),
    ] {
        assert_eq!(of(text).policy.id_token_claims, expected, "{text}");
    }
    let version = |text: &str| of(text).version;
    assert_eq!(version(""), version("id_token_claims = \"scopes\"\n"));
    assert_ne!(version(""), version("id_token_claims = \"none\"\n"));
    for (text, message) in [
        ("id_token_claims = \"scope\"", "did you mean `scopes`?"),
        ("id_token_claims = []", "write \"none\" for none"),
        ("id_token_claims = true", "expected a string or a list, found a boolean"),
        ("id_token_claims = [1]", "expected a string, found an integer"),
        ("id_token_claims = [\"groups\"]", "client `a` is never told the claim \"groups\""),
        ("id_token_claims = [\"sub\"]", "client `a` is never told the claim \"sub\""),
    ] {
        let refused = with(&format!("{text}\n")).unwrap_err();
        assert!(refused.to_string().contains(message), "{text}\n{refused}");
    }
}

#[test]
fn a_client_without_a_named_method_may_send_its_secret_in_either_way() {
    let client = "[[clients]]\nclient_id = \"a\"\nredirect_uris = [\"https://a.example/\"]\nsecret_env = \"CLIENT_SECRET\"\n";
    let either = |more: &str| {
        let client = parse_with(&format!("{client}{more}")).unwrap().settings.clients.remove(0);
        (client.policy.any_secret_method, client.version)
    };
    let (unnamed, named) = (either(""), either("token_endpoint_auth_method = \"client_secret_basic\"\n"));
    assert_eq!((unnamed.0, named.0), (true, false));
    assert_ne!(
        unnamed.1, named.1,
        "the standard's default written out says something else than leaving it out"
    );
}

#[test]
fn core_8_1_a_pairwise_client_is_told_when_its_sector_must_be_named() {
    let sector = |text: &str| {
        let settings = with(text).map_err(|problems| problems.to_string())?.settings;
        Ok::<_, String>(settings.clients[0].metadata.sector.as_ref().map(Sector::to_string))
    };
    assert_eq!(sector(""), Ok(None));
    assert_eq!(sector("subject_type = \"pairwise\"\n"), Ok(Some("a.example".to_owned())));
    let named = "subject_type = \"pairwise\"\nsector_identifier_uri = \"https://s.example/uris.json\"\n";
    assert_eq!(sector(named), Ok(Some("s.example".to_owned())));
    let text = CLIENT.replace("[\"https://a.example/\"]", "[\"https://a.example/\", \"https://b.example/\"]");
    let refused = parse_with(&format!("{text}subject_type = \"pairwise\"\n")).unwrap_err().to_string();
    assert!(refused.contains("the redirect_uris have several hosts"), "{refused}");
}
