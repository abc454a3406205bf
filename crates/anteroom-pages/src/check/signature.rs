//! The signature of a Fluent message: its variables, and the words that its selectors distinguish.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{
    CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey,
};

/// Languages have different plural forms, so these are not compared.
const PLURALS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

#[derive(Default)]
pub(crate) struct Signature {
    pub(crate) variables: BTreeSet<String>,
    choices: BTreeSet<String>,
    /// The message itself and the messages that it includes.
    pub(crate) parts: BTreeSet<String>,
}

impl Signature {
    pub(crate) fn takes_the_same_as(&self, other: &Signature) -> bool {
        self.variables == other.variables && self.choices == other.choices
    }

    /// The differences from `other`, as a sentence for the author of the text.
    pub(crate) fn difference(&self, other: &Signature) -> String {
        let variable = |name: &String| format!("`${name}`");
        let choice = |name: &String| format!("`[{name}]`");
        let (variables, choices) = (&self.variables, &self.choices);
        let extra = variables.difference(&other.variables).map(variable);
        let extra: Vec<String> = extra.chain(choices.difference(&other.choices).map(choice)).collect();
        let lacking = other.variables.difference(variables).map(variable);
        let lacking: Vec<String> = lacking.chain(other.choices.difference(choices).map(choice)).collect();
        let said = [("without", lacking), ("in addition", extra)].into_iter();
        let said = said.filter(|(_, names)| !names.is_empty());
        said.map(|(word, names)| format!("{word} {}", names.join(", "))).collect::<Vec<_>>().join("; ")
    }
}

type Patterns<'a> = BTreeMap<String, &'a Pattern<&'a str>>;

/// The signatures of all messages; for a message in several resources, that of the last.
pub(crate) fn collect<'a>(
    resources: impl Iterator<Item = &'a FluentResource>,
) -> BTreeMap<String, Signature> {
    let mut patterns = Patterns::new();
    for entry in resources.flat_map(FluentResource::entries) {
        match entry {
            Entry::Message(message) => {
                patterns.extend(message.value.as_ref().map(|value| (message.id.name.to_owned(), value)));
            }
            Entry::Term(term) => patterns.extend([(format!("-{}", term.id.name), &term.value)]),
            _ => {}
        }
    }
    let messages = patterns.keys().filter(|id| !id.starts_with('-'));
    messages.map(|id| (id.clone(), Reader::read(id, &patterns))).collect()
}

struct Reader<'a> {
    patterns: &'a Patterns<'a>,
    signature: Signature,
}

impl<'a> Reader<'a> {
    fn read(id: &str, patterns: &'a Patterns<'a>) -> Signature {
        let mut reader = Reader { patterns, signature: Signature::default() };
        reader.refer(id.to_owned());
        reader.signature
    }

    fn refer(&mut self, id: String) {
        let pattern = self.patterns.get(&id).copied();
        // Fluent itself refuses a message that includes itself, when it is rendered.
        if self.signature.parts.insert(id)
            && let Some(pattern) = pattern
        {
            self.pattern(pattern);
        }
    }

    fn pattern(&mut self, pattern: &Pattern<&str>) {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                self.expression(expression);
            }
        }
    }

    fn expression(&mut self, expression: &Expression<&str>) {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                self.inline(selector);
                for variant in variants {
                    if let VariantKey::Identifier { name } = variant.key
                        && !PLURALS.contains(&name)
                    {
                        self.signature.choices.insert(name.to_owned());
                    }
                    self.pattern(&variant.value);
                }
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                self.signature.variables.insert(id.name.to_owned());
            }
            InlineExpression::MessageReference { id, .. } => self.refer(id.name.to_owned()),
            InlineExpression::TermReference { id, .. } => self.refer(format!("-{}", id.name)),
            InlineExpression::FunctionReference { arguments, .. } => self.arguments(arguments),
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        }
    }

    fn arguments(&mut self, arguments: &CallArguments<&str>) {
        for argument in &arguments.positional {
            self.inline(argument);
        }
    }
}
