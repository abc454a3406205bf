//! A comment names who acts: the client, the person, an attacker. A word for any of them at once makes the reader
//! guess, and hides that a rule is about one of them only.

use super::tree::Tree;

/// Joined here so that this file does not contain them.
const UNNAMED: &[&str] =
    &[concat!("some", "body"), concat!("no", "body"), concat!("who", "ever"), concat!("every", "body")];
const CHECKED: &str = "crates/";
/// Comments in these files are shown to operators, as the help of the commands.
const SHOWN: &[&str] = &["crates/anteroom/src/cli.rs"];

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(&[".rs"]) {
        if !path.starts_with(CHECKED) || SHOWN.contains(&path) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            for word in comment(line).into_iter().flat_map(words).filter(|word| is_unnamed(word)) {
                let number = index + 1;
                problems.push(format!(
                    "{path}:{number}: `{word}`: say who is meant (the client, the person, a stranger)"
                ));
            }
        }
    }
    problems
}

/// The text after the slashes; slashes of an address follow a colon.
fn comment(line: &str) -> Option<&str> {
    let (before, comment) = line.split_once("//")?;
    (!before.ends_with(':')).then_some(comment)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
}

fn is_unnamed(word: &str) -> bool {
    UNNAMED.iter().any(|unnamed| word.eq_ignore_ascii_case(unnamed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_names_who_acts() {
        for word in UNNAMED {
            for line in [
                format!("/// The end, for {word}."),
                format!("let a = 1; // {word}'s"),
                format!("//! {word}: x"),
            ] {
                let found = problems(&Tree::of(&[("crates/a/src/b.rs", &line)]));
                assert!(
                    matches!(&found[..], [only] if only.starts_with("crates/a/src/b.rs:1: ")),
                    "{line}: {found:?}"
                );
            }
            for line in [
                format!("fn of_{word}() {{}}"),
                format!("\"https://{word}.example\""),
                format!("// token_of_{word}"),
            ] {
                assert!(problems(&Tree::of(&[("crates/a/src/b.rs", &line)])).is_empty(), "{line}");
            }
            assert!(problems(&Tree::of(&[(SHOWN[0], &format!("/// {word}"))])).is_empty());
        }
    }
}
