//! The reader: walks the tables of a TOML document, collecting everything that is wrong instead of stopping at the
//! first mistake.
//!
//! A section is described and read by the same code: each [`Key`] carries its name, kind and meaning, and taking it
//! from a [`Section`] makes it known. Run over a document, that yields values and findings; run over nothing, it
//! yields the reference. A key can be neither accepted undocumented nor documented unaccepted.

pub(crate) mod duration;
mod key;
pub(crate) mod kind;
mod secret;
mod section;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use crate::diagnostics::{ConfigFinding, SourceSpan};
use crate::documentation::{KeyDoc, SectionDoc};
use crate::inputs::{InputFiles, sha256};
use crate::settings::PolicyProfile;

pub(crate) use key::{Key, key};
pub(crate) use secret::{
    MASTER_KEY_FILE, Secret, SecretKeys, certificates, file_path, from_file, warn_of_readers,
};
pub(crate) use section::Section;

/// Looks up an environment variable.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What one run of the reader shares between its sections.
pub(crate) struct Context<'a> {
    pub(crate) env: Env<'a>,
    /// Whether secrets are fetched from where they rest.
    pub(crate) fetch_secrets: bool,
    pub(crate) inputs: RefCell<InputFiles>,
    /// The folder of each file, which its relative paths start from.
    folders: RefCell<Vec<PathBuf>>,
    findings: RefCell<Vec<ConfigFinding>>,
    places: RefCell<BTreeMap<String, SourceSpan>>,
    /// What was written and is not the default: path and value as TOML.
    written: RefCell<BTreeMap<String, String>>,
    /// What was found in the files that keys name: by the path of the key.
    contents: RefCell<BTreeMap<String, Vec<[u8; 32]>>>,
    /// Filled where the run is for the reference.
    reference: Option<RefCell<Vec<SectionDoc>>>,
    /// All documented sections: they are made by running the reader over nothing, so its caller passes them in.
    sections: fn() -> Vec<SectionDoc>,
    /// The profile whose defaults the reference is to show.
    described_profile: Option<PolicyProfile>,
}

impl<'a> Context<'a> {
    pub(crate) fn reading(env: Env<'a>, fetch_secrets: bool, sections: fn() -> Vec<SectionDoc>) -> Self {
        Self {
            env,
            fetch_secrets,
            inputs: RefCell::default(),
            folders: RefCell::default(),
            findings: RefCell::default(),
            places: RefCell::default(),
            written: RefCell::default(),
            contents: RefCell::default(),
            reference: None,
            sections,
            described_profile: None,
        }
    }

    pub(crate) fn describing(profile: PolicyProfile) -> Self {
        let reference = Some(RefCell::default());
        Self { reference, described_profile: Some(profile), ..Self::reading(&|_| None, false, Vec::new) }
    }

    /// What the reference documents.
    fn sections(&self) -> Vec<SectionDoc> {
        (self.sections)()
    }

    pub(crate) fn described_profile(&self) -> Option<PolicyProfile> {
        self.described_profile
    }

    pub(crate) fn is_describing(&self) -> bool {
        self.reference.is_some()
    }

    /// Makes a file known; the number stands for it in places.
    pub(crate) fn add_file(&self, path: &Path) -> usize {
        let mut folders = self.folders.borrow_mut();
        folders.push(path.parent().unwrap_or(Path::new("")).to_owned());
        folders.len() - 1
    }

    /// `path` as the file that names it means it.
    pub(crate) fn resolve(&self, file: usize, path: &str) -> PathBuf {
        self.folders.borrow().get(file).map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }

    pub(crate) fn report(&self, finding: ConfigFinding) {
        self.findings.borrow_mut().push(finding);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.findings.borrow().iter().any(ConfigFinding::is_error)
    }

    /// Where the value of a key stands: `policy.session.idle`, `clients.0.3.redirect_uris.1`.
    pub(crate) fn place(&self, path: &str) -> Option<SourceSpan> {
        self.places.borrow().get(path).cloned()
    }

    /// What was written below `prefix` and is not the default, by the path after it.
    pub(crate) fn non_default_values_below(&self, prefix: &str) -> BTreeMap<String, String> {
        let written = self.written.borrow();
        let below = written.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let below = below.map_while(|(path, value)| Some((path.strip_prefix(prefix)?, value)));
        below.map(|(path, value)| (path.to_owned(), value.clone())).collect()
    }

    /// Digests of what was found in the files that the key at `path` names.
    pub(crate) fn contents_of(&self, path: &str) -> Vec<[u8; 32]> {
        self.contents.borrow().get(path).cloned().unwrap_or_default()
    }

    fn remember_content(&self, path: String, text: &str) {
        self.contents.borrow_mut().entry(path).or_default().push(sha256(text.as_bytes()));
    }

    pub(crate) fn take_findings(&self) -> Vec<ConfigFinding> {
        self.findings.take()
    }

    pub(crate) fn take_reference(&self) -> Vec<SectionDoc> {
        self.reference.as_ref().map(RefCell::take).unwrap_or_default()
    }

    fn remember_place(&self, path: String, place: SourceSpan) {
        self.places.borrow_mut().insert(path, place);
    }

    fn remember_written(&self, path: String, value: String) {
        self.written.borrow_mut().insert(path, value);
    }

    fn forget_written(&self, path: &str) {
        self.written.borrow_mut().remove(path);
    }

    /// The number under which the section's keys are documented.
    fn document_section(&self, title: &str, about: &'static str, is_at_start: bool) -> usize {
        let Some(reference) = &self.reference else { return 0 };
        let mut sections = reference.borrow_mut();
        sections.push(SectionDoc { title: title.to_owned(), about, is_at_start, keys: Vec::new() });
        sections.len() - 1
    }

    fn document_key(&self, section: usize, key: impl FnOnce() -> KeyDoc) {
        if let Some(reference) = &self.reference
            && let Some(section) = reference.borrow_mut().get_mut(section)
        {
            section.keys.push(key());
        }
    }
}
