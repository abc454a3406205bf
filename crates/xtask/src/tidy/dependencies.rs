//! Every library has a reason: the table of `docs/src/dependencies.md` names exactly the dependencies in the root
//! `Cargo.toml`.

use super::tree::Tree;
use std::collections::BTreeSet;

const PAGE: &str = "docs/src/dependencies.md";
const MANIFEST: &str = "Cargo.toml";
const PREFIX: &str = "anteroom";

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let chosen = chosen(tree.text(MANIFEST).unwrap_or_default());
    let documented = documented(tree.text(PAGE).unwrap_or_default());
    let missing = chosen.difference(&documented).map(|name| format!("{PAGE}: says nothing of `{name}`"));
    let unknown = documented
        .difference(&chosen)
        .map(|name| format!("{PAGE}: names `{name}`, which {MANIFEST} does not"));
    missing.chain(unknown).collect()
}

/// The names in `[workspace.dependencies]`, without the crates of this workspace.
fn chosen(manifest: &str) -> BTreeSet<String> {
    let section = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let section = section.take_while(|line| !line.starts_with('['));
    let names = section.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.to_owned()).filter(|name| !name.starts_with(PREFIX)).collect()
}

/// The names in backticks in the first cell of each row.
fn documented(page: &str) -> BTreeSet<String> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    cells.flat_map(|cell| cell.split("`, `")).map(|name| name.trim_matches('`').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCIES: &str = "[workspace.dependencies]\nanteroom-web = { path = \"x\" }\n# Why.\nurl = \"2\"\nhyper-util = \"1\"\n[profile.dev]\nlto = 1\n";

    #[test]
    fn a_library_without_a_reason_is_found_and_so_is_a_reason_without_its_library() {
        for (rows, expected) in [
            ("| crate | why |\n|---|---|\n| `url`, `hyper-util` | both |\n", vec![]),
            ("| `url` | one |\n", vec!["says nothing of `hyper-util`"]),
            ("| `url`, `hyper-util` | both |\n| `http` | gone |\n", vec!["names `http`"]),
        ] {
            let found = problems(&Tree::of(&[(MANIFEST, DEPENDENCIES), (PAGE, rows)]));
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.contains(expected), "{found}");
            }
        }
    }
}
