//! What a configuration was made from: every file read and every folder listed, remembered so that a change is noticed.

use aws_lc_rs::digest::{SHA256, digest};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// No configuration or secret is near this size; reading an endless device would never end.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Not `Debug`: it holds hashes of secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// SHA-256 of each file; none where it could not be read.
    files: BTreeMap<PathBuf, Option<[u8; 32]>>,
    /// What each pattern matched; none where its folder could not be listed.
    matches: BTreeMap<PathBuf, Option<Vec<PathBuf>>>,
}

impl Inputs {
    pub(crate) fn read(&mut self, path: &Path) -> io::Result<String> {
        let text = read_bounded(path);
        let fingerprint = text.as_ref().ok().map(|text| sha256(text.as_bytes()));
        self.files.insert(path.to_owned(), fingerprint);
        text
    }

    /// The files that `pattern` stands for, sorted: itself, or with `*` in its last component what that matches. A folder
    /// that cannot be listed is an error and not an empty one: files that are there would count as gone.
    pub(crate) fn list(&mut self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        let found = list(pattern);
        self.matches.insert(pattern.to_owned(), found.as_ref().ok().cloned());
        found
    }

    /// The same inputs as they are now.
    pub(crate) fn again(&self) -> Self {
        let mut now = Self::default();
        for path in self.files.keys() {
            // What cannot be read is remembered as such, which is all that matters here.
            drop(now.read(path));
        }
        for pattern in self.matches.keys() {
            drop(now.list(pattern));
        }
        now
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is over 4 MiB"));
    }
    Ok(text)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

fn list(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let name = pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !name.contains('*') {
        return Ok(vec![pattern.to_owned()]);
    }
    let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?.file_name();
        if !entry.to_str().is_some_and(|entry| matches(name, entry)) {
            continue;
        }
        let path = pattern.with_file_name(entry);
        if is_to_be_read(&path)? {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Folders are passed over. A link that leads nowhere, or in circles, is read like a file, which then says what is wrong.
/// A pipe or a device is not opened: reading from it may never end.
fn is_to_be_read(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(false),
        Ok(found) if !found.is_file() => Err(io::Error::other(format!("{} is not a file", path.display()))),
        Ok(_) | Err(_) => Ok(true),
    }
}

/// Shell matching with `*` alone, which matches no leading dot: editors keep their spare copies there.
fn matches(pattern: &str, name: &str) -> bool {
    let hidden = name.starts_with('.') && !pattern.starts_with('.');
    !hidden && matches_here(pattern, name)
}

fn matches_here(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    name.strip_prefix(head).is_some_and(|rest| {
        let starts = rest.char_indices().map(|(i, _)| i).chain([rest.len()]);
        starts.filter_map(|i| rest.get(i..)).any(|rest| matches_here(tail, rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_like_a_shells() {
        for (pattern, name, expected) in [
            ("*.toml", "schedule.toml", true),
            ("*.toml", "schedule.toml~", false),
            ("*.toml", ".schedule.toml", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("*", "anything", true),
            ("clients-*", "clients-", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
