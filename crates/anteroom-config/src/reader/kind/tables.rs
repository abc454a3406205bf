//! Tables whose keys are the operator's own names, and values that are whatever JSON can say.

use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use toml::de::DeValue;

use super::{Item, Kind, Problem, quoted, wrong_type};

/// `parse` judges each key, and says what would have been right; `name_of` gives it back as it was written.
pub(crate) fn entries<N: Ord + 'static, T: 'static>(
    what: &str,
    parse: fn(&str) -> Result<N, String>,
    name_of: fn(&N) -> &str,
    element: Kind<T>,
) -> Kind<BTreeMap<N, T>> {
    let Kind { read, show, .. } = element;
    let read = move |item: &Item<'_>| {
        let DeValue::Table(table) = item.get_ref() else { return Err(vec![wrong_type(item, "a table")]) };
        let (mut entries, mut problems) = (BTreeMap::new(), Vec::new());
        for (key, value) in table {
            match (parse(key.get_ref()), read(value)) {
                (Ok(name), Ok(value)) => drop(entries.insert(name, value)),
                (name, value) => {
                    problems.extend(name.err().map(|label| Problem { span: key.span(), label, help: None }));
                    problems.extend(value.err().unwrap_or_default());
                }
            }
        }
        if problems.is_empty() { Ok(entries) } else { Err(problems) }
    };
    let show = move |entries: &BTreeMap<N, T>| {
        let shown =
            entries.iter().map(|(name, value)| format!("{} = {}", quoted(name_of(name)), show(value)));
        format!("{{ {} }}", shown.collect::<Vec<_>>().join(", "))
    };
    Kind { name: what.to_owned(), read: Box::new(read), show: Box::new(show) }
}

/// Anything but dates, which JSON does not know, and what is empty, which no claim may be (OpenID Connect Core §5.3.2).
pub(crate) fn json_value() -> Kind<Value> {
    Kind::new("value", json, Value::to_string)
}

fn json(item: &Item<'_>) -> Result<Value, Problem> {
    let value = match item.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map(Value::from)
            .map_err(|_| Problem::new(item, "is too large a number"))?,
        DeValue::Float(float) => {
            let number = float.as_str().parse().ok().and_then(Number::from_f64);
            Value::Number(number.ok_or_else(|| Problem::new(item, "is no number that JSON knows"))?)
        }
        DeValue::Array(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        DeValue::Table(table) => {
            let members = table.iter().map(|(key, value)| Ok((key.get_ref().to_string(), json(value)?)));
            Value::Object(members.collect::<Result<Map<_, _>, _>>()?)
        }
        DeValue::Datetime(_) => return Err(wrong_type(item, "a string, number, boolean, list or table")),
    };
    let is_empty = match &value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    };
    if is_empty { Err(Problem::new(item, "must not be empty")) } else { Ok(value) }
}
