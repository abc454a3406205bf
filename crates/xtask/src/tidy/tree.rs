//! The source files of the checkout, read once. Paths are relative to its top, with `/` between their parts.

use crate::failure::{Failure, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Folders that are built or downloaded.
const NOT_OURS: &[&str] = &["target", "node_modules", ".git", "book", "corpus", "artifacts"];

#[derive(Default)]
pub(super) struct Tree {
    texts: BTreeMap<String, String>,
    /// Every file and folder, also images: the possible targets of links.
    paths: BTreeSet<String>,
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.add(root, "").map_err(Failure::during("reading the source tree"))?;
        Ok(tree)
    }

    fn add(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                if !NOT_OURS.contains(&name.as_str()) {
                    self.add(&entry.path(), &format!("{path}/"))?;
                }
            } else if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                self.texts.insert(path.clone(), text);
            }
            self.paths.insert(path);
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Path and text of every file of a kind.
    pub(super) fn ending(&self, ends: &'static [&str]) -> impl Iterator<Item = (&str, &str)> {
        let wanted = |path: &str| ends.iter().any(|end| path.ends_with(end));
        self.texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .filter(move |(path, _)| wanted(path))
    }
}

#[cfg(test)]
impl Tree {
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let texts = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { texts, paths: files.iter().map(|(path, _)| (*path).to_owned()).collect() }
    }
}
