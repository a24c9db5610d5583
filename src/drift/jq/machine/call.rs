//! Calls: functions of the language, of the expression and of the prelude, their parameters and variables.

use std::rc::Rc;

use serde_json::{Value, json};

use super::chain::{self, Binding, Entering, Env, Kont, Work};
use super::step::unplaced;
use super::{Expr, Fork, Held, Item, Machine, PRELUDE, Stop, Turn, raise, weight};
use crate::drift::jq::native;

impl<'v> Machine<'v> {
    /// A variable is a place when it holds what is looked at, as in gojq, which knows places by their values.
    pub(super) fn variable(
        &mut self,
        name: &'v str,
        env: &Env<'v>,
        input: &Item<'v>,
        kont: Kont<'v>,
    ) -> Turn {
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

    pub(super) fn call(
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
    pub(super) fn enter(&mut self, mut entering: Entering<'v>, kont: Kont<'v>) -> Turn {
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

    pub(super) fn parameter(
        &mut self,
        mut entering: Entering<'v>,
        value: Held<'v>,
        kont: Kont<'v>,
    ) -> Turn {
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
    pub(super) fn argument(
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
}
