//! Carrying an expression out: each output is a value, and its place while it has one.

mod functions;
mod loops;

use std::cmp::Ordering;
use std::ops::Deref;
use std::rc::Rc;

use serde_json::Value;

use super::parse::{Expr, number_value};
use super::{At, JqError, position};

pub(super) use functions::is_known;

/// A value, cheap to copy: a part of the object, or one that was made.
#[derive(Clone, Debug)]
enum Held<'v> {
    Part(&'v Value),
    Made(Rc<Value>),
}

impl Deref for Held<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Self::Part(value) => value,
            Self::Made(value) => value,
        }
    }
}

/// One output: a value and, when it is a part of the object, where.
#[derive(Clone, Debug)]
struct Item<'v> {
    path: Option<Vec<At>>,
    value: Held<'v>,
}

impl Item<'_> {
    fn of_value(value: Value) -> Self {
        Self {
            path: None,
            value: Held::Made(Rc::new(value)),
        }
    }
}

type Items<'v> = Result<Vec<Item<'v>>, JqError>;

/// The state of one evaluation.
struct Machine<'v> {
    steps: usize,
    variables: Vec<(String, Held<'v>)>,
}

/// Maps, lists and scalars of a value: what copying it costs.
fn weight(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(weight).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 256,
        _ => 1,
    }
}

/// The places that an expression names in an object.
pub(super) fn paths(expr: &Expr, object: &Value, steps: usize) -> Result<Vec<Vec<At>>, JqError> {
    let mut machine = Machine {
        steps,
        variables: Vec::new(),
    };
    let root = Item {
        path: Some(Vec::new()),
        value: Held::Part(object),
    };
    machine
        .run(expr, &root)?
        .into_iter()
        .map(|item| {
            item.path
                .ok_or_else(|| runtime("the expression names no place in the object"))
        })
        .collect()
}

fn runtime(message: impl Into<String>) -> JqError {
    JqError::Runtime(message.into())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

impl<'v> Machine<'v> {
    /// Pays for steps: one for an expression, the weight of a value for copying it.
    fn step(&mut self, cost: usize) -> Result<(), JqError> {
        self.steps = self.steps.checked_sub(cost).ok_or(JqError::TooLong)?;
        Ok(())
    }

    fn run(&mut self, expr: &Expr, input: &Item<'v>) -> Items<'v> {
        self.step(1)?;
        match expr {
            Expr::Here => Ok(vec![input.clone()]),
            Expr::Everywhere => self.everywhere(input),
            Expr::Constant(value) => Ok(vec![Item::of_value(value.clone())]),
            Expr::Variable(name) => self.variable(name),
            Expr::Pipe(first, second) => {
                let middle = self.run(first, input)?;
                self.for_each(&middle, |machine, item| machine.run(second, item))
            }
            Expr::Both(first, second) => {
                let mut all = self.run(first, input)?;
                all.extend(self.run(second, input)?);
                Ok(all)
            }
            Expr::Index(base, key) => self.index(base, key, input),
            Expr::Each(base) => {
                let bases = self.run(base, input)?;
                self.for_each(&bases, |machine, item| machine.children(item))
            }
            Expr::Try(inner) => match self.run(inner, input) {
                Err(JqError::Runtime(_)) => Ok(Vec::new()),
                other => other,
            },
            Expr::List(inner) => self.list(inner.as_deref(), input),
            Expr::Binary(operator, left, right) => self.binary(operator, left, right, input),
            Expr::Negative(inner) => self.negative(inner, input),
            Expr::Bind(source, name, body) => self.bind(source, name, body, input),
            Expr::If(condition, then, otherwise) => {
                let conditions = self.run(condition, input)?;
                self.for_each(&conditions, |machine, item| {
                    machine.run(
                        if is_true(&item.value) {
                            then
                        } else {
                            otherwise
                        },
                        input,
                    )
                })
            }
            Expr::Call(name, arguments) => self.call(name, arguments, input),
        }
    }

    fn for_each(
        &mut self,
        items: &[Item<'v>],
        mut each: impl FnMut(&mut Self, &Item<'v>) -> Items<'v>,
    ) -> Items<'v> {
        let mut all = Vec::new();
        for item in items {
            all.extend(each(self, item)?);
        }
        Ok(all)
    }

    fn values(&mut self, expr: &Expr, input: &Item<'v>) -> Result<Vec<Held<'v>>, JqError> {
        Ok(self
            .run(expr, input)?
            .into_iter()
            .map(|item| item.value)
            .collect())
    }

    fn variable(&mut self, name: &str) -> Items<'v> {
        let found = self.variables.iter().rev().find(|(n, _)| n == name);
        match found {
            Some((_, value)) => Ok(vec![Item {
                path: None,
                value: value.clone(),
            }]),
            None => Err(runtime(format!("${name} is not defined"))),
        }
    }

    fn everywhere(&mut self, input: &Item<'v>) -> Items<'v> {
        let mut all = vec![input.clone()];
        if matches!(&*input.value, Value::Array(_) | Value::Object(_)) {
            for child in self.children(input)? {
                all.extend(self.everywhere(&child)?);
            }
        }
        Ok(all)
    }

    fn children(&mut self, item: &Item<'v>) -> Items<'v> {
        let steps: Vec<At> = match &*item.value {
            Value::Array(items) => (0_i64..).take(items.len()).map(At::Index).collect(),
            Value::Object(map) => map.keys().cloned().map(At::Field).collect(),
            other => return Err(runtime(format!("cannot iterate over {}", kind(other)))),
        };
        steps
            .into_iter()
            .map(|step| self.part(item, step))
            .collect()
    }

    /// What stands at a step of a value; null when nothing does.
    fn part(&mut self, base: &Item<'v>, step: At) -> Result<Item<'v>, JqError> {
        let value = match &base.value {
            Held::Part(value) => match below(value, &step) {
                Some(part) => Held::Part(part),
                None => Held::Made(Rc::new(Value::Null)),
            },
            Held::Made(value) => {
                let part = below(value, &step);
                self.step(part.map_or(1, weight))?;
                Held::Made(Rc::new(part.cloned().unwrap_or_default()))
            }
        };
        self.step(1)?;
        let path = base.path.clone().map(|mut path| {
            path.push(step);
            path
        });
        Ok(Item { path, value })
    }

    fn index(&mut self, base: &Expr, key: &Expr, input: &Item<'v>) -> Items<'v> {
        let keys = self.values(key, input)?;
        let bases = self.run(base, input)?;
        let mut all = Vec::new();
        for base in &bases {
            for key in &keys {
                let step = step_to(&base.value, key)?;
                all.push(self.part(base, step)?);
            }
        }
        Ok(all)
    }

    fn list(&mut self, inner: Option<&Expr>, input: &Item<'v>) -> Items<'v> {
        let values = match inner {
            Some(inner) => self.values(inner, input)?,
            None => Vec::new(),
        };
        self.made_list(&values)
    }

    /// A list of copies, paid for.
    fn made_list(&mut self, values: &[Held<'v>]) -> Items<'v> {
        let mut items = Vec::with_capacity(values.len());
        for value in values {
            self.step(weight(value))?;
            items.push((**value).clone());
        }
        Ok(vec![Item::of_value(Value::Array(items))])
    }

    fn bind(&mut self, source: &Expr, name: &str, body: &Expr, input: &Item<'v>) -> Items<'v> {
        let mut all = Vec::new();
        for value in self.values(source, input)? {
            self.variables.push((name.to_owned(), value));
            let found = self.run(body, input);
            self.variables.pop();
            all.extend(found?);
        }
        Ok(all)
    }

    fn negative(&mut self, inner: &Expr, input: &Item<'v>) -> Items<'v> {
        let negated = |value: Held<'v>| match value.as_f64() {
            Some(number) => Ok(Item::of_value(number_value(-number))),
            None => Err(runtime(format!("{} cannot be negated", kind(&value)))),
        };
        self.values(inner, input)?
            .into_iter()
            .map(negated)
            .collect()
    }

    fn binary(&mut self, operator: &str, left: &Expr, right: &Expr, input: &Item<'v>) -> Items<'v> {
        match operator {
            "//" => return self.alternative(left, right, input),
            "and" | "or" => return self.logic(operator, left, right, input),
            _ => {}
        }
        let (lefts, rights) = (self.values(left, input)?, self.values(right, input)?);
        let mut all = Vec::new();
        for b in &rights {
            for a in &lefts {
                self.step(weight(a).saturating_add(weight(b)))?;
                all.push(Item::of_value(combined(operator, a, b)?));
            }
        }
        Ok(all)
    }

    /// All true outputs of the left, or the right when there is none.
    fn alternative(&mut self, left: &Expr, right: &Expr, input: &Item<'v>) -> Items<'v> {
        let found = match self.run(left, input) {
            Err(JqError::Runtime(_)) => Vec::new(),
            other => other?,
        };
        let some: Vec<Item<'_>> = found
            .into_iter()
            .filter(|item| is_true(&item.value))
            .collect();
        if some.is_empty() {
            self.run(right, input)
        } else {
            Ok(some)
        }
    }

    fn logic(&mut self, operator: &str, left: &Expr, right: &Expr, input: &Item<'v>) -> Items<'v> {
        let mut all = Vec::new();
        for value in self.values(left, input)? {
            let decided = is_true(&value) == (operator == "or");
            if decided {
                all.push(Item::of_value(Value::Bool(operator == "or")));
                continue;
            }
            for value in self.values(right, input)? {
                all.push(Item::of_value(Value::Bool(is_true(&value))));
            }
        }
        Ok(all)
    }
}

/// The step that a key means in a value.
fn step_to(base: &Value, key: &Value) -> Result<At, JqError> {
    match (base, key) {
        (Value::Object(_) | Value::Null, Value::String(name)) => Ok(At::Field(name.clone())),
        (Value::Array(_) | Value::Null, Value::Number(number)) => {
            Ok(At::Index(number.as_i64().unwrap_or(i64::MAX)))
        }
        _ => Err(runtime(format!(
            "cannot index {} with {}",
            kind(base),
            kind(key)
        ))),
    }
}

fn below<'m>(value: &'m Value, step: &At) -> Option<&'m Value> {
    match (value, step) {
        (Value::Object(map), At::Field(name)) => map.get(name),
        (Value::Array(items), At::Index(index)) => items.get(position(*index, items.len())?),
        _ => None,
    }
}

fn combined(operator: &str, a: &Value, b: &Value) -> Result<Value, JqError> {
    let ordering = compare(a, b);
    Ok(match operator {
        "==" => Value::Bool(ordering == Ordering::Equal),
        "!=" => Value::Bool(ordering != Ordering::Equal),
        "<" => Value::Bool(ordering == Ordering::Less),
        "<=" => Value::Bool(ordering != Ordering::Greater),
        ">" => Value::Bool(ordering == Ordering::Greater),
        ">=" => Value::Bool(ordering != Ordering::Less),
        _ => return arithmetic(operator, a, b),
    })
}

fn arithmetic(operator: &str, a: &Value, b: &Value) -> Result<Value, JqError> {
    match (operator, a, b) {
        ("+", Value::Null, other) | ("+", other, Value::Null) => return Ok(other.clone()),
        ("+", Value::String(x), Value::String(y)) => return Ok(Value::String(format!("{x}{y}"))),
        ("+", Value::Array(x), Value::Array(y)) => {
            return Ok(Value::Array(x.iter().chain(y).cloned().collect()));
        }
        ("-", Value::Array(x), Value::Array(y)) => {
            return Ok(Value::Array(
                x.iter().filter(|v| !y.contains(v)).cloned().collect(),
            ));
        }
        _ => {}
    }
    let (Some(x), Some(y)) = (a.as_f64(), b.as_f64()) else {
        return Err(runtime(format!(
            "{} and {} cannot be combined with {operator}",
            kind(a),
            kind(b)
        )));
    };
    let result = match operator {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" | "%" if y == 0.0 => return Err(runtime("division by zero")),
        "/" => x / y,
        _ => x.trunc() % y.trunc(),
    };
    Ok(number_value(result))
}

/// jq's order: null, false, true, numbers, texts, lists, objects.
fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    };
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x
            .as_f64()
            .partial_cmp(&y.as_f64())
            .unwrap_or(Ordering::Equal),
        (Value::String(x), Value::String(y)) => x.cmp(y),
        (Value::Array(x), Value::Array(y)) => x
            .iter()
            .zip(y)
            .map(|(a, b)| compare(a, b))
            .find(|o| *o != Ordering::Equal)
            .unwrap_or_else(|| x.len().cmp(&y.len())),
        (Value::Object(x), Value::Object(y)) => x.keys().cmp(y.keys()).then_with(|| {
            x.values()
                .zip(y.values())
                .map(|(a, b)| compare(a, b))
                .find(|o| *o != Ordering::Equal)
                .unwrap_or(Ordering::Equal)
        }),
        _ => rank(a).cmp(&rank(b)),
    }
}
