//! Masks in a file's text whatever looks like a secret, keeping every byte's position, so that the text can be quoted.
//!
//! It works on the bare text, because it must also work where the file is no TOML: a secret that someone wrote into
//! the configuration against the rules must not travel on into a log with the message that says so.

/// Keys whose values are secrets, though none of them is a valid key.
pub(crate) const SECRET_KEYS: &[&str] =
    &["client_secret", "client_secrets", "secret", "secrets", "master_key", "password", "pepper_key"];

pub(crate) fn redact(text: &str) -> String {
    text.split_inclusive('\n').map(redact_line).collect()
}

fn redact_line(line: &str) -> String {
    let mut bytes = line.as_bytes().to_vec();
    let mut mask = |from: usize, to: usize| {
        for byte in bytes.iter_mut().take(to).skip(from).filter(|byte| !byte.is_ascii_whitespace()) {
            *byte = b'*';
        }
    };
    for key in SECRET_KEYS {
        if let Some(value) = value_after(line, key) {
            mask(value, line.len());
        }
    }
    if let Some((from, to)) = password_of_url(line) {
        mask(from, to);
    }
    // Masking can only have replaced whole characters, or everything up to the line's end.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Where the value begins that `key` is given on this line, if it is.
fn value_after(line: &str, key: &str) -> Option<usize> {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    line.match_indices(key).find_map(|(at, _)| {
        let (before, after) = (line.get(..at)?, line.get(at + key.len()..)?);
        if before.ends_with(is_bare) {
            return None;
        }
        let rest = after.trim_start_matches(['"', '\'']).trim_start();
        rest.starts_with('=').then(|| line.len() - rest.len() + 1)
    })
}

/// The part of `scheme://user:password@host` between the colon and the last `@`.
fn password_of_url(line: &str) -> Option<(usize, usize)> {
    let authority = line.find("://")? + 3;
    let rest = line.get(authority..)?;
    let rest = rest.get(..rest.find(['"', '\'', ' ', '\n']).unwrap_or(rest.len()))?;
    let at = rest.rfind('@')?;
    let colon = rest.get(..at)?.find(':')?;
    Some((authority + colon + 1, authority + at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_positions_kept() {
        for (line, shown) in [
            ("client_secret = \"hunter2 ü\"\nnext = 1\n", "client_secret = ******** ***\nnext = 1\n"),
            ("\"secret\"='a'", "\"secret\"=***"),
            ("[[clients]]\nx = { client_id = \"a\", secret = \"b\" }", "[[clients]]\nx = { client_id = \"a\", secret = *** *"),
            ("master_key_file = \"a\"\n", "master_key_file = \"a\"\n"),
            ("secret_env = \"a\"", "secret_env = \"a\""),
            ("url = \"postgres://anteroom:p@ss@db/anteroom\"", "url = \"postgres://anteroom:****@db/anteroom\""),
            ("issuer = \"https://id.example:8443\"", "issuer = \"https://id.example:8443\""),
        ] {
            assert_eq!(redact(line), shown);
            assert_eq!(redact(line).len(), line.len());
        }
    }
}
