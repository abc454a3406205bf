//! Code in the book that the tests run. A page has a copy of it below a mark that names the file: `<!-- from
//! tests/interop/go/main.go application -->`. With a name after the file, the copy is the part between `ANCHOR: name`
//! and `ANCHOR_END: name`. `UPDATE_DOCS=1 cargo xtask tidy` updates the copies.

use super::tree::Tree;
use crate::programs::root;

const MARK: &str = "<!-- from ";

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(&[".md"]).filter(|(_, text)| text.contains(MARK)) {
        match renewed(tree, text) {
            Ok(renewed) if renewed == text => {}
            Ok(renewed) if std::env::var_os("UPDATE_DOCS").is_some() => {
                if let Err(error) = std::fs::write(root().join(path), renewed) {
                    problems.push(format!("{path}: {error}"));
                }
            }
            Ok(_) => problems
                .push(format!("{path}: a copy is not what its file says: UPDATE_DOCS=1 cargo xtask tidy")),
            Err(why) => problems.push(format!("{path}: {why}")),
        }
    }
    problems
}

/// The page with each copy updated from its file.
fn renewed(tree: &Tree, page: &str) -> Result<String, String> {
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(MARK) {
        let (source, after) = after.split_once(" -->\n").ok_or("a mark does not end")?;
        let (fence, after) = after
            .split_once('\n')
            .filter(|(fence, _)| fence.starts_with("```"))
            .ok_or_else(|| format!("no block of code follows the mark of {source}"))?;
        let end = if after.starts_with("```") { Some(0) } else { after.find("\n```").map(|end| end + 1) };
        let after = end.and_then(|end| after.get(end..)).ok_or("a block of code does not end")?;
        parts.push(format!("{before}{MARK}{source} -->\n{fence}\n{}", copy(tree, source)?));
        rest = after;
    }
    Ok(parts.concat() + rest)
}

fn copy(tree: &Tree, source: &str) -> Result<String, String> {
    let (path, name) = source.split_once(' ').unwrap_or((source, ""));
    let text = tree.text(path).ok_or_else(|| format!("{path} is not there"))?;
    let mut inside = name.is_empty();
    let mut copy = String::new();
    for line in text.lines() {
        if line.contains("ANCHOR: ") || line.contains("ANCHOR_END: ") {
            inside = name.is_empty() || line.ends_with(&format!("ANCHOR: {name}"));
        } else if inside {
            copy.push_str(line);
            copy.push('\n');
        }
    }
    if copy.trim().is_empty() {
        Err(format!("{path} has no {name}"))
    } else {
        Ok(format!("{}\n", copy.trim_matches('\n')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "package main\n// ANCHOR: application\nfunc a() {\n\n}\n// ANCHOR_END: application\nfunc b() {}\n";

    fn page(mark: &str, code: &str) -> String {
        format!("# Go\n\n<!-- from {mark} -->\n```go\n{code}```\n\nMore.\n")
    }

    fn renewed_page(mark: &str, code: &str) -> Result<String, String> {
        renewed(&Tree::of(&[("go/main.go", SOURCE)]), &page(mark, code))
    }

    #[test]
    fn a_copy_is_the_file_or_what_stands_between_two_marks() {
        let part = "func a() {\n\n}\n";
        for old in ["", "something else\n", part] {
            assert_eq!(renewed_page("go/main.go application", old), Ok(page("go/main.go application", part)));
        }
        let whole = renewed_page("go/main.go", "").unwrap();
        assert!(whole.contains("func b() {}\n```") && !whole.contains("ANCHOR"), "{whole}");
    }

    #[test]
    fn a_copy_of_nothing_is_told() {
        assert_eq!(renewed_page("go/other.go", ""), Err("go/other.go is not there".to_owned()));
        assert_eq!(renewed_page("go/main.go other", ""), Err("go/main.go has no other".to_owned()));
        assert!(renewed(&Tree::of(&[]), "<!-- from a -->\ntext").is_err());
    }
}
