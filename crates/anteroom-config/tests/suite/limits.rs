//! The table of limits in the book.

use anteroom_config::Configuration;
use anteroom_domain::limits::Limit;
use anteroom_domain::rate::RateLimit;
use jiff::SignedDuration;
use std::fmt::Write as _;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/reference/limits.md");
const MARKS: [&str; 2] = ["<!-- begin -->\n", "<!-- end -->\n"];

fn warnings(more: &str) -> String {
    crate::parse_with(more).unwrap().warnings.to_string()
}

fn rate(RateLimit { max, window }: RateLimit) -> String {
    match window.as_hours() {
        0 => format!("{max} in {} min", window.as_mins()),
        hours => format!("{max} in {hours} h"),
    }
}

fn table() -> String {
    let mut table = String::from(
        "| limit | counts | per | default | too tight below | counted in | set by |\n|---|---|---|---|---|---|---|\n",
    );
    for (limit, facts) in Limit::ALL.iter().map(|limit| (limit, limit.definition())) {
        let (default, floor) = (rate(facts.default), rate(limit.recommended_minimum().rate));
        let about = facts.about.trim_end_matches('.');
        let (per, counted) = (facts.per.as_str(), facts.counted.as_str());
        let (name, setting) = (facts.name, facts.setting);
        writeln!(table, "| `{name}` | {about} | {per} | {default} | {floor} | {counted} | `{setting}` |")
            .unwrap();
    }
    table
}

#[test]
fn the_table_of_limits_is_current() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let [begin, end] = MARKS;
    let (before, rest) = page.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let current = format!("{before}{begin}{}{end}{after}", table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &current).unwrap();
    }
    assert!(
        std::fs::read_to_string(PAGE).unwrap() == current,
        "docs/src/reference/limits.md is old: UPDATE_DOCS=1 cargo test -p anteroom-config"
    );
}

#[test]
fn each_limit_is_set_where_it_says() {
    for limit in Limit::ALL.iter().filter(|limit| limit.is_set_under_limits()) {
        let text = format!("{}[{}]\nmax = 7\nwindow = \"90s\"\n", crate::BASE, limit.definition().setting);
        let read = Configuration::parse_str("test.toml", &text, &|name| {
            (name == "MASTER_KEY").then(|| "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned())
        });
        let rate = read.unwrap().settings.policy.limits.get(*limit);
        assert_eq!(rate, RateLimit { max: 7, window: SignedDuration::from_secs(90) }, "{limit:?}");
    }
}

#[test]
fn each_limit_that_is_too_tight_says_whom_it_shuts_out() {
    for limit in Limit::ALL.iter().filter(|limit| limit.recommended_minimum().rate.max > 1) {
        let (setting, below) = (limit.definition().setting, limit.recommended_minimum().consequence);
        // Some limits are set in one place, where one is a share of another.
        if matches!(
            limit,
            Limit::PhoneNumberBesidesRecovery
                | Limit::PhoneNumberOfOtherDevices
                | Limit::Invitation
                | Limit::RequestUriOfClient
                | Limit::RequestUriOfRegistered
                | Limit::RequestUriOfRegisteredClient
        ) {
            continue;
        }
        let found = warnings(&format!("[{setting}]\nmax = 1\nwindow = \"1d\"\n"));
        assert!(found.contains(&format!("`max` in `[{setting}]` shuts people out")), "{found}");
        assert!(found.contains(below), "{found}");
    }
}

#[test]
fn what_shuts_people_out_is_a_warning_and_what_is_only_tighter_is_none() {
    crate::assert_text(
        &warnings(
            "[policy.limits.right_password]\nmax = 1\nwindow = \"1d\"\n[policy.lockout]\nknown_devices = false\n",
        ),
        r#"
warning: `max` in `[policy.limits.right_password]` shuts people out
 --> anteroom.toml:5:7
  |
5 | max = 1
  |       ^ below 5, people in a new browser, or in one that clears its cookies, cannot sign in with the right password

warning: `window` in `[policy.limits.right_password]` shuts people out
 --> anteroom.toml:6:10
  |
6 | window = "1d"
  |          ^^^^ above "1h", people in a new browser, or in one that clears its cookies, cannot sign in with the right password

warning: `known_devices` in `[policy.lockout]` shuts people out
 --> anteroom.toml:8:17
  |
8 | known_devices = false
  |                 ^^^^^ with a few wrong passwords anyone who knows an address locks its owner out, also at their own desk"#,
    );
    for tighter in [
        "[policy.limits.right_password]\nmax = 5\n",
        "[policy.limits.right_password]\nwindow = \"6h\"\n",
        "[policy.limits.asked_rows]\nmax = 500\nwindow = \"1h\"\n",
        "[policy.limits.new_password]\nmax = 5\n",
        "[policy.limits.stale_form_of_address]\nmax = 30\n",
        "[policy.lockout]\nknown_devices = true\n",
    ] {
        assert_eq!(warnings(tighter), "", "{tighter}");
    }
}
