//! A theme that was checked against every page before it is used.

use std::path::Path;

use serde_json::Value;

use crate::assets::Asset;
use crate::check;
use crate::emails::{Email, EmailView};
use crate::error::{Fault, RenderError, ThemeError, ThemeWarning};
use crate::files::Files;
use crate::locale::Locale;
use crate::page_layout::PageLayout;
use crate::phone::{self, CallScript, CodeCall, CodeText, PhoneAddedText};
use crate::templates::{Templates, context};
use crate::views::Page;

pub struct Theme {
    pub(crate) templates: Templates,
    passed_over: Vec<String>,
    warnings: Vec<ThemeWarning>,
}

impl Theme {
    /// Loads the default theme with an operator's folder over it.
    ///
    /// A folder's theme is rendered with every sample in every language when it loads. The default theme alone is
    /// checked by a test instead, since it cannot change afterwards and rendering everything takes a while.
    pub fn load(folder: Option<&Path>) -> Result<Theme, ThemeError> {
        let mut faults = Vec::new();
        let files = Files::read(folder, &mut faults);
        let (templates, new_partials) = Templates::assembled(&files, &mut faults);
        let mut theme = Theme { templates, passed_over: files.ignored().to_vec(), warnings: Vec::new() };
        if folder.is_some() {
            theme.check(&files, &new_partials, &mut faults);
        }
        if faults.is_empty() { Ok(theme) } else { Err(ThemeError { faults }) }
    }

    /// Each stage runs only if the one before found nothing: it would repeat the findings less clearly.
    fn check(&mut self, files: &Files, new_partials: &[String], faults: &mut Vec<Fault>) {
        if faults.is_empty() {
            check::templates(&self.templates, new_partials, faults);
        }
        if faults.is_empty() {
            check::renderings(&self.templates, faults);
        }
        let replaced = files.replaced_templates();
        if faults.is_empty() && !replaced.is_empty() {
            let (builtin, _) = Templates::assembled(&Files::read(None, faults), faults);
            let themes = check::ComparedThemes { theme: &self.templates, builtin: &builtin };
            check::required_elements_present(themes, &replaced, faults, &mut self.warnings);
        }
    }

    pub fn render<P: Page>(&self, chrome: &PageLayout, view: &P) -> Result<String, RenderError> {
        let template = format!("pages/{}", P::TEMPLATE);
        self.rendered(&template, context(Some(chrome), chrome.locale, view))
    }

    pub fn render_email<M: EmailView>(&self, locale: Locale, view: &M) -> Result<Email, RenderError> {
        let part = |part: &str| {
            let template = format!("emails/{}.{part}", M::TEMPLATE);
            self.rendered(&template, context(None, locale, view))
        };
        let subject = part("subject.txt")?;
        // A header field is one line, whatever a name contains.
        let words: Vec<&str> =
            subject.split(|c: char| c.is_control() || c == ' ').filter(|w| !w.is_empty()).collect();
        Ok(Email { subject: words.join(" "), text: part("txt")?, html: part("html")? })
    }

    pub fn render_text(&self, locale: Locale, view: &CodeText) -> Result<String, RenderError> {
        let body = self.rendered(phone::TEXT, context(None, locale, view))?;
        Ok(view.with_bound_line(&body))
    }

    pub fn render_notice(&self, locale: Locale, view: &PhoneAddedText) -> Result<String, RenderError> {
        Ok(self.rendered(phone::PHONE_ADDED, context(None, locale, view))?.trim_end().to_owned())
    }

    pub fn render_call(&self, locale: Locale, view: &CodeCall) -> Result<CallScript, RenderError> {
        let part = |template| {
            self.rendered(template, context(None, locale, view)).map(|words| words.trim_end().to_owned())
        };
        Ok(CallScript {
            prompt: part(phone::CALL_PROMPT)?,
            code_spoken: part(phone::CALL_CODE)?,
            again: part(phone::CALL_AGAIN)?,
            goodbye: part(phone::CALL_GOODBYE)?,
        })
    }

    /// The file served at `/assets/PATH`.
    pub fn asset(&self, path: &str) -> Option<Asset> {
        self.templates.assets.get(path)
    }

    /// The languages of pages and messages.
    pub fn locales(&self) -> Vec<Locale> {
        self.templates.texts.locales().collect()
    }

    /// Files of systems and editors in the folder, which were ignored.
    pub fn ignored_files(&self) -> &[String] {
        &self.passed_over
    }

    /// Probable mistakes that do not prevent the theme's use.
    pub fn warnings(&self) -> &[ThemeWarning] {
        &self.warnings
    }

    /// Whether the theme has a drawing for this icon.
    pub fn has_icon(&self, name: &str) -> bool {
        self.templates.assets.icon(name).is_some() || self.templates.assets.url(name).is_some()
    }

    /// The names of all icons.
    pub fn icons(&self) -> impl Iterator<Item = &str> {
        self.templates.assets.icons()
    }

    fn rendered(
        &self,
        template: &str,
        context: Result<Value, serde_json::Error>,
    ) -> Result<String, RenderError> {
        let context = context.map_err(|error| error.to_string());
        let written = context.and_then(|context| self.templates.rendered(template, context));
        written.map_err(|reason| RenderError { template: template.to_owned(), reason })
    }
}
