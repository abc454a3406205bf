//! Writes the demo's files.

use std::path::Path;

use crate::commands::{CommandError, write_secret_file};

/// Replaces a file; a kept demo has the file of its last run.
pub(super) fn renew(path: &Path, text: &str) -> Result<(), CommandError> {
    if path.exists() {
        std::fs::remove_file(path).map_err(|error| CommandError::File(path.to_owned(), error))?;
    }
    write_secret_file(path, text)
}

/// A basic TOML string.
pub(super) fn toml_string(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}
