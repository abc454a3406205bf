//! Secrets: fetched from files and the environment, refused in the text, quoted nowhere.

use crate::{BASE, assert_refused, env, parse, parse_with};
use anteroom_config::{Configuration, SecretOrigin};
use secrecy::ExposeSecret;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_secret_in_the_text_is_refused_and_not_quoted() {
    let text = "issuer = \"http://localhost\"\n[keys]\nmaster_key = \"c2VjcmV0\"\nmaster_key_env = \"MASTER_KEY\"\n\
        [[clients]]\nclient_id = \"web\"\nredirect_uris = [\"https://web.example/\"]\n\
        client_secret = \"hunter2hunter2hunter2\"\nsecret_env = \"CLIENT_SECRET\"\n";
    assert_refused(
        text,
        r"
error: `master_key` in `[keys]` is refused
 --> anteroom.toml:3:1
  |
3 | master_key = **********
  | ^^^^^^^^^^ a secret does not belong in the configuration
  |
  = help: put it into a file that only Anteroom can read and name that with `master_key_file`, or into the environment and name the variable with `master_key_env`

error: `client_secret` in `[[clients]]` is refused
 --> anteroom.toml:8:1
  |
8 | client_secret = ***********************
  | ^^^^^^^^^^^^^ a secret does not belong in the configuration
  |
  = help: put it into a file that only Anteroom can read and name that with `secret_file`, or into the environment and name the variable with `secret_env`",
    );
    let found = parse(text).unwrap_err();
    assert!(!format!("{found:?}{}", found.render(true)).contains("hunter2"));
}

#[test]
fn a_database_url_with_a_password_is_refused_and_not_quoted() {
    assert_refused(
        &format!("{BASE}[database]\nurl = \"postgres://anteroom:hunter2@db/anteroom\"\n"),
        r#"
error: bad value for `url` in `[database]`
 --> anteroom.toml:5:7
  |
5 | url = "postgres://anteroom:*******@db/anteroom"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ carries a password: put the whole URL into a file or the environment, and name that with `url_file` or `url_env`"#,
    );
    let in_query = parse_with("[database]\nurl = \"postgres://db/anteroom?password=hunter2\"\n").unwrap_err();
    assert!(!in_query.to_string().contains("hunter2"));
    assert!(parse_with("[database]\nurl = \"postgres://anteroom@db/anteroom\"\n").is_ok());
}

#[test]
fn a_secret_of_a_client_that_is_missing_says_which_command_makes_it() {
    let client = "[[clients]]\nclient_id = \"web\"\nredirect_uris = [\"https://web.example/\"]\nsecret_file = \"none/web\"\n";
    let found = parse(&format!("{BASE}{client}")).unwrap_err().to_string();
    assert!(found.contains("`anteroom client secret none/web`"), "{found}");
    let found = parse(&format!("{BASE}[email]\npassword_file = \"none/mail\"\n")).unwrap_err().to_string();
    assert!(!found.contains("client secret"), "{found}");
    for one_of_several in [
        client.replace("secret_file = \"none/web\"", "secret_files = [\"none/web-old\"]"),
        "[registration]\nmode = \"initial_access_token\"\ninitial_access_token_files = [\"none/token-old\"]\n".to_owned(),
    ] {
        let found = parse(&format!("{BASE}{one_of_several}")).unwrap_err().to_string();
        assert!(found.contains("put the file back, or take its line away"), "{found}");
        assert!(!found.contains("client secret"), "{found}");
    }
}

/// Its group may read it: the process can be in that without being the owner.
#[test]
fn a_secret_that_every_user_can_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let (main, key) = (folder.path().join("anteroom.toml"), folder.path().join("master.key"));
    fs::write(&main, "issuer = \"http://localhost:8080\"\nkeys.master_key_file = \"master.key\"\n").unwrap();
    fs::write(&key, "q".repeat(43)).unwrap();
    for (mode, warned) in [(0o600, false), (0o640, false), (0o644, true), (0o666, true), (0o602, true)] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let warnings = Configuration::load(&main, &env).unwrap().warnings.to_string();
        assert_eq!(warnings.contains("open to every user of this machine"), warned, "{mode:o} {warnings}");
    }
    assert!(
        Configuration::load(&main, &env)
            .unwrap()
            .settings
            .keys
            .master_key_origin
            .to_string()
            .ends_with("master.key")
    );
}

#[test]
fn a_missing_master_key_says_what_makes_one() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("anteroom.toml");
    fs::write(&main, "issuer = \"http://localhost:8080\"\nkeys.master_key_file = \"master.key\"\n").unwrap();
    let Err(refused) = Configuration::load(&main, &env) else { panic!("there is no key") };
    let refused = refused.to_string();
    assert!(refused.contains("= help: make it with `anteroom keys init`"), "{refused}");
    assert!(refused.contains("put back the copy of its key"), "{refused}");
}

#[test]
fn a_secret_missing_in_the_environment_is_pointed_at() {
    assert_refused(
        "issuer = \"http://localhost\"\n[keys]\nmaster_key_env = \"NOWHERE\"\n",
        r#"
error: the environment variable `NOWHERE` is not set
 --> anteroom.toml:3:18
  |
3 | master_key_env = "NOWHERE"
  |                  ^^^^^^^^^ a secret is expected there"#,
    );
}

#[test]
fn a_secret_named_twice_is_refused() {
    let found = parse_with("master_key_file = \"/dev/null\"\n").unwrap_err();
    let messages: Vec<_> = found.iter().map(|found| found.message).collect();
    assert!(messages.contains(&"both `master_key_file` and `master_key_env` are given"), "{messages:?}");
}

#[test]
fn secrets_are_read_from_files_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anteroom.toml");
    fs::create_dir(folder.path().join("secrets")).unwrap();
    fs::write(folder.path().join("secrets/master"), "the master key\n").unwrap();
    fs::write(folder.path().join("secrets/new"), "the new secret of web\r\n").unwrap();
    fs::write(folder.path().join("secrets/old"), "the old secret of web\n").unwrap();
    fs::write(folder.path().join("secrets/url"), "postgres://anteroom:hunter2@db/anteroom\n").unwrap();
    let text = "issuer = \"http://localhost\"\nkeys.master_key_file = \"secrets/master\"\n\
        database.url_file = \"secrets/url\"\n\
        [[clients]]\nclient_id = \"web\"\nredirect_uris = [\"https://web.example/\"]\n\
        secret_file = \"secrets/new\"\nsecret_files = [\"secrets/old\"]\n";
    fs::write(&path, text).unwrap();
    let settings = Configuration::load(&path, &env).unwrap().settings;
    assert_eq!(settings.keys.master_key.expose_secret(), "the master key");
    assert_eq!(settings.database.url.expose_secret(), "postgres://anteroom:hunter2@db/anteroom");
    let secrets: Vec<_> = settings.clients[0].secrets.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["the new secret of web", "the old secret of web"]);
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn the_master_keys_place_is_known_before_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anteroom.toml");
    fs::write(&path, "issuer = \"http://localhost\"\nkeys.master_key_file = \"master.key\"\n").unwrap();
    let origin = Configuration::master_key_origin(&path).unwrap();
    assert_eq!(origin, Some(SecretOrigin::File(folder.path().join("master.key"))));
    let found = Configuration::load(&path, &env).unwrap_err();
    assert_eq!(found.iter().count(), 1);
}

#[test]
fn a_client_has_secrets_exactly_where_it_uses_them() {
    let client = "[[clients]]\nclient_id = \"web\"\nredirect_uris = [\"https://web.example/\"]\n";
    let refused = |more: &str| {
        let found = parse_with(&format!("{client}{more}")).unwrap_err();
        found.iter().map(|found| found.message.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(refused(""), ["client `web` has no secret"]);
    assert_eq!(
        refused("token_endpoint_auth_method = \"none\"\nsecret_env = \"CLIENT_SECRET\"\n"),
        ["client `web` has a secret that it never uses"]
    );
    assert!(parse_with(&format!("{client}token_endpoint_auth_method = \"none\"\n")).is_ok());
}

#[test]
fn rfc7518_3_2_a_secret_that_signs_is_as_long_as_its_hash() {
    let client = "[[clients]]\nclient_id = \"web\"\nredirect_uris = [\"https://web.example/\"]\n\
        token_endpoint_auth_method = \"client_secret_jwt\"\nsecret_env = \"CLIENT_SECRET\"\n";
    for (algorithm, length, accepted) in [
        ("", 31, false),
        ("", 32, true),
        ("token_endpoint_auth_signing_alg = \"HS384\"\n", 47, false),
        ("token_endpoint_auth_signing_alg = \"HS512\"\n", 64, true),
    ] {
        let secret = |name: &str| if name == "CLIENT_SECRET" { Some("s".repeat(length)) } else { env(name) };
        let text = format!("{BASE}{client}{algorithm}");
        let read = Configuration::parse_str("anteroom.toml", &text, &secret);
        assert_eq!(read.is_ok(), accepted, "{algorithm} {length}");
    }
}

#[test]
fn core_10_1_keys_of_clients_are_json_in_a_string() {
    let client = |jwks: &str| {
        parse_with(&format!(
            "[[clients]]\nclient_id = \"web\"\nredirect_uris = [\"https://web.example/\"]\n\
             token_endpoint_auth_method = \"private_key_jwt\"\njwks = '{jwks}'\n"
        ))
    };
    let good =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let settings = client(good).unwrap().settings;
    let read = serde_json::to_string(&settings.clients[0].metadata.jwks).unwrap();
    assert!(read.contains("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), "{read}");
    for bad in ["", "{", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
        let found = client(bad).unwrap_err();
        assert!(
            found.iter().any(|found| found.message.starts_with("bad value for `jwks`")),
            "{bad}: {found}"
        );
    }
    let small = "gQ".repeat(43);
    let rsa = format!(r#"{{"kty":"RSA","n":"{small}","e":"AQAB"}}"#);
    let key = good.strip_prefix(r#"{"keys":["#).unwrap().strip_suffix("]}").unwrap();
    for (bad, why) in [
        (format!(r#"{{"keys":[{rsa}]}}"#), "RSA of 2048 to 4096 bits"),
        (format!(r#"{{"keys":[{key},{rsa}]}}"#), "an RSA key of 512 bits"),
        (format!(r#"{{"keys":[{}]}}"#, [key; 11].join(",")), "more than 10 keys"),
    ] {
        let found = client(&bad).unwrap_err().to_string();
        assert!(found.contains("jwks") && found.contains(why), "{bad}: {found}");
    }
}

#[test]
fn weak_secrets_are_refused_without_quoting_them() {
    for (secret, message) in [
        ("hunter2", "a client's secret is too short"),
        ("ünprintable-secret-of-length", "a client's secret has characters that HTTP cannot carry"),
        ("  \n", "a secret is empty"),
    ] {
        let env = |name: &str| if name == "CLIENT_SECRET" { Some(secret.to_owned()) } else { env(name) };
        let text = format!("{BASE}{}", crate::WEB_CLIENT);
        let found = Configuration::parse_str("anteroom.toml", &text, &env).unwrap_err();
        assert_eq!(found.iter().map(|found| found.message).collect::<Vec<_>>(), [message]);
        assert!(secret.trim().is_empty() || !found.to_string().contains(secret.trim()));
    }
}
