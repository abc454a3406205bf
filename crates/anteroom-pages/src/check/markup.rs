//! Reads the tags and attributes of a page's markup. This is not a full HTML parser: themes write simple HTML, and both
//! sides of a comparison are read by the same rules.

use std::collections::BTreeSet;

pub(super) struct Tag {
    pub(super) name: String,
    pub(super) is_end: bool,
    attributes: Vec<(String, String)>,
    /// The content of a script or style element.
    pub(super) body: String,
}

impl Tag {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(attribute, _)| attribute == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }
}

/// Elements in which `<` does not begin a tag.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

pub(super) fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let (is_end, named) = after.strip_prefix('/').map_or((false, after), |named| (true, named));
        if !named.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let (name, behind) = until(named, |c| is_space(c) || c == '/' || c == '>');
        let name = name.to_ascii_lowercase();
        let (attributes, behind) = attributes(behind);
        rest = behind;
        let mut body = "";
        if !is_end && RAW.contains(&name.as_str()) {
            // ASCII lower case leaves the positions of all bytes as they are.
            let closing = format!("</{name}");
            let end = behind.to_ascii_lowercase().find(&closing);
            (body, rest) = behind.split_at(end.unwrap_or(behind.len()));
            rest = rest.get(closing.len()..).unwrap_or_default();
        }
        tags.push(Tag { name, is_end, attributes, body: body.trim().to_owned() });
    }
    tags
}

fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c| is_space(c) || c == '/');
        if let Some(behind) = rest.strip_prefix('>') {
            return (attributes, behind);
        }
        let (name, behind) = until(rest, |c| is_space(c) || c == '=' || c == '>' || c == '/');
        let (value, behind) = match behind.trim_start().strip_prefix('=') {
            Some(behind) => value(behind.trim_start()),
            None => ("", behind),
        };
        if behind.len() == rest.len() {
            return (attributes, "");
        }
        attributes.push((name.to_ascii_lowercase(), unescaped(value)));
        rest = behind;
    }
}

fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    until(text, |c| is_space(c) || c == '>')
}

fn until(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

const fn is_space(c: char) -> bool {
    c.is_ascii_whitespace()
}

/// Reverses the escaping of templates ([`crate::templates`]).
fn unescaped(value: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x60;", "`")];
    let value = named.iter().fold(value.to_owned(), |value, (name, sign)| value.replace(name, sign));
    value.replace("&amp;", "&")
}

pub(super) struct HtmlForm {
    id: String,
    pub(super) method: String,
    pub(super) action: String,
    pub(super) fields: BTreeSet<Field>,
    /// Whether the form has a button that submits it.
    pub(super) has_button: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    /// The value of a hidden field, a choice or a button.
    Fixed(String),
    Typed,
    /// Typed by the person and not displayed.
    Secret,
}

pub(super) fn forms(tags: &[Tag]) -> Vec<HtmlForm> {
    let mut forms: Vec<HtmlForm> =
        tags.iter().filter(|tag| tag.name == "form" && !tag.is_end).map(form).collect();
    let (mut begun, mut open, mut list) = (0, None, String::new());
    for tag in tags {
        match (tag.name.as_str(), tag.is_end) {
            ("form", false) => (open, begun) = (Some(begun), begun + 1),
            ("form", true) => open = None,
            ("select", is_end) => {
                tag.get("name").filter(|_| !is_end).unwrap_or_default().clone_into(&mut list);
            }
            _ => {}
        }
        let owner = match tag.get("form") {
            Some(id) => forms.iter().position(|form| form.id == id),
            None => open,
        };
        let Some(form) = owner.and_then(|owner| forms.get_mut(owner)).filter(|_| !tag.is_end) else {
            continue;
        };
        form.has_button |= is_button(tag);
        form.fields.extend(field(tag, &list));
    }
    forms
}

fn form(tag: &Tag) -> HtmlForm {
    let said = |name| tag.get(name).unwrap_or_default().to_owned();
    HtmlForm {
        id: said("id"),
        method: said("method").to_ascii_lowercase(),
        action: said("action"),
        fields: BTreeSet::new(),
        has_button: false,
    }
}

fn kind(tag: &Tag) -> &str {
    tag.get("type").unwrap_or(if tag.name == "button" { "submit" } else { "text" })
}

fn is_button(tag: &Tag) -> bool {
    ["button", "input"].contains(&tag.name.as_str()) && ["submit", "image"].contains(&kind(tag))
}

/// `list` is the name of the list that contains an option.
fn field(tag: &Tag, list: &str) -> Option<Field> {
    let fixed = || Value::Fixed(tag.get("value").unwrap_or_default().to_owned());
    let (name, value) = match (tag.name.as_str(), kind(tag)) {
        ("option", _) => (Some(list), fixed()),
        ("input" | "button", "button" | "reset") => return None,
        ("button", _) | ("input", "hidden" | "radio" | "checkbox" | "submit") => (tag.get("name"), fixed()),
        ("input", "password") => (tag.get("name"), Value::Secret),
        ("input" | "textarea", _) => (tag.get("name"), Value::Typed),
        _ => return None,
    };
    let name = name.filter(|name| !name.is_empty())?.to_owned();
    Some(Field { name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_however_they_are_written() {
        let html = "<!-- <a> --><A HREF='/x?a=1&amp;b=2' hidden class=wide>1 < 2</a ><br/><script src=\"/s\">if (a<b) \
            {}</SCRIPT><p title='>'></p><input value=";
        let read = tags(html);
        let names: Vec<_> = read.iter().map(|tag| (tag.name.as_str(), tag.is_end)).collect();
        assert_eq!(
            names,
            [
                ("a", false),
                ("a", true),
                ("br", false),
                ("script", false),
                ("p", false),
                ("p", true),
                ("input", false)
            ]
        );
        assert_eq!((read[0].get("href"), read[0].get("class")), (Some("/x?a=1&b=2"), Some("wide")));
        assert_eq!(read[3].body, "if (a<b) {}");
        assert_eq!(read[4].get("title"), Some(">"));
    }

    #[test]
    fn a_form_has_what_its_browser_would_send() {
        let read = tags(
            "<form method=POST action=\"/one\"><input type=hidden name=t value=1><input name=who><input type=password \
             name=p><select name=l><option value=de><option value=en></select><button>Go</button></form>\
             <form id=two action=/two><button type=button name=no></form><button form=two name=d value=yes>",
        );
        let [one, two] = &forms(&read)[..] else { panic!("two forms") };
        let fixed = |value: &str| Value::Fixed(value.to_owned());
        let field = |name: &str, value| Field { name: name.to_owned(), value };
        let expected = [
            field("t", fixed("1")),
            field("who", Value::Typed),
            field("p", Value::Secret),
            field("l", fixed("de")),
            field("l", fixed("en")),
        ];
        assert_eq!(one.fields, expected.into());
        assert_eq!((one.method.as_str(), one.action.as_str(), one.has_button), ("post", "/one", true));
        assert_eq!((two.fields.clone(), two.has_button), ([field("d", fixed("yes"))].into(), true));
    }
}
