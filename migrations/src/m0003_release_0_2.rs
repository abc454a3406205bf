//! The additions of release 0.2.0. Release 0.1.0 runs on this schema too, so every new column is nullable or has a
//! default, and nothing is renamed, moved or removed.

use crate::Step;

const PARTS: [&str; 18] = [
    include_str!("../sql/0003/asked_links.sql"),
    include_str!("../sql/0003/audit_waiting.sql"),
    include_str!("../sql/0003/authenticators.sql"),
    include_str!("../sql/0003/browsers.sql"),
    include_str!("../sql/0003/codes.sql"),
    include_str!("../sql/0003/grants.sql"),
    include_str!("../sql/0003/history.sql"),
    include_str!("../sql/0003/nodes.sql"),
    include_str!("../sql/0003/interactions.sql"),
    include_str!("../sql/0003/known_devices.sql"),
    include_str!("../sql/0003/messages.sql"),
    include_str!("../sql/0003/password_forms.sql"),
    include_str!("../sql/0003/practices.sql"),
    include_str!("../sql/0003/refresh.sql"),
    include_str!("../sql/0003/registration.sql"),
    include_str!("../sql/0003/repeats.sql"),
    include_str!("../sql/0003/sessions.sql"),
    include_str!("../sql/0003/usernames.sql"),
];

/// The tables of release 0.1.0 that this step changes, indexes or references, in the order in which units of work lock
/// rows.
pub const CHANGED_TABLES: [&str; 18] = [
    "accounts",
    "known_devices",
    "one_time_codes",
    "code_attempts",
    "sessions",
    "logout_deliveries",
    "grants",
    "refresh_tokens",
    "links",
    "interactions",
    "instance",
    "nodes",
    "password_credentials",
    "password_history",
    "registered_clients",
    "messages",
    "consents",
    "audit_entries",
];

pub(crate) const STEP: Step = Step { name: "0003_release_0_2", parts: &PARTS };

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The word after each of these is a table.
    const BEFORE_TABLES: [&str; 4] = ["ALTER TABLE", "CREATE TABLE", " ON", "REFERENCES"];

    fn tables_after(before: &str, text: &str) -> BTreeSet<String> {
        let name = |rest: &str| rest.split_whitespace().next().map(str::to_owned);
        text.split(&format!("{before} ")).skip(1).filter_map(name).collect()
    }

    #[test]
    fn every_table_that_is_changed_is_named() {
        let lines = PARTS.iter().flat_map(|part| part.lines()).filter(|line| !line.starts_with("--"));
        let text = lines.collect::<Vec<_>>().join("\n").replace("ON DELETE", "");
        let made = tables_after("CREATE TABLE", &text);
        let changed: BTreeSet<String> =
            BEFORE_TABLES.iter().flat_map(|word| tables_after(word, &text)).collect();
        let changed: BTreeSet<&str> = changed.difference(&made).map(String::as_str).collect();
        assert_eq!(changed, CHANGED_TABLES.into());
    }
}
