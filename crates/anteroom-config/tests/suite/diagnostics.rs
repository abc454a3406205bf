//! Complaints as an operator reads them.

use crate::{BASE, assert_refused, assert_text, parse, parse_with};
use anteroom_config::{Configuration, Severity};

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    assert_refused(
        &format!("{BASE}[server]\nlisen = \"127.0.0.1:1\"\n"),
        r#"
error: unknown key `lisen` in `[server]`
 --> anteroom.toml:5:1
  |
5 | lisen = "127.0.0.1:1"
  | ^^^^^
  |
  = help: did you mean `listen`?"#,
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_right_place() {
    for (text, help) in [
        ("idle = \"30m\"\n", "there is a key `idle` in `[policy.session]`"),
        ("[sesion]\n", "there is a section `[policy.session]`"),
        ("[client]\n", "did you mean `clients`?"),
        ("[log]\nissuer = \"x\"\n", "`issuer` belongs at the top, before any section"),
        ("[log]\ncolour = \"x\"\n", "known here: format, level, requests"),
    ] {
        let text = if text.starts_with('[') { format!("{BASE}{text}") } else { format!("{text}{BASE}") };
        let found = parse(&text).unwrap_err();
        assert_eq!(found.iter().flat_map(|found| found.help.to_vec()).collect::<Vec<_>>(), [help]);
    }
}

#[test]
fn a_wrong_type_is_named() {
    assert_refused(
        &format!("{BASE}[dev]\noutbox = 1\n[log]\nlevel = [\"info\"]\n[[theme]]\n"),
        r#"
error: bad value for `outbox` in `[dev]`
 --> anteroom.toml:5:10
  |
5 | outbox = 1
  |          ^ expected `true` or `false`, found an integer

error: bad value for `level` in `[log]`
 --> anteroom.toml:7:9
  |
7 | level = ["info"]
  |         ^^^^^^^^ expected a string, found a list

error: bad value for `theme` at the top level
 --> anteroom.toml:8:1
  |
8 | [[theme]]
  | ^^^^^^^^^ expected a table, found a list"#,
    );
}

#[test]
fn a_table_where_several_belong_asks_for_double_brackets() {
    assert_refused(
        &format!("{BASE}[groups]\nname = \"front-desk\"\n"),
        r"
error: `groups` must be a list of tables
 --> anteroom.toml:4:1
  |
4 | [groups]
  | ^^^^^^^^ is one of several and needs double brackets
  |
  = help: write `[[groups]]`",
    );
}

#[test]
fn a_bad_duration_says_how_to_write_one() {
    assert_refused(
        &format!("{BASE}[policy.session]\nidle = 30\nabsolute = \"1mo\"\n[policy.tokens]\ncode = \"2h\"\n"),
        r#"
error: bad value for `idle` in `[policy.session]`
 --> anteroom.toml:5:8
  |
5 | idle = 30
  |        ^^ expected a duration, found an integer
  |
  = help: a duration has a unit: "30s", "30m", "30h" or "30d"

error: bad value for `absolute` in `[policy.session]`
 --> anteroom.toml:6:12
  |
6 | absolute = "1mo"
  |            ^^^^^ not a duration
  |
  = help: write a number and a unit, such as "30m" or "90d"; units are ms, s, m, h, d and w

error: bad value for `code` in `[policy.tokens]`
 --> anteroom.toml:8:8
  |
8 | code = "2h"
  |        ^^^^ must be between 10s and 10m"#,
    );
}

#[test]
fn a_bad_word_is_refused_with_the_nearest_known_one() {
    assert_refused(
        &format!("{BASE}[policy]\nprofile = \"practise\"\n"),
        r#"
error: bad value for `profile` in `[policy]`
 --> anteroom.toml:5:11
  |
5 | profile = "practise"
  |           ^^^^^^^^^^ must be one of: practice, nist-800-63b-4
  |
  = help: did you mean `practice`?"#,
    );
}

#[test]
fn each_bad_element_of_a_list_is_pointed_at() {
    assert_refused(
        &format!("{BASE}[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"proxy\", \"0.0.0.0/0\"]\n"),
        r#"
error: bad value for `trusted_proxies` in `[server]`
 --> anteroom.toml:5:34
  |
5 | trusted_proxies = ["10.0.0.0/8", "proxy", "0.0.0.0/0"]
  |                                  ^^^^^^^ not a network, such as "10.0.0.0/8" or "::1"

error: bad value for `trusted_proxies` in `[server]`
 --> anteroom.toml:5:43
  |
5 | trusted_proxies = ["10.0.0.0/8", "proxy", "0.0.0.0/0"]
  |                                           ^^^^^^^^^^^ every peer would be trusted as a proxy, and any client could forge its address in X-Forwarded-For"#,
    );
}

#[test]
fn what_is_missing_is_named() {
    assert_refused(
        "[[clients]]\nclient_name = \"Web\"\n",
        r#"
error: `issuer` is missing at the top level
--> anteroom.toml

error: no master key is given
--> anteroom.toml
 = help: make one with `anteroom keys init` and name its file: `[keys] master_key_file = "master.key"`

error: `client_id` is missing in `[[clients]]`
 --> anteroom.toml:1:1
  |
1 | [[clients]]
  | ^^^^^^^^^^^ needed here"#,
    );
}

#[test]
fn an_issuer_in_plain_http_is_refused_beyond_loopback() {
    assert_refused(
        "issuer = \"http://id.example\"\n[keys]\nmaster_key_env = \"MASTER_KEY\"\n",
        r#"
error: bad value for `issuer` at the top level
 --> anteroom.toml:1:10
  |
1 | issuer = "http://id.example"
  |          ^^^^^^^^^^^^^^^^^^^ "http://id.example" is not https (http is accepted for a loopback host only)"#,
    );
}

#[test]
fn what_is_not_toml_is_reported_line_by_line() {
    assert_refused(
        "issuer = http://localhost\n[keys\nmaster_key_env = \"MASTER_KEY\"\n",
        r"
error: this is not TOML
 --> anteroom.toml:1:10
  |
1 | issuer = http://localhost
  |          ^^^^^^^^^^^^^^^^ string values must be quoted, expected literal string

error: this is not TOML
 --> anteroom.toml:2:6
  |
2 | [keys
  |      ^ unclosed table, expected `]`",
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let found = Configuration::load("/nonexistent/anteroom.toml".as_ref(), &crate::env).unwrap_err();
    assert!(found.to_string().starts_with("error: cannot read /nonexistent/anteroom.toml: "), "{found}");
    assert!(found.to_string().contains("ANTEROOM_CONFIG"), "{found}");
}

#[test]
fn the_warnings_of_one_file_can_be_left_out_and_its_errors_cannot() {
    let text = format!("{BASE}[policy.session]\nidle = \"8h\"\nnonsense = 1\n");
    let Err(all) = parse(&text) else { panic!("there is a mistake in it") };
    assert!(all.to_string().contains("looser than the default"), "{all}");
    let left = all.clone().without_warnings_of("anteroom.toml").to_string();
    assert!(!left.contains("looser") && left.contains("unknown key `nonsense`"), "{left}");
    let other = all.clone().without_warnings_of("other.toml");
    assert_eq!(other.to_string(), all.to_string());
}

#[test]
fn a_looser_value_is_a_warning_and_a_tighter_one_is_none() {
    let loose =
        parse_with("[policy.session]\nidle = \"8h\"\n[policy.password]\nmax_age = \"never\"\n").unwrap();
    assert_text(
        &loose.warnings.to_string(),
        r#"
warning: `idle` in `[policy.session]` is looser than the default
 --> anteroom.toml:5:8
  |
5 | idle = "8h"
  |        ^^^^ the default is "30m"

warning: `max_age` in `[policy.password]` is looser than the default
 --> anteroom.toml:7:11
  |
7 | max_age = "never"
  |           ^^^^^^^ the default is "90d""#,
    );
    for tight in [
        "[policy.session]\nidle = \"10m\"\n",
        "[policy.password]\nmax_age = \"60d\"\n",
        "[policy.lockout]\nforgiven_failures = 3\n",
        "[policy.sign_in.rate]\nwindow = \"10m\"\n",
        "[policy]\nprofile = \"nist-800-63b-4\"\npassword.max_age = \"never\"\n",
        "[policy]\nprofile = \"nist-800-63b-4\"\nlockout.forgiven_failures = 99\n",
    ] {
        assert!(parse_with(tight).unwrap().warnings.is_empty(), "{tight}");
    }
    for loose in [
        "[policy.lockout]\nforgiven_failures = 6\n",
        "[policy.sign_in.rate]\nwindow = \"1m\"\n",
        "[policy.sign_in]\nfailure_floor = \"0s\"\n",
        "[hashing]\npepper = false\n",
        "[keys.signing]\noverlap = \"1h\"\n",
    ] {
        let text = format!("{}{loose}", crate::BASE);
        let found = parse(&text).unwrap().warnings;
        assert_eq!(
            found.iter().map(|found| found.severity).collect::<Vec<_>>(),
            [Severity::Warning],
            "{loose}"
        );
    }
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    for (text, message) in [
        ("[policy.session]\nidle = \"1d\"\n", "`idle` is longer than `absolute`"),
        ("[policy.tokens]\nrefresh_idle = \"200d\"\n", "`refresh_idle` is longer than `refresh_absolute`"),
        ("[policy.password]\nwarn_days = [90]\n", "a password would be warned about from its first day on"),
        ("[policy.password]\njitter_days = 90\n", "a password could expire on its first day"),
        ("[keys.signing]\noverlap = \"45d\"\n", "signing keys overlap for longer than they sign"),
        ("[keys.signing]\nalgorithms = [\"ES256\"]\n", "tokens cannot be signed with RS256"),
    ] {
        // The base ends in [keys], which its own subsection may follow.
        let found = parse_with(text).unwrap_err();
        let errors = found.iter().filter(|found| found.severity == Severity::Error);
        assert_eq!(errors.map(|found| found.message).collect::<Vec<_>>(), [message], "{text}");
    }
}

#[test]
fn a_tighter_absolute_limit_does_not_ask_for_a_tighter_idle_one() {
    let text = "[policy.session]\nabsolute = \"20m\"\n[policy.tokens]\nrefresh_absolute = \"2h\"\n";
    assert!(parse_with(text).unwrap().warnings.is_empty());
}

#[test]
fn an_https_issuer_wants_a_trusted_proxy() {
    let text = "issuer = \"https://id.example\"\nkeys.master_key_env = \"MASTER_KEY\"\n";
    assert_text(
        &parse(text).unwrap().warnings.to_string(),
        r#"
warning: no proxy is trusted, though TLS must end at one
 --> anteroom.toml:1:10
  |
1 | issuer = "https://id.example"
  |          ^^^^^^^^^^^^^^^^^^^^ all requests would count for the proxy's address
  |
  = help: name the proxy: `[server] trusted_proxies = ["127.0.0.1"]`; without one, add `[server.tls]`"#,
    );
    assert!(parse(&format!("{text}server.trusted_proxies = [\"::1\"]\n")).unwrap().warnings.is_empty());
}

#[test]
fn the_outbox_is_refused_where_others_could_open_it() {
    assert_refused(
        "issuer = \"https://id.example\"\n[keys]\nmaster_key_env = \"MASTER_KEY\"\n\
         [server]\nlisten = \"0.0.0.0:8080\"\ntrusted_proxies = [\"::1\"]\n[dev]\noutbox = true\n",
        r#"
error: the development outbox would be open to others
 --> anteroom.toml:8:10
  |
1 | issuer = "https://id.example"
  |          -------------------- this is not a loopback address
...
8 | outbox = true
  |          ^^^^ shows every code and link to anyone who opens it

error: the development outbox would be open to others
 --> anteroom.toml:8:10
  |
5 | listen = "0.0.0.0:8080"
  |          -------------- others can reach this
...
8 | outbox = true
  |          ^^^^ shows every code and link to anyone who opens it

error: the development outbox would be open to others
 --> anteroom.toml:8:10
  |
6 | trusted_proxies = ["::1"]
  |                   ------- a proxy serves others
7 | [dev]
8 | outbox = true
  |          ^^^^ shows every code and link to anyone who opens it"#,
    );
    assert!(parse_with("[dev]\noutbox = true\n").unwrap().settings.dev.outbox);
}

#[test]
fn a_findings_single_line_says_it_all() {
    let found = parse_with("[server]\nlisen = 1\nmax_body = 1\n").unwrap_err();
    let lines: Vec<String> = found.iter().map(|found| found.to_string()).collect();
    assert_eq!(
        lines,
        [
            "anteroom.toml:5:1: unknown key `lisen` in `[server]`; did you mean `listen`?",
            "anteroom.toml:6:12: bad value for `max_body` in `[server]`: must be between 16384 and 16777216",
        ]
    );
}
