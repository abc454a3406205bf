//! Links between the pages of the book, and from the files at the root: each must lead to an existing file, and every
//! page of the book must be in its table of contents.

use super::tree::Tree;
use std::collections::BTreeSet;

const BOOK: &str = "docs/src/";
const CONTENTS: &str = "docs/src/SUMMARY.md";

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    let mut listed = BTreeSet::new();
    for (path, text) in tree.ending(&[".md"]) {
        for (number, target) in links(text) {
            let Some(file) = resolve(path, target) else { continue };
            if !tree.has(&file) {
                problems.push(format!("{path}:{number}: the link to {target} leads nowhere"));
            }
            if path == CONTENTS {
                listed.insert(file);
            }
        }
    }
    let pages = tree.ending(&[".md"]).map(|(path, _)| path).filter(|path| path.starts_with(BOOK));
    for page in pages.filter(|page| *page != CONTENTS && !listed.contains(*page)) {
        problems.push(format!("{page}: is not in {CONTENTS}, so nobody finds it"));
    }
    problems
}

/// Line number and target of `[…](target)`, outside code blocks.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    let lines = text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    lines.flat_map(|(index, line)| {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.map(move |(target, _)| (index + 1, target))
    })
}

/// The file to which a link of `page` leads; `None` for links that leave the project or stay on the page.
fn resolve(page: &str, target: &str) -> Option<String> {
    let file = target.split('#').next().unwrap_or_default();
    if file.is_empty() || file.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.pop().is_some() => {}
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(page: &str) -> Vec<String> {
        problems(&Tree::of(&[
            (CONTENTS, "- [A](a.md)\n- [B](./deep/b.md)\n"),
            ("docs/src/a.md", page),
            ("docs/src/deep/b.md", "[back](../a.md#top) [home](../../../README.md)"),
            ("README.md", "[book](docs/src/a.md)"),
        ]))
    }

    #[test]
    fn links_lead_to_files() {
        for good in
            ["[b](deep/b.md)", "[here](#top)", "[away](https://example.org/a.md)", "```\n[x](y)\n```\n"]
        {
            assert_eq!(problems_of(good), [""; 0], "{good}");
        }
        for bad in [
            "[b](b.md)",
            "\n[b](deep/b.md) and [c](deep/c.md)",
            "![picture](picture.png)",
            "[up](../../../../x)",
        ] {
            assert_eq!(problems_of(bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn every_page_is_in_the_contents() {
        let tree = Tree::of(&[(CONTENTS, ""), ("docs/src/lost.md", ""), ("docs/notes.md", "")]);
        assert!(matches!(&problems(&tree)[..], [only] if only.starts_with("docs/src/lost.md: ")));
    }
}
