//! jq path expressions, as `jqPathExpressions` of ignoreDifferences use them: they name places in an object, and what they name is taken out.
//!
//! This is the part of jq that names and selects: paths, `select`, comparisons, tests on text, conditions. Definitions, assignments and
//! loops are refused when the expression is read, with the word that is refused. Expressions come from a cluster, so every evaluation has a
//! fixed amount of steps; one that needs more is given up, like one that Argo CD gives up after a second.

mod eval;
mod lex;
mod parse;

use serde_json::Value;

use parse::Expr;

/// Steps that one evaluation may take.
const STEPS: usize = 200_000;

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
        let mut paths = eval::paths(&self.0, object, STEPS)?;
        // The last first: an element's position holds until those behind it are gone.
        paths.sort_by(|a, b| b.cmp(a));
        paths.dedup();
        for path in paths {
            delete(object, &path);
        }
        Ok(())
    }
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    /// An element of a list.
    Index(i64),
    /// A field.
    Field(String),
}

fn delete(value: &mut Value, path: &[At]) {
    match (path, value) {
        ([], value) => *value = Value::Null,
        ([At::Field(name)], Value::Object(map)) => {
            map.remove(name);
        }
        ([At::Index(index)], Value::Array(items)) => {
            if let Some(position) = position(*index, items.len()) {
                items.remove(position);
            }
        }
        ([At::Field(name), rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(name) {
                delete(inner, rest);
            }
        }
        ([At::Index(index), rest @ ..], Value::Array(items)) => {
            if let Some(inner) = position(*index, items.len()).and_then(|p| items.get_mut(p)) {
                delete(inner, rest);
            }
        }
        _ => {}
    }
}

/// Negative positions count from the end.
fn position(index: i64, length: usize) -> Option<usize> {
    let length_signed = i64::try_from(length).ok()?;
    let absolute = if index < 0 {
        index + length_signed
    } else {
        index
    };
    usize::try_from(absolute).ok().filter(|p| *p < length)
}

#[cfg(test)]
mod tests;
