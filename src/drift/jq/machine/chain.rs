//! Chains that the machine holds on to: what is still to be done with an output, and what names mean.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::{Body, Def, Expr, Fold, Held, Item, Part, Pattern, Way};

/// What is done with an output, one thing after the other; nothing at the end, where outputs are found.
pub(super) type Kont<'v> = Option<Rc<Link<'v>>>;

/// How long a chain may become. Chains of names hold on to others, and are dropped by recursion.
pub(super) const LONGEST: usize = 20_000;
const DEEPEST: usize = 1_500;

/// One thing to do.
pub(super) struct Link<'v> {
    pub(super) work: Work<'v>,
    next: Kont<'v>,
    length: usize,
}

impl<'v> Link<'v> {
    pub(super) fn next(&self) -> Kont<'v> {
        self.next.clone()
    }
}

impl Drop for Link<'_> {
    /// One after the other: a long chain would need as deep a recursion.
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(link) = next {
            next = Rc::into_inner(link).and_then(|mut link| link.next.take());
        }
    }
}

/// Puts a thing to do before others; `None` when the chain is too long.
pub(super) fn before<'v>(work: Work<'v>, next: &Kont<'v>) -> Option<Kont<'v>> {
    let length = next.as_ref().map_or(1, |n| n.length + 1);
    (length <= LONGEST).then(|| {
        Some(Rc::new(Link {
            work,
            next: next.clone(),
            length,
        }))
    })
}

/// What is done with one output.
pub(super) enum Work<'v> {
    /// Goes through an expression.
    Pipe(&'v Expr, Env<'v>),
    /// Is indexed by what an expression gives for the input.
    IndexBase(&'v Expr, Env<'v>, Item<'v>),
    /// Is the index of this.
    IndexKey(Item<'v>),
    /// Is sliced by what two expressions give for the input.
    SliceBase(&'v Expr, &'v Expr, Env<'v>, Item<'v>),
    /// Is the beginning of a slice of this.
    SliceFrom(Item<'v>, &'v Expr, Env<'v>, Item<'v>),
    /// Is the end of a slice of this, from there.
    SliceTo(Item<'v>, Held<'v>),
    /// Each of its parts is an output.
    Each,
    /// Is added to a list.
    Collect(Rc<RefCell<Vec<Value>>>),
    /// Is the key of the next entry of an object.
    Key(&'v [(Expr, Expr)], Map<String, Value>, Env<'v>, Item<'v>),
    /// Is the value of that key.
    Entry(
        String,
        &'v [(Expr, Expr)],
        Map<String, Value>,
        Env<'v>,
        Item<'v>,
    ),
    /// Is a part of a text; the rest follows.
    Text(Option<&'v str>, String, &'v [Part], Env<'v>, Item<'v>),
    /// Is the right side of an operator.
    Right(&'static str, &'v Expr, Env<'v>, Item<'v>),
    /// Is the left side of an operator.
    Left(&'static str, Held<'v>),
    /// Decides `and` and `or`.
    Logic(bool, &'v Expr, Env<'v>, Item<'v>),
    /// Becomes true or false.
    Truth,
    /// Is an output of the left side of `//`.
    Alternative(Rc<RefCell<bool>>),
    /// Leaves what a catcher is about.
    Leave(u64),
    /// Decides between two expressions.
    If(&'v Expr, &'v Expr, Env<'v>, Item<'v>),
    /// Is taken apart by patterns.
    Bind(&'v [Pattern], &'v Expr, Env<'v>, Item<'v>),
    /// Is the key of a field that is taken apart further.
    BindKey(Box<BindKey<'v>>),
    /// Is the first state of a loop.
    FoldInit(&'v Fold, Env<'v>, Item<'v>),
    /// Is the next turn of a loop.
    FoldTurn(&'v Fold, Env<'v>, Rc<RefCell<Held<'v>>>),
    /// Is the next state of a loop.
    FoldState(&'v Fold, Env<'v>, Rc<RefCell<Held<'v>>>, Item<'v>),
    /// Is the next argument of a function.
    Argument(&'v str, &'v [Expr], Vec<Held<'v>>, Env<'v>, Item<'v>),
    /// Binds a function's value parameters to the arguments, one by one.
    Parameter(Box<Entering<'v>>),
    /// Becomes its path.
    PathEnd,
}

/// A field that is taken apart by a pattern.
pub(super) struct BindKey<'v> {
    pub(super) name: Option<&'v str>,
    pub(super) inner: Option<&'v Pattern>,
    pub(super) value: Held<'v>,
    pub(super) todo: Todo<'v>,
    pub(super) env: Env<'v>,
    pub(super) then: Body<'v>,
    pub(super) input: Item<'v>,
}

/// Patterns still to be bound, as a chain.
pub(super) type Todo<'v> = Option<Rc<Pending<'v>>>;

/// One pattern to be bound.
pub(super) struct Pending<'v> {
    pub(super) goal: Goal<'v>,
    pub(super) next: Todo<'v>,
}

/// What is to be bound to what.
#[derive(Clone)]
pub(super) enum Goal<'v> {
    /// A pattern to a value.
    Pattern(&'v Pattern, Item<'v>),
    /// An entry of a map to the map.
    Entry(&'v (Option<String>, Expr, Option<Pattern>), Held<'v>),
}

/// A function that is being entered.
#[derive(Clone)]
pub(super) struct Entering<'v> {
    pub(super) def: &'v Def,
    pub(super) arguments: &'v [Expr],
    pub(super) at: usize,
    /// Where the arguments are evaluated.
    pub(super) outside: Env<'v>,
    /// Where the body is evaluated, as far as it is made.
    pub(super) inside: Env<'v>,
    pub(super) input: Item<'v>,
}

/// What names mean, the newest first.
pub(super) type Env<'v> = Option<Rc<Names<'v>>>;

/// One name.
pub(super) struct Names<'v> {
    pub(super) binding: Binding<'v>,
    next: Env<'v>,
    depth: usize,
}

/// What a name means.
pub(super) enum Binding<'v> {
    /// A value; where it is, when it is an output of a loop's source.
    Variable(&'v str, Held<'v>, Option<Way>),
    Function(&'v Def),
    /// An expression that was handed to a function, with what its names mean.
    Closure(&'v str, &'v Expr, Env<'v>),
    Label(&'v str, u64),
}

/// Adds a name; `None` when there are too many.
pub(super) fn bind<'v>(binding: Binding<'v>, next: &Env<'v>) -> Option<Env<'v>> {
    let depth_of = |env: &Env<'_>| env.as_ref().map_or(0, |names| names.depth);
    let held = match &binding {
        Binding::Closure(_, _, env) => depth_of(env),
        _ => 0,
    };
    let depth = 1 + held.max(depth_of(next));
    (depth <= DEEPEST).then(|| {
        Some(Rc::new(Names {
            binding,
            next: next.clone(),
            depth,
        }))
    })
}

/// The names from the newest on, each with the chain that begins with it.
pub(super) fn names<'e, 'v>(env: &'e Env<'v>) -> impl Iterator<Item = &'e Rc<Names<'v>>> {
    std::iter::successors(env.as_ref(), |names| names.next.as_ref())
}
