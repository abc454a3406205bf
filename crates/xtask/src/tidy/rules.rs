//! The book's page of rules names tests: each must exist, otherwise the page promises what no test checks.

use super::tree::Tree;

const PAGE: &str = "docs/src/rules.md";
/// Folders with tests from outside; rules name their files, not single tests.
const FROM_OUTSIDE: &[&str] = &["tests/browser/", "tests/interop/", "tests/interop/python/"];
const FILES: &[&str] = &[".test.mjs", ".py"];

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let Some(page) = tree.text(PAGE) else { return vec![format!("{PAGE}: is gone")] };
    let rust: Vec<&str> = tree.ending(&[".rs"]).map(|(_, text)| text).collect();
    let is_there = |name: &str| {
        if FILES.iter().any(|end| name.ends_with(end)) {
            return FROM_OUTSIDE.iter().any(|folder| tree.has(&format!("{folder}{name}")));
        }
        let definition = format!("fn {name}(");
        rust.iter().any(|text| text.contains(&definition))
    };
    let rows = page.lines().enumerate().filter(|(_, line)| line.starts_with('|'));
    let named = rows.flat_map(|(index, line)| tests(line).map(move |name| (index + 1, name)));
    named
        .filter(|(_, name)| !is_there(name))
        .map(|(line, name)| format!("{PAGE}:{line}: there is no test `{name}`"))
        .collect()
}

/// The names in backticks in the last column.
fn tests(row: &str) -> impl Iterator<Item = &str> {
    let column = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    column.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::tests;

    #[test]
    fn the_tests_of_a_row_are_those_of_its_last_column() {
        let row = "| a rule about `this` | `a_test`, `another.test.mjs` |";
        assert_eq!(tests(row).collect::<Vec<_>>(), ["a_test", "another.test.mjs"]);
    }
}
