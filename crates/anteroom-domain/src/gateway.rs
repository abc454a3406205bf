//! The template of a request to a gateway for texts or calls: words in braces stand for values, each escaped for its place.

mod xml;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`, also where no type is named.
    Form,
    Json,
    Xml,
}

impl BodyFormat {
    /// Of the first `Content-Type` among the headers. The error is a type that no value could be escaped for, or one with
    /// another `charset` than UTF-8, in which bodies are sent.
    pub fn of(headers: &[(String, String)]) -> Result<Self, &str> {
        let named = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let Some((_, value)) = named else { return Ok(Self::Form) };
        let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
        let essence = parts.next().unwrap_or_default();
        let is_another = |part: String| {
            part.strip_prefix("charset=").is_some_and(|charset| charset.trim_matches('"') != "utf-8")
        };
        if parts.any(is_another) {
            return Err(value);
        }
        Ok(match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            "application/json" => Self::Json,
            "application/xml" | "text/xml" => Self::Xml,
            json if json.ends_with("+json") => Self::Json,
            xml if xml.ends_with("+xml") => Self::Xml,
            _ => return Err(value),
        })
    }

    /// Whether a receiver finds the number and the text in a body that this template makes. The error says why not.
    pub fn check(self, template: &str) -> Result<(), String> {
        let (sample, body) = (TemplateValues::SAMPLE, TemplateValues::SAMPLE.fill(template, self.escape()));
        match self {
            Self::Form => check_form(&body),
            Self::Json => {
                let read = serde_json::from_str::<serde_json::Value>(&body);
                read.map(|_| ()).map_err(|error| format!("not JSON: {error}"))
            }
            Self::Xml => {
                let values = xml::values(&body).map_err(|error| format!("not XML: {error}"))?;
                let is_lost = |value: &str| !values.iter().any(|found| found.contains(value));
                let all = [
                    ("{to}", sample.to),
                    ("{text}", sample.text),
                    ("{id}", sample.id),
                    ("{secret}", sample.secret),
                ];
                match all.into_iter().find(|(word, value)| template.contains(word) && is_lost(value)) {
                    Some((word, _)) => {
                        Err(format!("`{word}` is not replaced correctly inside CDATA or a comment"))
                    }
                    None => Ok(()),
                }
            }
        }
    }

    pub const fn escape(self) -> Escape {
        match self {
            Self::Form => Escape::Percent,
            Self::Json => Escape::Json,
            Self::Xml => Escape::Xml,
        }
    }
}

/// The URL Standard's `application/x-www-form-urlencoded`: what every receiver reads as it was meant. White space, `;` (which
/// some take for `&`) and what only JSON or XML would have are left to no guess.
fn check_form(body: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_graphic() && !"\"<>{}\\^`|#;".contains(c);
    if let Some(c) = body.chars().find(|c| !allowed(*c)) {
        return Err(format!("not a form: `{}` is not percent-encoded", c.escape_debug()));
    }
    if let Some(pair) = body.split('&').find(|pair| !pair.contains('=')) {
        return Err(format!("not a form: `{pair}` has no value"));
    }
    let digits = |after: &str| {
        let mut two = after.chars().take(2);
        two.by_ref().filter(char::is_ascii_hexdigit).count() == 2
    };
    if body.split('%').skip(1).all(digits) { Ok(()) } else { Err("not a form: `%` stands alone".to_owned()) }
}

/// How a value is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    Percent,
    Json,
    Xml,
    /// In a header.
    Nothing,
}

/// The values of the placeholders.
#[derive(Clone, Copy)]
pub struct TemplateValues<'a> {
    pub to: &'a str,
    pub text: &'a str,
    pub id: &'a str,
    pub secret: &'a str,
}

/// The words that can stand in braces.
pub const PLACEHOLDERS: [&str; 4] = ["to", "text", "id", "secret"];

impl TemplateValues<'static> {
    /// Contains characters that need escaping, so that a template that does not escape them fails the check.
    pub const SAMPLE: Self = Self {
        to: "+12025550143",
        text: "402918 is \"yours\" & <not> 'theirs': ñ\n@id.example #402918",
        id: "01936f5e-0000-7000-8000-000000000001",
        secret: "s&cret <'\">",
    };
}

impl TemplateValues<'_> {
    /// In one pass: what a value brings with it is not filled in again. Braces around anything else stay.
    pub fn fill(&self, template: &str, escape: Escape) -> String {
        let mut filled = String::with_capacity(template.len() + self.text.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let named = after.split_once('}').and_then(|(name, after)| Some((self.named(name)?, after)));
            if let Some((value, after)) = named {
                filled.push_str(&escape.apply(value));
                rest = after;
            } else {
                filled.push('{');
                rest = after;
            }
        }
        filled.push_str(rest);
        filled
    }

    fn named(&self, name: &str) -> Option<&str> {
        Some(match name {
            "to" => self.to,
            "text" => self.text,
            "id" => self.id,
            "secret" => self.secret,
            _ => return None,
        })
    }
}

/// A single word in braces that stands for nothing, and so would be sent as it is.
pub fn unknown_placeholder(template: &str) -> Option<&str> {
    let words = template.split('{').skip(1).filter_map(|after| Some(after.split_once('}')?.0));
    let is_word = |word: &&str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    words.filter(is_word).find(|word| !PLACEHOLDERS.contains(word))
}

impl Escape {
    pub fn apply(self, value: &str) -> Cow<'_, str> {
        match self {
            // Right in a path, a query and a form alike.
            Self::Percent => utf8_percent_encode(value, NON_ALPHANUMERIC).into(),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                Cow::Owned(inner.unwrap_or_default().to_owned())
            }
            Self::Xml => Cow::Owned(xml(value)),
            Self::Nothing => Cow::Borrowed(value),
        }
    }
}

/// For text and attributes. Line breaks are references, so that an attribute keeps them; XML 1.0 has no other control
/// characters.
fn xml(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' => escaped.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_escaped_for_its_place() {
        let values =
            TemplateValues { to: "+12025550143", text: "1 & \"2\"\n{to}", id: "m-1", secret: "s&cret" };
        for (template, escape, expected) in [
            (
                "https://sms.example/cgi-bin/sendsms?username=a&password={secret}&to={to}&text={text}",
                Escape::Percent,
                "https://sms.example/cgi-bin/sendsms?username=a&password=s%26cret&to=%2B12025550143\
                 &text=1%20%26%20%222%22%0A%7Bto%7D",
            ),
            (
                r#"{"to": "{to}", "body": "{text}", "ref": {"id": "{id}"}}"#,
                Escape::Json,
                r#"{"to": "+12025550143", "body": "1 & \"2\"\n{to}", "ref": {"id": "m-1"}}"#,
            ),
            (
                "<sms to=\"{to}\">{text}</sms>",
                Escape::Xml,
                "<sms to=\"+12025550143\">1 &amp; &quot;2&quot;&#10;{to}</sms>",
            ),
            ("Bearer {secret}", Escape::Nothing, "Bearer s&cret"),
            ("{unknown} {", Escape::Percent, "{unknown} {"),
        ] {
            assert_eq!(values.fill(template, escape), expected, "{template}");
        }
        assert_eq!(Escape::Percent.apply("ñ"), "%C3%B1");
        assert_eq!(Escape::Xml.apply("a\u{7}\r'<>"), "a  &apos;&lt;&gt;");
    }

    #[test]
    fn a_word_that_stands_for_nothing_is_found() {
        for (template, expected) in [
            ("to={to}&text={text}", None),
            ("to={to}&text={txt}", Some("txt")),
            (r#"{"to": "{to}", "ref": {"id": "{message-id}"}}"#, Some("message-id")),
            (r#"{"to": "{to}", "ref": {}}"#, None),
            ("{", None),
        ] {
            assert_eq!(unknown_placeholder(template), expected, "{template}");
        }
    }

    #[test]
    fn a_filled_in_body_has_to_be_what_it_says_it_is() {
        for (format, template, right) in [
            (BodyFormat::Form, "to={to}&text={text}&flash=1", true),
            (BodyFormat::Form, "to={to}&text={text}&name=a%20b+c", true),
            (
                BodyFormat::Form,
                "from=desk@practice.example&to={to}&text={text}&url=https://x.example/?a",
                true,
            ),
            (BodyFormat::Form, "from=The desk&to={to}&text={text}", false),
            (BodyFormat::Form, r#"{"to": "{to}"}"#, false),
            (BodyFormat::Form, "<sms>{text}</sms>", false),
            (BodyFormat::Form, "to={to}&text=50%", false),
            (BodyFormat::Form, "{text}", false),
            (BodyFormat::Json, r#"{"to": "{to}", "text": "{text}"}"#, true),
            (BodyFormat::Json, r#"{"to": {to}, "text": "{text}"}"#, false),
            (BodyFormat::Json, r#"{"to": "{to}", "text": "{text}",}"#, false),
            (BodyFormat::Xml, "<?xml version=\"1.0\"?>\n<sms to=\"{to}\"><body>{text}</body></sms>", true),
            (BodyFormat::Xml, "<sms to='{to}' text='{text}'/>", true),
            (BodyFormat::Xml, "<sms><body>{text}</sms>", false),
            (BodyFormat::Xml, "<sms><body>{text}</body>", false),
            (BodyFormat::Xml, "<to>{to}</to><text>{text}</text>", false),
            (BodyFormat::Xml, "<sms to={to}>{text}</sms>", false),
            (BodyFormat::Xml, "{text}", false),
            (BodyFormat::Xml, "<sms to=\"{to}\"><![CDATA[{text}]]></sms>", false),
            (BodyFormat::Xml, "<sms><!-- {to} {text} --></sms>", false),
            (BodyFormat::Xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><sms to='{to}'>{text}</sms>", true),
            (
                BodyFormat::Xml,
                "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><sms to='{to}'>{text}</sms>",
                false,
            ),
            (BodyFormat::Xml, "<sms><a>x</a>{text}<b/>&amp;{to}</sms>", true),
        ] {
            let found = format.check(template);
            assert_eq!(found.is_ok(), right, "{template}\n{found:?}");
        }
    }

    #[test]
    fn the_content_type_says_what_a_body_is() {
        for (value, expected) in [
            ("application/json", Ok(BodyFormat::Json)),
            ("Application/JSON; charset=utf-8", Ok(BodyFormat::Json)),
            ("application/vnd.example+json", Ok(BodyFormat::Json)),
            ("text/xml; charset=utf-8", Ok(BodyFormat::Xml)),
            ("application/soap+xml", Ok(BodyFormat::Xml)),
            ("application/x-www-form-urlencoded", Ok(BodyFormat::Form)),
            ("text/xml; charset=\"UTF-8\"", Ok(BodyFormat::Xml)),
            ("text/xml; charset=iso-8859-1", Err("text/xml; charset=iso-8859-1")),
            ("text/plain", Err("text/plain")),
            ("multipart/form-data", Err("multipart/form-data")),
        ] {
            let headers =
                [("X-Other".to_owned(), "x".to_owned()), ("content-type".to_owned(), value.to_owned())];
            assert_eq!(BodyFormat::of(&headers), expected, "{value}");
        }
        assert_eq!(BodyFormat::of(&[]), Ok(BodyFormat::Form));
    }
}
