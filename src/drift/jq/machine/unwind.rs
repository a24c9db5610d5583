//! What the machine does when nothing is left of an output: the next fork, or the way back after an error or a `break`.

use serde_json::Value;

use super::{Fork, Item, Machine, Stop, Turn};
use crate::drift::jq::JqError;
use crate::drift::jq::parse::number_value;

impl<'v> Machine<'v> {
    /// Turns until no output is left.
    ///
    /// # Errors
    /// The first error that nothing caught.
    pub(super) fn run(&mut self) -> Result<(), JqError> {
        while let Some(fork) = self.forks.pop() {
            match self.turn(fork).or_else(|stop| self.unwind(stop)) {
                Ok(()) => {}
                Err(Stop::Error(value)) => return Err(JqError::Runtime(words(&value))),
                Err(Stop::Break(_)) => return Err(JqError::Runtime("break".to_owned())),
                Err(Stop::TooLong) => return Err(JqError::TooLong),
            }
        }
        Ok(())
    }

    fn turn(&mut self, fork: Fork<'v>) -> Turn {
        match fork {
            Fork::Eval(expr, env, input, kont) => self.eval(expr, env, input, kont),
            Fork::Items(mut items, kont) => {
                let Some(item) = items.next() else {
                    return Ok(());
                };
                if items.len() > 0 {
                    self.forks.push(Fork::Items(items, kont.clone()));
                }
                self.give(item, kont)
            }
            Fork::ListEnd(all, kont) => {
                let list = std::mem::take(&mut *all.borrow_mut());
                self.give(Item::of_value(Value::Array(list)), kont)
            }
            Fork::FoldEnd(state, input, kont) => {
                let last = state.borrow().clone();
                self.give(input.standing_at(last), kont)
            }
            Fork::Otherwise {
                found,
                right,
                env,
                input,
                kont,
                ..
            } => {
                if *found.borrow() {
                    return Ok(());
                }
                self.eval(right, env, input, kont)
            }
            // Nothing was raised, and nothing is left.
            Fork::Again(apart) => self.take_apart(*apart),
            Fork::Range { now, to, by, kont } => {
                self.pay(1)?;
                if (by > 0.0 && now >= to) || (by < 0.0 && now <= to) || by == 0.0 {
                    return Ok(());
                }
                let next = now + by;
                self.forks.push(Fork::Range {
                    now: next,
                    to,
                    by,
                    kont: kont.clone(),
                });
                self.give(Item::of_value(number_value(now)), kont)
            }
            Fork::Try { .. } | Fork::Patterns(..) | Fork::Passed(_) | Fork::Label(_) => Ok(()),
        }
    }

    /// Goes back to whoever catches it.
    fn unwind(&mut self, stop: Stop) -> Turn {
        match stop {
            Stop::TooLong => Err(Stop::TooLong),
            Stop::Break(label) => self.break_to(label),
            Stop::Error(value) => self.catch(value),
        }
    }

    fn break_to(&mut self, label: u64) -> Turn {
        while let Some(fork) = self.forks.pop() {
            if matches!(fork, Fork::Label(id) if id == label) {
                return Ok(());
            }
        }
        Err(Stop::Break(label))
    }

    fn catch(&mut self, error: Value) -> Turn {
        let mut passed = Vec::new();
        while let Some(fork) = self.forks.pop() {
            match fork {
                Fork::Passed(id) => passed.push(id),
                Fork::Try {
                    id,
                    handler,
                    env,
                    kont,
                } if !passed.contains(&id) => {
                    if let Some(handler) = handler {
                        let input = Item::of_value(error);
                        self.forks.push(Fork::Eval(handler, env, input, kont));
                    }
                    return Ok(());
                }
                Fork::Patterns(id, apart) if !passed.contains(&id) => {
                    self.forks.push(Fork::Again(apart));
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(Stop::Error(error))
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
