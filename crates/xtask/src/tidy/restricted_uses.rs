//! Functions that only the named files may use, because a mistake elsewhere would do harm that no test shows.

use super::tree::Tree;

struct Kept {
    words: &'static [&'static str],
    /// Under this folder.
    within: &'static str,
    files: &'static [&'static str],
    reason: &'static str,
}

const KEPT: &[Kept] = &[Kept {
    words: &["std::fs", "tokio::fs"],
    within: "crates/anteroom-storage/src/",
    files: &["engine/files.rs", "database/backup.rs", "test_databases.rs"],
    reason: "a file of an open SQLite database that is opened and closed by anything but SQLite drops the locks of the process",
}];

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(&[".rs"]) {
        for kept in KEPT {
            let Some(file) = path.strip_prefix(kept.within) else { continue };
            if kept.files.contains(&file) || file.contains("tests/") || file.ends_with("tests.rs") {
                continue;
            }
            for (index, line) in text.lines().enumerate() {
                if let Some(word) = kept.words.iter().find(|word| line.contains(**word)) {
                    problems.push(format!("{path}:{}: `{word}`: {}", index + 1, kept.reason));
                }
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_touches_no_file_but_where_it_is_said_how() {
        let text = "use std::fs::File;\n";
        for (path, count) in [
            ("crates/anteroom-storage/src/engine/connect.rs", 1),
            ("crates/anteroom-storage/src/engine/files.rs", 0),
            ("crates/anteroom-storage/src/engine/tests/files.rs", 0),
            ("crates/anteroom-server/src/tls/mod.rs", 0),
        ] {
            assert_eq!(problems(&Tree::of(&[(path, text)])).len(), count, "{path}");
        }
    }
}
