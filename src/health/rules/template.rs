//! Messages of health rules: text with values in braces.

use super::eval::{Scope, text, values};
use super::expr::{Operand, operand};

/// A message to fill in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Value(Operand),
}

impl Template {
    /// Reads a message; `{...}` is a value.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, behind) = after
                .split_once('}')
                .ok_or_else(|| "a brace in the message is not closed".to_owned())?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Value(operand(inside)?));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The message for an object; a value that is not there leaves nothing.
    pub(super) fn fill(&self, scope: Scope<'_>) -> String {
        let mut message = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => message.push_str(text),
                Part::Value(operand) => {
                    if let Some(value) = values(operand, scope).first() {
                        message.push_str(&text(value));
                    }
                }
            }
        }
        message
    }
}
