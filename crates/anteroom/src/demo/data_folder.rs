//! The demo's data folder. Two demos in one folder would share a database, each with its own configuration, so a lock that ends
//! with the process keeps the second one out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::commands::CommandError;

/// Contains the address of the demo that holds its lock.
const LOCK_FILE: &str = "demo.lock";

/// The operator's folder, or a temporary one.
pub(super) enum DataFolder {
    Kept { folder: PathBuf, lock: File },
    Temporary(tempfile::TempDir),
}

impl DataFolder {
    pub(super) fn open(data: Option<&Path>) -> Result<Self, CommandError> {
        let Some(folder) = data else {
            return Ok(Self::Temporary(tempfile::Builder::new().prefix("anteroom-demo-").tempdir()?));
        };
        std::fs::create_dir_all(folder).map_err(|error| CommandError::File(folder.to_owned(), error))?;
        Ok(Self::Kept { folder: folder.to_owned(), lock: locked(folder)? })
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept { folder, .. } => folder,
            Self::Temporary(folder) => folder.path(),
        }
    }

    /// Writes the demo's address for the person who starts another one.
    pub(super) fn note_address(&self, issuer: &str) -> Result<(), CommandError> {
        let Self::Kept { folder, lock } = self else { return Ok(()) };
        let mut lock = lock;
        let written = lock.set_len(0).and_then(|()| lock.write_all(issuer.as_bytes()));
        written.map_err(|error| CommandError::File(folder.join(LOCK_FILE), error))
    }
}

fn locked(folder: &Path) -> Result<File, CommandError> {
    let path = folder.join(LOCK_FILE);
    let failed = |error| CommandError::File(path.clone(), error);
    let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
    let mut lock = opened.map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::Error(error)) => Err(failed(error)),
        Err(TryLockError::WouldBlock) => {
            let mut issuer = String::new();
            // The message is also right without the address.
            let _ = lock.read_to_string(&mut issuer);
            let at = if issuer.is_empty() { String::new() } else { format!(", at {issuer}") };
            Err(CommandError::Usage(format!(
                "a demo is running with the folder {}{at}: stop it, or give another folder with --data",
                folder.display()
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_for_one_demo_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        for port in [8080, 9000] {
            let running = DataFolder::open(Some(folder.path())).unwrap();
            let refused = || DataFolder::open(Some(folder.path())).err().unwrap().to_string();
            running.note_address(&format!("http://localhost:{port}")).unwrap();
            let expected = format!("{}, at http://localhost:{port}: stop it", folder.path().display());
            assert!(refused().contains(&expected), "{}", refused());
            assert_eq!(running.path(), folder.path());
        }
        assert!(DataFolder::open(None).is_ok());
    }
}
