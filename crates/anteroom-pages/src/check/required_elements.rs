//! A theme may word and arrange its pages freely, but a page or message without its forms, links or codes does not
//! work. These are not listed here: the built-in page is rendered with the same samples, and the theme's page must have
//! the same forms, frames, links and codes.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::markup::{Field, HtmlForm, Tag, Value, forms, tags};
use super::{SampledView, all, contexts, shape};
use crate::error::{Fault, MissingElement, ThemeWarning};
use crate::locale::Locale;
use crate::templates::{Templates, escape_html, is_plain};
use shape::Shape;

/// The theme that is checked, and the built-in one.
#[derive(Clone, Copy)]
pub(crate) struct ComparedThemes<'a> {
    pub(crate) theme: &'a Templates,
    pub(crate) builtin: &'a Templates,
}

/// Compares the theme's templates with the built-in ones: only the replaced ones, or all if one of these is included by
/// others.
pub(crate) fn required_elements_present(
    themes: ComparedThemes<'_>,
    replaced: &BTreeSet<&str>,
    faults: &mut Vec<Fault>,
    warnings: &mut Vec<ThemeWarning>,
) {
    let mut all = all();
    let is_replaced = |template: &String| replaced.contains(template.as_str());
    let alone =
        all.iter().flat_map(|sampled| &sampled.templates).filter(|template| is_replaced(template)).count();
    if alone == replaced.len() {
        for sampled in &mut all {
            sampled.templates.retain(is_replaced);
        }
    }
    for sampled in all.into_iter().filter(|sampled| !sampled.templates.is_empty()) {
        let shape = Shape::of(&sampled.views);
        let views = sampled.views.iter().flat_map(|view| shape::with_gaps(view, &shape)).collect();
        let sampled = SampledView { views, ..sampled };
        for context in contexts(&sampled, Locale::En) {
            for template in &sampled.templates {
                let mut found = ElementComparison { template, faults, warnings };
                found.compare(themes, &sampled, context.clone());
            }
        }
    }
}

struct ElementComparison<'a> {
    template: &'a str,
    faults: &'a mut Vec<Fault>,
    warnings: &'a mut Vec<ThemeWarning>,
}

impl ElementComparison<'_> {
    fn compare(&mut self, themes: ComparedThemes<'_>, sampled: &SampledView, mut context: Json) {
        mark_tokens(&mut context);
        // The warning before a session ends is optional, and most pages have no session.
        let in_session = sampled.in_session.then(|| context.clone());
        if let Some(session) = context.pointer_mut("/chrome/session") {
            *session = Json::Null;
        }
        let both = |context: &Json| {
            let write = |templates: &Templates| templates.rendered(self.template, context.clone()).ok();
            Some((write(themes.theme)?, write(themes.builtin)?))
        };
        // A template that cannot be rendered is reported elsewhere.
        let Some((theme_html, builtin_html)) = both(&context) else { return };
        let with_session = in_session.and_then(|context| both(&context));
        self.values(&context, &theme_html, &builtin_html);
        if is_plain(self.template) {
            return;
        }
        let (theme_html, builtin_html) = (tags(&theme_html), tags(&builtin_html));
        self.forms(&forms(&theme_html), &forms(&builtin_html));
        self.frames(&theme_html, &builtin_html);
        if sampled.has_layout {
            self.links(&context, &theme_html, &builtin_html);
            self.scripts(&theme_html, &builtin_html);
            self.policy(&theme_html, &builtin_html);
        }
        if let Some((theme_html, builtin_html)) = with_session {
            let warns = |html: &str| tags(html).iter().any(|tag| tag.get("data-left").is_some());
            if warns(&builtin_html) && !warns(&theme_html) {
                self.warn(ThemeWarning::NoSessionEnd { template: self.template.to_owned() });
            }
        }
    }

    fn lost(&mut self, lost: MissingElement) {
        let fault = Fault::MissingElement { template: self.template.to_owned(), lost };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn warn(&mut self, warning: ThemeWarning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Compares codes and links: in plain text they must be readable, in markup a link must be a link.
    fn values(&mut self, context: &Json, theme_html: &str, builtin_html: &str) {
        let is_plain = is_plain(self.template);
        let links = |html: &str| sources(&tags(html), &[("a", "href")]);
        let (our_links, their_links) = (links(theme_html), links(builtin_html));
        for (name, value) in named(context, &|name| is_code(name) || name.ends_with("link")) {
            let is_link = !is_code(&name);
            let (here, there) = if is_link && !is_plain {
                (our_links.contains(&value), their_links.contains(&value))
            } else {
                let written = if is_plain { value } else { escape_html(&value) };
                (theme_html.contains(&written), builtin_html.contains(&written))
            };
            if there && !here {
                self.lost(if is_link { MissingElement::Link(name) } else { MissingElement::Code(name) });
            }
        }
    }

    fn forms(&mut self, theme_html: &[HtmlForm], builtin_html: &[HtmlForm]) {
        for wanted in builtin_html {
            let same = theme_html
                .iter()
                .filter(|form| (&form.method, &form.action) == (&wanted.method, &wanted.action));
            // If several forms have the same action, the most similar one is reported.
            let missing = same.map(|form| missing(form, wanted)).min_by_key(BTreeSet::len);
            let form = wanted.action.clone();
            match missing {
                None => self.lost(MissingElement::Form(form)),
                Some(missing) => {
                    for field in missing {
                        self.lost(MissingElement::Field { form: form.clone(), field });
                    }
                }
            }
        }
    }

    fn frames(&mut self, theme_html: &[Tag], builtin_html: &[Tag]) {
        let of = |tags| sources(tags, &[("iframe", "src")]);
        if !of(builtin_html).is_subset(&of(theme_html)) {
            self.lost(MissingElement::Frame);
        }
    }

    /// A missing link is only a warning: the page works without it.
    fn links(&mut self, context: &Json, theme_html: &[Tag], builtin_html: &[Tag]) {
        let of = |tags| sources(tags, &[("a", "href")]);
        let (theme_html, builtin_html) = (of(theme_html), of(builtin_html));
        for (field, value) in named(context, &|name| name.ends_with("href")) {
            if builtin_html.contains(&value) && !theme_html.contains(&value) {
                self.warn(ThemeWarning::NoLink { template: self.template.to_owned(), field });
            }
        }
    }

    /// Pages work without scripts. But without these scripts, the browser's "Back" shows data of a person whose session
    /// has ended, or what a person typed.
    fn scripts(&mut self, theme_html: &[Tag], builtin_html: &[Tag]) {
        // The theme may have another version of a script, and so another address.
        let of = |tags| -> BTreeSet<String> {
            let addresses = sources(tags, &[("script", "src")]).into_iter();
            let names = addresses
                .filter_map(|address| Some(address.rsplit_once('-')?.0.rsplit('/').next()?.to_owned()));
            names.filter(|name| ["restored", "secrets", "session"].contains(&name.as_str())).collect()
        };
        for name in of(builtin_html).difference(&of(theme_html)) {
            let (template, script) = (self.template.to_owned(), format!("{name}.js"));
            self.warn(ThemeWarning::NoScript { template, script });
        }
    }

    /// Warns about addresses and inline code that the pages' Content-Security-Policy blocks.
    fn policy(&mut self, theme_html: &[Tag], builtin_html: &[Tag]) {
        const LOADED: [(&str, &str); 9] = [
            ("script", "src"),
            ("link", "href"),
            ("img", "src"),
            ("iframe", "src"),
            ("video", "src"),
            ("audio", "src"),
            ("source", "src"),
            ("embed", "src"),
            ("object", "data"),
        ];
        let foreign = |tags| {
            let loaded = sources(tags, &LOADED).into_iter();
            loaded
                .filter(|address| address.contains("://") || address.starts_with("//"))
                .collect::<BTreeSet<_>>()
        };
        // Addresses that the built-in page loads too (a client's logo) are allowed by the policy of that page.
        for address in foreign(theme_html).difference(&foreign(builtin_html)) {
            let (template, address) = (self.template.to_owned(), address.clone());
            self.warn(ThemeWarning::Foreign { template, address });
        }
        for tag in theme_html.iter().filter(|tag| !tag.is_end) {
            let attribute = tag.attributes().find(|name| *name == "style" || name.starts_with("on"));
            let inline = match tag.name.as_str() {
                "script" | "style" if !tag.body.is_empty() => Some(format!("<{}>", tag.name)),
                _ => attribute.map(|name| format!("{name}=")),
            };
            if let Some(what) = inline {
                self.warn(ThemeWarning::Inline { template: self.template.to_owned(), what });
            }
        }
    }
}

fn is_code(name: &str) -> bool {
    ["code", "digits", "secret"].contains(&name)
}

/// The names of the fields that are missing.
fn missing(form: &HtmlForm, wanted: &HtmlForm) -> BTreeSet<String> {
    let has = |field: &Field| match field.value {
        // A typed value can be submitted whether it is displayed or not.
        Value::Typed => form
            .fields
            .iter()
            .any(|theme_html| theme_html.name == field.name && !matches!(theme_html.value, Value::Fixed(_))),
        Value::Fixed(_) | Value::Secret => form.fields.contains(field),
    };
    let mut missing: BTreeSet<String> =
        wanted.fields.iter().filter(|field| !has(field)).map(|field| field.name.clone()).collect();
    if wanted.has_button && !form.has_button {
        missing.insert("button".to_owned());
    }
    missing
}

/// The addresses in these attributes.
fn sources(tags: &[Tag], places: &[(&str, &str)]) -> BTreeSet<String> {
    let address = |tag: &Tag| {
        let attribute = places.iter().find(|(name, _)| *name == tag.name).map(|(_, attribute)| *attribute)?;
        tag.get(attribute).map(|address| address.trim().to_owned())
    };
    tags.iter().filter(|tag| !tag.is_end).filter_map(address).collect()
}

/// All texts in the value whose name matches, at any depth.
fn named(value: &Json, wanted: &dyn Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(value, "", &mut |name, text| {
        if wanted(name) && !text.is_empty() {
            found.push((name.to_owned(), text.to_owned()));
        }
    });
    found
}

fn walk(value: &Json, name: &str, visit: &mut dyn FnMut(&str, &str)) {
    match value {
        Json::String(text) => visit(name, text),
        Json::Array(items) => items.iter().for_each(|item| walk(item, name, visit)),
        Json::Object(fields) => fields.iter().for_each(|(name, field)| walk(field, name, visit)),
        _ => {}
    }
}

/// Gives each form a token of its own, because tokens in samples may be equal.
fn mark_tokens(value: &mut Json) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(mark_tokens),
        Json::Object(fields) => {
            for (name, field) in fields {
                if name.ends_with("form_token") && field.is_string() {
                    *field = Json::String(format!("sample of {name}"));
                }
                mark_tokens(field);
            }
        }
        _ => {}
    }
}
