//! Secrets come from files or environment variables; the configuration only says where.

use secrecy::SecretString;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::kind::{Kind, parsed, quoted, text};
use super::{Section, key};
use crate::diagnostics::{ConfigFinding, SourceSpan};
use crate::redact::SECRET_KEYS;
use crate::settings::SecretOrigin;

/// The two keys that say where one secret rests.
pub(crate) struct SecretKeys {
    pub(crate) file: &'static str,
    pub(crate) file_meaning: &'static str,
    pub(crate) env: &'static str,
    pub(crate) env_meaning: &'static str,
}

pub(crate) struct Secret {
    pub(crate) origin: SecretOrigin,
    /// None where it could not be fetched, which has been reported, or was not to be fetched.
    pub(crate) value: Option<SecretString>,
}

impl SecretKeys {
    /// Refuses the secret itself.
    pub(crate) fn forbid_inline(&self, section: &mut Section<'_, '_>) {
        let instead = format!(
            "put it into a file that only Anteroom can read and name that with `{}`, or into the environment \
             and name the variable with `{}`",
            self.file, self.env
        );
        section.forbid(SECRET_KEYS, "a secret does not belong in the configuration", &instead);
    }

    /// The secret, if either key is given.
    pub(crate) fn read(&self, section: &mut Section<'_, '_>) -> Option<Secret> {
        let file = section.get(key(self.file, file_path(), self.file_meaning));
        let env = section.get(key(self.env, env_name(), self.env_meaning));
        if section.was_given(self.file) && section.was_given(self.env) {
            let finding = ConfigFinding::error(format!("both `{}` and `{}` are given", self.file, self.env));
            let finding = finding.at(section.place_of(self.env), "give one of them");
            section.cx.report(finding.at(section.place_of(self.file), "the other is here"));
        }
        match (file, env) {
            (Some(path), _) => Some(from_file(section, self.file, &path, section.place_of(self.file))),
            (None, Some(name)) => Some(from_env(section, name, section.place_of(self.env))),
            (None, None) => None,
        }
    }
}

pub(crate) const MASTER_KEY_FILE: &str = "master_key_file";
const MAKE_MASTER_KEY: &str = "make it with `anteroom keys init`; for a database that exists already, put back the copy of \
    its key: no other opens it";

pub(crate) fn file_path() -> Kind<String> {
    text().named("file")
}

fn env_name() -> Kind<String> {
    parsed(
        "environment variable",
        |text| quoted(text),
        |text| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(allowed)
            {
                return Err("not the name of an environment variable".to_owned());
            }
            Ok(text.to_owned())
        },
    )
}

/// `key` is what names `path`.
pub(crate) fn from_file(
    section: &Section<'_, '_>,
    key: &str,
    path: &str,
    place: Option<SourceSpan>,
) -> Secret {
    let cx = section.cx;
    let path = cx.resolve(section.file, path);
    let mut value = None;
    if cx.fetch_secrets {
        match cx.inputs.borrow_mut().read(&path) {
            Ok(text) => {
                warn_of_readers(section, &path, place.clone());
                cx.remember_content(section.path_of(key), &text);
                value = accept(section, &text, place);
            }
            Err(error) => {
                let finding = ConfigFinding::error(format!("cannot read the secret file {}", path.display()));
                let finding = match error.kind() {
                    std::io::ErrorKind::NotFound => help_to_make(finding, key, &path, &section.path),
                    std::io::ErrorKind::PermissionDenied => finding.help(help_to_read(&path)),
                    _ => finding,
                };
                cx.report(finding.at(place, error.to_string()));
            }
        }
    }
    Secret { origin: SecretOrigin::File(path), value }
}

/// Lists of files. A new secret would be of no use in a file that held one that others know.
const OF_SEVERAL: &[&str] = &["secret_files", "initial_access_token_files"];

/// Files that root makes are root's, and the server usually runs as another user.
fn help_to_read(path: &Path) -> String {
    const SAME_USER: &str = "run the command as the user that runs `anteroom serve`";
    let Ok(found) = std::fs::metadata(path) else {
        return format!("this user cannot open its folder: {SAME_USER}");
    };
    let owner = match found.uid() {
        0 => "root".to_owned(),
        uid => format!("user {uid}"),
    };
    let mode = found.permissions().mode() & 0o777;
    format!(
        "it belongs to {owner}, with the mode {mode:04o}: `chown` it to the user that runs `anteroom serve`, or {SAME_USER}"
    )
}

/// Which command makes the file. Others hold what another party gives out, such as the password of a mail server.
fn help_to_make(finding: ConfigFinding, key: &str, path: &Path, section: &str) -> ConfigFinding {
    if key == MASTER_KEY_FILE {
        return finding.help(MAKE_MASTER_KEY);
    }
    if OF_SEVERAL.contains(&key) {
        return finding
            .help("put the file back, or take its line away: then this secret is not accepted any more");
    }
    if section.starts_with("clients") || section == "registration" {
        return finding
            .help(format!("`anteroom client secret {}` makes a new one in that file", path.display()));
    }
    finding
}

/// Warns if every user of the machine can read the file. Group access is accepted: the process may belong to the group without
/// owning the file.
pub(crate) fn warn_of_readers(section: &Section<'_, '_>, path: &Path, place: Option<SourceSpan>) {
    const OTHERS: u32 = 0o007;
    let Ok(found) = std::fs::metadata(path) else { return };
    let mode = found.permissions().mode() & 0o777;
    if found.is_file() && mode & OTHERS != 0 {
        let finding = ConfigFinding::warning("a secret is open to every user of this machine");
        let finding = finding.at(place, format!("{} has the mode {mode:04o}", path.display()));
        section.cx.report(finding.help(format!("`chmod o= {}`", path.display())));
    }
}

/// Certificates in PEM: no secret, but kept in a file as well, and of no use when there is none in it.
/// `key` is what names `path`.
pub(crate) fn certificates(section: &Section<'_, '_>, key: &str, path: &str) -> Option<String> {
    let cx = section.cx;
    if !cx.fetch_secrets {
        return None;
    }
    let path = cx.resolve(section.file, path);
    let read = cx.inputs.borrow_mut().read(&path);
    let why = match read {
        Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => {
            cx.remember_content(section.path_of(key), &text);
            return Some(text);
        }
        Ok(_) => "there is none in it".to_owned(),
        Err(error) => error.to_string(),
    };
    let finding = ConfigFinding::error(format!("no certificates are found in the file {}", path.display()));
    cx.report(finding.at(section.place_of(key), why));
    None
}

fn from_env(section: &Section<'_, '_>, name: String, place: Option<SourceSpan>) -> Secret {
    let cx = section.cx;
    let mut value = None;
    if cx.fetch_secrets {
        if let Some(text) = (cx.env)(&name) {
            value = accept(section, &text, place);
        } else {
            let finding = ConfigFinding::error(format!("the environment variable `{name}` is not set"));
            cx.report(finding.at(place, "a secret is expected there"));
        }
    }
    Secret { origin: SecretOrigin::Env(name), value }
}

/// Files end with a line break that is no part of the secret.
fn accept(section: &Section<'_, '_>, text: &str, place: Option<SourceSpan>) -> Option<SecretString> {
    let text = text.trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        section.cx.report(ConfigFinding::error("a secret is empty").at(place, "nothing is there"));
        return None;
    }
    Some(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_told_with_its_owner_and_mode() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "x").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let help = help_to_read(&file);
        let owner = if std::fs::metadata(&file).unwrap().uid() == 0 { "root" } else { "user " };
        assert!(help.starts_with(&format!("it belongs to {owner}")) && help.contains("mode 0600"), "{help}");
        assert!(help.ends_with("run the command as the user that runs `anteroom serve`"), "{help}");
        assert!(help_to_read(&folder.path().join("none")).starts_with("this user cannot open its folder"));
    }
}
