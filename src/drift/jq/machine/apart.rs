//! Taking values apart into variables: `as` with patterns and their alternatives.

use std::rc::Rc;

use serde_json::{Value, json};

use super::chain::{self, Binding, Env, Goal, Kont, Pending, Todo, Work};
use super::step::{null, unplaced};
use super::{Apart, Body, Fork, Item, Machine, Pattern, Turn, raise};
use crate::drift::jq::native::order::kind;

impl<'v> Machine<'v> {
    /// Binds the names of the first pattern that fits, and evaluates the body.
    pub(super) fn take_apart(&mut self, apart: Apart<'v>) -> Turn {
        let Some((first, others)) = apart.patterns.split_first() else {
            return Ok(());
        };
        let goal = Goal::Pattern(first, apart.item.clone());
        let todo = Some(Rc::new(Pending { goal, next: None }));
        let (body, input) = (apart.body.clone(), apart.input.clone());
        let (mut inside, mut kont) = (apart.env.clone(), apart.kont.clone());
        if !others.is_empty() {
            let id = self.fresh();
            // Names of all patterns are null where the one that fits does not bind them.
            let mut all = Vec::new();
            apart
                .patterns
                .iter()
                .for_each(|one| names_of(one, &mut all));
            for name in all {
                inside = self.bind(Binding::Variable(name, null(), None), &inside)?;
            }
            let rest = Apart {
                patterns: others,
                env: inside.clone(),
                ..apart
            };
            self.forks.push(Fork::Patterns(id, Box::new(rest)));
            kont = self.before(Work::Leave(id), &kont)?;
        }
        self.bind_all(todo, inside, body, input, kont)
    }

    /// Binds one pattern after the other.
    pub(super) fn bind_all(
        &mut self,
        mut todo: Todo<'v>,
        mut env: Env<'v>,
        then: Body<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        while let Some(pending) = todo.take() {
            self.pay(1)?;
            todo.clone_from(&pending.next);
            match &pending.goal {
                Goal::Pattern(Pattern::Name(name), item) => {
                    let variable = Binding::Variable(name, item.value.clone(), item.way.clone());
                    env = self.bind(variable, &env)?;
                }
                Goal::Pattern(Pattern::List(items), whole) => {
                    for (position, item) in items.iter().enumerate().rev() {
                        let part = self.index(&unplaced(whole.value.clone()), &json!(position))?;
                        let goal = Goal::Pattern(item, part);
                        todo = Some(Rc::new(Pending { goal, next: todo }));
                    }
                }
                Goal::Pattern(Pattern::Map(entries), whole) => {
                    for entry in entries.iter().rev() {
                        let goal = Goal::Entry(entry, whole.value.clone());
                        todo = Some(Rc::new(Pending { goal, next: todo }));
                    }
                }
                Goal::Entry((name, key, inner), value) => {
                    let bind = chain::BindKey {
                        name: name.as_deref(),
                        inner: inner.as_ref(),
                        value: value.clone(),
                        todo,
                        env: env.clone(),
                        then,
                        input: input.clone(),
                    };
                    let kont = self.before(Work::BindKey(Box::new(bind)), &kont)?;
                    return self.eval_later(key, &env, unplaced(input.value), kont);
                }
            }
        }
        match then {
            Body::Eval(expr) => self.eval_later(expr, &env, input, kont),
            Body::Turn(fold, state, source) => {
                let now = source.standing_at(state.borrow().clone());
                let work = Work::FoldState(fold, env.clone(), state, source);
                let kont = self.before(work, &kont)?;
                self.eval_later(&fold.update, &env, now, kont)
            }
        }
    }

    pub(super) fn bind_key(
        &mut self,
        bind: &chain::BindKey<'v>,
        key: &Value,
        kont: Kont<'v>,
    ) -> Turn {
        if !key.is_string() {
            return raise(format!("a field's name cannot be {}", kind(key)));
        }
        let part = self.index(&unplaced(bind.value.clone()), key)?;
        let mut env = bind.env.clone();
        if let Some(name) = bind.name {
            env = self.bind(Binding::Variable(name, part.value.clone(), None), &env)?;
        }
        let todo = match bind.inner {
            Some(inner) => Some(Rc::new(Pending {
                goal: Goal::Pattern(inner, part),
                next: bind.todo.clone(),
            })),
            None => bind.todo.clone(),
        };
        self.bind_all(todo, env, bind.then.clone(), bind.input.clone(), kont)
    }
}

fn names_of<'v>(pattern: &'v Pattern, all: &mut Vec<&'v str>) {
    match pattern {
        Pattern::Name(name) => all.push(name),
        Pattern::List(items) => items.iter().for_each(|item| names_of(item, all)),
        Pattern::Map(entries) => {
            for (name, _, inner) in entries {
                all.extend(name.as_deref());
                inner.iter().for_each(|inner| names_of(inner, all));
            }
        }
    }
}
