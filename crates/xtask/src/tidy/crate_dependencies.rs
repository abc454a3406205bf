//! Compares the table of crates and their dependencies in `docs/src/architecture.md` with cargo's metadata.
//!
//! The page has one table headed `| crate | may depend on | …`: a crate's name in backticks; then the crates on which
//! it depends, separated by commas and without `anteroom-`, or `everything`, or `–`. Rows go from the top crate down,
//! so a dependency is in a lower row; only crates that depend on `everything` may be anywhere.

use super::tree::Tree;
use crate::metadata::Workspace;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/src/architecture.md";
const HEADING: &str = "| crate | may depend on |";
const PREFIX: &str = "anteroom-";

/// The dependencies of each crate, by full names.
type Arrows = BTreeMap<String, BTreeSet<String>>;

pub(super) fn problems(tree: &Tree, workspace: &Workspace) -> Vec<String> {
    let packages = workspace.packages.iter();
    let arrows =
        packages.map(|package| (package.name.clone(), package.arrows().map(str::to_owned).collect()));
    compare(tree.text(PAGE).unwrap_or_default(), &arrows.collect())
}

fn compare(page: &str, arrows: &Arrows) -> Vec<String> {
    let rows: Vec<Row<'_>> = rows(page);
    if rows.is_empty() {
        return vec![format!("{PAGE}: has no table that begins with `{HEADING}`")];
    }
    let mut problems = Vec::new();
    let mut below: BTreeSet<&str> = arrows.keys().map(String::as_str).collect();
    for row in &rows {
        let Some(actual) = arrows.get(row.name) else {
            problems.push(format!("{PAGE}: names `{}`, which is no crate here", row.name));
            continue;
        };
        if !below.remove(row.name) {
            problems.push(format!("{PAGE}: names `{}` twice", row.name));
        }
        let May::These(documented) = &row.may else { continue };
        problems.extend(differences(row.name, documented, actual));
        problems.extend(actual.iter().filter(|name| !below.contains(name.as_str())).map(|name| {
            format!("{PAGE}: `{}` depends on `{name}`, whose row is not below its own", row.name)
        }));
    }
    problems.extend(below.iter().map(|name| format!("{PAGE}: says nothing of `{name}`")));
    problems
}

struct Row<'a> {
    name: &'a str,
    may: May,
}

enum May {
    Everything,
    These(BTreeSet<String>),
}

fn differences(name: &str, documented: &BTreeSet<String>, actual: &BTreeSet<String>) -> Vec<String> {
    let undocumented = actual
        .difference(documented)
        .map(|on| format!("{name}: depends on {on}, which {PAGE} does not allow"));
    let unused = documented
        .difference(actual)
        .map(|on| format!("{PAGE}: lets `{name}` depend on {on}, which it does not"));
    undocumented.chain(unused).collect()
}

fn rows(page: &str) -> Vec<Row<'_>> {
    let table =
        page.lines().skip_while(|line| !line.starts_with(HEADING)).take_while(|line| line.starts_with('|'));
    table.skip(2).filter_map(row).collect()
}

fn row(line: &str) -> Option<Row<'_>> {
    let mut cells = line.split('|').skip(1).map(str::trim);
    let name = cells.next()?.strip_prefix('`')?.split('`').next()?;
    let may = match cells.next()? {
        "everything" => May::Everything,
        "–" | "" => May::These(BTreeSet::new()),
        names => May::These(names.split(',').map(|name| format!("{PREFIX}{}", name.trim())).collect()),
    };
    Some(Row { name, may })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house() -> Arrows {
        let crates = [
            ("anteroom", &["anteroom-web", "anteroom-oidc"][..]),
            ("anteroom-web", &["anteroom-oidc"]),
            ("anteroom-oidc", &[]),
        ];
        crates.map(|(name, on)| (name.to_owned(), on.iter().map(ToString::to_string).collect())).into()
    }

    fn problems_of(rows: &str) -> Vec<String> {
        compare(&format!("# Rooms\n\n{HEADING} what |\n|---|---|---|\n{rows}\nMore.\n"), &house())
    }

    #[test]
    fn the_page_tells_the_house() {
        let rows = "| `anteroom` | everything | it |\n| `anteroom-web` | oidc | pages |\n| `anteroom-oidc` | – | wire |\n";
        assert_eq!(problems_of(rows), [""; 0]);
    }

    #[test]
    fn a_page_that_tells_another_house_is_found() {
        let (top, web, oidc) =
            ("| `anteroom` | everything |\n", "| `anteroom-web` | oidc |\n", "| `anteroom-oidc` | – |\n");
        let cases = [
            (format!("{top}{web}"), "says nothing of `anteroom-oidc`"),
            (format!("{top}{web}{oidc}| `anteroom-pages` | – |\n"), "no crate here"),
            (format!("{top}{web}{oidc}{oidc}"), "twice"),
            (format!("{top}{oidc}{web}"), "whose row is not below"),
            (format!("{top}| `anteroom-web` | – |\n{oidc}"), "does not allow"),
            (format!("| `anteroom` | web, oidc |\n{web}| `anteroom-oidc` | crypto |\n"), "which it does not"),
        ];
        for (rows, expected) in cases {
            let found = problems_of(&rows);
            assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
        }
        assert_eq!(compare("# Rooms\n", &house()).len(), 1);
    }
}
