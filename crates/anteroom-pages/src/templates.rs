//! The templates of a theme, with the texts and assets that they use, before and after they are checked.

use std::sync::Arc;

use handlebars::{Context, Handlebars, Template, TemplateError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::assets::Assets;
use crate::error::{Fault, TemplatePosition};
use crate::files::{self, Files};
use crate::helpers;
use crate::locale::Locale;
use crate::page_layout::PageLayout;
use crate::texts::Texts;

pub(crate) struct Templates {
    html: Handlebars<'static>,
    /// Templates whose name ends in `.txt`: they write plain text, where nothing is escaped.
    plain: Handlebars<'static>,
    pub(crate) texts: Arc<Texts>,
    pub(crate) assets: Arc<Assets>,
}

impl Templates {
    /// Also returns the partials that the built-in theme does not have.
    pub(crate) fn assembled(files: &Files, faults: &mut Vec<Fault>) -> (Self, Vec<String>) {
        let mut templates = Self {
            html: registry(),
            plain: registry(),
            texts: Arc::new(Texts::collect(files, faults)),
            assets: Arc::new(Assets::collect(files, faults)),
        };
        templates.plain.register_escape_fn(handlebars::no_escape);
        templates.html.register_escape_fn(escape_html);
        helpers::register(&mut templates.html, &templates.texts, &templates.assets);
        helpers::register(&mut templates.plain, &templates.texts, &templates.assets);
        let mut new_partials = Vec::new();
        for (path, file) in files.iter() {
            let Some(name) = path.strip_suffix(".hbs") else { continue };
            let Some(source) = files::text(path, file, faults) else { continue };
            match Template::compile(source) {
                Ok(template) => templates.registry_mut(name).register_template(name, template),
                Err(error) => faults.push(syntax(path, &error)),
            }
            if files.is_new(path) {
                new_partials.push(name.to_owned());
            }
        }
        (templates, new_partials)
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

/// For text and quoted attributes. Handlebars' own writes `=` as a reference too, which not every mail program reads back in
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

/// What a template sees: the view's fields, `locale`, and on a page `chrome`.
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
