//! One turn: an expression meets an input, or an output meets what is to be done with it.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::chain::{self, Binding, Entering, Env, Kont, Work};
use super::{Apart, At, Body, Expr, Fork, Held, Item, Machine, Part, Stop, Turn};
use super::{is_true, no_place, raise, steps_of, weight};
use crate::drift::jq::native;
use crate::drift::jq::native::order::kind;

impl<'v> Machine<'v> {
    /// Puts a thing to do before others.
    pub(super) fn before(&self, work: Work<'v>, next: &Kont<'v>) -> Turn<Kont<'v>> {
        chain::before(work, next).ok_or(Stop::TooLong)
    }

    pub(super) fn bind(&self, binding: Binding<'v>, env: &Env<'v>) -> Turn<Env<'v>> {
        chain::bind(binding, env).ok_or(Stop::TooLong)
    }

    pub(super) fn fresh(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Pays for steps: one for a turn, the weight of a value for copying it.
    pub(super) fn pay(&mut self, cost: usize) -> Turn {
        self.steps = self.steps.checked_sub(cost).ok_or(Stop::TooLong)?;
        Ok(())
    }

    /// Evaluates an expression once the present outputs are used up: that is, at once.
    pub(super) fn push(&mut self, expr: &'v Expr, env: &Env<'v>, input: Item<'v>, kont: Kont<'v>) {
        self.forks.push(Fork::Eval(expr, env.clone(), input, kont));
    }

    /// An expression meets an input.
    pub(super) fn eval(
        &mut self,
        expr: &'v Expr,
        env: Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        self.pay(1)?;
        match expr {
            Expr::Here => self.give(input, kont),
            Expr::Constant(value) => self.give(unplaced(Held::Part(value)), kont),
            Expr::Everywhere => {
                let all = self.everywhere(&input)?;
                self.forks.push(Fork::Items(all.into_iter(), kont));
                Ok(())
            }
            Expr::Variable(name) => self.variable(name, &env, &input, kont),
            Expr::Pipe(first, second) => {
                let kont = self.before(Work::Pipe(second, env.clone()), &kont)?;
                self.eval_later(first, &env, input, kont)
            }
            Expr::Both(first, second) => {
                self.push(second, &env, input.clone(), kont.clone());
                self.eval_later(first, &env, input, kont)
            }
            Expr::Index(base, key) => match &**key {
                Expr::Constant(key) if matches!(**base, Expr::Here) => {
                    let part = self.index(&input, key)?;
                    self.give(part, kont)
                }
                _ => {
                    let kont =
                        self.before(Work::IndexBase(key, env.clone(), input.clone()), &kont)?;
                    self.eval_later(base, &env, input, kont)
                }
            },
            Expr::Slice(base, from, to) => {
                let work = Work::SliceBase(from, to, env.clone(), input.clone());
                let kont = self.before(work, &kont)?;
                self.eval_later(base, &env, input, kont)
            }
            Expr::Each(base) => {
                let kont = self.before(Work::Each, &kont)?;
                self.eval_later(base, &env, input, kont)
            }
            Expr::Call(name, arguments) => self.call(name, arguments, env, input, kont),
            Expr::Define(def, rest) => {
                let env = self.bind(Binding::Function(def), &env)?;
                self.eval_later(rest, &env, input, kont)
            }
            Expr::If(condition, then, otherwise) => {
                let work = Work::If(then, otherwise, env.clone(), input.clone());
                let kont = self.before(work, &kont)?;
                self.eval_later(condition, &env, unplaced(input.value), kont)
            }
            Expr::Bind(source, patterns, body) => {
                let work = Work::Bind(patterns, body, env.clone(), input.clone());
                let kont = self.before(work, &kont)?;
                self.eval_later(source, &env, unplaced(input.value), kont)
            }
            Expr::Binary(operator, left, right) => {
                self.binary(operator, [left, right], env, input, kont)
            }
            _ => self.eval_rest(expr, env, input, kont),
        }
    }

    /// The expressions that put something onto the stack of forks before they go on.
    pub(super) fn eval_rest(
        &mut self,
        expr: &'v Expr,
        env: Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        match expr {
            Expr::Try(body, handler) => {
                let id = self.fresh();
                let handler = handler.as_deref();
                self.forks.push(Fork::Try {
                    id,
                    handler,
                    env: env.clone(),
                    kont: kont.clone(),
                });
                let kont = self.before(Work::Leave(id), &kont)?;
                self.eval_later(body, &env, input, kont)
            }
            Expr::List(None) => self.give(Item::of_value(json!([])), kont),
            Expr::List(Some(inner)) => {
                let all = Rc::new(RefCell::new(Vec::new()));
                self.forks.push(Fork::ListEnd(Rc::clone(&all), kont));
                let kont = self.before(Work::Collect(all), &None)?;
                self.eval_later(inner, &env, unplaced(input.value), kont)
            }
            Expr::Object(entries) => self.object(entries, Map::new(), env, input, kont),
            Expr::Text(format, parts) => {
                self.text(format.as_deref(), String::new(), parts, env, input, kont)
            }
            Expr::Format(name) => {
                self.pay(weight(&input.value))?;
                let text = native::format::format(name, &input.value).map_err(Stop::Error)?;
                self.give(Item::of_value(json!(text)), kont)
            }
            Expr::Fold(fold) => {
                let work = Work::FoldInit(fold, env.clone(), input.clone());
                let kont = self.before(work, &kont)?;
                self.eval_later(&fold.init, &env, input, kont)
            }
            Expr::Label(name, body) => {
                let id = self.fresh();
                self.forks.push(Fork::Label(id));
                let env = self.bind(Binding::Label(name, id), &env)?;
                self.eval_later(body, &env, input, kont)
            }
            Expr::Break(name) => {
                let found = chain::names(&env).find_map(|names| match &names.binding {
                    Binding::Label(label, id) if label == name => Some(*id),
                    _ => None,
                });
                Err(found.map_or(Stop::TooLong, Stop::Break))
            }
            _ => raise("this expression cannot be carried out"),
        }
    }

    /// Hands an expression to the next turn, so that nesting needs no recursion.
    pub(super) fn eval_later(
        &mut self,
        expr: &'v Expr,
        env: &Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        self.push(expr, env, input, kont);
        Ok(())
    }

    pub(super) fn binary(
        &mut self,
        operator: &'static str,
        [left, right]: [&'v Expr; 2],
        env: Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        match operator {
            "//" => {
                let found = Rc::new(RefCell::new(false));
                self.forks.push(Fork::Otherwise {
                    found: Rc::clone(&found),
                    right,
                    env: env.clone(),
                    input: input.clone(),
                    kont: kont.clone(),
                });
                let kont = self.before(Work::Alternative(found), &kont)?;
                self.eval_later(left, &env, input, kont)
            }
            "and" | "or" => {
                let input = unplaced(input.value);
                let work = Work::Logic(operator == "or", right, env.clone(), input.clone());
                let kont = self.before(work, &kont)?;
                self.eval_later(left, &env, input, kont)
            }
            _ => {
                let input = unplaced(input.value);
                let work = Work::Right(operator, left, env.clone(), input.clone());
                let kont = self.before(work, &kont)?;
                self.eval_later(right, &env, input, kont)
            }
        }
    }

    /// The next entry of an object, or the object.
    pub(super) fn object(
        &mut self,
        entries: &'v [(Expr, Expr)],
        made: Map<String, Value>,
        env: Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        let input = unplaced(input.value);
        match entries.split_first() {
            None => self.give(Item::of_value(Value::Object(made)), kont),
            Some(((key, _), _)) => {
                let work = Work::Key(entries, made, env.clone(), input.clone());
                let kont = self.before(work, &kont)?;
                self.eval_later(key, &env, input, kont)
            }
        }
    }

    /// The part of a text before what is done, or the text: the last code turns slowest.
    pub(super) fn text(
        &mut self,
        format: Option<&'v str>,
        mut done: String,
        parts: &'v [Part],
        env: Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        let mut rest = parts;
        while let Some((part, before)) = rest.split_last() {
            rest = before;
            self.pay(1 + done.len() / 256)?;
            match part {
                Part::Plain(text) => done.insert_str(0, text),
                Part::Code(code) => {
                    let input = unplaced(input.value);
                    let work = Work::Text(format, done, rest, env.clone(), input.clone());
                    let kont = self.before(work, &kont)?;
                    return self.eval_later(code, &env, input, kont);
                }
            }
        }
        self.give(Item::of_value(Value::String(done)), kont)
    }

    /// An output meets what is to be done with it.
    pub(super) fn give(&mut self, item: Item<'v>, kont: Kont<'v>) -> Turn {
        let Some(link) = kont else {
            self.pay(1)?;
            self.found.push(item);
            return Ok(());
        };
        let next = link.next();
        match &link.work {
            Work::Pipe(expr, env) => self.eval_later(expr, env, item, next),
            Work::IndexBase(key, env, input) => {
                let kont = self.before(Work::IndexKey(item), &next)?;
                self.eval_later(key, env, unplaced(input.value.clone()), kont)
            }
            Work::IndexKey(base) => {
                let part = self.index(base, &item.value)?;
                self.later(part, next)
            }
            Work::SliceBase(from, to, env, input) => {
                let input = unplaced(input.value.clone());
                let work = Work::SliceFrom(item, to, env.clone(), input.clone());
                let kont = self.before(work, &next)?;
                self.eval_later(from, env, input, kont)
            }
            Work::SliceFrom(base, to, env, input) => {
                let kont = self.before(Work::SliceTo(base.clone(), item.value), &next)?;
                self.eval_later(to, env, input.clone(), kont)
            }
            Work::SliceTo(base, from) => {
                let key = json!({"start": &**from, "end": &*item.value});
                let part = self.index(base, &key)?;
                self.later(part, next)
            }
            Work::Each => {
                let parts = self.children(&item)?;
                self.forks.push(Fork::Items(parts.into_iter(), next));
                Ok(())
            }
            Work::Collect(all) => {
                self.pay(weight(&item.value))?;
                all.borrow_mut().push((*item.value).clone());
                Ok(())
            }
            Work::Key(entries, made, env, input) => {
                let Value::String(key) = &*item.value else {
                    return raise(format!("an object's key cannot be {}", kind(&item.value)));
                };
                let Some(((_, value), rest)) = entries.split_first() else {
                    return Ok(());
                };
                let work = Work::Entry(key.clone(), rest, made.clone(), env.clone(), input.clone());
                let kont = self.before(work, &next)?;
                self.eval_later(value, env, input.clone(), kont)
            }
            Work::Entry(key, rest, made, env, input) => {
                self.pay(weight(&item.value).saturating_add(made.len()))?;
                let mut made = made.clone();
                made.insert(key.clone(), (*item.value).clone());
                self.object(rest, made, env.clone(), input.clone(), next)
            }
            Work::Text(format, done, rest, env, input) => {
                self.pay(weight(&item.value))?;
                let part = native::format::piece(*format, &item.value).map_err(Stop::Error)?;
                self.text(
                    *format,
                    format!("{part}{done}"),
                    rest,
                    env.clone(),
                    input.clone(),
                    next,
                )
            }
            _ => self.give_rest(&link.work, item, next),
        }
    }

    pub(super) fn give_rest(&mut self, work: &Work<'v>, item: Item<'v>, next: Kont<'v>) -> Turn {
        match work {
            Work::Right(operator, left, env, input) => {
                let kont = self.before(Work::Left(operator, item.value), &next)?;
                self.eval_later(left, env, input.clone(), kont)
            }
            Work::Left(operator, right) => {
                self.pay(weight(&item.value).saturating_add(weight(right)))?;
                native::order::cost(operator, &item.value, right)
                    .map_or(Ok(()), |cost| self.pay(cost))?;
                let made =
                    native::order::combined(operator, &item.value, right).map_err(Stop::Error)?;
                self.later(Item::of_value(made), next)
            }
            Work::Logic(or, right, env, input) => {
                if is_true(&item.value) == *or {
                    return self.later(Item::of_value(json!(*or)), next);
                }
                let kont = self.before(Work::Truth, &next)?;
                self.eval_later(right, env, input.clone(), kont)
            }
            Work::Truth => self.later(Item::of_value(json!(is_true(&item.value))), next),
            Work::Alternative(found) => {
                if !is_true(&item.value) {
                    return Ok(());
                }
                *found.borrow_mut() = true;
                self.later(item, next)
            }
            Work::Leave(id) => {
                self.forks.push(Fork::Passed(*id));
                self.later(item, next)
            }
            Work::If(then, otherwise, env, input) => {
                let chosen = if is_true(&item.value) {
                    then
                } else {
                    otherwise
                };
                self.eval_later(chosen, env, input.clone(), next)
            }
            Work::Bind(patterns, body, env, input) => self.take_apart(Apart {
                item: unplaced(item.value),
                patterns,
                body: Body::Eval(body),
                env: env.clone(),
                input: input.clone(),
                kont: next,
            }),
            Work::BindKey(bind) => self.bind_key(bind, &item.value, next),
            Work::FoldInit(fold, env, input) => {
                let state = Rc::new(RefCell::new(item.value));
                // `foreach` puts out its states as they come, and nothing at the end.
                if fold.extract.is_none() {
                    let end = Fork::FoldEnd(Rc::clone(&state), input.clone(), next.clone());
                    self.forks.push(end);
                }
                let kont = self.before(Work::FoldTurn(fold, env.clone(), state), &next)?;
                self.eval_later(&fold.source, env, input.clone(), kont)
            }
            Work::FoldTurn(fold, env, state) => {
                let body = Body::Turn(fold, Rc::clone(state), item.clone());
                self.take_apart(Apart {
                    input: unplaced(item.value.clone()),
                    item,
                    patterns: &fold.patterns,
                    body,
                    env: env.clone(),
                    kont: next,
                })
            }
            Work::FoldState(fold, env, state, source) => {
                *state.borrow_mut() = item.value.clone();
                let item = match item.way {
                    Some(_) => item,
                    None => source.standing_at(item.value),
                };
                match &fold.extract {
                    Some(Expr::Here) => self.later(item, next),
                    Some(extract) => self.eval_later(extract, env, item, next),
                    None => Ok(()),
                }
            }
            Work::Argument(name, arguments, values, env, input) => {
                let mut values = values.clone();
                values.push(item.value);
                self.argument(name, arguments, values, env.clone(), input.clone(), next)
            }
            Work::Parameter(entering) => {
                self.parameter(Entering::clone(entering), item.value, next)
            }
            Work::PathEnd => match item.way {
                Some(way) => {
                    let path: Value = steps_of(&way).iter().map(At::value).collect();
                    self.later(Item::of_value(path), next)
                }
                None => raise(no_place(&item.value)),
            },
            _ => Ok(()),
        }
    }

    /// Hands an output to the next turn.
    pub(super) fn later(&mut self, item: Item<'v>, kont: Kont<'v>) -> Turn {
        self.forks.push(Fork::Items(vec![item].into_iter(), kont));
        Ok(())
    }
}

pub(super) fn unplaced(value: Held<'_>) -> Item<'_> {
    Item { value, way: None }
}

pub(super) fn null<'v>() -> Held<'v> {
    Held::Part(&Value::Null)
}
