//! One turn: an expression meets an input, or an output meets what is to be done with it.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::chain::{self, Binding, Entering, Env, Goal, Kont, Pending, Todo, Work};
use super::{
    Apart, At, Body, Expr, Fork, Held, Item, Machine, PRELUDE, Part, Pattern, Steps, Stop, Turn,
    Way,
};
use super::{is_true, no_place, raise, steps_of, weight};
use crate::drift::jq::native;
use crate::drift::jq::native::order::kind;

impl<'v> Machine<'v> {
    /// Puts a thing to do before others.
    fn before(&self, work: Work<'v>, next: &Kont<'v>) -> Turn<Kont<'v>> {
        chain::before(work, next).ok_or(Stop::TooLong)
    }

    fn bind(&self, binding: Binding<'v>, env: &Env<'v>) -> Turn<Env<'v>> {
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
    fn push(&mut self, expr: &'v Expr, env: &Env<'v>, input: Item<'v>, kont: Kont<'v>) {
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
    fn eval_rest(&mut self, expr: &'v Expr, env: Env<'v>, input: Item<'v>, kont: Kont<'v>) -> Turn {
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
    fn eval_later(
        &mut self,
        expr: &'v Expr,
        env: &Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        self.push(expr, env, input, kont);
        Ok(())
    }

    /// A variable is a place when it holds what is looked at, as in gojq, which knows places by their values.
    fn variable(&mut self, name: &'v str, env: &Env<'v>, input: &Item<'v>, kont: Kont<'v>) -> Turn {
        let found = chain::names(env).find_map(|names| match &names.binding {
            Binding::Variable(n, value, way) if *n == name => Some((value.clone(), way.clone())),
            _ => None,
        });
        match found {
            Some((value, way)) => {
                let item = match way {
                    Some(_) => Item { value, way },
                    None => input.standing_at(value),
                };
                self.give(item, kont)
            }
            // The process's environment is nobody's business.
            None if name == "ENV" => self.give(Item::of_value(json!({})), kont),
            None => raise(format!("${name} is not defined")),
        }
    }

    fn binary(
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

    fn call(
        &mut self,
        name: &'v str,
        arguments: &'v [Expr],
        env: Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        for names in chain::names(&env) {
            match &names.binding {
                Binding::Function(def)
                    if def.name == name && def.parameters.len() == arguments.len() =>
                {
                    let inside = Some(Rc::clone(names));
                    return self.enter(
                        Entering {
                            def,
                            arguments,
                            at: 0,
                            outside: env.clone(),
                            inside,
                            input,
                        },
                        kont,
                    );
                }
                Binding::Closure(n, expr, own) if *n == name && arguments.is_empty() => {
                    let (expr, own) = (*expr, own.clone());
                    return self.eval_later(expr, &own, input, kont);
                }
                _ => {}
            }
        }
        match (name, arguments) {
            ("empty", []) => Ok(()),
            ("error", []) => Err(Stop::Error((*input.value).clone())),
            ("path", [inner]) => {
                let kont = self.before(Work::PathEnd, &kont)?;
                let rooted = Item {
                    way: Some(None),
                    ..input
                };
                self.eval_later(inner, &env, rooted, kont)
            }
            _ => match PRELUDE.get(&(name.to_owned(), arguments.len())) {
                Some(def) => self.enter(
                    Entering {
                        def,
                        arguments,
                        at: 0,
                        outside: env,
                        inside: None,
                        input,
                    },
                    kont,
                ),
                None => self.argument(name, arguments, Vec::new(), env, input, kont),
            },
        }
    }

    /// Binds the parameters of a function that is entered, and evaluates its body.
    fn enter(&mut self, mut entering: Entering<'v>, kont: Kont<'v>) -> Turn {
        let Entering { def, arguments, .. } = entering;
        while let (Some(parameter), Some(argument)) =
            (def.parameters.get(entering.at), arguments.get(entering.at))
        {
            if parameter.starts_with('$') {
                let (outside, input) = (
                    entering.outside.clone(),
                    unplaced(entering.input.value.clone()),
                );
                let kont = self.before(Work::Parameter(Box::new(entering)), &kont)?;
                return self.eval_later(argument, &outside, input, kont);
            }
            let closure = Binding::Closure(parameter, argument, entering.outside.clone());
            entering.inside = self.bind(closure, &entering.inside)?;
            entering.at += 1;
        }
        self.eval_later(&def.body, &entering.inside, entering.input, kont)
    }

    fn parameter(&mut self, mut entering: Entering<'v>, value: Held<'v>, kont: Kont<'v>) -> Turn {
        let name = entering
            .def
            .parameters
            .get(entering.at)
            .map_or("", String::as_str);
        let name = name.trim_start_matches('$');
        entering.inside = self.bind(Binding::Variable(name, value, None), &entering.inside)?;
        entering.at += 1;
        self.enter(entering, kont)
    }

    /// Evaluates the next argument of a function of ours, or calls it.
    fn argument(
        &mut self,
        name: &'v str,
        arguments: &'v [Expr],
        values: Vec<Held<'v>>,
        env: Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
        if let Some(next) = arguments.get(values.len()) {
            let plain = unplaced(input.value.clone());
            let work = Work::Argument(name, arguments, values, env.clone(), input);
            let kont = self.before(work, &kont)?;
            return self.eval_later(next, &env, plain, kont);
        }
        match (name, values.as_slice()) {
            ("getpath", [path]) => {
                let part = self.getpath(&input, path)?;
                self.give(part, kont)
            }
            ("range", [from, to, by @ ..]) => {
                let by = by.first().map_or(Some(1.0), |by| by.as_f64());
                let (Some(now), Some(to), Some(by)) = (from.as_f64(), to.as_f64(), by) else {
                    return raise("a range needs numbers");
                };
                self.forks.push(Fork::Range { now, to, by, kont });
                Ok(())
            }
            ("_negate", [value]) => {
                let negated = native::order::negated(value).map_err(Stop::Error)?;
                self.give(Item::of_value(negated), kont)
            }
            _ => {
                let costs = values.iter().map(|v| weight(v)).sum::<usize>();
                self.pay(costs.saturating_add(weight(&input.value)))?;
                let plain: Vec<&Value> = values.iter().map(|v| &**v).collect();
                native::cost(name, &input.value, &plain).map_or(Ok(()), |cost| self.pay(cost))?;
                let made = native::call(name, &input.value, &plain).map_err(Stop::Error)?;
                self.give(Item::of_value(made), kont)
            }
        }
    }

    /// The next entry of an object, or the object.
    fn object(
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
    fn text(
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

    fn give_rest(&mut self, work: &Work<'v>, item: Item<'v>, next: Kont<'v>) -> Turn {
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
    fn later(&mut self, item: Item<'v>, kont: Kont<'v>) -> Turn {
        self.forks.push(Fork::Items(vec![item].into_iter(), kont));
        Ok(())
    }

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
    fn bind_all(
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

    fn bind_key(&mut self, bind: &chain::BindKey<'v>, key: &Value, kont: Kont<'v>) -> Turn {
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

    /// The item and everything in it, from the outside in.
    fn everywhere(&mut self, input: &Item<'v>) -> Turn<Vec<Item<'v>>> {
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

    fn children(&mut self, item: &Item<'v>) -> Turn<Vec<Item<'v>>> {
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

    fn index(&mut self, base: &Item<'v>, key: &Value) -> Turn<Item<'v>> {
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

    fn getpath(&mut self, base: &Item<'v>, path: &Value) -> Turn<Item<'v>> {
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
    fn part(&mut self, base: &Item<'v>, step: At) -> Turn<Item<'v>> {
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

fn unplaced(value: Held<'_>) -> Item<'_> {
    Item { value, way: None }
}

fn null<'v>() -> Held<'v> {
    Held::Part(&Value::Null)
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
