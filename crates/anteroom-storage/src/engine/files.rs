//! The files of an SQLite database: made once, and watched while the database is open.
//!
//! POSIX drops every lock that a process holds on a file as soon as the process closes *any* descriptor of that file. A
//! plain open and close would therefore take SQLite's locks away, and the next process to close the database would delete
//! the write-ahead log under this one. So the file is created before the first connection and touched through SQLite alone
//! afterwards; what is looked at here is metadata, which opens nothing (<https://sqlite.org/howtocorrupt.html> §2.2).

use super::connect::{absolute_path, permission_help};
use crate::error::StoreError;
use std::fs::{OpenOptions, metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The database, the write-ahead log, and the index that processes share.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// Creates the database file where there is none, readable by its owner alone: SQLite gives the other two its mode. An
/// existing file is not opened.
pub(super) fn create_if_absent(path: &Path) -> Result<(), StoreError> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match created {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unavailable(path, &error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The files as they were when the database was opened. A connection that stays open keeps SQLite from ever deleting the log,
/// so another file under one of the names was put there from outside, and commits are written to a file that a restarted
/// process will not open.
#[derive(Clone)]
pub(crate) struct DatabaseFiles {
    opened: Arc<[(PathBuf, FileId); 3]>,
    /// Stays set: while a file was missing, commits may have been lost, even if the file is there again.
    replaced: Arc<AtomicBool>,
}

/// Device and inode.
type FileId = (u64, u64);

impl DatabaseFiles {
    /// Once a connection has the database open in WAL mode.
    pub(super) fn opened(path: &Path) -> Result<Self, StoreError> {
        let opened = SUFFIXES.map(|suffix| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        });
        let [database, log, index] = opened.map(|path| match file_id(&path) {
            Ok(id) => Ok((path, id)),
            Err(error) => Err(unavailable(&path, &error)),
        });
        Ok(Self { opened: Arc::new([database?, log?, index?]), replaced: Arc::default() })
    }

    /// Whether a commit can be trusted. Three calls of `stat`, which cost nothing beside a commit.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let other = self.opened.iter().find(|(path, opened)| file_id(path).ok().as_ref() != Some(opened));
        if let Some((path, _)) = other
            && !self.replaced.swap(true, Ordering::SeqCst)
        {
            tracing::error!(
                file = %path.display(),
                "a file of the database was removed or replaced while it is open: nothing is served from now on. Stop this \
                 process, put the right files in place, and start it again"
            );
        }
        if self.replaced.load(Ordering::SeqCst) { Err(StoreError::FilesReplaced) } else { Ok(()) }
    }
}

fn file_id(path: &Path) -> Result<FileId, Error> {
    metadata(path).map(|data| (data.dev(), data.ino()))
}

fn unavailable(path: &Path, error: &Error) -> StoreError {
    let help = match error.kind() {
        ErrorKind::NotFound => match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => {
                let folder = absolute_path(folder);
                format!(". Make the folder, for the user that serves alone: `install -d -m 700 {folder}`")
            }
            None => String::new(),
        },
        ErrorKind::PermissionDenied => permission_help(path),
        _ => String::new(),
    };
    StoreError::Unavailable(format!("{}: {error}{help}", absolute_path(path)))
}
