//! Masks in a file's text whatever looks like a secret, keeping every byte's position, so that the text can be quoted.
//!
//! It works on the bare text, because it must also work where the file is no TOML: a secret that someone wrote into
//! the configuration against the rules must not travel on into a log with the message that says so.

use crate::suggest::nearest;

/// Keys whose values are secrets, though none of them is a valid key.
pub(crate) const SECRET_KEYS: &[&str] = &[
    "client_secret",
    "client_secrets",
    "secret",
    "secrets",
    "master_key",
    "password",
    "pepper_key",
    "auth_token",
    "initial_access_token",
    "initial_access_tokens",
];

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
    if let Some(value) = secret_value(line) {
        mask(value, line.len());
    }
    if let Some((from, to)) = password_of_url(line) {
        mask(from, to);
    }
    // Masking can only have replaced whole characters, or everything up to the line's end.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Where the value begins that this line gives to a key of a secret, if it does.
fn secret_value(line: &str) -> Option<usize> {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    line.match_indices('=').find_map(|(at, _)| {
        let before = line.get(..at)?.trim_end().trim_end_matches(['"', '\'']);
        let key = before.rsplit(|c| !is_bare(c)).next()?;
        is_secret_key(key).then_some(at + 1)
    })
}

/// Also misspelt ones: those are quoted as unknown.
fn is_secret_key(key: &str) -> bool {
    let key = key.to_lowercase();
    let names_a_place = ["_file", "_files", "_env"].iter().any(|end| key.ends_with(end));
    !names_a_place && (nearest(&key, SECRET_KEYS.iter().copied()).is_some() || key.contains("secret"))
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
            ("clientsecret = \"a\"", "clientsecret = ***"),
            ("pasword = \"a\"", "pasword = ***"),
            ("keys.master_key = \"a\"", "keys.master_key = ***"),
            (
                "token_endpoint_auth_method = \"client_secret_basic\"",
                "token_endpoint_auth_method = \"client_secret_basic\"",
            ),
            (
                "[[clients]]\nx = { client_id = \"a\", secret = \"b\" }",
                "[[clients]]\nx = { client_id = \"a\", secret = *** *",
            ),
            ("master_key_file = \"a\"\n", "master_key_file = \"a\"\n"),
            ("secret_env = \"a\"", "secret_env = \"a\""),
            (
                "url = \"postgres://anteroom:p@ss@db/anteroom\"",
                "url = \"postgres://anteroom:****@db/anteroom\"",
            ),
            ("issuer = \"https://id.example:8443\"", "issuer = \"https://id.example:8443\""),
        ] {
            assert_eq!(redact(line), shown);
            assert_eq!(redact(line).len(), line.len());
        }
    }
}
