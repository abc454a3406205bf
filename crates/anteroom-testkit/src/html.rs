//! As much of HTML as tests need: forms, links, and the words of an element.

use html5gum::{HtmlString, Spanned, StartTag, Token, Tokenizer};
use std::collections::BTreeMap;

/// A form as a browser would see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    /// Of its inputs, text areas and lists, by name; those of password fields are empty.
    pub fields: BTreeMap<String, String>,
    /// Its submit buttons: name and value, where they have one, and words.
    pub buttons: Vec<Button>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Button {
    pub name: String,
    pub value: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub text: String,
    pub href: String,
}

/// Elements without an end tag.
const VOID: [&str; 6] = ["input", "link", "meta", "br", "img", "hr"];

#[derive(Debug)]
enum Piece {
    Start { name: String, attributes: BTreeMap<String, String>, empty: bool },
    End { name: String },
    Text(String),
}

impl Piece {
    fn starts(&self, wanted: &str) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Start { name, attributes, .. } if name == wanted => Some(attributes),
            _ => None,
        }
    }

    fn ends(&self, wanted: &str) -> bool {
        matches!(self, Self::End { name } if name == wanted)
    }
}

fn pieces(page: &str) -> Vec<Piece> {
    Tokenizer::new(page).filter_map(|token| piece(token.unwrap())).collect()
}

fn piece(token: Token<()>) -> Option<Piece> {
    match token {
        Token::StartTag(StartTag { name, attributes, self_closing, .. }) => {
            let attribute =
                |(name, value): (HtmlString, Spanned<HtmlString, ()>)| (text(&name), text(&value.value));
            let (name, attributes) = (text(&name), attributes.into_iter().map(attribute).collect());
            let empty = self_closing || VOID.contains(&name.as_str());
            Some(Piece::Start { name, attributes, empty })
        }
        Token::EndTag(tag) => Some(Piece::End { name: text(&tag.name) }),
        Token::String(string) => Some(Piece::Text(text(&string.value))),
        Token::Error(_) | Token::Comment(_) | Token::Doctype(_) => None,
    }
}

fn text(bytes: &HtmlString) -> String {
    String::from_utf8(bytes.0.clone()).unwrap()
}

/// The words up to the end of the element that `pieces` begins with.
fn words(pieces: &[Piece]) -> String {
    let (mut depth, mut words) = (0_usize, String::new());
    for piece in pieces {
        match piece {
            Piece::Start { empty, .. } => depth += usize::from(!empty),
            Piece::End { .. } => depth -= 1,
            Piece::Text(text) => words.push_str(text),
        }
        if depth == 0 {
            break;
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn forms(page: &str) -> Vec<Form> {
    let pieces = pieces(page);
    let begins = |(place, piece): (usize, &Piece)| piece.starts("form").map(|_| place);
    let form = |start: usize| {
        let end = pieces[start..].iter().position(|piece| piece.ends("form")).unwrap();
        form(&pieces[start..start + end])
    };
    pieces.iter().enumerate().filter_map(begins).map(form).collect()
}

fn form(pieces: &[Piece]) -> Form {
    let mut form = Form::default();
    for (place, piece) in pieces.iter().enumerate() {
        if let Some(attributes) = piece.starts("form") {
            form.action = value(attributes, "action");
        } else if let Some(attributes) = piece.starts("input") {
            form.fields.insert(value(attributes, "name"), value(attributes, "value"));
        } else if let Some(attributes) = piece.starts("textarea") {
            form.fields.insert(value(attributes, "name"), entered(&pieces[place..]));
        } else if let Some(attributes) = piece.starts("select") {
            form.fields.insert(value(attributes, "name"), chosen(&pieces[place..]));
        } else if let Some(attributes) = piece.starts("button") {
            let (name, value) = (value(attributes, "name"), value(attributes, "value"));
            form.buttons.push(Button { name, value, text: words(&pieces[place..]) });
        }
    }
    form
}

/// The text of a text area, without the line break that may come first and does not count (HTML 4.10.11).
fn entered(pieces: &[Piece]) -> String {
    let inside = pieces.iter().take_while(|piece| !piece.ends("textarea"));
    let text: String = inside
        .filter_map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None })
        .collect();
    text.strip_prefix('\n').unwrap_or(&text).to_owned()
}

/// The option of a list that is selected, else the first.
fn chosen(pieces: &[Piece]) -> String {
    let options = pieces.iter().take_while(|piece| !piece.ends("select"));
    let options: Vec<_> = options.filter_map(|piece| piece.starts("option")).collect();
    let selected = options.iter().find(|option| option.contains_key("selected")).or(options.first());
    selected.map(|option| value(option, "value")).unwrap_or_default()
}

fn value(attributes: &BTreeMap<String, String>, name: &str) -> String {
    attributes.get(name).cloned().unwrap_or_default()
}

pub(crate) fn links(page: &str) -> Vec<Link> {
    let pieces = pieces(page);
    let link = |(place, piece): (usize, &Piece)| {
        let href = value(piece.starts("a")?, "href");
        Some(Link { text: words(&pieces[place..]), href })
    };
    pieces.iter().enumerate().filter_map(link).collect()
}

/// Where the link with this `id` leads.
pub(crate) fn href_of(page: &str, id: &str) -> Option<String> {
    let pieces = pieces(page);
    let mut links = pieces.iter().filter_map(|piece| piece.starts("a"));
    links.find(|attributes| value(attributes, "id") == id).map(|attributes| value(attributes, "href"))
}

/// What the page loads in frames.
pub(crate) fn frames(page: &str) -> Vec<String> {
    pieces(page).iter().filter_map(|piece| Some(value(piece.starts("iframe")?, "src"))).collect()
}

/// What is written on the page, from its main heading on.
pub(crate) fn gist(page: &str) -> String {
    let pieces = pieces(page);
    let start = pieces.iter().position(|piece| piece.starts("h1").is_some()).unwrap_or_default();
    let words = pieces[start..].iter().filter_map(|piece| match piece {
        Piece::Text(text) => Some(text.as_str()),
        _ => None,
    });
    words.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn heading(page: &str) -> Option<String> {
    let pieces = pieces(page);
    let place = pieces.iter().position(|piece| piece.starts("h1").is_some())?;
    Some(words(&pieces[place..]))
}

pub(crate) fn text_of(page: &str, id: &str) -> Option<String> {
    let pieces = pieces(page);
    let place = pieces.iter().position(|piece| match piece {
        Piece::Start { attributes, .. } => attributes.get("id").is_some_and(|it| it == id),
        _ => false,
    })?;
    Some(words(&pieces[place..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r##"<!doctype html><h1>Hello, <b>you</b></h1>
        <form method="post" action="/a?b&amp;c"><input type="hidden" name="t" value="&quot;x&quot;"><input name="e" value="">
        <textarea name="l">
 a &amp;
b</textarea><select name="s"><option value="">-</option><option value="es" selected>x</option></select>
        <button name="d" value="yes"><svg><path/></svg> Do  it</button> or <button>leave</button></form>
        <p>See <a id="here" href="#there">this <i>one</i></a></p>"##;

    #[test]
    fn what_a_browser_would_see() {
        let form = forms(PAGE).remove(0);
        assert_eq!(form.action, "/a?b&c");
        assert_eq!(form.fields["t"], "\"x\"");
        assert_eq!(form.fields["e"], "");
        assert_eq!((form.fields["l"].as_str(), form.fields["s"].as_str()), (" a &\nb", "es"));
        let button = Button { name: "d".to_owned(), value: "yes".to_owned(), text: "Do it".to_owned() };
        assert_eq!(form.buttons, [button, Button { text: "leave".to_owned(), ..Button::default() }]);
        assert_eq!(heading(PAGE).unwrap(), "Hello, you");
        assert_eq!(links(PAGE), [Link { text: "this one".to_owned(), href: "#there".to_owned() }]);
        assert_eq!(text_of(PAGE, "here").unwrap(), "this one");
        assert_eq!(text_of(PAGE, "nowhere"), None);
    }
}
