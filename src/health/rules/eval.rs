//! Asking an object: tests and values of health rules.

use std::borrow::Cow;

use serde_json::Value;

use super::expr::{Operand, Relation, Segment, Start, Test};

/// What a test looks at.
#[derive(Clone, Copy)]
pub(super) struct Scope<'v> {
    /// The object.
    pub(super) object: &'v Value,
    /// One level up.
    pub(super) up: &'v Value,
    /// The item that a step walks, else the object.
    pub(super) here: &'v Value,
}

impl<'v> Scope<'v> {
    pub(super) fn of(object: &'v Value) -> Self {
        Self {
            object,
            up: object,
            here: object,
        }
    }

    pub(super) fn into(self, item: &'v Value) -> Self {
        Self {
            object: self.object,
            up: self.here,
            here: item,
        }
    }

    /// The conditions of the object, or of the item.
    fn conditions(self) -> impl Iterator<Item = &'v Value> {
        let list = if std::ptr::eq(self.here, self.object) {
            self.object.pointer("/status/conditions")
        } else {
            self.here.get("conditions")
        };
        list.and_then(Value::as_array).into_iter().flatten()
    }
}

type Found<'v> = Cow<'v, Value>;

/// Whether a test holds.
pub(super) fn holds(test: &Test, scope: Scope<'_>) -> bool {
    match test {
        Test::And(a, b) => holds(a, scope) && holds(b, scope),
        Test::Or(a, b) => holds(a, scope) || holds(b, scope),
        Test::Not(a) => !holds(a, scope),
        Test::Compare(a, relation, b) => {
            let right = values(b, scope);
            values(a, scope)
                .iter()
                .any(|a| right.iter().any(|b| related(a, *relation, b)))
        }
        Test::In(a, list) => {
            let right: Vec<Found<'_>> = list.iter().flat_map(|o| values(o, scope)).collect();
            values(a, scope)
                .iter()
                .any(|a| right.iter().any(|b| related(a, Relation::Equal, b)))
        }
        Test::Present(a) => values(a, scope).iter().any(|v| !v.is_null()),
        Test::Empty(a) => values(a, scope).iter().all(|v| is_empty(v)),
        Test::Stale => is_stale(scope.object),
        Test::Some(a, test) => walked(a, scope).any(|item| holds(test, scope.into(item))),
        Test::Every(a, test) => walked(a, scope).all(|item| holds(test, scope.into(item))),
    }
}

/// The items of a path, for walking; a computed value has none.
pub(super) fn walked<'v>(
    operand: &Operand,
    scope: Scope<'v>,
) -> impl Iterator<Item = &'v Value> + use<'v> {
    let found = match operand {
        Operand::Path(start, segments) => follow(start_of(*start, scope), segments),
        _ => Vec::new(),
    };
    found.into_iter()
}

/// The values of an operand.
pub(super) fn values<'v>(operand: &Operand, scope: Scope<'v>) -> Vec<Found<'v>> {
    match operand {
        Operand::Path(..) => walked(operand, scope).map(Cow::Borrowed).collect(),
        Operand::Condition { kind, field } => condition(kind, field, scope),
        Operand::Literal(value) => vec![Cow::Owned(value.clone())],
        Operand::Count(items, test) => vec![count(items, test.as_deref(), scope)],
        Operand::Sum(items) => {
            let sum: f64 = values(items, scope).iter().filter_map(|v| number(v)).sum();
            vec![Cow::Owned(whole(sum))]
        }
        Operand::Join(items, separator) => {
            let texts: Vec<String> = values(items, scope).iter().map(|v| text(v)).collect();
            vec![Cow::Owned(Value::String(texts.join(separator)))]
        }
        Operand::Before(value, separator) => cut(value, separator, scope, |(a, _)| a),
        Operand::After(value, separator) => cut(value, separator, scope, |(_, b)| b),
        Operand::Else(first, second) => {
            let found = values(first, scope);
            if found.iter().all(|v| is_empty(v)) {
                values(second, scope)
            } else {
                found
            }
        }
        Operand::Plus(a, b) => computed(a, b, scope, |a, b| a + b),
        Operand::Minus(a, b) => computed(a, b, scope, |a, b| a - b),
    }
}

/// A value as a message shows it: text as it is, nothing for what is not there.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn start_of(start: Start, scope: Scope<'_>) -> &Value {
    match start {
        Start::Here => scope.here,
        Start::Object => scope.object,
        Start::Up => scope.up,
    }
}

fn follow<'v>(start: &'v Value, segments: &[Segment]) -> Vec<&'v Value> {
    let mut found = vec![start];
    for segment in segments {
        found = found
            .into_iter()
            .flat_map(|value| step(value, segment))
            .collect();
    }
    found
}

fn step<'v>(value: &'v Value, segment: &Segment) -> Vec<&'v Value> {
    match (segment, value) {
        (Segment::Field(name), Value::Object(map)) => map.get(name).into_iter().collect(),
        (Segment::Each, Value::Array(list)) => list.iter().collect(),
        (Segment::Each, Value::Object(map)) => map.values().collect(),
        _ => Vec::new(),
    }
}

fn condition<'v>(kind: &str, field: &str, scope: Scope<'v>) -> Vec<Found<'v>> {
    scope
        .conditions()
        .filter(|c| c.get("type").and_then(Value::as_str) == Some(kind))
        .filter_map(|c| c.get(field))
        .map(Cow::Borrowed)
        .collect()
}

fn count<'v>(items: &Operand, test: Option<&Test>, scope: Scope<'v>) -> Found<'v> {
    let found = match test {
        Some(test) => walked(items, scope)
            .filter(|item| holds(test, scope.into(item)))
            .count(),
        None => values(items, scope).len(),
    };
    Cow::Owned(found.into())
}

fn cut<'v>(
    operand: &Operand,
    separator: &str,
    scope: Scope<'v>,
    side: for<'t> fn((&'t str, &'t str)) -> &'t str,
) -> Vec<Found<'v>> {
    values(operand, scope)
        .iter()
        .filter_map(|v| v.as_str()?.split_once(separator))
        .map(|both| Cow::Owned(Value::from(side(both))))
        .collect()
}

fn computed<'v>(
    a: &Operand,
    b: &Operand,
    scope: Scope<'v>,
    sum: fn(f64, f64) -> f64,
) -> Vec<Found<'v>> {
    let first = |operand: &Operand| values(operand, scope).first().and_then(|v| number(v));
    match (first(a), first(b)) {
        (Some(a), Some(b)) => vec![Cow::Owned(whole(sum(a, b)))],
        _ => Vec::new(),
    }
}

/// A number without a fraction where it has none.
fn whole(number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only whole numbers well below 2^53 are cast"
    )]
    if number.fract() == 0.0 && number.abs() < 1e15 {
        (number as i64).into()
    } else {
        number.into()
    }
}

/// Numbers, and text that reads as one.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Numbers compare as numbers, all else as text (so that times in one form compare by age).
fn related(a: &Value, relation: Relation, b: &Value) -> bool {
    if a.is_null() || b.is_null() {
        return false;
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        match relation {
            Relation::Less => return a < b,
            Relation::LessOrEqual => return a <= b,
            Relation::Greater => return a > b,
            Relation::GreaterOrEqual => return a >= b,
            _ => {}
        }
    }
    let (a, b) = (text(a), text(b));
    match relation {
        Relation::Equal => a == b,
        Relation::Less => a < b,
        Relation::LessOrEqual => a <= b,
        Relation::Greater => a > b,
        Relation::GreaterOrEqual => a >= b,
        Relation::Starts => a.starts_with(&b),
        Relation::Ends => a.ends_with(&b),
        Relation::Contains => a.contains(&b),
    }
}

fn is_stale(object: &Value) -> bool {
    let seen = object.pointer("/status/observedGeneration");
    let now = object.pointer("/metadata/generation");
    match (seen.and_then(number), now.and_then(number)) {
        #[expect(clippy::float_cmp, reason = "both are whole numbers")]
        (Some(seen), Some(now)) => seen != now,
        _ => false,
    }
}
