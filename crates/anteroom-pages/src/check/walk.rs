//! Walks a parsed template like Handlebars, but into every branch, and looks up each path in the shape of the page's
//! samples.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};
use handlebars::{Handlebars, Path, Template};

use super::shape::{Kind, Shape, VALUE};
use crate::error::{Fault, TemplatePosition};
use crate::helpers;
use crate::texts::Texts;

/// One block on Handlebars' stack: its `this`, and the names that a loop or a partial's arguments add.
#[derive(Clone)]
struct Scope<'a> {
    base: &'a Shape,
    names: BTreeMap<String, &'a Shape>,
}

pub(super) struct TemplateWalk<'a> {
    registry: &'a Handlebars<'static>,
    texts: &'a Texts,
    root: &'a Shape,
    scopes: Vec<Scope<'a>>,
    /// The templates that are being walked, the innermost last.
    open: Vec<String>,
    position: (usize, usize),
    pub(super) faults: Vec<Fault>,
    pub(super) used_texts: BTreeSet<String>,
    pub(super) used_templates: BTreeSet<String>,
}

impl<'a> TemplateWalk<'a> {
    pub(super) fn new(
        registry: &'a Handlebars<'static>,
        texts: &'a Texts,
        root: &'a Shape,
    ) -> TemplateWalk<'a> {
        TemplateWalk {
            registry,
            texts,
            root,
            scopes: vec![Scope { base: root, names: BTreeMap::new() }],
            open: Vec::new(),
            position: (1, 1),
            faults: Vec::new(),
            used_texts: BTreeSet::new(),
            used_templates: BTreeSet::new(),
        }
    }

    pub(super) fn page(&mut self, name: &str) {
        self.named(name);
    }

    fn place(&self) -> TemplatePosition {
        let (line, column) = self.position;
        let file = self.open.last().map(|name| format!("{name}.hbs")).unwrap_or_default();
        TemplatePosition { file, line, column }
    }

    fn named(&mut self, name: &str) {
        let found = self.registry.get_template(name);
        let Some(template) = found.filter(|_| !self.open.iter().any(|open| open == name)) else {
            let fault = Fault::UnknownPartial { place: self.place(), partial: name.to_owned() };
            return self.faults.push(fault);
        };
        self.used_templates.insert(name.to_owned());
        let position = self.position;
        self.open.push(name.to_owned());
        self.template(template);
        self.open.pop();
        self.position = position;
    }

    fn template(&mut self, template: &'a Template) {
        for (number, element) in template.elements.iter().enumerate() {
            // The element that represents an `else if` has no position.
            if let Some(mapping) = template.mapping.get(number) {
                self.position = (mapping.0, mapping.1);
            }
            self.element(element);
        }
    }

    fn element(&mut self, element: &'a TemplateElement) {
        match element {
            TemplateElement::Expression(helper) => self.expression(helper),
            TemplateElement::HelperBlock(helper) => self.block(helper),
            TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
                self.partial(partial);
            }
            TemplateElement::HtmlExpression(_) => self.faults.push(Fault::Unescaped { place: self.place() }),
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            _ => self.faults.push(Fault::Unsupported { place: self.place() }),
        }
    }

    fn expression(&mut self, helper: &'a HelperTemplate) {
        if helper.params.is_empty() && helper.hash.is_empty() {
            self.value(&helper.name);
        } else {
            self.call(helper);
        }
    }

    /// A parameter that must be a single value.
    fn value(&mut self, parameter: &'a Parameter) {
        if let Some(shape) = self.parameter(parameter)
            && !matches!(shape.kind, Kind::Value)
        {
            let variable = name_of(parameter);
            self.faults.push(Fault::NotAValue { place: self.place(), variable });
        }
    }

    fn parameter(&mut self, parameter: &'a Parameter) -> Option<&'a Shape> {
        match parameter {
            Parameter::Literal(_) => Some(&VALUE),
            Parameter::Subexpression(subexpression) => {
                if let TemplateElement::Expression(helper) = subexpression.as_element() {
                    self.call(helper);
                }
                Some(&VALUE)
            }
            _ => self.path(&name_of(parameter)),
        }
    }

    fn path(&mut self, raw: &str) -> Option<&'a Shape> {
        let found = self.resolve(raw);
        if found.is_none() {
            self.faults.push(Fault::UnknownVariable { place: self.place(), variable: raw.to_owned() });
        }
        found
    }

    fn resolve(&self, raw: &str) -> Option<&'a Shape> {
        let (mut shape, rest) = if let Some(rest) = raw.strip_prefix("@root.") {
            (self.root, rest)
        } else if let Some(local) = raw.strip_prefix('@') {
            return ["first", "last", "index", "key"].contains(&local).then_some(&VALUE);
        } else {
            self.relative(raw)?
        };
        for name in rest.split(['.', '/']).filter(|name| !name.is_empty() && *name != "this") {
            shape = shape.field(name)?;
        }
        Some(shape)
    }

    /// The start of a path: some blocks up, a name that a block has added, or the current value.
    fn relative<'r>(&self, raw: &'r str) -> Option<(&'a Shape, &'r str)> {
        let rest = raw.trim_start_matches("../");
        let up = (raw.len() - rest.len()) / 3;
        let first = rest.split(['.', '/']).next().unwrap_or_default();
        let named = self.scopes.iter().rev().find_map(|scope| scope.names.get(first).copied());
        if let (0, Some(shape)) = (up, named) {
            return Some((shape, rest.get(first.len()..)?));
        }
        let scope = self.scopes.iter().rev().nth(up)?;
        Some((scope.base, rest))
    }

    /// A helper that returns a value.
    fn call(&mut self, helper: &'a HelperTemplate) {
        let name = name_of(&helper.name);
        match name.as_str() {
            "t" => self.text(helper),
            name if helpers::VALUES.contains(&name) => {}
            _ => self.faults.push(Fault::UnknownHelper { place: self.place(), helper: name }),
        }
        for parameter in helper.params.iter().chain(helper.hash.values()) {
            self.parameter(parameter);
        }
    }

    fn text(&mut self, helper: &'a HelperTemplate) {
        let Some(Parameter::Literal(serde_json::Value::String(id))) = helper.params.first() else {
            return self.faults.push(Fault::ComputedText { place: self.place() });
        };
        self.used_texts.insert(id.clone());
        let given: BTreeSet<String> = helper.hash.keys().cloned().collect();
        match self.texts.variables(id) {
            None => self.faults.push(Fault::UnknownText { place: self.place(), id: id.clone() }),
            Some(expected) if *expected != given => self.faults.push(Fault::TextVariables {
                place: self.place(),
                id: id.clone(),
                expected: listed(expected),
                given: listed(&given),
            }),
            Some(_) => {}
        }
    }

    fn block(&mut self, helper: &'a HelperTemplate) {
        let name = name_of(&helper.name);
        let subject = helper.params.first();
        match (name.as_str(), subject) {
            ("if" | "unless", Some(condition)) => {
                self.parameter(condition);
                self.inside(helper.template.as_ref(), None);
            }
            ("with", Some(subject)) => {
                let shape = self.parameter(subject);
                self.inside(helper.template.as_ref(), shape);
            }
            ("each", Some(list)) => {
                let shape = self.parameter(list);
                let item = match shape.map(|shape| &shape.kind) {
                    Some(Kind::List(item)) => Some(&**item),
                    Some(_) => {
                        self.faults.push(Fault::NotAList { place: self.place(), variable: name_of(list) });
                        None
                    }
                    None => None,
                };
                self.inside(helper.template.as_ref().filter(|_| item.is_some()), item);
            }
            _ => self.faults.push(Fault::UnknownHelper { place: self.place(), helper: name }),
        }
        if helper.block_param.is_some() {
            self.faults.push(Fault::UnknownHelper { place: self.place(), helper: "as |…|".to_owned() });
        }
        self.inside(helper.inverse.as_ref(), None);
    }

    fn inside(&mut self, template: Option<&'a Template>, base: Option<&'a Shape>) {
        let Some(template) = template else { return };
        let position = self.position;
        let depth = self.scopes.len();
        self.scopes.extend(base.map(|base| Scope { base, names: BTreeMap::new() }));
        self.template(template);
        self.scopes.truncate(depth);
        self.position = position;
    }

    fn partial(&mut self, partial: &'a DecoratorTemplate) {
        let name = name_of(&partial.name);
        if name == "@partial-block" {
            return;
        }
        let base = match partial.params.first() {
            Some(parameter) => self.parameter(parameter),
            None => self.scopes.last().map(|scope| scope.base),
        };
        let mut names = BTreeMap::new();
        for (name, argument) in &partial.hash {
            if let Some(shape) = self.parameter(argument) {
                names.insert(name.clone(), shape);
            }
        }
        self.scopes.push(Scope { base: base.unwrap_or(&VALUE), names });
        if let Some(body) = &partial.template {
            self.template(body);
        }
        self.named(&name);
        self.scopes.pop();
    }
}

fn name_of(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Path(Path::Relative((_, raw)) | Path::Local((_, _, raw))) | Parameter::Name(raw) => {
            raw.clone()
        }
        Parameter::Literal(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        _ => "(…)".to_owned(),
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    match names.len() {
        0 => "no variables".to_owned(),
        _ => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
