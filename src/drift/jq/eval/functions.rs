//! The functions: those that select keep places, the others make values.

use std::cmp::Ordering;

use regex::RegexBuilder;
use serde_json::{Map, Value, json};

use super::loops::LOOPS;
use super::{Held, Item, Items, Machine, compare, is_true, kind, runtime, step_to, weight};
use crate::drift::jq::JqError;
use crate::drift::jq::parse::Expr;

/// Names and numbers of arguments.
const KNOWN: [(&str, usize); 49] = [
    ("all", 0),
    ("all", 1),
    ("any", 0),
    ("any", 1),
    ("arrays", 0),
    ("ascii_downcase", 0),
    ("ascii_upcase", 0),
    ("booleans", 0),
    ("contains", 1),
    ("empty", 0),
    ("endswith", 1),
    ("error", 0),
    ("error", 1),
    ("first", 0),
    ("first", 1),
    ("getpath", 1),
    ("has", 1),
    ("in", 1),
    ("index", 1),
    ("inside", 1),
    ("iterables", 0),
    ("join", 1),
    ("keys", 0),
    ("last", 0),
    ("last", 1),
    ("length", 0),
    ("ltrimstr", 1),
    ("map", 1),
    ("max", 0),
    ("min", 0),
    ("not", 0),
    ("nulls", 0),
    ("numbers", 0),
    ("objects", 0),
    ("recurse", 0),
    ("recurse", 1),
    ("rtrimstr", 1),
    ("scalars", 0),
    ("select", 1),
    ("sort", 0),
    ("split", 1),
    ("startswith", 1),
    ("strings", 0),
    ("test", 1),
    ("test", 2),
    ("to_entries", 0),
    ("tonumber", 0),
    ("tostring", 0),
    ("values", 0),
];

/// Whether a function can be carried out. `type` is one of them.
pub(in crate::drift::jq) fn is_known(name: &str, arguments: usize) -> bool {
    (name == "type" && arguments == 0)
        || KNOWN.contains(&(name, arguments))
        || LOOPS.contains(&(name, arguments))
}

impl<'v> Machine<'v> {
    pub(super) fn call(&mut self, name: &str, arguments: &[Expr], input: &Item<'v>) -> Items<'v> {
        match (name, arguments) {
            ("empty", []) => Ok(Vec::new()),
            ("error", _) => Err(runtime("the expression calls error")),
            _ if LOOPS.contains(&(name, arguments.len())) => self.run_loop(name, arguments, input),
            ("select", [condition]) => self.select(condition, input),
            ("recurse", []) => self.everywhere(input),
            ("recurse", [next]) => self.recurse(next, input),
            ("first", [inner]) => Ok(self.run(inner, input)?.into_iter().take(1).collect()),
            ("last", [inner]) => Ok(self.run(inner, input)?.pop().into_iter().collect()),
            ("first", []) => self.element(input, 0),
            ("last", []) => self.element(input, -1),
            ("getpath", [path]) => self.getpath(path, input),
            ("map", [inner]) => self.map(inner, input),
            ("any" | "all", [inner]) => self.any_or_all(name, Some(inner), input),
            ("any" | "all", []) => self.any_or_all(name, None, input),
            (_, []) if is_selector(name) => Ok(selects(name, &input.value)
                .then(|| input.clone())
                .into_iter()
                .collect()),
            (_, []) => {
                self.step(weight(&input.value))?;
                Ok(vec![Item::of_value(plain(name, &input.value)?)])
            }
            (_, [first, ..]) => self.with_argument(name, first, arguments.get(1), input),
        }
    }

    fn element(&mut self, input: &Item<'v>, index: i64) -> Items<'v> {
        let step = step_to(&input.value, &json!(index))?;
        Ok(vec![self.part(input, step)?])
    }

    fn select(&mut self, condition: &Expr, input: &Item<'v>) -> Items<'v> {
        let conditions = self.values(condition, input)?;
        Ok(conditions
            .iter()
            .filter(|c| is_true(c))
            .map(|_| input.clone())
            .collect())
    }

    fn recurse(&mut self, next: &Expr, input: &Item<'v>) -> Items<'v> {
        let mut all = Vec::new();
        let mut open = vec![input.clone()];
        while let Some(item) = open.pop() {
            self.step(1)?;
            let mut found = self.run(next, &item)?;
            found.reverse();
            open.append(&mut found);
            all.push(item);
        }
        Ok(all)
    }

    fn getpath(&mut self, path: &Expr, input: &Item<'v>) -> Items<'v> {
        let mut found = Vec::new();
        for path in self.values(path, input)? {
            let steps = path
                .as_array()
                .ok_or_else(|| runtime("a path must be a list"))?;
            let mut item = input.clone();
            for step in steps {
                let step = step_to(&item.value, step)?;
                item = self.part(&item, step)?;
            }
            found.push(item);
        }
        Ok(found)
    }

    fn map(&mut self, inner: &Expr, input: &Item<'v>) -> Items<'v> {
        let children = self.children(input)?;
        let mapped = self.for_each(&children, |machine, child| machine.run(inner, child))?;
        let values: Vec<Held<'v>> = mapped.into_iter().map(|item| item.value).collect();
        self.made_list(&values)
    }

    fn any_or_all(&mut self, name: &str, inner: Option<&Expr>, input: &Item<'v>) -> Items<'v> {
        let children = self.children(input)?;
        let tested = match inner {
            Some(inner) => self.for_each(&children, |machine, child| machine.run(inner, child))?,
            None => children,
        };
        let holds = |item: &Item<'_>| is_true(&item.value);
        let outcome = if name == "any" {
            tested.iter().any(holds)
        } else {
            tested.iter().all(holds)
        };
        Ok(vec![Item::of_value(Value::Bool(outcome))])
    }

    fn with_argument(
        &mut self,
        name: &str,
        first: &Expr,
        second: Option<&Expr>,
        input: &Item<'v>,
    ) -> Items<'v> {
        let arguments = self.values(first, input)?;
        let flags = match second {
            Some(second) => self
                .values(second, input)?
                .into_iter()
                .next()
                .map_or(Value::Null, |flags| (*flags).clone()),
            None => Value::Null,
        };
        arguments
            .iter()
            .map(|argument| {
                self.step(weight(&input.value).saturating_add(weight(argument)))?;
                compute(name, &input.value, argument, &flags).map(Item::of_value)
            })
            .collect()
    }
}

fn is_selector(name: &str) -> bool {
    matches!(
        name,
        "arrays"
            | "objects"
            | "iterables"
            | "booleans"
            | "numbers"
            | "strings"
            | "nulls"
            | "values"
            | "scalars"
    )
}

fn selects(name: &str, value: &Value) -> bool {
    let holds = matches!(value, Value::Array(_) | Value::Object(_));
    match name {
        "arrays" => value.is_array(),
        "objects" => value.is_object(),
        "iterables" => holds,
        "booleans" => value.is_boolean(),
        "numbers" => value.is_number(),
        "strings" => value.is_string(),
        "nulls" => value.is_null(),
        "values" => !value.is_null(),
        _ => !holds,
    }
}

/// Functions of the value alone.
fn plain(name: &str, value: &Value) -> Result<Value, JqError> {
    let wrong = || runtime(format!("{name} cannot be applied to {}", kind(value)));
    let text = || value.as_str().ok_or_else(wrong);
    let items = || value.as_array().ok_or_else(wrong);
    Ok(match name {
        "type" => json!(kind(value)),
        "not" => json!(!is_true(value)),
        "length" => length(value).ok_or_else(wrong)?,
        "keys" => keys(value).ok_or_else(wrong)?,
        "ascii_downcase" => json!(text()?.to_ascii_lowercase()),
        "ascii_upcase" => json!(text()?.to_ascii_uppercase()),
        "tostring" => match value {
            Value::String(_) => value.clone(),
            other => json!(other.to_string()),
        },
        "tonumber" => match value {
            Value::Number(_) => value.clone(),
            _ => text()?
                .parse()
                .map(super::number_value)
                .map_err(|_| wrong())?,
        },
        "to_entries" => entries(value.as_object().ok_or_else(wrong)?),
        "sort" => sorted(items()?).into(),
        "min" => sorted(items()?).into_iter().next().unwrap_or_default(),
        "max" => sorted(items()?).pop().unwrap_or_default(),
        _ => return Err(JqError::Unsupported(name.to_owned())),
    })
}

fn length(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Null => json!(0),
        Value::Number(number) => super::number_value(number.as_f64()?.abs()),
        Value::String(text) => json!(text.chars().count()),
        Value::Array(items) => json!(items.len()),
        Value::Object(map) => json!(map.len()),
        Value::Bool(_) => return None,
    })
}

fn keys(value: &Value) -> Option<Value> {
    match value {
        Value::Object(map) => Some(map.keys().cloned().collect()),
        Value::Array(items) => Some((0..items.len()).collect()),
        _ => None,
    }
}

fn entries(map: &Map<String, Value>) -> Value {
    map.iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}

fn sorted(items: &[Value]) -> Vec<Value> {
    let mut sorted = items.to_vec();
    sorted.sort_by(compare);
    sorted
}

/// Functions of the value and one argument.
fn compute(name: &str, value: &Value, argument: &Value, flags: &Value) -> Result<Value, JqError> {
    let wrong = || {
        runtime(format!(
            "{name} cannot be applied to {} and {}",
            kind(value),
            kind(argument)
        ))
    };
    let texts = || value.as_str().zip(argument.as_str()).ok_or_else(wrong);
    Ok(match name {
        "has" => json!(has(value, argument).ok_or_else(wrong)?),
        "in" => json!(has(argument, value).ok_or_else(wrong)?),
        "contains" => json!(contains(value, argument)),
        "inside" => json!(contains(argument, value)),
        "startswith" => texts().map(|(text, part)| json!(text.starts_with(part)))?,
        "endswith" => texts().map(|(text, part)| json!(text.ends_with(part)))?,
        "ltrimstr" => texts().map_or_else(
            |_| value.clone(),
            |(t, p)| json!(t.strip_prefix(p).unwrap_or(t)),
        ),
        "rtrimstr" => texts().map_or_else(
            |_| value.clone(),
            |(t, p)| json!(t.strip_suffix(p).unwrap_or(t)),
        ),
        "split" => texts().map(|(text, by)| text.split(by).collect())?,
        "index" => texts().map(|(text, part)| json!(text.find(part)))?,
        "join" => joined(value, argument).ok_or_else(wrong)?,
        "test" => {
            let (text, pattern) = texts()?;
            json!(matches(text, pattern, flags.as_str().unwrap_or_default())?)
        }
        _ => return Err(JqError::Unsupported(name.to_owned())),
    })
}

fn has(value: &Value, key: &Value) -> Option<bool> {
    match (value, key) {
        (Value::Object(map), Value::String(name)) => Some(map.contains_key(name)),
        (Value::Array(items), Value::Number(number)) => Some(
            number
                .as_u64()
                .is_some_and(|i| usize::try_from(i).is_ok_and(|i| i < items.len())),
        ),
        _ => None,
    }
}

fn contains(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(x), Value::String(y)) => x.contains(y.as_str()),
        (Value::Array(x), Value::Array(y)) => y.iter().all(|b| x.iter().any(|a| contains(a, b))),
        (Value::Object(x), Value::Object(y)) => y
            .iter()
            .all(|(key, b)| x.get(key).is_some_and(|a| contains(a, b))),
        _ => compare(a, b) == Ordering::Equal,
    }
}

fn joined(value: &Value, by: &Value) -> Option<Value> {
    let text = |item: &Value| match item {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(item.to_string()),
        _ => None,
    };
    let parts: Option<Vec<String>> = value.as_array()?.iter().map(text).collect();
    Some(json!(parts?.join(by.as_str()?)))
}

fn matches(text: &str, pattern: &str, flags: &str) -> Result<bool, JqError> {
    RegexBuilder::new(pattern)
        .case_insensitive(flags.contains('i'))
        .ignore_whitespace(flags.contains('x'))
        .dot_matches_new_line(flags.contains('s'))
        .size_limit(1 << 20)
        .build()
        .map(|regex| regex.is_match(text))
        .map_err(|_| runtime("the regular expression is none"))
}
