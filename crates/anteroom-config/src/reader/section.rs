//! A table being read: keys are taken from it one by one, and what is left at the end is unknown.

use toml::de::{DeTable, DeValue};

use super::kind::{Item, Problem, did_you_mean};
use super::{Context, Key};
use crate::diagnostics::{ConfigFinding, SourceSpan};
use crate::documentation::{KeyDoc, is_top_level, suggested_section};
use crate::suggest::nearest;

pub(crate) struct Section<'c, 'i> {
    pub(crate) cx: &'c Context<'c>,
    pub(crate) file: usize,
    /// `policy.session`; of one of several, with its file and number: `clients.0.3`; empty at the top.
    pub(crate) path: String,
    /// As the operator writes it: `[policy.session]`, `[[clients]]`.
    title: String,
    /// Where it begins; none for the top of a file and for what is left out.
    pub(crate) place: Option<SourceSpan>,
    entries: DeTable<'i>,
    known: Vec<&'static str>,
    documented_as: usize,
    /// Whether what is read is read once, when a node starts.
    is_at_start: bool,
}

#[expect(clippy::needless_pass_by_value, reason = "a key is made where it is taken, and for that alone")]
impl<'c, 'i> Section<'c, 'i> {
    pub(crate) fn top(cx: &'c Context<'c>, file: usize, entries: DeTable<'i>) -> Self {
        let section = Self {
            cx,
            file,
            path: String::new(),
            title: String::new(),
            place: None,
            entries,
            known: Vec::new(),
            documented_as: cx.document_section("", "", false),
            is_at_start: false,
        };
        section.remember_places();
        section
    }

    /// What `read` reads is not taken up while the server runs: a change of it waits for the next start.
    pub(crate) fn at_start<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.is_at_start, true);
        let value = read(self);
        self.is_at_start = before;
        value
    }

    /// The value, if it is given and right.
    pub(crate) fn get<T: 'static>(&mut self, key: Key<T>) -> Option<T> {
        self.document(&key, None, false);
        self.take(&key)
    }

    /// The value, whose absence is an error.
    pub(crate) fn require<T: 'static>(&mut self, key: Key<T>) -> Option<T> {
        self.document(&key, None, true);
        if !self.entries.contains_key(key.name) && !self.cx.is_describing() {
            let finding = ConfigFinding::error(format!("`{}` is missing {}", key.name, self.whereabouts()));
            self.cx.report(finding.at(self.place.clone(), "needed here"));
        }
        self.take(&key)
    }

    /// The value or its default.
    pub(crate) fn get_or<T: 'static>(&mut self, key: Key<T>, default: T) -> T {
        self.document(&key, Some(&default), false);
        let Some(value) = self.take(&key) else { return default };
        let (shown, safe) = (key.kind.show(&value), key.kind.show(&default));
        if shown == safe {
            self.cx.forget_written(&self.path_of(key.name));
        } else if key.looser.is_some_and(|looser| looser(&value, &default)) {
            let finding = ConfigFinding::warning(format!(
                "`{}` {} is looser than the default",
                key.name,
                self.whereabouts()
            ));
            self.cx.report(finding.at(self.place_of(key.name), format!("the default is {safe}")));
        } else if let Some(what) = key.shuts_out.as_ref().and_then(|rule| rule.of(&value, &key.kind)) {
            let finding =
                ConfigFinding::warning(format!("`{}` {} shuts people out", key.name, self.whereabouts()));
            self.cx.report(finding.at(self.place_of(key.name), what));
        }
        value
    }

    /// Refuses keys that someone might expect, and says what to do instead.
    pub(crate) fn forbid(&mut self, names: &[&str], why: &str, instead: &str) {
        for name in names {
            if let Some((key, _)) = self.entries.remove_entry(*name) {
                let finding = ConfigFinding::error(format!("`{name}` {} is refused", self.whereabouts()));
                self.cx.report(finding.at(Some(SourceSpan::new(self.file, key.span())), why).help(instead));
            }
        }
    }

    /// A table; where it is left out, everything in it has its default.
    pub(crate) fn section<T>(
        &mut self,
        name: &'static str,
        about: &'static str,
        read: impl FnOnce(&mut Section<'c, 'i>) -> T,
    ) -> T {
        self.known.push(name);
        let title = format!("[{}]", self.title_of(name));
        let item = self.entries.remove(name);
        let place = item.as_ref().map(|item| SourceSpan::new(self.file, item.span()));
        let entries = item.map(|item| self.table(name, item)).unwrap_or_default();
        self.child(Child { name, title, about, place, entries }, read)
    }

    /// A table that may be missing.
    pub(crate) fn optional_section<T>(
        &mut self,
        name: &'static str,
        about: &'static str,
        read: impl FnOnce(&mut Section<'c, 'i>) -> T,
    ) -> Option<T> {
        let given = self.entries.contains_key(name) || self.cx.is_describing();
        self.known.push(name);
        given.then(|| self.section(name, about, read))
    }

    /// `[[name]]`, any number of them.
    pub(crate) fn array<T>(
        &mut self,
        name: &'static str,
        about: &'static str,
        mut read: impl FnMut(&mut Section<'c, 'i>) -> T,
    ) -> Vec<T> {
        self.known.push(name);
        let title = format!("[[{}]]", self.title_of(name));
        let mut items: Vec<Option<Item<'i>>> = match self.entries.remove(name).map(split_item) {
            None => Vec::new(),
            Some((_, DeValue::Array(items))) => items.iter().cloned().map(Some).collect(),
            Some((span, value)) => {
                let label = "is one of several and needs double brackets";
                let finding = ConfigFinding::error(format!("`{name}` must be a list of tables"));
                self.cx.report(
                    finding
                        .at(Some(SourceSpan::new(self.file, span.clone())), label)
                        .help(format!("write `[[{name}]]`")),
                );
                vec![Some(Item::new(span, value))]
            }
        };
        if self.cx.is_describing() {
            items.push(None);
        }
        let read_one = |(i, item): (usize, Option<Item<'i>>)| {
            let place = item.as_ref().map(|item| SourceSpan::new(self.file, item.span()));
            let entries = item.map(|item| self.table(name, item)).unwrap_or_default();
            let name = &format!("{name}.{}.{i}", self.file);
            self.child(Child { name, title: title.clone(), about, place, entries }, &mut read)
        };
        items.into_iter().enumerate().map(read_one).collect()
    }

    /// Whether the key was written, rightly or not.
    pub(crate) fn was_given(&self, name: &str) -> bool {
        self.place_of(name).is_some()
    }

    pub(crate) fn place_of(&self, name: &str) -> Option<SourceSpan> {
        self.cx.place(&self.path_of(name))
    }

    /// Reports the entries that were not taken.
    pub(crate) fn finish(self) {
        for (key, _) in &self.entries {
            self.report_unknown(key.get_ref(), SourceSpan::new(self.file, key.span()));
        }
    }

    /// Like [`Self::finish`], for a file that only adds to what the main file says.
    pub(crate) fn finish_included(self) {
        if self.entries.is_empty() {
            return;
        }
        let sections = self.cx.sections();
        for (key, _) in &self.entries {
            let place = SourceSpan::new(self.file, key.span());
            if is_top_level(&sections, key.get_ref()) {
                let finding = ConfigFinding::error(format!("`{}` belongs in the main file", key.get_ref()));
                self.cx.report(
                    finding.at(Some(place), "an included file holds `[[clients]]` and `[[groups]]` only"),
                );
            } else {
                self.report_unknown(key.get_ref(), place);
            }
        }
    }

    fn report_unknown(&self, name: &str, place: SourceSpan) {
        let shown = name.escape_debug();
        let finding = ConfigFinding::error(format!("unknown key `{shown}` {}", self.whereabouts()));
        let mut finding = finding.at(Some(place), "");
        if let Some(near) = nearest(name, self.known.iter().copied()) {
            finding = finding.help(did_you_mean(near));
        } else if let Some(home) = suggested_section(&self.cx.sections(), name) {
            finding = finding.help(home);
        } else if !self.known.is_empty() {
            finding = finding.help(format!("known here: {}", self.known.join(", ")));
        }
        self.cx.report(finding);
    }

    fn take<T: 'static>(&mut self, key: &Key<T>) -> Option<T> {
        self.known.push(key.name);
        let item = self.entries.remove(key.name)?;
        match key.kind.read(&item) {
            Ok(value) => {
                self.cx.remember_written(self.path_of(key.name), key.kind.show(&value));
                Some(value)
            }
            Err(problems) => {
                for problem in problems {
                    self.report_problem(key.name, problem);
                }
                None
            }
        }
    }

    pub(crate) fn report_problem(&self, name: &str, problem: Problem) {
        let finding = ConfigFinding::error(format!("bad value for `{name}` {}", self.whereabouts()));
        let finding = finding.at(Some(SourceSpan::new(self.file, problem.span)), problem.label);
        self.cx.report(problem.help.into_iter().fold(finding, ConfigFinding::help));
    }

    fn document<T: 'static>(&self, key: &Key<T>, default: Option<&T>, required: bool) {
        self.cx.document_key(self.documented_as, || KeyDoc {
            name: key.name,
            kind: key.kind.name.clone(),
            default: default.map(|value| key.kind.show(value)).or_else(|| key.defaults_to.map(str::to_owned)),
            required,
            is_at_start: self.is_at_start,
            meaning: key.meaning,
        });
    }

    fn child<T>(&self, child: Child<'_, 'i>, read: impl FnOnce(&mut Section<'c, 'i>) -> T) -> T {
        let mut section = Section {
            cx: self.cx,
            file: self.file,
            path: self.path_of(child.name),
            documented_as: self.cx.document_section(&child.title, child.about, self.is_at_start),
            is_at_start: self.is_at_start,
            title: child.title,
            place: child.place.or_else(|| self.place.clone()),
            entries: child.entries,
            known: Vec::new(),
        };
        section.remember_places();
        let value = read(&mut section);
        section.finish();
        value
    }

    fn table(&self, name: &str, item: Item<'i>) -> DeTable<'i> {
        match split_item(item) {
            (_, DeValue::Table(table)) => table,
            (span, value) => {
                let problem = super::kind::wrong_type(&Item::new(span, value), "a table");
                self.report_problem(name, problem);
                DeTable::new()
            }
        }
    }

    /// The places of everything in it, one level of lists included.
    fn remember_places(&self) {
        for (key, item) in &self.entries {
            let path = self.path_of(key.get_ref());
            if let DeValue::Array(items) = item.get_ref() {
                for (i, item) in items.iter().enumerate() {
                    self.cx.remember_place(format!("{path}.{i}"), SourceSpan::new(self.file, item.span()));
                }
            }
            self.cx.remember_place(path, SourceSpan::new(self.file, item.span()));
        }
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// `name` within this section's brackets.
    fn title_of(&self, name: &str) -> String {
        let own = self.title.trim_matches(['[', ']']);
        if own.is_empty() { name.to_owned() } else { format!("{own}.{name}") }
    }

    fn whereabouts(&self) -> String {
        if self.title.is_empty() { "at the top level".to_owned() } else { format!("in `{}`", self.title) }
    }
}

struct Child<'n, 'i> {
    name: &'n str,
    title: String,
    about: &'static str,
    place: Option<SourceSpan>,
    entries: DeTable<'i>,
}

fn split_item(item: Item<'_>) -> (std::ops::Range<usize>, DeValue<'_>) {
    (item.span(), item.into_inner())
}
