//! The files of a theme: the default theme, embedded in the binary, and an operator's folder that replaces single
//! files. Texts are replaced message by message, so that a practice which words one sentence differently does not have
//! to copy every text of a new release.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::Fault;
use crate::locale::Locale;

#[derive(RustEmbed)]
#[folder = "../../themes/default"]
struct Builtin;

/// Deep enough for `assets/icons/x.svg`; also ends circular links.
const DEEPEST: usize = 4;

pub(crate) struct Files {
    builtin: BTreeMap<String, EmbeddedFile>,
    overlay: BTreeMap<String, EmbeddedFile>,
    /// Files in the theme's folder that are not part of a theme and were ignored.
    ignored: Vec<String>,
}

/// Files that systems and editors create in folders by themselves.
const SPARE_NAMES: [&str; 5] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r"];
const SPARE_ENDINGS: [&str; 6] = ["~", ".bak", ".orig", ".rej", ".swp", ".tmp"];

fn is_spare(name: &str) -> bool {
    let name = name.to_lowercase();
    SPARE_NAMES.contains(&name.as_str())
        || SPARE_ENDINGS.iter().any(|ending| name.ends_with(ending))
        || (name.starts_with('#') && name.ends_with('#'))
}

impl Files {
    pub(crate) fn read(folder: Option<&Path>, faults: &mut Vec<Fault>) -> Files {
        let builtin: BTreeMap<_, _> =
            Builtin::iter().filter_map(|path| Some((path.to_string(), Builtin::get(&path)?))).collect();
        let mut found = FolderFiles::default();
        if let Some(folder) = folder {
            collect(folder, "", DEEPEST, &mut found, faults);
        }
        found.ignored.sort_unstable();
        let mut files = Files { builtin, overlay: BTreeMap::new(), ignored: found.ignored };
        for (path, file) in found.files {
            if files.belongs(&path) {
                files.overlay.insert(path, file);
            } else {
                faults.push(Fault::UnknownFile { file: path });
            }
        }
        files
    }

    /// Only partials, assets and texts in other languages may be new: any other new file is probably misspelled and
    /// would have no effect.
    fn belongs(&self, path: &str) -> bool {
        let new_allowed = path.starts_with("assets/")
            || (path.starts_with("partials/") && path.strip_suffix(".hbs").is_some())
            || Locale::of_file(path).is_some();
        new_allowed || self.builtin.contains_key(path)
    }

    /// All files, with the overlay's in place of the default ones.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &EmbeddedFile)> {
        let shown = self.builtin.iter().filter(|(path, _)| !self.overlay.contains_key(*path));
        shown.chain(&self.overlay).map(|(path, file)| (path.as_str(), file))
    }

    /// The languages with texts, those of the built-in theme first.
    pub(crate) fn locales(&self) -> Vec<Locale> {
        let added = self.overlay.keys().filter_map(|path| Locale::of_file(path));
        let added = added.filter(|locale| !Locale::ALL.contains(locale));
        Locale::ALL.into_iter().chain(added).collect()
    }

    pub(crate) fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Whether the operator's folder changes the default theme.
    pub(crate) fn is_overlaid(&self) -> bool {
        !self.overlay.is_empty()
    }

    /// The templates of the default theme that are replaced. Texts and assets replace none.
    pub(crate) fn replaced_templates(&self) -> BTreeSet<&str> {
        let replaced = self.overlay.keys().filter(|path| self.builtin.contains_key(*path));
        replaced.filter_map(|path| path.strip_suffix(".hbs")).collect()
    }

    pub(crate) fn is_new(&self, path: &str) -> bool {
        self.overlay.contains_key(path) && !self.builtin.contains_key(path)
    }

    /// A language's texts: the default ones, then the overlay's.
    pub(crate) fn texts(&self, locale: Locale) -> impl Iterator<Item = (String, &EmbeddedFile)> {
        let path = format!("texts/{}.ftl", locale.tag());
        [self.builtin.get(&path), self.overlay.get(&path)]
            .into_iter()
            .flatten()
            .map(move |file| (path.clone(), file))
    }
}

/// The content of a folder.
#[derive(Default)]
struct FolderFiles {
    files: BTreeMap<String, EmbeddedFile>,
    ignored: Vec<String>,
}

fn collect(folder: &Path, prefix: &str, depth: usize, found: &mut FolderFiles, faults: &mut Vec<Fault>) {
    let unreadable = |path: &Path, reason: String| Fault::Read { path: path.to_owned(), reason };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return faults.push(unreadable(folder, error.to_string())),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return faults.push(unreadable(folder, error.to_string())),
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        // Hidden files belong to editors or mounts, and a README is allowed.
        if name.starts_with('.') || (prefix.is_empty() && name.starts_with("README")) {
            continue;
        }
        let relative = format!("{prefix}{name}");
        if is_spare(&name) {
            found.ignored.push(relative);
            continue;
        }
        if path.is_dir() {
            if depth == 0 {
                faults.push(unreadable(&path, "nested too deep".to_owned()));
            } else {
                collect(&path, &format!("{relative}/"), depth - 1, found, faults);
            }
            continue;
        }
        match rust_embed::utils::read_file_from_fs(&path) {
            Ok(file) => {
                found.files.insert(relative, file);
            }
            Err(error) => faults.push(unreadable(&path, error.to_string())),
        }
    }
}

pub(crate) fn text<'a>(path: &str, file: &'a EmbeddedFile, faults: &mut Vec<Fault>) -> Option<&'a str> {
    let text = std::str::from_utf8(&file.data).ok();
    if text.is_none() {
        faults.push(Fault::NotText { file: path.to_owned() });
    }
    text
}
