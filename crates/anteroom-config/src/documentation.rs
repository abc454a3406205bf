//! What the reader documents of each section and key, and what follows from that: advice about an unknown name, and which keys
//! are read only when a node starts.

use std::collections::BTreeSet;

use crate::suggest::nearest;

pub(crate) struct SectionDoc {
    /// `[policy.session]`, `[[clients]]`; empty for the top.
    pub(crate) title: String,
    pub(crate) about: &'static str,
    /// Whether all of it is read when a node starts, and at no other time.
    pub(crate) is_at_start: bool,
    pub(crate) keys: Vec<KeyDoc>,
}

pub(crate) struct KeyDoc {
    pub(crate) name: &'static str,
    pub(crate) kind: String,
    /// As TOML.
    pub(crate) default: Option<String>,
    pub(crate) required: bool,
    pub(crate) is_at_start: bool,
    /// Markdown.
    pub(crate) meaning: &'static str,
}

/// Where a key or section of this name, or one much like it, would be right: as advice.
pub(crate) fn suggested_section(sections: &[SectionDoc], name: &str) -> Option<String> {
    let leaf = |section: &SectionDoc| {
        let path = section.title.trim_matches(['[', ']']);
        path.rsplit_once('.').map_or(path, |(_, leaf)| leaf).to_owned()
    };
    let keys = |section: &SectionDoc| section.keys.iter().map(|key| key.name.to_owned()).collect::<Vec<_>>();
    let mut known: BTreeSet<String> =
        sections.iter().flat_map(|section| [vec![leaf(section)], keys(section)].concat()).collect();
    known.remove("");
    let near = nearest(name, known.iter().map(String::as_str))?;
    if let Some(section) = sections.iter().find(|section| leaf(section) == near) {
        return Some(format!("there is a section `{}`", section.title));
    }
    let home = sections.iter().find(|section| section.keys.iter().any(|key| key.name == near))?;
    Some(match home.title.as_str() {
        "" => format!("`{near}` belongs at the top, before any section"),
        title => format!("there is a key `{near}` in `{title}`"),
    })
}

/// Whether the main file knows `name` at its top.
pub(crate) fn is_top_level(sections: &[SectionDoc], name: &str) -> bool {
    sections.iter().any(|section| {
        let is_key = section.title.is_empty() && section.keys.iter().any(|key| key.name == name);
        is_key || section.title.trim_start_matches('[').split(['.', ']']).next() == Some(name)
    })
}

/// What is read when a node starts, and at no other time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RestartOnly {
    /// With everything below it: `server`.
    Section(String),
    /// `practice.default_locale`.
    Key(String),
}

impl RestartOnly {
    pub(crate) fn covers(&self, name: &str) -> bool {
        match self {
            Self::Section(path) => name.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.')),
            Self::Key(path) => name == path,
        }
    }
}

/// The outermost sections and keys that are read at the start.
pub(crate) fn at_start(sections: &[SectionDoc]) -> Vec<RestartOnly> {
    let mut found: Vec<RestartOnly> = Vec::new();
    for section in sections {
        let path = section.title.trim_matches(['[', ']']);
        if section.is_at_start {
            if !found.iter().any(|part| part.covers(path)) {
                found.push(RestartOnly::Section(path.to_owned()));
            }
            continue;
        }
        let name = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let keys = section.keys.iter().filter(|key| key.is_at_start);
        found.extend(keys.map(|key| RestartOnly::Key(name(key.name))));
    }
    found
}
