//! The developer's own clients (`--client FILE`), in the form for commands.

use std::path::{Path, PathBuf};

use super::written::{renew, toml_string};
use crate::commands::CommandError;

/// The content of the files, with each secret from an environment variable copied to a file in `secrets`, and each file
/// path made absolute. Only values on one line are changed.
pub(super) fn own_clients(files: &[PathBuf], secrets: &Path) -> Result<String, CommandError> {
    let mut text = String::new();
    for file in files {
        let file = std::path::absolute(file)?;
        let own = std::fs::read_to_string(&file).map_err(|error| CommandError::File(file.clone(), error))?;
        for line in own.lines() {
            text.push('\n');
            text.push_str(&as_commands_need(line, &file, secrets)?.unwrap_or_else(|| line.to_owned()));
        }
        text.push('\n');
    }
    Ok(text)
}

/// `None` if the line stays as it is.
fn as_commands_need(line: &str, file: &Path, secrets: &Path) -> Result<Option<String>, CommandError> {
    let Some((key, value)) = line.split_once('=').and_then(|(key, rest)| Some((key.trim(), quoted(rest)?)))
    else {
        return Ok(None);
    };
    if key == "secret_env" {
        let copy = secrets.join(value);
        // The demo's own variables are not set for commands, and the served configuration was already read with them.
        if let Ok(secret) = std::env::var(value)
            && !copy.exists()
        {
            renew(&copy, &secret)?;
        }
        return Ok(Some(format!("secret_file = {}", toml_string(&copy.display().to_string()))));
    }
    let folder = file.parent().unwrap_or(Path::new("/"));
    let whole = key.ends_with("_file").then(|| folder.join(value));
    Ok(whole.map(|path| format!("{key} = {}", toml_string(&path.display().to_string()))))
}

/// A string on one line, without escapes.
fn quoted(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let (value, _) = rest.strip_prefix(quote)?.split_once(quote)?;
    (!value.is_empty() && !value.contains('\\')).then_some(value)
}
