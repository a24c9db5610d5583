//! Reaching into values: members, elements, slices and paths, with the place of what is found.

use std::rc::Rc;

use serde_json::Value;

use super::step::null;
use super::{At, Held, Item, Machine, Steps, Stop, Turn, Way, raise, weight};
use crate::drift::jq::native;
use crate::drift::jq::native::order::kind;

impl<'v> Machine<'v> {
    /// The item and everything in it, from the outside in.
    pub(super) fn everywhere(&mut self, input: &Item<'v>) -> Turn<Vec<Item<'v>>> {
        let mut all = Vec::new();
        let mut open = vec![input.clone()];
        while let Some(item) = open.pop() {
            self.pay(1)?;
            if matches!(&*item.value, Value::Array(_) | Value::Object(_)) {
                let mut parts = self.children(&item)?;
                parts.reverse();
                open.append(&mut parts);
            }
            all.push(item);
        }
        Ok(all)
    }

    pub(super) fn children(&mut self, item: &Item<'v>) -> Turn<Vec<Item<'v>>> {
        let steps: Vec<At> = match &*item.value {
            Value::Array(items) => (0_i64..).take(items.len()).map(At::Index).collect(),
            Value::Object(map) => native::order::keys(map)
                .into_iter()
                .cloned()
                .map(At::Field)
                .collect(),
            other => return raise(format!("cannot iterate over: {}", kind(other))),
        };
        steps
            .into_iter()
            .map(|step| self.part(item, step))
            .collect()
    }

    pub(super) fn index(&mut self, base: &Item<'v>, key: &Value) -> Turn<Item<'v>> {
        if let (Value::String(text), Some(at)) = (&*base.value, key.as_f64()) {
            self.pay(weight(&base.value))?;
            return Ok(Item::of_value(native::order::letter(text, at)));
        }
        let step = At::of(&base.value, key).map_err(|why| Stop::Error(Value::String(why)))?;
        match step {
            Some(step) => self.part(base, step),
            // A list as an index asks where it stands.
            None => native::call("indices", &base.value, &[key])
                .map(Item::of_value)
                .map_err(Stop::Error),
        }
    }

    pub(super) fn getpath(&mut self, base: &Item<'v>, path: &Value) -> Turn<Item<'v>> {
        let Value::Array(steps) = path else {
            return raise(format!("a path cannot be {}", kind(path)));
        };
        let mut item = base.clone();
        for step in steps {
            item = self.index(&item, step)?;
        }
        Ok(item)
    }

    /// What stands at a step of a value; null when nothing does.
    pub(super) fn part(&mut self, base: &Item<'v>, step: At) -> Turn<Item<'v>> {
        self.pay(1)?;
        let value = match (&base.value, &step) {
            (_, At::Slice(..)) => {
                let part = step.slice_of(&base.value);
                self.pay(weight(&part))?;
                Held::Made(Rc::new(part))
            }
            (Held::Part(value), _) => step.below(value).map_or_else(null, Held::Part),
            (Held::Made(value), _) => {
                let part = step.below(value);
                self.pay(part.map_or(1, weight))?;
                Held::Made(Rc::new(part.cloned().unwrap_or_default()))
            }
        };
        let way: Option<Way> = base.way.as_ref().map(|before| {
            let before = before.clone();
            Some(Rc::new(Steps { at: step, before }))
        });
        Ok(Item { value, way })
    }
}
