//! What a configuration was made from: every file read and every folder listed, remembered so that a change is noticed.

use aws_lc_rs::digest::{SHA256, digest};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// No configuration or secret is near this size; reading an endless device would never end.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Not `Debug`: it holds hashes of secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct InputFiles {
    files: BTreeMap<PathBuf, FileSnapshot>,
    /// What each pattern matched; none where its folder could not be listed.
    matches: BTreeMap<PathBuf, Option<Vec<PathBuf>>>,
}

/// A file as it was when it was looked at.
#[derive(Clone)]
struct FileSnapshot {
    /// SHA-256; none where it could not be read.
    fingerprint: Option<[u8; 32]>,
    /// None where it could not be asked for.
    metadata: Option<FileMetadata>,
    /// Whether the content was read when the metadata was already older than a clock step of the file system. File times are
    /// coarse: a change soon after the last one can leave them unchanged, so the content is read again until then.
    settled: bool,
}

/// The content decides; the rest is how to find out sooner.
impl PartialEq for FileSnapshot {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for FileSnapshot {}

/// FAT counts in two seconds, and `changed` is cut to whole ones.
const LONGEST_STEP: Duration = Duration::from_secs(3);

/// What changes with a file: which it is, its size, and when content and attributes were written, to the nanosecond.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileMetadata {
    file: (u64, u64),
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl FileMetadata {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            file: (found.dev(), found.ino()),
            size: found.size(),
            written: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    /// Whether a change from now on has another stamp also on a file system that counts time in steps.
    fn is_older_than_clock_step(self, now: SystemTime) -> bool {
        let changed = u64::try_from(self.changed.0).ok().map(Duration::from_secs);
        let changed = changed.and_then(|changed| UNIX_EPOCH.checked_add(changed));
        changed.and_then(|changed| now.duration_since(changed).ok()).is_some_and(|age| age > LONGEST_STEP)
    }
}

impl FileSnapshot {
    fn read(path: &Path) -> (Self, io::Result<String>) {
        // Before the content: a change in between is found at the next look.
        let metadata = FileMetadata::of(path);
        let text = read_bounded(path);
        let fingerprint = text.as_ref().ok().map(|text| sha256(text.as_bytes()));
        (Self { fingerprint, metadata, settled: false }, text)
    }

    /// The same file as it is now. Its content is read only where it may have changed.
    fn refresh(&self, path: &Path, now: SystemTime) -> Self {
        let is_as_before = self.metadata.is_some() && FileMetadata::of(path) == self.metadata;
        if is_as_before && self.settled {
            return self.clone();
        }
        // What cannot be read is remembered as such, which is all that matters here.
        let (seen, _) = Self::read(path);
        let is_settled = is_as_before && seen.metadata == self.metadata;
        let is_settled =
            is_settled && seen.metadata.is_some_and(|metadata| metadata.is_older_than_clock_step(now));
        Self { settled: is_settled, ..seen }
    }
}

impl InputFiles {
    pub(crate) fn read(&mut self, path: &Path) -> io::Result<String> {
        let (seen, text) = FileSnapshot::read(path);
        self.files.insert(path.to_owned(), seen);
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
    ///
    /// The time is compared with nothing but the times that the file system has put on the files, and those come from the
    /// system's clock. So it is read here, and is not the time of a request or a round: that of a test stands still or is
    /// moved, and would make a new file look as if it had not changed for a while.
    pub(crate) fn refresh(&self) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "compared with times of the file system, which has no other clock"
        )]
        let time = SystemTime::now();
        let mut now = Self::default();
        for (path, seen) in &self.files {
            now.files.insert(path.clone(), seen.refresh(path, time));
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
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(|entry| matches(name, entry)) {
            continue;
        }
        let path = pattern.with_file_name(entry.file_name());
        // What the listing says of a file needs no further look at it.
        if entry.file_type().is_ok_and(|kind| kind.is_file()) || is_to_be_read(&path)? {
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
    fn content_is_read_again_only_where_it_may_have_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("client.toml");
        fs::write(&file, "one").unwrap();
        let (first, _) = FileSnapshot::read(&file);
        #[expect(clippy::disallowed_methods, reason = "the file system's clock is the system's")]
        let now = SystemTime::now();
        let later = now + Duration::from_secs(10);
        assert!(!first.refresh(&file, now).settled, "another change may have the same stamp");
        let second = first.refresh(&file, later);
        assert!(!first.settled && second.settled && second == first);
        // With the stamp of the file as it is, and another content: what is remembered is not read again.
        let remembered = FileSnapshot { fingerprint: Some([7; 32]), ..second.clone() };
        assert!(remembered.refresh(&file, later) == remembered);
        let unsettled = FileSnapshot { settled: false, ..remembered.clone() };
        assert!(unsettled.refresh(&file, later) == second, "a stamp that is new is not trusted");
        fs::write(&file, "other").unwrap();
        let changed = remembered.refresh(&file, later);
        assert!(changed != second && !changed.settled);
        fs::remove_file(&file).unwrap();
        assert!(changed.refresh(&file, later).fingerprint.is_none());
    }

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
