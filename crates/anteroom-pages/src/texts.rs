//! The texts of a theme, in Fluent, one file per language. They have no markup, and their content is escaped with the
//! rest of the page.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

use crate::check::signature::{self, Signature};
use crate::error::{Fault, TemplatePosition};
use crate::files::{self, Files};
use crate::locale::Locale;

/// Texts that helpers use by themselves, with the variables that they pass. A language uses those it needs.
pub(crate) const HELPER_TEXTS: [(&str, &[&str]); 2] = [
    ("date", &["year", "month", "day"]),
    ("moment", &["year", "month", "day", "hour", "hour12", "half", "minute", "zone"]),
];

pub(crate) struct Texts {
    languages: Vec<Language>,
}

struct Language {
    locale: Locale,
    bundle: FluentBundle<FluentResource>,
    signatures: BTreeMap<String, Signature>,
    /// Texts of the default theme that an operator's pages may leave unused. Empty without an operator's folder.
    dispensable: BTreeSet<String>,
    /// Texts that the operator's file defines with other variables than the default theme.
    altered: BTreeSet<String>,
}

impl Texts {
    pub(crate) fn collect(files: &Files, faults: &mut Vec<Fault>) -> Texts {
        let languages: Vec<Language> =
            files.locales().into_iter().map(|locale| Language::collect(locale, files, faults)).collect();
        let texts = Texts { languages };
        texts.compare(faults);
        texts
    }

    pub(crate) fn locales(&self) -> impl Iterator<Item = Locale> {
        self.languages.iter().map(|language| language.locale)
    }

    #[cfg(test)]
    pub(crate) fn ids(&self, locale: Locale) -> Vec<String> {
        let language = self.languages.iter().find(|language| language.locale == locale);
        language.map(|language| language.signatures.keys().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn format(&self, locale: Locale, id: &str, args: &FluentArgs<'_>) -> Result<String, String> {
        // A language that the theme has just lost is shown in English.
        let language = self.languages.iter().find(|language| language.locale == locale);
        let language = language.or(self.languages.first());
        let bundle = &language.ok_or_else(|| format!("no texts in `{}`", locale.tag()))?.bundle;
        let message = bundle.get_message(id).and_then(|message| message.value());
        let pattern = message.ok_or_else(|| format!("no text `{id}` in `{}`", locale.tag()))?;
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
        match errors.first() {
            None => Ok(text),
            Some(error) => Err(format!("text `{id}` in `{}`: {error}", locale.tag())),
        }
    }

    /// The variables of a text. All languages agree on them, which loading has checked.
    pub(crate) fn variables(&self, id: &str) -> Option<&BTreeSet<String>> {
        self.languages.first()?.signatures.get(id).map(|signature| &signature.variables)
    }

    /// A misspelled id would have no effect, so unused texts are reported.
    pub(crate) fn unused(&self, named: &BTreeSet<String>, faults: &mut Vec<Fault>) {
        let is_named = |id: &str| named.contains(id) || HELPER_TEXTS.iter().any(|(helper, _)| *helper == id);
        for Language { locale, signatures, dispensable, .. } in &self.languages {
            let named = signatures.iter().filter(|(id, _)| is_named(id));
            let used: BTreeSet<&String> = named.flat_map(|(_, signature)| &signature.parts).collect();
            let unused = signatures.keys().filter(|id| !used.contains(id) && !dispensable.contains(*id));
            faults.extend(unused.map(|id| Fault::UnusedText { locale: *locale, id: id.clone() }));
        }
    }

    /// Every language must have every text, with the same variables and choices.
    fn compare(&self, faults: &mut Vec<Fault>) {
        let (own, built_in): (Vec<&Language>, Vec<&Language>) =
            self.languages.iter().partition(|language| matches!(language.locale, Locale::Other(_)));
        let ids: BTreeSet<&String> =
            built_in.iter().flat_map(|language| language.signatures.keys()).collect();
        for Language { locale, signatures, .. } in own {
            let unknown = signatures.keys().filter(|id| !ids.contains(id));
            faults.extend(unknown.map(|id| Fault::UnusedText { locale: *locale, id: id.clone() }));
        }
        let Some(first) = self.languages.first() else { return };
        for Language { locale, signatures, .. } in &self.languages {
            for id in &ids {
                let fault = match (signatures.get(*id), first.signatures.get(*id)) {
                    (None, _) => Fault::MissingText { locale: *locale, id: (*id).clone() },
                    (Some(this), Some(other)) if !agree(id, this, other) => {
                        // If the operator's English text is the one with other variables, the other languages are
                        // right.
                        let is_english = first.altered.contains(*id);
                        let locale = if is_english { first.locale } else { *locale };
                        // The English file is then compared with the built-in theme.
                        let how = if is_english { other.difference(this) } else { this.difference(other) };
                        Fault::TextDiffers { locale, id: (*id).clone(), how }
                    }
                    _ => continue,
                };
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
        }
    }
}

fn agree(id: &str, this: &Signature, other: &Signature) -> bool {
    match HELPER_TEXTS.iter().find(|(helper, _)| *helper == id) {
        Some((_, given)) => this.variables.iter().all(|variable| given.contains(&variable.as_str())),
        None => this.takes_the_same_as(other),
    }
}

impl Language {
    fn collect(locale: Locale, files: &Files, faults: &mut Vec<Fault>) -> Language {
        let mut bundle = FluentBundle::new_concurrent(locale.tag().parse().into_iter().collect());
        // Isolation marks would appear in subjects, titles and copied text; both languages are written left to right.
        bundle.set_use_isolating(false);
        let mut sources = Vec::new();
        // Texts that an operator's language lacks are in English.
        let english = matches!(locale, Locale::Other(_)).then(|| files.texts(Locale::En));
        for (path, file) in english.into_iter().flatten().chain(files.texts(locale)) {
            let Some(source) = files::text(&path, file, faults) else { continue };
            match FluentResource::try_new(source.to_owned()) {
                Ok(resource) => sources.push((path, resource)),
                Err((_, errors)) => faults.extend(errors.iter().map(|error| Fault::Syntax {
                    place: place(&path, source, error.pos.start),
                    reason: error.to_string(),
                })),
            }
        }
        let signatures = signature::collect(sources.iter().map(|(_, resource)| resource));
        let default = sources.first().filter(|_| files.is_overlaid()).map(|(_, resource)| resource);
        let usual = signature::collect(default.into_iter());
        let is_altered = |id: &&String| {
            let (now, usual) = (signatures.get(*id), usual.get(*id));
            now.zip(usual).is_some_and(|(now, usual)| !agree(id, now, usual))
        };
        let altered = signatures.keys().filter(is_altered).cloned().collect();
        let dispensable = usual.into_keys().collect();
        for (_, resource) in sources {
            bundle.add_resource_overriding(resource);
        }
        Language { locale, bundle, signatures, dispensable, altered }
    }
}

fn place(path: &str, source: &str, position: usize) -> TemplatePosition {
    let before = source.get(..position).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    TemplatePosition { file: path.to_owned(), line, column }
}
