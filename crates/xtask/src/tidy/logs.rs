//! Text from outside must not form log lines of its own: errors show text of other parties in quotes with escapes, and
//! only one formatter writes the log, which escapes the rest. Lines that requests cause have the request's `reference`:
//! the log limits only lines that have one.

use super::tree::Tree;

/// The crates whose errors can contain parts of a request.
const FACING_OUT: &[&str] = &[
    "crates/anteroom-oidc/src/",
    "crates/anteroom-domain/src/",
    "crates/anteroom-flows/src/",
    "crates/anteroom-messaging/src/",
    "crates/anteroom-web/src/",
];
/// Fields that contain only our own words.
const OUR_WORDS: &[&str] = &["reason", "description", "offered"];
/// The module and its parts.
const LOGGING: &str = "crates/anteroom-server/src/logging";
/// Joined here so that this file does not contain it.
const SUBSCRIBER: &str = concat!("tracing_", "subscriber::");
const ERROR: &str = "#[error(";
/// Log lines of this folder are caused by requests.
const ANSWERING: &str = "crates/anteroom-web/src/";
/// Lines without a `reference` there, by a part of their text, and why they are rare.
const WITHOUT_REFERENCE: &[(&str, &str)] =
    &[("a trusted proxy's X-Forwarded-For cannot be parsed", "once an hour, by `HourlyLog`")];
const LINES: [&str; 3] = ["tracing::warn!(", "tracing::error!(", "tracing::info!("];

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(&[".rs"]) {
        if text.contains(SUBSCRIBER) && !path.starts_with(LOGGING) {
            problems.push(format!("{path}: only {LOGGING} sets up the log, whose formatter escapes values"));
        }
        if path.starts_with(ANSWERING) {
            problems.extend(unlimited(text).into_iter().map(|line| {
                format!("{path}:{line}: a line that a request causes names its `reference`, by which the log limits it")
            }));
        }
        if FACING_OUT.iter().any(|start| path.starts_with(start)) {
            problems.extend(bare(text).into_iter().map(|(line, field)| {
                format!("{path}:{line}: `{{{field}}}` is a String: write `{{{field}:?}}`, it may come from outside")
            }));
        }
    }
    problems
}

/// The log lines without a `reference` that are not listed as exceptions, by line number.
fn unlimited(text: &str) -> Vec<usize> {
    let starts = LINES.iter().flat_map(|line| text.match_indices(line));
    let mut found: Vec<usize> = starts
        .filter(|(start, name)| {
            let rest = text.get(start + name.len()..).unwrap_or_default();
            let call = rest.split_once(");").map_or(rest, |(call, _)| call);
            let has_reference = call.contains("reference = ") || call.contains("%reference");
            !has_reference && !WITHOUT_REFERENCE.iter().any(|(words, _)| call.contains(words))
        })
        .map(|(start, _)| text.get(..start).unwrap_or_default().matches('\n').count() + 1)
        .collect();
    found.sort_unstable();
    found
}

/// The placeholders of error texts that write a `String` unescaped, with the line of the attribute.
fn bare(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices(ERROR) {
        let rest = text.get(start + ERROR.len()..).unwrap_or_default();
        let Some((message, rest)) = literal(rest) else { continue };
        let Some((_, rest)) = rest.split_once(")]") else { continue };
        let fields = strings(rest);
        let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        let shown = placeholders(message).filter(|name| fields.iter().any(|field| field == name));
        found.extend(shown.filter(|name| !OUR_WORDS.contains(name)).map(|name| (line, name.to_owned())));
    }
    found
}

/// The next string literal, and the rest.
fn literal(text: &str) -> Option<(&str, &str)> {
    let inside = text.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = inside.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })?;
    Some((inside.get(..end)?, inside.get(end + 1..)?))
}

fn placeholders(message: &str) -> impl Iterator<Item = &str> {
    message.split('{').skip(1).filter_map(|after| after.split_once('}')).map(|(name, _)| name)
}

/// The fields of type `String` of the variant or struct that begins here, by name or position.
fn strings(declaration: &str) -> Vec<String> {
    let lines = declaration.lines().map(str::trim);
    let skipped = |line: &&str| line.is_empty() || line.starts_with("///") || line.starts_with("#[");
    let declaration = lines.skip_while(skipped).collect::<Vec<_>>().join(" ");
    let Some(open) = declaration.find(['(', '{', ',', ';', '}']) else { return Vec::new() };
    let Some(inside) = declaration.get(open + 1..) else { return Vec::new() };
    let close = match declaration.get(open..=open) {
        Some("(") => ')',
        Some("{") => '}',
        _ => return Vec::new(),
    };
    let fields = inside.split(close).next().unwrap_or_default().split(',').enumerate();
    let named = |(place, field): (usize, &str)| {
        let field = field.trim().trim_start_matches("pub ");
        match field.split_once(": ") {
            Some((name, "String")) => Some(name.to_owned()),
            None if field == "String" => Some(place.to_string()),
            _ => None,
        }
    };
    fields.filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_an_error_is_quoted() {
        let text = r#"
            #[error("uri {received} of {client:?}: {reason}, {count}")]
            Uri { received: String, client: String, reason: String, count: usize },
            #[error("{0} and {0:?}")]
            Scope(String),
            #[error(
                "a long one, {0}"
            )]
            /// With words.
            Other(#[from] Typed),
            #[error("nothing")]
            Missing,
        "#;
        assert_eq!(bare(text), [(2, "received".to_owned()), (4, "0".to_owned())]);
    }

    #[test]
    fn a_line_that_a_request_causes_names_its_reference() {
        let text = "f();\ntracing::warn!(\"callback: {error}\");\n\
                    tracing::info!(%reference, \"one\");\n\
                    tracing::error!(\n    reference = %asker.visitor.reference,\n    \"two\"\n);\n\
                    tracing::error!(place, \"three\");\n\
                    tracing::warn!(\"a trusted proxy's X-Forwarded-For cannot be parsed: x\");\n\
                    tracing::debug!(\"four\");\n";
        assert_eq!(unlimited(text), [2, 8]);
        let at = |path| problems(&Tree::of(&[(path, "tracing::warn!(\"x\");")])).len();
        assert_eq!(at("crates/anteroom-web/src/endpoints/a.rs"), 1);
        assert_eq!(at("crates/anteroom/src/a.rs"), 0);
    }

    #[test]
    fn the_log_has_one_formatter() {
        let set_up = format!("fn main() {{ {SUBSCRIBER}fmt::init() }}");
        assert_eq!(problems(&Tree::of(&[("crates/a/src/main.rs", &set_up)])).len(), 1);
        assert!(problems(&Tree::of(&[(LOGGING, &set_up)])).is_empty());
        let error = "#[error(\"{0}\")]\nScope(String),";
        assert_eq!(problems(&Tree::of(&[("crates/anteroom-oidc/src/a.rs", error)])).len(), 1);
        assert!(problems(&Tree::of(&[("crates/anteroom-pages/src/a.rs", error)])).is_empty());
    }
}
