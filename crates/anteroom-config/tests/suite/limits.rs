//! The table of limits in the book.

use anteroom_config::Configuration;
use anteroom_domain::limits::Limit;
use anteroom_domain::rate::RateLimit;
use jiff::SignedDuration;
use std::fmt::Write as _;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/reference/limits.md");
const MARKS: [&str; 2] = ["<!-- begin -->\n", "<!-- end -->\n"];

fn table() -> String {
    let mut table =
        String::from("| limit | counts | per | default | counted in | set by |\n|---|---|---|---|---|---|\n");
    for facts in Limit::ALL.iter().map(|limit| limit.facts()) {
        let RateLimit { max, window } = facts.default;
        let within = match window.as_hours() {
            0 => format!("{} min", window.as_mins()),
            hours => format!("{hours} h"),
        };
        let about = facts.about.trim_end_matches('.');
        let (per, counted) = (facts.per.as_str(), facts.counted.as_str());
        let (name, setting) = (facts.name, facts.setting);
        writeln!(table, "| `{name}` | {about} | {per} | {max} in {within} | {counted} | `{setting}` |")
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
        let text = format!("{}[{}]\nmax = 7\nwindow = \"90s\"\n", crate::BASE, limit.facts().setting);
        let read = Configuration::parse_str("test.toml", &text, &|name| {
            (name == "MASTER_KEY").then(|| "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned())
        });
        let rate = read.unwrap().settings.policy.limits.get(*limit);
        assert_eq!(rate, RateLimit { max: 7, window: SignedDuration::from_secs(90) }, "{limit:?}");
    }
}
