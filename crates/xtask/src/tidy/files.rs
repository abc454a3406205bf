//! Rules for single files: a limit of lines, no postponed work, no disabled test, and a comment at the root of every
//! crate about its purpose.

use super::tree::Tree;
use crate::metadata::{Package, Workspace};
use crate::programs::root;
use std::path::Path;

const LONGEST: usize = 400;

const WRITTEN: &[&str] = &[
    ".rs", ".toml", ".md", ".hbs", ".ftl", ".css", ".js", ".mjs", ".py", ".sql", ".sh", ".yml", ".yaml",
    ".html",
];

/// Joined here so that this file does not contain them.
const PUT_OFF: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
const SWITCHED_OFF: &str = concat!("#[ig", "nore");

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(&[".rs"]) {
        let lines = text.lines().count();
        if lines > LONGEST {
            problems.push(format!("{path}: {lines} lines, over {LONGEST}: it wants to be several files"));
        }
        for number in lines_with(text, SWITCHED_OFF) {
            problems.push(format!("{path}:{number}: a test is switched off; mend it or delete it"));
        }
    }
    for (path, text) in tree.ending(WRITTEN) {
        for word in PUT_OFF {
            problems
                .extend(lines_with(text, word).map(|number| format!("{path}:{number}: {word}; do it now")));
        }
    }
    problems
}

fn lines_with(text: &str, word: &str) -> impl Iterator<Item = usize> {
    text.lines().enumerate().filter(move |(_, line)| line.contains(word)).map(|(index, _)| index + 1)
}

pub(super) fn crates_without_docs(tree: &Tree, workspace: &Workspace) -> Vec<String> {
    let roots = workspace.packages.iter().flat_map(roots).filter_map(|path| path.to_str());
    roots
        .filter(|path| !tree.text(path).is_some_and(|text| text.starts_with("//!")))
        .map(|path| format!("{path}: begins without a `//!` head that says what the crate is for"))
        .collect()
}

fn roots(package: &Package) -> impl Iterator<Item = &Path> {
    package.targets.iter().map(|target| target.src_path.strip_prefix(root()).unwrap_or(&target.src_path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(path: &str, text: &str) -> Vec<String> {
        problems(&Tree::of(&[(path, text)]))
    }

    #[test]
    fn a_file_is_read_in_one_sitting() {
        assert!(problems_of("a.rs", &"\n".repeat(LONGEST)).is_empty());
        assert_eq!(problems_of("a.rs", &"\n".repeat(LONGEST + 1)).len(), 1);
        assert!(problems_of("a.md", &"\n".repeat(LONGEST + 1)).is_empty());
    }

    #[test]
    fn nothing_is_put_off_and_no_test_switched_off() {
        for word in PUT_OFF {
            let found = problems_of("themes/a.hbs", &format!("\n{{{{!-- {word} later --}}}}\n"));
            assert!(matches!(&found[..], [only] if only.starts_with("themes/a.hbs:2: ")), "{found:?}");
        }
        assert_eq!(problems_of("a.rs", &format!("{SWITCHED_OFF}]\n{SWITCHED_OFF} = \"slow\"]\n")).len(), 2);
        assert!(problems_of("package-lock.json", PUT_OFF[0]).is_empty());
    }
}
