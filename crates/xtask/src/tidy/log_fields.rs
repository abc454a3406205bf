//! A log line in JSON has its fields beside the members that the log adds, and most parsers keep one of two members of the
//! same name. So a field is not named like one of those members, and a call names each field once.

use super::tree::Tree;

/// The members of a line (`message` is its text), of a span in it (`name`), and those that the log adds on demand.
const TAKEN: &[&str] = &[
    "message",
    "timestamp",
    "level",
    "target",
    "span",
    "spans",
    "name",
    "fields",
    "filename",
    "line_number",
    "threadName",
    "threadId",
];
const CALLS: [&str; 12] = [
    "tracing::error!(",
    "tracing::warn!(",
    "tracing::info!(",
    "tracing::debug!(",
    "tracing::trace!(",
    "tracing::event!(",
    "tracing::error_span!(",
    "tracing::warn_span!(",
    "tracing::info_span!(",
    "tracing::debug_span!(",
    "tracing::trace_span!(",
    "tracing::span!(",
];

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(&[".rs"]) {
        for (line, field) in clashes(text) {
            problems.push(format!(
                "{path}:{line}: a field of this log line is named `{field}`, like another member of the line as JSON"
            ));
        }
    }
    problems
}

/// The fields whose name is taken, with the line of their call.
fn clashes(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (start, call) in CALLS.iter().flat_map(|call| text.match_indices(call)) {
        let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        let arguments = arguments(text.get(start + call.len()..).unwrap_or_default());
        let mut seen: Vec<&str> = TAKEN.to_vec();
        for field in arguments.iter().filter_map(|argument| field(argument)) {
            if seen.contains(&field) {
                found.push((line, field.to_owned()));
            }
            seen.push(field);
        }
    }
    found.sort_unstable();
    found
}

/// The arguments of a call, whose text begins after its parenthesis, without what is in their strings.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    let mut arguments = vec![String::new()];
    for c in text.chars() {
        if is_text {
            is_text = c != '"' || is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            if is_text {
                continue;
            }
        } else if c == '"' {
            is_text = true;
        }
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(argument) = arguments.last_mut() {
            argument.push(c);
        }
    }
    arguments
}

/// The name of the field, unless the argument is the text of the line, one of its values, or a setting such as `target:`.
fn field(argument: &str) -> Option<&str> {
    let written = argument.trim();
    let named = written.split_once('=').map_or(written, |(name, _)| name.trim_end());
    let name = named.trim_start_matches(['%', '?']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_log_line_is_no_other_member_of_it() {
        let text = "LOG::warn!(message = %id, kind, \"not sent yet: {failure}\");\n\
                    LOG::info!(target: REQUESTS, %reference, status = f(1, level), \"level, \\\", span\");\n\
                    LOG::error!(\n    %level,\n    \"two\"\n);\n\
                    LOG::info_span!(\"request\", name = x, route);\n\
                    LOG::warn!(%client, client = a == b, \"twice\");\n\
                    LOG::warn!(\"the values come last: {}, {}\", one.two(), f());\n";
        // This file has no such call either.
        let text = &text.replace("LOG", "tracing");
        let of = |line: usize, field: &str| (line, field.to_owned());
        assert_eq!(clashes(text), [of(1, "message"), of(3, "level"), of(7, "name"), of(8, "client")]);
        assert_eq!(problems(&Tree::of(&[("crates/a/src/a.rs", text)])).len(), 4);
    }
}
