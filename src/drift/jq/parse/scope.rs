//! Whether every function, variable and label that an expression names is there: what is not is refused when it is read, as gojq does.

use super::{Def, Expr, Part, Pattern};
use crate::drift::jq::JqError;
use crate::drift::jq::machine::is_known;
use crate::drift::jq::native::format;

/// The names in reach.
#[derive(Clone, Default)]
struct Scope {
    functions: Vec<(String, usize)>,
    variables: Vec<String>,
    labels: Vec<String>,
}

pub(super) fn check(expr: &Expr) -> Result<(), JqError> {
    let scope = Scope {
        variables: vec!["ENV".to_owned()],
        ..Scope::default()
    };
    scope.check(expr)
}

impl Scope {
    fn check(&self, expr: &Expr) -> Result<(), JqError> {
        match expr {
            Expr::Here | Expr::Everywhere | Expr::Constant(_) | Expr::List(None) => Ok(()),
            Expr::Format(name) => self.format(name),
            Expr::Text(name, parts) => {
                name.as_deref().map_or(Ok(()), |name| self.format(name))?;
                parts.iter().try_for_each(|part| match part {
                    Part::Plain(_) => Ok(()),
                    Part::Code(code) => self.check(code),
                })
            }
            Expr::Variable(name) => self.known(&self.variables, name, "$"),
            Expr::Break(name) => self.known(&self.labels, name, "label $"),
            Expr::Pipe(a, b) | Expr::Both(a, b) | Expr::Index(a, b) | Expr::Binary(_, a, b) => {
                self.check(a).and_then(|()| self.check(b))
            }
            Expr::Slice(a, b, c) | Expr::If(a, b, c) => {
                [a, b, c].into_iter().try_for_each(|e| self.check(e))
            }
            Expr::Each(a) | Expr::List(Some(a)) | Expr::Try(a, None) => self.check(a),
            Expr::Try(a, Some(b)) => self.check(a).and_then(|()| self.check(b)),
            Expr::Object(entries) => entries
                .iter()
                .try_for_each(|(key, value)| self.check(key).and_then(|()| self.check(value))),
            Expr::Bind(source, patterns, body) => {
                self.check(source)?;
                self.with_patterns(patterns)?.check(body)
            }
            Expr::Fold(fold) => {
                self.check(&fold.source)?;
                self.check(&fold.init)?;
                let inner = self.with_patterns(&fold.patterns)?;
                inner.check(&fold.update)?;
                fold.extract.as_ref().map_or(Ok(()), |e| inner.check(e))
            }
            Expr::Define(def, rest) => self.with_definition(def)?.check(rest),
            Expr::Label(name, body) => {
                let mut inner = self.clone();
                inner.labels.push(name.clone());
                inner.check(body)
            }
            Expr::Call(name, arguments) => self.call(name, arguments),
        }
    }

    fn call(&self, name: &str, arguments: &[Expr]) -> Result<(), JqError> {
        let is_it = |(n, count): &(String, usize)| n == name && *count == arguments.len();
        if !self.functions.iter().any(is_it) && !is_known(name, arguments.len()) {
            return Err(JqError::Unsupported(format!("{name}/{}", arguments.len())));
        }
        arguments.iter().try_for_each(|a| self.check(a))
    }

    fn format(&self, name: &str) -> Result<(), JqError> {
        if format::is_known(name) {
            return Ok(());
        }
        Err(JqError::Unsupported(format!("@{name}")))
    }

    fn known(&self, names: &[String], name: &str, sign: &str) -> Result<(), JqError> {
        if names.iter().any(|n| n == name) {
            return Ok(());
        }
        Err(JqError::Unsupported(format!(
            "{sign}{name}, which is not defined,"
        )))
    }

    pub(super) fn with_definition(&self, def: &Def) -> Result<Self, JqError> {
        let mut outer = self.clone();
        outer
            .functions
            .push((def.name.clone(), def.parameters.len()));
        let mut inner = outer.clone();
        for parameter in &def.parameters {
            match parameter.strip_prefix('$') {
                Some(name) => {
                    inner.variables.push(name.to_owned());
                    inner.functions.push((name.to_owned(), 0));
                }
                None => inner.functions.push((parameter.clone(), 0)),
            }
        }
        inner.check(&def.body)?;
        Ok(outer)
    }

    fn with_patterns(&self, patterns: &[Pattern]) -> Result<Self, JqError> {
        let mut inner = self.clone();
        for pattern in patterns {
            inner.add(pattern)?;
        }
        Ok(inner)
    }

    fn add(&mut self, pattern: &Pattern) -> Result<(), JqError> {
        match pattern {
            Pattern::Name(name) => self.variables.push(name.clone()),
            Pattern::List(items) => {
                for item in items {
                    self.add(item)?;
                }
            }
            Pattern::Map(entries) => {
                for (name, key, inner) in entries {
                    self.check(key)?;
                    self.variables.extend(name.clone());
                    if let Some(inner) = inner {
                        self.add(inner)?;
                    }
                }
            }
        }
        Ok(())
    }
}
