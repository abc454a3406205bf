//! The problems of a theme, all reported together.

use std::fmt;
use std::path::PathBuf;

use crate::locale::Locale;

/// Why a theme was refused: all faults, not only the first.
#[derive(Debug)]
pub struct ThemeError {
    pub faults: Vec<Fault>,
}

impl std::error::Error for ThemeError {}

impl fmt::Display for ThemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the theme cannot be used:")?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// A position in a theme's file; lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplatePosition {
    pub file: String,
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for TemplatePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A hint for a file of texts whose name is not a language.
fn languages(file: &str) -> &'static str {
    if file.starts_with("texts/") {
        "; texts are in a file that is named by the code of its language, such as texts/fr.ftl"
    } else {
        ""
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{}: {reason}", path.display())]
    Read { path: PathBuf, reason: String },
    #[error("{file}: not UTF-8")]
    NotText { file: String },
    #[error("{file}: no such file belongs to a theme{}", languages(file))]
    UnknownFile { file: String },
    #[error("{file}: no page or email includes it")]
    UnusedFile { file: String },
    #[error("{file}: not an image, style sheet, script or font that pages may load")]
    AssetType { file: String },
    #[error("{file}: an icon has to begin with <svg")]
    NotAnIcon { file: String },
    #[error("{place}: {reason}")]
    Syntax { place: TemplatePosition, reason: String },
    #[error("{place}: `{variable}` is not a variable of this page")]
    UnknownVariable { place: TemplatePosition, variable: String },
    #[error("{place}: `{variable}` is a list or a group, not a value that can be written")]
    NotAValue { place: TemplatePosition, variable: String },
    #[error("{place}: `{variable}` is not a list")]
    NotAList { place: TemplatePosition, variable: String },
    #[error("{place}: `{helper}` is not a helper, or not used like this")]
    UnknownHelper { place: TemplatePosition, helper: String },
    #[error("{place}: there is no partial `{partial}`")]
    UnknownPartial { place: TemplatePosition, partial: String },
    #[error("{place}: unescaped output is not allowed")]
    Unescaped { place: TemplatePosition },
    #[error("{place}: decorators are not supported")]
    Unsupported { place: TemplatePosition },
    #[error("{place}: the text's id has to be written out")]
    ComputedText { place: TemplatePosition },
    #[error("{place}: there is no text `{id}`")]
    UnknownText { place: TemplatePosition, id: String },
    #[error("{place}: the text `{id}` takes {expected}, but is given {given}")]
    TextVariables { place: TemplatePosition, id: String, expected: String, given: String },
    #[error("texts/{}.ftl: the text `{id}` is missing", locale.tag())]
    MissingText { locale: Locale, id: String },
    /// Compared with the English text; for the English text itself, compared with the built-in theme.
    #[error(
        "texts/{}.ftl: the text `{id}` has other variables or choices than it should: {how}",
        locale.tag()
    )]
    TextDiffers { locale: Locale, id: String, how: String },
    #[error("texts/{}.ftl: the text `{id}` is not used by any page or email", locale.tag())]
    UnusedText { locale: Locale, id: String },
    #[error("{template}.hbs: {lost}, which the built-in one has")]
    MissingElement { template: String, lost: MissingElement },
    #[error("{template} cannot be rendered in `{}`: {reason}", locale.tag())]
    Render { template: String, locale: Locale, reason: String },
}

/// A page that could not be rendered. Loading a theme excludes this as far as samples can.
#[derive(Debug, thiserror::Error)]
#[error("`{template}` cannot be rendered: {reason}")]
pub struct RenderError {
    pub template: String,
    pub reason: String,
}

/// An element without which a page or message does not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MissingElement {
    #[error("no form that posts to `{0}`")]
    Form(String),
    #[error("the form that posts to `{form}` has no `{field}` with its value")]
    Field { form: String, field: String },
    #[error("the link `{0}` is missing")]
    Link(String),
    #[error("`{0}` is missing")]
    Code(String),
    #[error("the frames are missing")]
    Frame,
}

/// A probable mistake that does not prevent the theme's use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThemeWarning {
    #[error("{template}.hbs: there is no link to `{field}`, as on the built-in page")]
    NoLink { template: String, field: String },
    #[error("{template}.hbs: the script `{script}` is missing, which the built-in page loads")]
    NoScript { template: String, script: String },
    #[error("{template}.hbs: `{address}` is not loaded: a page loads from its own origin alone")]
    Foreign { template: String, address: String },
    #[error("{template}.hbs: `{what}` has no effect: scripts and styles are files under `assets`")]
    Inline { template: String, what: String },
    #[error("{template}.hbs: no warning before the session ends: `{{{{> partials/session}}}}` is missing")]
    NoSessionEnd { template: String },
}
