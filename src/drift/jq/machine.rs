//! Carries an expression out: a machine that goes on to the next output only when somebody asks for it.
//!
//! What is still to be done with an output is a chain of [`Kont`]s; other outputs that may be asked for later are a stack of [`Fork`]s. So
//! endless sources, early ends and errors that are caught need no recursion of ours, and every turn of the machine pays a step.

mod apart;
mod call;
mod chain;
mod reach;
mod step;
mod unwind;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::LazyLock;

use serde_json::Value;

use super::lex;
use super::native;
use super::parse::{Def, Expr, Fold, Part, Pattern, definitions};
use super::{At, JqError};
use chain::{Env, Kont};

/// A value, cheap to copy: a part of the object, or one that was made.
#[derive(Clone, Debug)]
pub(super) enum Held<'v> {
    Part(&'v Value),
    Made(Rc<Value>),
}

impl Held<'_> {
    /// Whether both are one value: the same map or list, or equal scalars.
    fn is(&self, other: &Self) -> bool {
        match (&**self, &**other) {
            (a @ (Value::Array(_) | Value::Object(_)), b) => std::ptr::eq(a, b),
            (a, b) => a == b,
        }
    }
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

/// A path as it grows, its last step first.
#[derive(Debug)]
struct Steps {
    at: At,
    before: Way,
}

type Way = Option<Rc<Steps>>;

/// One output: a value and, when places are asked for and it is one, where.
#[derive(Clone, Debug)]
struct Item<'v> {
    value: Held<'v>,
    way: Option<Way>,
}

impl Item<'_> {
    fn of_value(value: Value) -> Self {
        Self {
            value: Held::Made(Rc::new(value)),
            way: None,
        }
    }
}

impl<'v> Item<'v> {
    /// A value at this item's place, if it is this item's value: gojq knows places so.
    fn standing_at(&self, value: Held<'v>) -> Self {
        let way = self.way.clone().filter(|_| value.is(&self.value));
        Self { value, way }
    }
}

/// What is done when no more outputs come from where they came.
enum Fork<'v> {
    /// Evaluates another expression.
    Eval(&'v Expr, Env<'v>, Item<'v>, Kont<'v>),
    /// Goes on with the next of these.
    Items(std::vec::IntoIter<Item<'v>>, Kont<'v>),
    /// A list is complete.
    ListEnd(Rc<RefCell<Vec<Value>>>, Kont<'v>),
    /// A loop over this is complete: its last state is the output.
    FoldEnd(Rc<RefCell<Held<'v>>>, Item<'v>, Kont<'v>),
    /// Catches errors of what came after it.
    Try {
        id: u64,
        handler: Option<&'v Expr>,
        env: Env<'v>,
        kont: Kont<'v>,
    },
    /// The right side of `//`, for when the left had no true output.
    Otherwise {
        found: Rc<RefCell<bool>>,
        right: &'v Expr,
        env: Env<'v>,
        input: Item<'v>,
        kont: Kont<'v>,
    },
    /// The next pattern, for when binding the one before or its body failed; it is tried only then.
    Patterns(u64, Box<Apart<'v>>),
    /// Takes a value apart by the next pattern.
    Again(Box<Apart<'v>>),
    /// Counts on.
    Range {
        now: f64,
        to: f64,
        by: f64,
        kont: Kont<'v>,
    },
    /// What came out behind this is no longer the business of the catcher of that number.
    Passed(u64),
    /// Where a `break` goes.
    Label(u64),
}

/// A value that is taken apart by the first pattern that fits.
struct Apart<'v> {
    item: Item<'v>,
    patterns: &'v [Pattern],
    body: Body<'v>,
    env: Env<'v>,
    input: Item<'v>,
    kont: Kont<'v>,
}

/// What is done once names are bound.
#[derive(Clone)]
enum Body<'v> {
    Eval(&'v Expr),
    /// The next turn of a loop with this state, at this output of its source.
    Turn(&'v Fold, Rc<RefCell<Held<'v>>>, Item<'v>),
}

/// Why the machine cannot go on where it is.
enum Stop {
    /// An error that can be caught.
    Error(Value),
    /// A `break` to a label.
    Break(u64),
    /// It cannot be caught: the steps are used up.
    TooLong,
}

type Turn<T = ()> = Result<T, Stop>;

/// The state of one evaluation.
struct Machine<'v> {
    steps: usize,
    forks: Vec<Fork<'v>>,
    found: Vec<Item<'v>>,
    next_id: u64,
}

/// Functions that are written in the language itself.
static PRELUDE: LazyLock<HashMap<(String, usize), Def>> = LazyLock::new(|| {
    let read = lex::tokens(include_str!("prelude.jq")).and_then(|tokens| definitions(&tokens));
    // The file is part of the program; a test reads it.
    let all = read.unwrap_or_default().into_iter();
    all.map(|def| ((def.name.clone(), def.parameters.len()), def))
        .collect()
});

/// Functions that the machine itself carries out.
const OWN: [(&str, usize); 7] = [
    ("empty", 0),
    ("error", 0),
    ("path", 1),
    ("getpath", 1),
    ("range", 2),
    ("range", 3),
    ("_negate", 1),
];

/// Whether a function can be carried out.
pub(super) fn is_known(name: &str, arguments: usize) -> bool {
    OWN.contains(&(name, arguments))
        || native::is_known(name, arguments)
        || PRELUDE.contains_key(&(name.to_owned(), arguments))
}

/// Every output of an expression that begins with this value.
fn run<'v>(expr: &'v Expr, root: Item<'v>, steps: usize) -> Result<Vec<Item<'v>>, JqError> {
    let mut machine = Machine {
        steps,
        forks: vec![Fork::Eval(expr, None, root, None)],
        found: Vec::new(),
        next_id: 0,
    };
    machine.run()?;
    Ok(machine.found)
}

/// The outputs of an expression, places or not.
#[cfg(test)]
pub(super) fn outputs(expr: &Expr, input: &Value, steps: usize) -> Result<Vec<Value>, JqError> {
    let root = Item {
        value: Held::Part(input),
        way: None,
    };
    let found = run(expr, root, steps)?.into_iter();
    Ok(found.map(|item| (*item.value).clone()).collect())
}

/// The places that an expression names in an object.
pub(super) fn paths(expr: &Expr, object: &Value, steps: usize) -> Result<Vec<Vec<At>>, JqError> {
    let root = Item {
        value: Held::Part(object),
        way: Some(None),
    };
    run(expr, root, steps)?
        .into_iter()
        .map(|item| match item.way {
            Some(way) => Ok(steps_of(&way)),
            None => Err(JqError::Runtime(no_place(&item.value))),
        })
        .collect()
}

fn no_place(value: &Value) -> String {
    format!(
        "invalid path expression with result {}",
        native::order::kind(value)
    )
}

/// A path from the object down.
fn steps_of(way: &Way) -> Vec<At> {
    let mut steps = Vec::new();
    let mut here = way;
    while let Some(step) = here {
        steps.push(step.at.clone());
        here = &step.before;
    }
    steps.reverse();
    steps
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

fn raise<T>(message: impl Into<String>) -> Turn<T> {
    Err(Stop::Error(Value::String(message.into())))
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_of_the_language_itself_can_be_read_and_name_nothing_unknown() {
        let tokens = lex::tokens(include_str!("prelude.jq")).unwrap();
        let all = definitions(&tokens).unwrap();
        assert!(all.len() > 90, "{}", all.len());
        for def in &all {
            let call = Expr::Define(Box::new(def.clone()), Box::new(Expr::Here));
            super::super::parse::known(&call).unwrap_or_else(|e| panic!("{}: {e}", def.name));
        }
    }
}
