//! What a receiver reads in an XML body (XML 1.0): one element with everything in it closed, and its texts and attributes.

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesDecl, BytesStart, Event};

/// The texts and the values of attributes, with their references resolved.
pub(super) fn values(body: &str) -> Result<Vec<String>, String> {
    let mut reader = Reader::from_str(body);
    let (mut depth, mut roots) = (0_u32, 0_u32);
    let (mut values, mut open) = (Vec::new(), String::new());
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match &event {
            Event::Decl(declaration) => check_encoding(declaration)?,
            Event::Start(element) | Event::Empty(element) => {
                values.push(resolved(&std::mem::take(&mut open))?);
                values.extend(attributes(element)?);
                roots += u32::from(depth == 0);
                depth += u32::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => {
                values.push(resolved(&std::mem::take(&mut open))?);
                depth = depth.saturating_sub(1);
            }
            Event::Text(text) if depth == 0 && !text.iter().all(u8::is_ascii_whitespace) => {
                return Err("there is text beside its one element".to_owned());
            }
            Event::Text(text) => open.push_str(&String::from_utf8_lossy(text)),
            Event::GeneralRef(name) => open.extend(["&", &String::from_utf8_lossy(name), ";"]),
            // References in it are not resolved.
            Event::CData(text) => open.push_str(&escape(String::from_utf8_lossy(text))),
            Event::Eof => break,
            Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match (depth, roots) {
        (0, 1) => Ok(values),
        (0, _) => Err("it has to be one element".to_owned()),
        _ => Err("an element is not closed".to_owned()),
    }
}

fn attributes(element: &BytesStart<'_>) -> Result<Vec<String>, String> {
    let value = |attribute: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
        let attribute = attribute.map_err(|error| format!("{error}"))?;
        resolved(&String::from_utf8_lossy(&attribute.value))
    };
    element.attributes().map(value).collect()
}

fn resolved(text: &str) -> Result<String, String> {
    unescape(text).map(std::borrow::Cow::into_owned).map_err(|error| error.to_string())
}

/// A body is sent in UTF-8.
fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), String> {
    let Some(encoding) = declaration.encoding() else { return Ok(()) };
    let encoding = encoding.map_err(|error| error.to_string())?;
    if encoding.eq_ignore_ascii_case(b"utf-8") {
        return Ok(());
    }
    Err(format!("it is sent in UTF-8 and says `{}`", String::from_utf8_lossy(&encoding).escape_debug()))
}
