//! What is written arrives; what is not has the documented default.

use crate::{WEB_CLIENT, assert_text, parse, parse_with};
use anteroom_config::{LogFormat, LogLevel, PolicyProfile};
use anteroom_domain::account::GroupName;
use anteroom_domain::client::Entitlement;
use anteroom_domain::policy::Policy;
use anteroom_oidc::{Acr, GrantType, SigningAlgorithm};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;

#[test]
fn the_least_configuration_has_the_defaults() {
    let configuration = parse_with("").unwrap();
    assert!(configuration.warnings.is_empty());
    let settings = configuration.settings;
    assert_eq!(settings.issuer.as_str(), "http://localhost:8080");
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.database.url.expose_secret(), "sqlite:anteroom.db");
    assert_eq!(settings.policy, Policy::default());
    assert_eq!(settings.profile, PolicyProfile::Practice);
    assert_eq!((settings.log.format, settings.log.level), (LogFormat::Text, LogLevel::Info));
    assert_eq!((settings.hashing.memory_kib, settings.hashing.iterations), (19_456, 2));
    assert!(settings.groups.is_empty() && settings.clients.is_empty() && !settings.dev.outbox);
}

#[test]
fn the_store_chooses_how_many_connections_unless_the_operator_does() {
    assert_eq!(parse_with("").unwrap().settings.database.max_connections, None);
    let given = parse_with("[database]\nmax_connections = 3\n").unwrap();
    assert_eq!(given.settings.database.max_connections, Some(3));
}

#[test]
fn requests_go_to_no_private_network_unless_it_is_named() {
    assert!(parse_with("").unwrap().settings.outgoing.allow.is_empty());
    let given =
        parse_with("[outgoing]\nallow = [\"10.1.2.3/8\", \"fd00::1\"]\n").unwrap().settings.outgoing.allow;
    assert_eq!(given.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "fd00::1/128"]);
    assert!(parse_with("[outgoing]\nallow = [\"0.0.0.0/0\"]\n").is_err());
}

#[test]
fn an_issuer_with_a_path_is_refused() {
    for (issuer, root) in [
        ("https://id.example/practice", "https://id.example"),
        ("http://localhost:8080/a/b", "http://localhost:8080"),
    ] {
        let text = format!(
            "issuer = \"{issuer}\"\nserver.trusted_proxies = [\"::1\"]\nkeys.master_key_env = \"MASTER_KEY\"\n"
        );
        let lines: Vec<String> = parse(&text).unwrap_err().iter().map(|found| found.to_string()).collect();
        let expected = format!(
            "anteroom.toml:1:10: the issuer has a path: pages and endpoints are served at the root of a host; \
             give Anteroom a host of its own: `issuer = \"{root}\"`"
        );
        assert_eq!(lines, [expected]);
    }
}

#[test]
fn a_profile_changes_the_defaults_and_what_is_written_wins() {
    let nist = parse_with("[policy]\nprofile = \"nist-800-63b-4\"\n").unwrap().settings.policy;
    assert_eq!(nist.password_age.max_age_days, None);
    let text = "[policy]\nprofile = \"nist-800-63b-4\"\npassword.max_age = \"30d\"\n";
    let policy = parse_with(text).unwrap().settings.policy;
    assert_eq!(policy.password_age.max_age_days, Some(30));
}

#[test]
fn warnings_fit_a_shorter_age_and_come_most_first() {
    let age = |text: &str| parse_with(text).unwrap().settings.policy.password_age.warn_days;
    assert_eq!(age("[policy.password]\nmax_age = \"10d\"\n"), [7, 1]);
    assert_eq!(age("[policy.password]\nwarn_days = [1, 30, 7]\n"), [30, 7, 1]);
}

#[test]
fn policy_is_read() {
    let text = "[policy.lockout]\nknown_devices = false\nforgiven_failures = 2\n\
        [policy.sign_in]\nrate = { max = 20, window = \"1h\" }\nfailure_floor = \"1s\"\n\
        [policy.session]\nidle = \"15m\"\nabsolute = \"8h\"\n\
        [policy.own_networks]\nnetworks = [\"203.0.113.7/24\", \"2001:db8::1\"]\nfactor = 4\n\
        [policy.registration]\ninvitation_lifetime = \"3d\"\n";
    let policy = parse_with(text).unwrap().settings.policy;
    assert!(!policy.lockout.known_devices_count_apart);
    assert_eq!(policy.lockout.forgiven_failures, 2);
    assert_eq!((policy.sign_in.rate.max, policy.sign_in.rate.window), (20, SignedDuration::from_hours(1)));
    assert_eq!(policy.sign_in.min_failure_time, SignedDuration::from_secs(1));
    let networks: Vec<_> = policy.own_networks.networks.iter().map(ToString::to_string).collect();
    assert_eq!(
        (networks.join(" "), policy.own_networks.factor),
        ("203.0.113.0/24 2001:db8::1/128".into(), 4)
    );
    assert_eq!(policy.session.idle, SignedDuration::from_mins(15));
    assert_eq!(policy.invitation_lifetime, SignedDuration::from_hours(72));
}

#[test]
fn a_client_is_read_whole() {
    let text = format!(
        "{WEB_CLIENT}client_name = \"Web\"\nfirst_party = true\ngroups = [\"front-desk\"]\n\
         min_acr = \"urn:anteroom:acr:mfa\"\ngrant_types = [\"authorization_code\", \"refresh_token\"]\n\
         id_token_signed_response_alg = \"EdDSA\"\nrefresh_is_activity = true\nlogout_on_idle = true\n\
         backchannel_logout_uri = \"https://web.example/logout\"\n\
         [clients.tile]\nname = \"The Web\"\norder = 5\nlaunch_url = \"https://web.example/\"\n\
         [[groups]]\nname = \"front-desk\"\ndescription = \"Reception\"\n"
    );
    let settings = parse_with(&text).unwrap().settings;
    let client = &settings.clients[0];
    assert_eq!(client.metadata.client_id.as_str(), "web");
    assert_eq!(client.metadata.id_token_signed_response_alg, SigningAlgorithm::EdDsa);
    assert!(client.metadata.allows_grant(GrantType::RefreshToken));
    assert!(client.metadata.require_pkce);
    assert!(client.policy.first_party && client.policy.refresh_is_activity && client.policy.logout_on_idle);
    assert_eq!(client.policy.min_acr, Some(Acr::Mfa));
    let front_desk = GroupName::parse("front-desk").unwrap();
    assert_eq!(client.policy.entitlement, Entitlement::Groups([front_desk.clone()].into()));
    let tile = client.policy.tile.as_ref().unwrap();
    assert_eq!((tile.name.as_str(), tile.order, tile.icon.as_str()), ("The Web", 5, "app"));
    assert_eq!(client.secrets.len(), 1);
    assert_eq!(settings.groups[0].name, front_desk);
}

#[test]
fn a_client_without_groups_admits_everyone_and_one_with_none_is_refused() {
    let settings = parse_with(WEB_CLIENT).unwrap().settings;
    assert_eq!(settings.clients[0].policy.entitlement, Entitlement::Everyone);
    let found = parse_with(&format!("{WEB_CLIENT}groups = []\n")).unwrap_err();
    assert_eq!(found.iter().map(|found| found.message).collect::<Vec<_>>(), ["a client that admits nobody"]);
}

#[test]
fn a_bad_redirect_uri_is_named_with_parameter_and_value() {
    let text = "[[clients]]\nclient_id = \"web\"\ntoken_endpoint_auth_method = \"none\"\n\
        redirect_uris = [\n  \"https://web.example/\",\n  \"https://web.example/cb#top\",\n]\n";
    let found = parse_with(text).unwrap_err();
    assert_text(
        &found.to_string(),
        r#"
error: bad value for `redirect_uris` of client `web`
 --> anteroom.toml:9:3
  |
9 |   "https://web.example/cb#top",
  |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ "https://web.example/cb#top" has a fragment"#,
    );
}

#[test]
fn metadata_is_judged_as_registration_would() {
    let text = format!(
        "{WEB_CLIENT}token_endpoint_auth_method = \"client_secret_basik\"\n\
         id_token_signed_response_alg = \"none\"\ngrant_types = [\"authorization_code\", \"client_credentials\"]\n\
         backchannel_logout_uri = \"http://web.example/logout\"\n"
    );
    let found = parse_with(&text).unwrap_err();
    let lines: Vec<String> = found.iter().map(|found| found.to_string()).collect();
    assert_eq!(
        lines,
        [
            "anteroom.toml:8:30: bad value for `token_endpoint_auth_method` of client `web`: \
             \"client_secret_basik\" is not offered here; one of: client_secret_basic, \
             client_secret_post, client_secret_jwt, private_key_jwt, none; \
             did you mean `client_secret_basic`?",
            "anteroom.toml:9:32: bad value for `id_token_signed_response_alg` of client `web`: \
             \"none\" is not offered here; one of: RS256, ES256, EdDSA",
            "anteroom.toml:11:26: bad value for `backchannel_logout_uri` of client `web`: \
             \"http://web.example/logout\" is not an https URL without fragment \
             (http is accepted on a loopback address while the issuer is itself http on loopback)",
        ]
    );
}

#[test]
fn a_client_cannot_choose_an_algorithm_that_no_key_is_made_for() {
    let text = format!(
        "issuer = \"http://localhost\"\nkeys.master_key_env = \"MASTER_KEY\"\n\
         keys.signing.algorithms = [\"RS256\"]\n{WEB_CLIENT}"
    );
    let client = &parse(&text).unwrap().settings.clients[0];
    assert_eq!(client.metadata.access_token_signed_response_alg, SigningAlgorithm::Rs256);
    let found = parse(&format!("{text}id_token_signed_response_alg = \"ES256\"\n")).unwrap_err();
    assert!(found.to_string().contains("\"ES256\" is not offered here; one of: RS256"), "{found}");
}

#[test]
fn a_web_client_gets_no_tokens_at_an_address_on_the_machine() {
    let client = "[[clients]]\nclient_id = \"spa\"\ntoken_endpoint_auth_method = \"none\"\n\
        redirect_uris = [\"http://localhost:3000/cb\"]\ngrant_types = [\"authorization_code\", \"implicit\"]\n";
    let under = |issuer: &str, client: &str| {
        parse(&format!("issuer = \"{issuer}\"\nkeys.master_key_env = \"MASTER_KEY\"\n{client}"))
    };
    let found = under("https://id.example", client).unwrap_err().to_string();
    assert!(found.contains("bad value for `redirect_uris` of client `spa`"), "{found}");
    assert!(found.contains("needs https"), "{found}");
    let native = format!("{client}application_type = \"native\"\n");
    assert!(under("https://id.example", &native).is_ok());
    assert!(under("http://localhost", client).is_ok());
}

#[test]
fn the_default_language_is_a_tag_in_either_spelling() {
    for (written, read) in [("es-MX", "es-MX"), ("es_MX", "es-MX"), ("en", "en")] {
        let settings = parse_with(&format!("[practice]\ndefault_locale = \"{written}\"\n")).unwrap().settings;
        assert_eq!(settings.practice.default_locale, read);
    }
    assert!(parse_with("[practice]\ndefault_locale = \"es MX\"\n").is_err());
}

#[test]
fn names_are_defined_once_and_before_use() {
    let text = format!(
        "{WEB_CLIENT}groups = [\"front-dsek\"]\n{WEB_CLIENT}[[groups]]\nname = \"front-desk\"\n\
         [[groups]]\nname = \"front-desk\"\n"
    );
    assert_text(
        &parse_with(&text).unwrap_err().to_string(),
        r#"
error: group `front-dsek` of client `web` is not defined
 --> anteroom.toml:8:11
  |
8 | groups = ["front-dsek"]
  |           ^^^^^^^^^^^^ no `[[groups]]` has this name
  |
  = help: did you mean `front-desk`?

error: client `web` is defined twice
  --> anteroom.toml:10:13
   |
 5 | client_id = "web"
   |             ----- first defined here
...
10 | client_id = "web"
   |             ^^^^^ defined again here

error: group `front-desk` is defined twice
  --> anteroom.toml:16:8
   |
14 | name = "front-desk"
   |        ------------ first defined here
15 | [[groups]]
16 | name = "front-desk"
   |        ^^^^^^^^^^^^ defined again here"#,
    );
}

#[test]
fn an_idle_logout_needs_somebody_to_tell() {
    let found = parse_with(&format!("{WEB_CLIENT}logout_on_idle = true\n")).unwrap_err();
    let lines: Vec<String> = found.iter().map(|found| found.to_string()).collect();
    assert_eq!(
        lines,
        [
            "anteroom.toml:8:18: `logout_on_idle` without a `backchannel_logout_uri`: needs a `backchannel_logout_uri`"
        ]
    );
}

#[test]
fn a_tile_must_lead_somewhere() {
    let found = parse_with(&format!("{WEB_CLIENT}[clients.tile]\nname = \"Web\"\n")).unwrap_err();
    assert_text(
        &found.to_string(),
        r"
error: a tile that leads nowhere
 --> anteroom.toml:8:1
  |
8 | [clients.tile]
  | ^^^^^^^^^^^^^^ `launch_url` is missing here
  |
  = help: give the client an `initiate_login_uri`, which starts its sign-in, or the tile a `launch_url`",
    );
    let starts = format!(
        "{WEB_CLIENT}initiate_login_uri = \"https://web.example/login\"\n[clients.tile]\nname = \"Web\"\n"
    );
    assert!(parse_with(&starts).is_ok());
}

#[test]
fn tls_takes_the_place_of_a_proxy_and_needs_both_files() {
    let text = |issuer: &str, tls: &str| {
        parse(&format!("issuer = \"{issuer}\"\nkeys.master_key_env = \"MASTER_KEY\"\n[server.tls]\n{tls}"))
    };
    let both = "certificate = \"a.pem\"\nkey = \"/b.key\"\n";
    let configuration = text("https://id.example", both).unwrap();
    assert!(configuration.warnings.is_empty(), "{}", configuration.warnings);
    let tls = configuration.settings.server.tls.unwrap();
    assert_eq!((tls.certificate.to_str(), tls.key.to_str()), (Some("a.pem"), Some("/b.key")));
    for (issuer, tls, why) in [
        ("https://id.example", "certificate = \"a.pem\"\n", "`key` is missing in `[server.tls]`"),
        ("https://id.example", "key = \"b.key\"\n", "`certificate` is missing in `[server.tls]`"),
        ("http://localhost:8080", both, "`[server.tls]` is configured, but the issuer is http"),
    ] {
        let found = text(issuer, tls).unwrap_err();
        assert_eq!(found.iter().map(|found| found.message).collect::<Vec<_>>(), [why]);
    }
}

#[test]
fn texts_have_no_characters_that_are_not_seen() {
    for text in ["\\u0007", "Smile\\u202E Dental", "Smile\\u200B", "\\uFEFF", "\\u3164", " \\u2800 "] {
        for key in ["name", "support_contact"] {
            let refused = parse_with(&format!("[practice]\n{key} = \"{text}\"\n"));
            let said = refused.err().map(|problems| problems.render(false)).unwrap_or_default();
            assert!(said.contains("nor others that are not seen"), "{key} = {text}: {said}");
        }
    }
    assert!(parse_with("[practice]\nname = \"Clínica O’Neill & 이영희 ♥\"\n").is_ok());
}

#[test]
fn a_client_that_stays_signed_in_on_a_machine_without_a_question_is_warned_of() {
    let client = |more: &str| {
        parse_with(&format!(
            "[[clients]]\nclient_id = \"chairside\"\nfirst_party = true\napplication_type = \"native\"\n\
             redirect_uris = [\"http://127.0.0.1/callback\", \"com.example.chairside:/callback\"]\n\
             token_endpoint_auth_method = \"none\"\nscope = \"openid offline_access\"\n\
             grant_types = [\"authorization_code\", \"refresh_token\"]\n{more}\n"
        ))
        .unwrap()
    };
    let (asks, silent) = (client(""), client("offline_access_consent = false"));
    assert!(asks.warnings.is_empty() && asks.settings.clients[0].policy.offline_access_consent);
    assert_eq!(asks.settings.policy.clients.end_grants_after, SignedDuration::from_mins(10));
    assert!(!silent.settings.clients[0].policy.offline_access_consent);
    let warned = silent.warnings.to_string();
    assert!(warned.contains("can stay signed in as client `chairside`"), "{warned}");
    assert!(warned.contains("offline_access_consent = false"), "{warned}");
}

#[test]
fn a_redirect_uri_with_a_wildcard_is_refused() {
    for (key, uri) in [
        ("redirect_uris", "https://*.example/cb"),
        ("redirect_uris", "https://web.example/*"),
        ("post_logout_redirect_uris", "https://*.web.example/"),
    ] {
        let other =
            if key == "redirect_uris" { "" } else { "redirect_uris = [\"https://web.example/cb\"]\n" };
        let text = format!(
            "[[clients]]\nclient_id = \"web\"\nsecret_env = \"CLIENT_SECRET\"\n{other}{key} = [\"{uri}\"]\n"
        );
        let found = parse_with(&text).unwrap_err().to_string();
        let named = found.contains(&format!("`{key}`")) && found.contains("client `web`");
        assert!(named && found.contains("wildcard"), "{uri}: {found}");
    }
}

#[test]
fn a_scope_that_nothing_reads_is_warned_of() {
    for (scope, more, expected) in [
        ("openid profile email", "", None),
        ("openid profle", "", Some("did you mean `profile`?")),
        ("openid reports", "", Some("the scope `reports` of client `web` is not known")),
        ("openid reports", "audience = [\"https://api.example\"]\n", None),
        ("openid emial", "audience = [\"https://api.example\"]\n", Some("did you mean `email`?")),
        ("openid reports", "grant_types = [\"authorization_code\", \"client_credentials\"]\n", None),
        ("openid,email", "", Some("scopes are separated by spaces, not by commas")),
        (
            "openid reports,admin",
            "audience = [\"https://api.example\"]\n",
            Some("scopes are separated by spaces, not by commas"),
        ),
    ] {
        let warnings =
            parse_with(&format!("{WEB_CLIENT}scope = \"{scope}\"\n{more}")).unwrap().warnings.to_string();
        match expected {
            None => assert_eq!(warnings, "", "{scope} {more}"),
            Some(expected) => assert!(warnings.contains(expected), "{scope} {more}: {warnings}"),
        }
    }
}
