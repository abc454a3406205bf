//! One schema for both databases: it is written in PostgreSQL's SQL, and SQLite's is derived from it word by word.
//!
//! SQLite's tables are `STRICT`, so that it refuses a value of the wrong type as PostgreSQL does, and a UUID is stored
//! as its 16 bytes. A table marked `/* narrow */` has small rows and is only looked up by its primary key: SQLite
//! stores it in one tree, without row ids. A column that a later step adds is on a line of its own, below its `ALTER
//! TABLE … ADD COLUMN`, one statement for each column.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    /// The SQL for this database.
    pub(crate) fn translate(self, postgres: &str) -> String {
        if self == Self::Postgres {
            return postgres.to_owned();
        }
        let mut sqlite = String::with_capacity(postgres.len());
        for line in postgres.lines() {
            match line {
                ");" => sqlite.push_str(") STRICT;"),
                ") /* narrow */;" => sqlite.push_str(") STRICT, WITHOUT ROWID;"),
                _ => sqlite.push_str(&types(line)),
            }
            sqlite.push('\n');
        }
        sqlite
    }
}

/// A column's type is the second word of its line, and the only one in lower case.
fn types(line: &str) -> String {
    let mut words: Vec<Cow<'_, str>> = line.split(' ').map(Cow::Borrowed).collect();
    if let Some(word) = words.iter_mut().filter(|word| !word.is_empty()).nth(1) {
        let postgres = word.trim_end_matches([',', ';']);
        let sqlite = match postgres {
            "uuid" | "bytea" => "BLOB",
            "bigint" | "integer" | "boolean" => "INTEGER",
            "text" => "TEXT",
            other => other,
        };
        let end = word.strip_prefix(postgres).unwrap_or_default();
        *word = Cow::Owned(format!("{sqlite}{end}"));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_table_ends_are_translated_and_nothing_else() {
        let text = "CREATE TABLE t (\n    id uuid PRIMARY KEY,\n    text text NOT NULL,\n    on_file boolean,\n    \
                    at bigint\n);\nCREATE TABLE n (\n    id bytea\n) /* narrow */;\nCREATE INDEX t_text ON t (text);\nALTER TABLE t ADD COLUMN\n    more bigint;\nALTER TABLE t ADD COLUMN\n    less bigint NOT NULL DEFAULT 0;\n";
        let expected = "CREATE TABLE t (\n    id BLOB PRIMARY KEY,\n    text TEXT NOT NULL,\n    on_file INTEGER,\n    \
                        at INTEGER\n) STRICT;\nCREATE TABLE n (\n    id BLOB\n) STRICT, WITHOUT ROWID;\nCREATE INDEX t_text ON t (text);\nALTER TABLE t ADD COLUMN\n    more INTEGER;\nALTER TABLE t ADD COLUMN\n    less INTEGER NOT NULL DEFAULT 0;\n";
        assert_eq!(Dialect::Sqlite.translate(text), expected);
        assert_eq!(Dialect::Postgres.translate(text), text);
    }
}
