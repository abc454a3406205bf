//! A theme that was checked against every page before it is used.

use std::path::Path;
use std::sync::Arc;

use handlebars::{Context, Handlebars, Template, TemplateError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::assets::{Asset, Assets};
use crate::check;
use crate::chrome::PageLayout;
use crate::emails::{Email, EmailView};
use crate::error::{Fault, RenderError, TemplatePosition, ThemeError, ThemeWarning};
use crate::files::{self, Files};
use crate::helpers;
use crate::locale::Locale;
use crate::phone::{self, CallScript, CodeCall, CodeText, PhoneAddedText};
use crate::texts::Texts;
use crate::views::Page;

pub struct Theme {
    html: Handlebars<'static>,
    /// Templates whose name ends in `.txt`: they write plain text, so nothing is escaped.
    plain: Handlebars<'static>,
    pub(crate) texts: Arc<Texts>,
    assets: Arc<Assets>,
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
        let (mut theme, new_partials) = Theme::assembled(&files, &mut faults);
        if folder.is_some() {
            theme.check(&files, &new_partials, &mut faults);
        }
        if faults.is_empty() { Ok(theme) } else { Err(ThemeError { faults }) }
    }

    /// Each stage runs only if the one before found nothing: it would repeat the findings less clearly.
    fn check(&mut self, files: &Files, new_partials: &[String], faults: &mut Vec<Fault>) {
        if faults.is_empty() {
            check::templates(self, new_partials, faults);
        }
        if faults.is_empty() {
            check::renderings(self, faults);
        }
        let replaced = files.replaced_templates();
        if faults.is_empty() && !replaced.is_empty() {
            let (builtin, _) = Theme::assembled(&Files::read(None, faults), faults);
            let mut warnings = Vec::new();
            check::required_elements_present((self, &builtin), &replaced, faults, &mut warnings);
            self.warnings = warnings;
        }
    }

    /// Also returns the partials that the built-in theme lacks.
    fn assembled(files: &Files, faults: &mut Vec<Fault>) -> (Theme, Vec<String>) {
        let mut theme = Theme {
            html: registry(),
            plain: registry(),
            texts: Arc::new(Texts::collect(files, faults)),
            assets: Arc::new(Assets::collect(files, faults)),
            passed_over: files.passed_over().to_vec(),
            warnings: Vec::new(),
        };
        theme.plain.register_escape_fn(handlebars::no_escape);
        theme.html.register_escape_fn(escape_html);
        helpers::register(&mut theme.html, &theme.texts, &theme.assets);
        helpers::register(&mut theme.plain, &theme.texts, &theme.assets);
        let mut new_partials = Vec::new();
        for (path, file) in files.iter() {
            let Some(name) = path.strip_suffix(".hbs") else { continue };
            let Some(source) = files::text(path, file, faults) else { continue };
            match Template::compile(source) {
                Ok(template) => theme.registry_mut(name).register_template(name, template),
                Err(error) => faults.push(syntax(path, &error)),
            }
            if files.is_new(path) {
                new_partials.push(name.to_owned());
            }
        }
        (theme, new_partials)
    }

    pub fn render<P: Page>(&self, chrome: &PageLayout, view: &P) -> Result<String, RenderError> {
        let template = format!("pages/{}", P::TEMPLATE);
        self.written(&template, context(Some(chrome), chrome.locale, view))
    }

    pub fn render_email<M: EmailView>(&self, locale: Locale, view: &M) -> Result<Email, RenderError> {
        let part = |part: &str| {
            let template = format!("emails/{}.{part}", M::TEMPLATE);
            self.written(&template, context(None, locale, view))
        };
        let subject = part("subject.txt")?;
        // A header field is one line, whatever a name contains.
        let words: Vec<&str> =
            subject.split(|c: char| c.is_control() || c == ' ').filter(|w| !w.is_empty()).collect();
        Ok(Email { subject: words.join(" "), text: part("txt")?, html: part("html")? })
    }

    pub fn render_text(&self, locale: Locale, view: &CodeText) -> Result<String, RenderError> {
        let body = self.written(phone::TEXT, context(None, locale, view))?;
        Ok(view.with_bound_line(&body))
    }

    pub fn render_notice(&self, locale: Locale, view: &PhoneAddedText) -> Result<String, RenderError> {
        Ok(self.written(phone::PHONE_ADDED, context(None, locale, view))?.trim_end().to_owned())
    }

    pub fn render_call(&self, locale: Locale, view: &CodeCall) -> Result<CallScript, RenderError> {
        let part = |template| {
            self.written(template, context(None, locale, view)).map(|words| words.trim_end().to_owned())
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
        self.assets.get(path)
    }

    /// The languages of pages and messages.
    pub fn locales(&self) -> Vec<Locale> {
        self.texts.locales().collect()
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
        self.assets.icon(name).is_some() || self.assets.url(name).is_some()
    }

    /// The names of all icons.
    pub fn icons(&self) -> impl Iterator<Item = &str> {
        self.assets.icons()
    }

    fn written(
        &self,
        template: &str,
        context: Result<Value, serde_json::Error>,
    ) -> Result<String, RenderError> {
        let written =
            context.map_err(|error| error.to_string()).and_then(|context| self.rendered(template, context));
        written.map_err(|reason| RenderError { template: template.to_owned(), reason })
    }

    pub(crate) fn rendered(&self, template: &str, context: Value) -> Result<String, String> {
        let context = Context::from(context);
        self.registry(template).render_with_context(template, &context).map_err(|error| error.to_string())
    }

    pub(crate) fn registry(&self, template: &str) -> &Handlebars<'static> {
        if is_plain(template) { &self.plain } else { &self.html }
    }

    fn registry_mut(&mut self, template: &str) -> &mut Handlebars<'static> {
        if is_plain(template) { &mut self.plain } else { &mut self.html }
    }
}

pub(crate) fn is_plain(template: &str) -> bool {
    template.strip_suffix(".txt").is_some()
}

/// For text and quoted attributes. Handlebars' own function also escapes `=`, which some mail programs do not decode in
/// a link.
pub(crate) fn escape_html(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            '`' => escaped.push_str("&#x60;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn registry() -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.set_prevent_indent(true);
    registry
}

/// The values for a template: the view's fields, `locale`, and on a page `chrome`.
pub(crate) fn context<V: Serialize>(
    chrome: Option<&PageLayout>,
    locale: Locale,
    view: &V,
) -> Result<Value, serde_json::Error> {
    let mut context = serde_json::to_value(view)?;
    if let Some(fields) = context.as_object_mut() {
        fields.insert("locale".to_owned(), json!(locale.tag()));
        if let Some(chrome) = chrome {
            fields.insert("chrome".to_owned(), serde_json::to_value(chrome)?);
        }
    }
    Ok(context)
}

fn syntax(path: &str, error: &TemplateError) -> Fault {
    let (line, column) = error.pos().unwrap_or((1, 1));
    Fault::Syntax {
        place: TemplatePosition { file: path.to_owned(), line, column },
        reason: error.reason().to_string(),
    }
}
