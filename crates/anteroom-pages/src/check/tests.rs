//! Rules for every page and email, including those that are added later.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{SampledView, all, contexts};
use crate::locale::Locale;
use crate::theme::Theme;

const HOSTILE: &str = "\"'><script>alert(1)</script><b onclick=alert(2)>\u{202e}&amp;";

fn pages(visit: impl Fn(&str, Value, String)) {
    let theme = Theme::load(None).unwrap().templates;
    for sampled in all().iter().filter(|sampled| sampled.has_layout) {
        for context in Locale::ALL.into_iter().flat_map(|locale| contexts(sampled, locale)) {
            let template = &sampled.templates[0];
            let html = theme.rendered(template, context.clone()).unwrap();
            visit(template, context, html);
        }
    }
}

/// The same value with every string replaced, except names of variants.
fn poisoned(value: &Value, poison: &str) -> Value {
    match value {
        Value::String(_) => Value::String(poison.to_owned()),
        Value::Array(items) => items.iter().map(|item| poisoned(item, poison)).collect(),
        Value::Object(fields) => {
            let poisoned = |(name, value): (&String, &Value)| {
                let spared = name == "locale";
                (name.clone(), if spared { value.clone() } else { poisoned(value, poison) })
            };
            Value::Object(fields.iter().map(poisoned).collect())
        }
        other => other.clone(),
    }
}

/// Replaces one string at a time, so that each branch of a page is rendered with its other values intact.
fn poisoned_one_by_one(value: &Value, poison: &str) -> Vec<Value> {
    match value {
        Value::String(_) => vec![Value::String(poison.to_owned())],
        Value::Array(items) => {
            let places = items.iter().enumerate();
            let with = |(place, item): (usize, &Value)| {
                let poisoned = poisoned_one_by_one(item, poison).into_iter();
                poisoned.map(|item| put(value, |copy| copy[place] = item.clone())).collect::<Vec<_>>()
            };
            places.flat_map(with).collect()
        }
        Value::Object(fields) => {
            let with = |(name, field): (&String, &Value)| {
                let poisoned = poisoned_one_by_one(field, poison).into_iter();
                poisoned
                    .map(|field| put(value, |copy| copy[name.as_str()] = field.clone()))
                    .collect::<Vec<_>>()
            };
            fields.iter().filter(|(name, _)| *name != "locale").flat_map(with).collect()
        }
        _ => Vec::new(),
    }
}

fn put(value: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut copy = value.clone();
    change(&mut copy);
    copy
}

#[test]
fn hostile_input_is_escaped_on_every_page_and_email() {
    let theme = Theme::load(None).unwrap().templates;
    let templates = |sampled: &SampledView| {
        sampled
            .templates
            .iter()
            .filter(|name| name.strip_suffix(".txt").is_none())
            .cloned()
            .collect::<Vec<_>>()
    };
    for sampled in all() {
        for context in contexts(&sampled, Locale::En) {
            let scripts = |html: &str| html.matches("<script").count();
            let mut hostile = poisoned_one_by_one(&context, HOSTILE);
            hostile.push(poisoned(&context, HOSTILE));
            for template in templates(&sampled) {
                let harmless = theme.rendered(&template, context.clone()).unwrap();
                for context in &hostile {
                    let html = theme.rendered(&template, context.clone()).unwrap();
                    assert!(scripts(&html) <= scripts(&harmless), "{template}: {html}");
                    assert!(!html.contains("<b onclick"), "{template}: {html}");
                    assert!(!html.contains("\"'>"), "{template}: {html}");
                }
            }
        }
    }
}

#[test]
fn no_address_runs_a_script() {
    let theme = Theme::load(None).unwrap().templates;
    for sampled in all() {
        for context in contexts(&sampled, Locale::En) {
            for address in ["javascript:alert(1)", " java\tscript:alert(1)", "DATA:text/html,x"] {
                let html = theme.rendered(&sampled.templates[0], poisoned(&context, address)).unwrap();
                for attribute in ["href", "action", "src"] {
                    assert!(
                        !html.contains(&format!("{attribute}=\"{address}")),
                        "{attribute} {address}: {html}"
                    );
                }
            }
        }
    }
}

#[test]
fn pages_keep_to_a_strict_content_security_policy() {
    pages(|template, _, html| {
        for forbidden in ["<style", " style=", " onclick", " onload", "://fonts", "srcset"] {
            assert!(!html.contains(forbidden), "{template} contains {forbidden}");
        }
        assert!(!html.contains("<iframe") || template == "pages/signed-out", "{template} has a frame");
        for script in html.split("<script").skip(1) {
            assert!(
                script.starts_with(" src=\"/assets/") && script.contains("></script>"),
                "{template}: {script}"
            );
        }
    });
}

#[test]
fn every_page_is_whole() {
    pages(|template, context, html| {
        let locale = context["locale"].as_str().unwrap();
        assert!(html.contains(&format!("<html lang=\"{locale}\">")), "{template}");
        assert_eq!(html.matches("<h1").count(), 1, "{template}");
        assert_eq!(html.matches("<main").count(), 1, "{template}");
        let demo = context["chrome"]["demo"].as_bool().unwrap();
        assert_eq!(html.contains("id=\"demo\""), demo, "{template}");
        let ids: Vec<&str> = attribute(&html, "id");
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "{template} gives an id twice: {ids:?}");
        for name in attribute(&html, "for").into_iter().chain(attribute(&html, "aria-labelledby")) {
            assert!(distinct.contains(name), "{template} names the missing id {name}");
        }
        for names in attribute(&html, "aria-describedby") {
            assert!(names.split(' ').all(|name| distinct.contains(name)), "{template}: {names}");
        }
    });
}

#[test]
fn every_form_is_posted_with_its_token_and_the_waiting_request() {
    pages(|template, context, html| {
        for form in html.split("<form").skip(1).filter_map(|rest| rest.split("</form>").next()) {
            assert!(form.starts_with(" method=\"post\" action=\""), "{template}");
            // Both submit a form to a client.
            if ["pages/form-post", "pages/error-return"].contains(&template) {
                continue;
            }
            assert!(form.contains("name=\"form_token\""), "{template}");
            // A form of the frame, such as "Sign Out", is not part of the interaction.
            let own = html.split("</main>").next().is_some_and(|main| main.contains(form));
            let waits = own && context.get("interaction").is_some_and(Value::is_string);
            assert_eq!(form.contains("name=\"interaction\""), waits, "{template}");
        }
    });
}

/// The example theme with a language of its own is complete, except for texts that only developers see.
#[test]
fn the_german_example_has_every_page_and_message_in_german() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../themes/german");
    let theme = Theme::load(Some(std::path::Path::new(folder))).unwrap();
    let german = Locale::from_tag("de").unwrap();
    assert!(theme.locales().contains(&german) && theme.warnings().is_empty());
    for sampled in all() {
        let both = contexts(&sampled, german).into_iter().zip(contexts(&sampled, Locale::En));
        for (of_german, of_english) in both {
            for template in &sampled.templates {
                let [german, english] = [&of_german, &of_english]
                    .map(|it| theme.templates.rendered(template, it.clone()).unwrap());
                if sampled.has_layout {
                    assert!(german.contains("<html lang=\"de\">"), "{template}");
                }
                assert_ne!(german, english, "{template}");
                let is_for_developers = template == "pages/outbox";
                assert_eq!(
                    german.contains("Messages that would have been sent"),
                    is_for_developers,
                    "{template}"
                );
            }
        }
    }
    let of_english = theme.templates.texts.ids(Locale::En);
    let own = std::fs::read_to_string(format!("{folder}/texts/de.ftl")).unwrap();
    let missing = of_english.iter().filter(|id| !own.contains(&format!("\n{id} =")));
    let missing: Vec<_> = missing.map(String::as_str).collect();
    assert!(
        missing.iter().all(|id| id.starts_with("outbox-") || ["channel", "language-name"].contains(id)),
        "{missing:?}"
    );
}

fn attribute<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let opening = format!(" {name}=\"");
    html.split(&opening).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}
