//! What is wrong with a configuration, or merely unwise in it: all of it at once, each with its place in the file.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::fmt;
use std::ops::Range;

use crate::redact::redact;

/// A stretch of one of the files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceSpan {
    pub(crate) file: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl SourceSpan {
    pub(crate) fn new(file: usize, span: Range<usize>) -> Self {
        Self { file, start: span.start, end: span.end }
    }

    fn span(&self) -> Range<usize> {
        self.start..self.end
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can, but is less safe than the defaults, or does not do what it seems to.
    Warning,
}

/// One finding, made with what points at it and what helps.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFinding {
    severity: Severity,
    title: String,
    /// The first is where the mistake is, the others explain it.
    marks: Vec<LabelledSpan>,
    help: Vec<String>,
}

#[derive(Clone, Debug)]
struct LabelledSpan {
    place: SourceSpan,
    label: String,
}

impl ConfigFinding {
    pub(crate) fn error(title: impl Into<String>) -> Self {
        Self::new(Severity::Error, title.into())
    }

    pub(crate) fn warning(title: impl Into<String>) -> Self {
        Self::new(Severity::Warning, title.into())
    }

    fn new(severity: Severity, title: String) -> Self {
        Self { severity, title, marks: Vec::new(), help: Vec::new() }
    }

    pub(crate) fn at(mut self, place: Option<SourceSpan>, label: impl Into<String>) -> Self {
        self.marks.extend(place.map(|place| LabelledSpan { place, label: label.into() }));
        self
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn place(&self) -> Option<&SourceSpan> {
        self.marks.first().map(|mark| &mark.place)
    }
}

/// A file as diagnostics show it: with whatever looks like a secret masked, so that a log never receives one.
#[derive(Clone, Debug)]
struct RedactedFile {
    name: String,
    text: String,
}

/// Everything found in one configuration, in the order of the files and lines.
#[derive(Clone)]
pub struct Diagnostics {
    files: Vec<RedactedFile>,
    findings: Vec<ConfigFinding>,
}

/// One finding as plain values, for logs that keep to one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diagnostic<'a> {
    pub severity: Severity,
    pub file: &'a str,
    /// Line and column, from 1; none where the file as a whole is meant.
    pub position: Option<(usize, usize)>,
    pub message: &'a str,
    /// What the caret is labelled with.
    pub reason: &'a str,
    pub help: &'a [String],
}

impl Diagnostics {
    pub(crate) fn new<'a>(
        files: impl IntoIterator<Item = (String, &'a str)>,
        mut findings: Vec<ConfigFinding>,
    ) -> Self {
        let files = files.into_iter().map(|(name, text)| RedactedFile { name, text: redact(text) }).collect();
        findings.sort_by(|a, b| a.place().cmp(&b.place()));
        Self { files, findings }
    }

    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(ConfigFinding::is_error)
    }

    pub fn iter(&self) -> impl Iterator<Item = Diagnostic<'_>> {
        self.findings.iter().map(|finding| {
            let file = self.files.get(finding.place().map_or(0, |place| place.file));
            let position = file.zip(finding.place()).map(|(file, place)| position(&file.text, place.start));
            Diagnostic {
                severity: finding.severity,
                file: file.map_or("", |file| file.name.as_str()),
                position,
                message: &finding.title,
                reason: finding.marks.first().map_or("", |mark| mark.label.as_str()),
                help: &finding.help,
            }
        })
    }

    /// Without the warnings of one file, which its author knows of.
    #[must_use]
    pub fn without_warnings_of(mut self, name: &str) -> Self {
        let files = &self.files;
        let file_of = |finding: &ConfigFinding| files.get(finding.place().map_or(0, |place| place.file));
        self.findings
            .retain(|finding| finding.is_error() || file_of(finding).is_none_or(|file| file.name != name));
        self
    }

    /// The findings as a compiler would print them, coloured for a terminal or plain.
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let reports: Vec<String> =
            self.findings.iter().map(|finding| renderer.render(&[self.group(finding)])).collect();
        reports.join("\n\n")
    }

    fn group<'a>(&'a self, finding: &'a ConfigFinding) -> Group<'a> {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = level.primary_title(finding.title.as_str()).elements(self.snippets(finding));
        if finding.marks.is_empty() {
            group = group.elements(self.files.first().map(|file| Origin::path(file.name.as_str())));
        }
        group.elements(finding.help.iter().map(|text| Level::HELP.message(text.as_str())))
    }

    /// One snippet for each file that the finding points into, that of the mistake first.
    fn snippets<'a>(
        &'a self,
        finding: &'a ConfigFinding,
    ) -> impl Iterator<Item = Snippet<'a, annotate_snippets::Annotation<'a>>> {
        let mut order: Vec<usize> = Vec::new();
        for mark in &finding.marks {
            if !order.contains(&mark.place.file) {
                order.push(mark.place.file);
            }
        }
        order.into_iter().filter_map(|id| {
            let file = self.files.get(id)?;
            let marks = finding.marks.iter().enumerate().filter(|(_, mark)| mark.place.file == id);
            let annotations: Vec<_> = marks
                .map(|(i, mark)| {
                    let kind = if i == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                    let label = Some(mark.label.as_str()).filter(|label| !label.is_empty());
                    kind.span(mark.place.span()).label(label)
                })
                .collect();
            let snippet = || Snippet::source(file.text.as_str()).path(file.name.as_str());
            Some(snippet().annotations(annotations))
        })
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostic<'_> {
    /// `anteroom.toml:4:1: unknown key …`, with reason and help after it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        self.help.iter().try_for_each(|text| write!(f, "; {text}"))
    }
}

/// Line and column of a byte, from 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).map_or(0, |line| line.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}
