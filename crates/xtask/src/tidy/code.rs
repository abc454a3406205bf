//! The code of a Rust file without its comments and the contents of its strings, so that a rule about names finds only
//! names.

/// Newlines stay, so that line numbers are those of the file.
pub(super) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kept, skipped) = match first {
            '/' if rest.starts_with("//") => ("", rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => ("", rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '"' => ("\"\"", string_end(rest)),
            '\'' => char_literal(rest).map_or(("'", 1), |end| ("' '", end)),
            'r' => match raw_string_end(rest).filter(|_| !ends_in_name(&code)) {
                Some(end) => ("\"\"", end),
                None => ("r", 1),
            },
            other => (rest.get(..other.len_utf8()).unwrap_or_default(), other.len_utf8()),
        };
        code.push_str(kept);
        let (gone, following) = rest.split_at(skipped);
        if kept != gone {
            code.extend(gone.chars().filter(|letter| *letter == '\n'));
        }
        rest = following;
    }
    code
}

fn ends_in_name(code: &str) -> bool {
    code.chars().next_back().is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
}

fn string_end(text: &str) -> usize {
    let mut escaped = true;
    for (index, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// `None` where a lifetime begins.
fn char_literal(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    if let Some(escape) = inner.strip_prefix('\\') {
        let after = escape.chars().next()?.len_utf8();
        return escape.get(after..)?.find('\'').map(|end| end + after + 3);
    }
    let length = inner.chars().next()?.len_utf8();
    inner.get(length..)?.starts_with('\'').then_some(length + 2)
}

fn raw_string_end(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?.chars().take_while(|letter| *letter == '#').count();
    let inner = text.get(hashes + 1..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(inner.find(&end).map_or(text.len(), |at| hashes + 2 + at + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_left_out() {
        for (text, expected) in [
            ("let a = 1; // b\nc", "let a = 1; \nc"),
            ("/* b\n*/ c", "\n c"),
            (r#"f("a\"b // c", d)"#, r#"f("", d)"#),
            ("f(\"a\nb\", d)", "f(\"\"\n, d)"),
            ("f(r#\"a\"b\"#, d)", "f(\"\", d)"),
            ("var\"a\"", "var\"\""),
            ("'\"' 'x' '\\'' '\\u{7f}' b", "' ' ' ' ' ' ' ' b"),
            ("fn f<'a>(b: &'a str) {}", "fn f<'a>(b: &'a str) {}"),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
