//! The shape of a view, derived from its samples: the names that a template may use.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Whether some sample has no value here.
    pub(crate) nullable: bool,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No sample has a value here.
    #[default]
    Unknown,
    Value,
    List(Box<Shape>),
    Record(BTreeMap<String, Shape>),
}

pub(crate) static VALUE: Shape = Shape { nullable: false, kind: Kind::Value };

impl Shape {
    pub(crate) fn of<'a>(samples: impl IntoIterator<Item = &'a Value>) -> Shape {
        let mut shape = Shape::default();
        for sample in samples {
            shape.learn(sample);
        }
        shape
    }

    fn learn(&mut self, sample: &Value) {
        match (sample, &mut self.kind) {
            (Value::Null, _) => self.nullable = true,
            (Value::Array(items), Kind::List(item)) => items.iter().for_each(|value| item.learn(value)),
            (Value::Array(items), kind) => *kind = Kind::List(Box::new(Shape::of(items))),
            (Value::Object(fields), Kind::Record(known)) => {
                for (name, value) in fields {
                    known.entry(name.clone()).or_default().learn(value);
                }
            }
            (Value::Object(fields), kind) => {
                let known = fields.iter().map(|(name, value)| (name.clone(), Shape::of([value])));
                *kind = Kind::Record(known.collect());
            }
            (_, kind) => *kind = Kind::Value,
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Shape> {
        match &self.kind {
            Kind::Record(fields) => fields.get(name),
            _ => None,
        }
    }
}

/// The sample, then once with each optional value removed, and once with all of them removed.
pub(crate) fn with_gaps(sample: &Value, shape: &Shape) -> Vec<Value> {
    let Kind::Record(fields) = &shape.kind else { return vec![sample.clone()] };
    let optional: Vec<&String> =
        fields.iter().filter(|(_, field)| field.nullable).map(|(name, _)| name).collect();
    let without = |names: &[&String]| {
        let mut fields: Map<String, Value> = sample.as_object().cloned().unwrap_or_default();
        for name in names {
            fields.insert((*name).clone(), Value::Null);
        }
        Value::Object(fields)
    };
    let one_by_one = optional.iter().map(|name| without(&[*name]));
    [sample.clone(), without(&optional)].into_iter().chain(one_by_one).collect()
}
