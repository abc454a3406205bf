//! Kinds of values: how each is read, how it is written, and what it is called in the reference and in complaints.

mod claims;
mod tables;

use anteroom_oidc::display_text::is_displayable_name;
use jiff::SignedDuration;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::DeValue;

pub(crate) use claims::scope_claims;
pub(crate) use tables::{entries, json_value};

use super::duration;
use crate::suggest::nearest;

pub(crate) type Item<'i> = Spanned<DeValue<'i>>;

/// Why a value is not of its kind.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) span: Range<usize>,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
}

impl Problem {
    pub(crate) fn new(item: &Item<'_>, label: impl Into<String>) -> Self {
        Self { span: item.span(), label: label.into(), help: None }
    }

    fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

type Read<T> = Box<dyn Fn(&Item<'_>) -> Result<T, Vec<Problem>>>;
type Show<T> = Box<dyn Fn(&T) -> String>;

pub(crate) struct Kind<T> {
    /// As the reference names it.
    pub(crate) name: String,
    read: Read<T>,
    show: Show<T>,
}

impl<T: 'static> Kind<T> {
    fn new(
        name: impl Into<String>,
        read: impl Fn(&Item<'_>) -> Result<T, Problem> + 'static,
        show: impl Fn(&T) -> String + 'static,
    ) -> Self {
        let read = move |item: &Item<'_>| read(item).map_err(|problem| vec![problem]);
        Self { name: name.into(), read: Box::new(read), show: Box::new(show) }
    }

    pub(crate) fn read(&self, item: &Item<'_>) -> Result<T, Vec<Problem>> {
        (self.read)(item)
    }

    /// As TOML, for the reference and for comparing.
    pub(crate) fn show(&self, value: &T) -> String {
        (self.show)(value)
    }

    #[must_use]
    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }
}

/// A string that `parse` understands; its error says what would have been right.
pub(crate) fn parsed<T: 'static>(
    name: &'static str,
    show: fn(&T) -> String,
    parse: impl Fn(&str) -> Result<T, String> + 'static,
) -> Kind<T> {
    let read = move |item: &Item<'_>| {
        let text = string(item, "a string")?;
        parse(text).map_err(|label| Problem::new(item, label))
    };
    Kind::new(name, read, show)
}

pub(crate) fn text() -> Kind<String> {
    parsed(
        "string",
        |text| quoted(text),
        |text| {
            if text.trim().is_empty() {
                return Err("must not be empty".to_owned());
            }
            // People read most of these, and none has a use for what is not seen.
            if !is_displayable_name(text.trim()) {
                return Err("must not contain control characters, nor others that are not seen".to_owned());
            }
            Ok(text.trim().to_owned())
        },
    )
}

/// Any string: it is judged elsewhere.
pub(crate) fn any_text(name: &'static str) -> Kind<String> {
    parsed(name, |text| quoted(text), |text| Ok(text.to_owned()))
}

pub(crate) fn boolean() -> Kind<bool> {
    let read =
        |item: &Item<'_>| item.get_ref().as_bool().ok_or_else(|| wrong_type(item, "`true` or `false`"));
    Kind::new("boolean", read, bool::to_string)
}

pub(crate) fn integer<T>(range: RangeInclusive<T>) -> Kind<T>
where
    T: TryFrom<i64> + PartialOrd + Display + Copy + 'static,
{
    let name = format!("integer from {} to {}", range.start(), range.end());
    let read = move |item: &Item<'_>| {
        let integer = item.get_ref().as_integer().ok_or_else(|| wrong_type(item, "a whole number"))?;
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        number.and_then(|number| T::try_from(number).ok()).filter(|number| range.contains(number)).ok_or_else(
            || Problem::new(item, format!("must be between {} and {}", range.start(), range.end())),
        )
    };
    Kind::new(name, read, T::to_string)
}

pub(crate) fn duration(range: RangeInclusive<SignedDuration>) -> Kind<SignedDuration> {
    let (least, most) = (duration::show(*range.start()), duration::show(*range.end()));
    let name = format!("duration from {least} to {most}");
    let read = move |item: &Item<'_>| {
        let text = string(item, "a duration").map_err(|problem| problem.with_help(Some(unit_help(item))))?;
        let given = duration::parse(text).ok_or_else(|| {
            Problem::new(item, "not a duration").with_help(Some(
                "write a number and a unit, such as \"30m\" or \"90d\"; units are ms, s, m, h, d and w"
                    .to_owned(),
            ))
        })?;
        if range.contains(&given) {
            return Ok(given);
        }
        Err(Problem::new(item, format!("must be between {least} and {most}")))
    };
    Kind::new(name, read, |value| format!("{:?}", duration::show(*value)))
}

fn unit_help(item: &Item<'_>) -> String {
    match item.get_ref().as_integer() {
        Some(number) => {
            format!("a duration has a unit: \"{0}s\", \"{0}m\", \"{0}h\" or \"{0}d\"", number.as_str())
        }
        None => "such as \"30m\" or \"90d\"".to_owned(),
    }
}

/// One of a few words, each standing for a value.
pub(crate) fn word<T: Copy + PartialEq + Display + 'static>(all: &'static [T]) -> Kind<T> {
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    let name = texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ");
    let expected = texts.join(", ");
    let read = move |item: &Item<'_>| {
        let text = string(item, "a string")?;
        let found = all.iter().zip(&texts).find(|(_, word)| *word == text);
        found.map(|(value, _)| *value).ok_or_else(|| {
            let near = nearest(text, texts.iter().map(String::as_str));
            Problem::new(item, format!("must be one of: {expected}")).with_help(near.map(did_you_mean))
        })
    };
    Kind::new(name, read, |value| quoted(&value.to_string()))
}

pub(crate) fn list<T: 'static>(element: Kind<T>) -> Kind<Vec<T>> {
    let Kind { name, read, show } = element;
    let read = move |item: &Item<'_>| {
        let items = item.get_ref().as_array().ok_or_else(|| vec![wrong_type(item, "a list")])?;
        let (mut values, mut problems) = (Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            match read(item) {
                Ok(value) => values.push(value),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(values) } else { Err(problems) }
    };
    let show =
        move |values: &Vec<T>| format!("[{}]", values.iter().map(&show).collect::<Vec<_>>().join(", "));
    Kind { name: format!("list of {}", plural(&name)), read: Box::new(read), show: Box::new(show) }
}

/// For the reference: `string` becomes `strings`, `integer from 1 to 3` becomes `integers from 1 to 3`.
fn plural(name: &str) -> String {
    match name.split_once(" from ") {
        Some((noun, range)) => format!("{noun}s from {range}"),
        None if name.ends_with('`') => name.to_owned(),
        None => format!("{name}s"),
    }
}

pub(crate) fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

pub(crate) fn string<'v>(item: &'v Item<'_>, expected: &str) -> Result<&'v str, Problem> {
    item.get_ref().as_str().ok_or_else(|| wrong_type(item, expected))
}

pub(crate) fn wrong_type(item: &Item<'_>, expected: &str) -> Problem {
    Problem::new(item, format!("expected {expected}, found {}", type_name(item)))
}

fn type_name(item: &Item<'_>) -> &'static str {
    match item.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
