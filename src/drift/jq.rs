//! jq path expressions, as `jqPathExpressions` of ignoreDifferences use them: they name places in an object, and what they name is taken out.
//!
//! The language is that of gojq, which Argo CD evaluates `del(EXPRESSION)` with: definitions, loops, patterns, labels, assignments, texts with code
//! in them. What reaches outside (`input`, `halt`, `now`, modules) is refused when the expression is read, with the word that is refused, and
//! `env` is empty. Expressions come from a cluster, so every evaluation has a fixed amount of steps; one that needs more is given up, like one
//! that Argo CD gives up after a second.

mod delete;
mod lex;
mod machine;
mod native;
mod parse;

use serde_json::{Value, json};

use parse::Expr;

/// Steps that one evaluation may take.
const STEPS: usize = 400_000;

/// One expression, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(Expr);

/// Why an expression cannot be read or carried out.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum JqError {
    /// It is not jq.
    #[error("at character {at}: {problem}")]
    Syntax {
        /// Where, from 1.
        at: usize,
        /// What is wrong there.
        problem: String,
    },
    /// It is jq that is not carried out here.
    #[error("`{0}` is not supported in an expression that names fields")]
    Unsupported(String),
    /// It failed on this object, as jq would fail.
    #[error("{0}")]
    Runtime(String),
    /// It takes too many steps.
    #[error("it takes more than {STEPS} steps")]
    TooLong,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`JqError::Syntax`] and [`JqError::Unsupported`].
    pub fn parse(text: &str) -> Result<Self, JqError> {
        parse::parse(&lex::tokens(text)?).map(Self)
    }

    /// Takes out of the object what the expression names, as `del(…)` does. An object on which it fails stays as it is.
    ///
    /// # Errors
    /// [`JqError::Runtime`] and [`JqError::TooLong`].
    pub fn delete_from(&self, object: &mut Value) -> Result<(), JqError> {
        let paths = machine::paths(&self.0, object, STEPS)?;
        delete::all(object, &paths).map_err(JqError::Runtime)
    }
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    /// An element of a list.
    Index(i64),
    /// A field.
    Field(String),
    /// A part of a list: from, to.
    Slice(Option<i64>, Option<i64>),
}

impl At {
    /// The step that a key means in a value; `None` when the key is a list to be looked for.
    fn of(base: &Value, key: &Value) -> Result<Option<Self>, String> {
        let step = match (base, key) {
            (Value::Object(_) | Value::Null, Value::String(name)) => Self::Field(name.clone()),
            (Value::Array(_) | Value::Null, Value::Number(_)) => {
                Self::Index(whole(key, f64::floor))
            }
            (Value::Array(_) | Value::String(_) | Value::Null, Value::Object(range)) => {
                let bound = |name: &str, round: fn(f64) -> f64| match range.get(name) {
                    None | Some(Value::Null) => Ok(None),
                    Some(number @ Value::Number(_)) => Ok(Some(whole(number, round))),
                    Some(_) => Err("a slice needs numbers".to_owned()),
                };
                Self::Slice(bound("start", f64::floor)?, bound("end", f64::ceil)?)
            }
            (Value::Array(_), Value::Array(_)) => return Ok(None),
            _ => {
                let kind = native::order::kind;
                return Err(format!("cannot index {} with {}", kind(base), kind(key)));
            }
        };
        Ok(Some(step))
    }

    /// The step as a part of a path that an expression sees.
    fn value(&self) -> Value {
        match self {
            Self::Index(index) => json!(index),
            Self::Field(name) => json!(name),
            Self::Slice(start, end) => json!({"start": start, "end": end}),
        }
    }

    /// What stands there, unless it is a slice.
    fn below<'m>(&self, value: &'m Value) -> Option<&'m Value> {
        match (value, self) {
            (Value::Object(map), Self::Field(name)) => map.get(name),
            (Value::Array(items), Self::Index(index)) => items.get(position(*index, items.len())?),
            _ => None,
        }
    }

    /// A copy of the slice; null of null.
    fn slice_of(&self, value: &Value) -> Value {
        let Self::Slice(start, end) = self else {
            return Value::Null;
        };
        match value {
            Value::Array(items) => {
                let (from, to) = bounds(*start, *end, items.len());
                items.get(from..to).unwrap_or_default().into()
            }
            Value::String(text) => {
                let chars: Vec<char> = text.chars().collect();
                let (from, to) = bounds(*start, *end, chars.len());
                Value::String(chars.get(from..to).unwrap_or_default().iter().collect())
            }
            _ => Value::Null,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates, which is what a position beyond any list means"
)]
fn whole(number: &Value, round: fn(f64) -> f64) -> i64 {
    number
        .as_i64()
        .unwrap_or_else(|| round(number.as_f64().unwrap_or_default()) as i64)
}

/// Negative positions count from the end.
fn position(index: i64, length: usize) -> Option<usize> {
    let length_signed = i64::try_from(length).ok()?;
    let absolute = if index < 0 {
        index.saturating_add(length_signed)
    } else {
        index
    };
    usize::try_from(absolute).ok().filter(|p| *p < length)
}

/// Where a slice begins and ends in a list of this length.
fn bounds(start: Option<i64>, end: Option<i64>, length: usize) -> (usize, usize) {
    let signed = i64::try_from(length).unwrap_or(i64::MAX);
    let clamped = |at: i64| {
        let absolute = if at < 0 {
            at.saturating_add(signed)
        } else {
            at
        };
        usize::try_from(absolute.clamp(0, signed)).unwrap_or(0)
    };
    let from = start.map_or(0, clamped);
    let to = end.map_or(length, clamped);
    (from, to.max(from))
}

#[cfg(test)]
mod tests;
