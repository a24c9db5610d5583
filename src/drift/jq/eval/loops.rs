//! Functions that run an expression again and again, or only so far. Each turn pays a step, so that none runs for ever.

use serde_json::{Value, json};

use super::{At, Item, Items, Machine, compare, is_true, runtime};
use crate::drift::jq::JqError;
use crate::drift::jq::parse::Expr;

/// Names and numbers of arguments.
pub(super) const LOOPS: [(&str, usize); 12] = [
    ("IN", 1),
    ("add", 0),
    ("isempty", 1),
    ("limit", 2),
    ("path", 1),
    ("paths", 0),
    ("range", 1),
    ("range", 2),
    ("repeat", 1),
    ("unique", 0),
    ("until", 2),
    ("while", 2),
];

impl<'v> Machine<'v> {
    /// Runs one of [`LOOPS`].
    pub(super) fn run_loop(
        &mut self,
        name: &str,
        arguments: &[Expr],
        input: &Item<'v>,
    ) -> Items<'v> {
        match (name, arguments) {
            ("until", [done, next]) => self.until(done, next, input),
            ("while", [going, next]) => self.turns(Some(going), next, input),
            ("repeat", [next]) => self.turns(None, next, input),
            ("limit", [count, inner]) => self.limit(count, inner, input),
            ("range", [end]) => self.range(None, end, input),
            ("range", [start, end]) => self.range(Some(start), end, input),
            ("path", [inner]) => {
                let found = self.run(inner, &rooted(input))?;
                found.iter().map(path_of).collect()
            }
            ("paths", []) => {
                let found = self.everywhere(&rooted(input))?;
                found.iter().skip(1).map(path_of).collect()
            }
            ("isempty", [inner]) => {
                let empty = self.run(inner, input)?.is_empty();
                Ok(vec![Item::of_value(json!(empty))])
            }
            ("IN", [among]) => {
                let among = self.values(among, input)?;
                let found = among.iter().any(|v| compare(v, &input.value).is_eq());
                Ok(vec![Item::of_value(json!(found))])
            }
            ("add", []) => self.add(input),
            _ => self.unique(input),
        }
    }

    /// The first value, from here on, for which the condition holds.
    fn until(&mut self, done: &Expr, next: &Expr, input: &Item<'v>) -> Items<'v> {
        let mut found = Vec::new();
        let mut open = vec![input.clone()];
        while let Some(item) = open.pop() {
            self.step(1)?;
            let mut later = Vec::new();
            for condition in self.values(done, &item)? {
                if is_true(&condition) {
                    found.push(item.clone());
                } else {
                    later.extend(self.run(next, &item)?);
                }
            }
            later.reverse();
            open.append(&mut later);
        }
        Ok(found)
    }

    /// Every value while the condition holds.
    fn turns(&mut self, going: Option<&Expr>, next: &Expr, input: &Item<'v>) -> Items<'v> {
        let mut found = Vec::new();
        let mut open = vec![input.clone()];
        while let Some(item) = open.pop() {
            self.step(1)?;
            let goes = match going {
                Some(going) => self.values(going, &item)?.iter().any(|c| is_true(c)),
                None => true,
            };
            if goes {
                let mut later = self.run(next, &item)?;
                later.reverse();
                open.append(&mut later);
                found.push(item);
            }
        }
        Ok(found)
    }

    fn limit(&mut self, count: &Expr, inner: &Expr, input: &Item<'v>) -> Items<'v> {
        let mut all = Vec::new();
        for count in self.values(count, input)? {
            let count = count.as_u64().and_then(|n| usize::try_from(n).ok());
            let found = self.run(inner, input)?;
            all.extend(found.into_iter().take(count.unwrap_or(0)));
        }
        Ok(all)
    }

    fn range(&mut self, start: Option<&Expr>, end: &Expr, input: &Item<'v>) -> Items<'v> {
        let bound = |machine: &mut Self, expr: &Expr| {
            let values = machine.values(expr, input)?;
            let number = values.first().and_then(|v| v.as_i64());
            number.ok_or_else(|| runtime("a range needs whole numbers"))
        };
        let first = start.map_or(Ok(0), |start| bound(self, start))?;
        let last = bound(self, end)?;
        let mut all = Vec::new();
        for number in first..last {
            self.step(1)?;
            all.push(Item::of_value(json!(number)));
        }
        Ok(all)
    }

    fn add(&mut self, input: &Item<'v>) -> Items<'v> {
        let mut sum = Value::Null;
        for child in self.children(input)? {
            self.step(super::weight(&sum))?;
            sum = super::combined("+", &sum, &child.value)?;
        }
        Ok(vec![Item::of_value(sum)])
    }

    fn unique(&mut self, input: &Item<'v>) -> Items<'v> {
        let Value::Array(items) = &*input.value else {
            return Err(runtime("unique needs a list"));
        };
        let mut items = items.clone();
        items.sort_by(compare);
        items.dedup_by(|a, b| compare(a, b).is_eq());
        Ok(vec![Item::of_value(Value::Array(items))])
    }
}

/// A value as a place of its own.
fn rooted<'v>(input: &Item<'v>) -> Item<'v> {
    Item {
        path: Some(Vec::new()),
        value: input.value.clone(),
    }
}

fn path_of<'v>(item: &Item<'_>) -> Result<Item<'v>, JqError> {
    let path = item
        .path
        .as_ref()
        .ok_or_else(|| runtime("it is no place in the object"))?;
    let steps = path.iter().map(|step| match step {
        At::Index(index) => json!(index),
        At::Field(name) => json!(name),
    });
    Ok(Item::of_value(steps.collect()))
}
