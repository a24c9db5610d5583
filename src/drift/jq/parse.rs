//! Tokens into an expression.

mod scope;
mod term;

use serde_json::{Number, Value};

use super::JqError;
use super::lex::{Kind, Token};

/// One expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// `.`
    Here,
    /// `..`
    Everywhere,
    /// A constant.
    Constant(Value),
    /// A text with code in it, and the format of the code's outputs.
    Text(Option<String>, Vec<Part>),
    /// `@format`
    Format(String),
    /// `$name`
    Variable(String),
    /// `a | b`
    Pipe(Box<Expr>, Box<Expr>),
    /// `a, b`
    Both(Box<Expr>, Box<Expr>),
    /// `base[key]` and `base.key`
    Index(Box<Expr>, Box<Expr>),
    /// `base[from:to]`
    Slice(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `base[]`
    Each(Box<Expr>),
    /// `try a catch b`, and `a?`
    Try(Box<Expr>, Option<Box<Expr>>),
    /// `[a]`
    List(Option<Box<Expr>>),
    /// `{a: b}`
    Object(Vec<(Expr, Expr)>),
    /// An operator.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `a as $x ?// [$y] | b`
    Bind(Box<Expr>, Vec<Pattern>, Box<Expr>),
    /// `if a then b else c end`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `reduce a as $x (b; c)`, and `foreach a as $x (b; c; d)`
    Fold(Box<Fold>),
    /// `def f: a; b`
    Define(Box<Def>, Box<Expr>),
    /// `label $x | a`
    Label(String, Box<Expr>),
    /// `break $x`
    Break(String),
    /// A function.
    Call(String, Vec<Expr>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Plain(String),
    Code(Expr),
}

/// What a value is taken apart by.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pattern {
    /// `$name`
    Name(String),
    /// `[a, b]`
    List(Vec<Pattern>),
    /// `{key: a, $name: b}`: the name that the value gets, its key, what it is taken apart by.
    Map(Vec<(Option<String>, Expr, Option<Pattern>)>),
}

/// A loop over the outputs of a source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fold {
    pub(super) source: Expr,
    pub(super) patterns: Vec<Pattern>,
    pub(super) init: Expr,
    pub(super) update: Expr,
    /// What is put out at every turn; `None` puts out the last state only.
    pub(super) extract: Option<Expr>,
}

/// A definition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Def {
    pub(super) name: String,
    /// Names; those with a `$` are values, the others expressions.
    pub(super) parameters: Vec<String>,
    pub(super) body: Expr,
}

/// The variable behind `a += b`; nobody can write it.
const ASSIGNED: &str = "=";

const ASSIGNMENTS: [&str; 8] = ["=", "|=", "+=", "-=", "*=", "/=", "%=", "//="];

/// Operators of one strength, weakest first; all join to the left but `//`.
const LEVELS: [&[&str]; 7] = [
    &["//"],
    &ASSIGNMENTS,
    &["or"],
    &["and"],
    &["==", "!=", "<", "<=", ">", ">="],
    &["+", "-"],
    &["*", "/", "%"],
];

/// How deep expressions may nest.
const DEPTH: usize = 64;

/// Reads a whole expression; every name in it is known.
pub(super) fn parse(tokens: &[Token]) -> Result<Expr, JqError> {
    let expr = read(tokens, 0)?;
    known(&expr)?;
    Ok(expr)
}

/// Reads definitions, such as those that every expression can use.
pub(super) fn definitions(tokens: &[Token]) -> Result<Vec<Def>, JqError> {
    let mut reader = Reader {
        tokens,
        next: 0,
        depth: 0,
    };
    let mut all = Vec::new();
    while reader.take_word("def") {
        all.push(reader.definition()?);
    }
    match reader.peek() {
        None => Ok(all),
        Some(token) => Err(reader.unexpected(token)),
    }
}

/// Whether every name in an expression is known.
pub(super) fn known(expr: &Expr) -> Result<(), JqError> {
    scope::check(expr)
}

fn read(tokens: &[Token], depth: usize) -> Result<Expr, JqError> {
    let mut reader = Reader {
        tokens,
        next: 0,
        depth,
    };
    let expr = reader.pipe()?;
    match reader.peek() {
        None => Ok(expr),
        Some(token) => Err(reader.unexpected(token)),
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
    next: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.next)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token { kind: Kind::Sign(s), .. }) if *s == sign);
        self.next += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token { kind: Kind::Word(w), .. }) if w == word);
        self.next += usize::from(found);
        found
    }

    fn take_variable(&mut self) -> Option<String> {
        let Some(Token {
            kind: Kind::Variable(name),
            ..
        }) = self.peek()
        else {
            return None;
        };
        self.next += 1;
        Some(name.clone())
    }

    fn need_sign(&mut self, sign: &str) -> Result<(), JqError> {
        if self.take_sign(sign) {
            return Ok(());
        }
        Err(self.missing(sign))
    }

    fn need_word(&mut self, word: &str) -> Result<(), JqError> {
        if self.take_word(word) {
            return Ok(());
        }
        Err(self.missing(word))
    }

    fn need_variable(&mut self) -> Result<String, JqError> {
        self.take_variable().ok_or_else(|| self.missing("$name"))
    }

    fn missing(&self, what: &str) -> JqError {
        let end = self.tokens.last().map_or(1, |t| t.at + 1);
        JqError::Syntax {
            at: self.peek().map_or(end, |t| t.at),
            problem: format!("`{what}` is missing"),
        }
    }

    fn unexpected(&self, token: &Token) -> JqError {
        JqError::Syntax {
            at: token.at,
            problem: "this does not belong here".to_owned(),
        }
    }

    /// Nesting is bounded: every recursion passes here or through [`Self::term`].
    fn deeper(&mut self) -> Result<(), JqError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(JqError::Unsupported("deep nesting".to_owned()));
        }
        Ok(())
    }

    fn pipe(&mut self) -> Result<Expr, JqError> {
        self.deeper()?;
        let expr = if self.take_word("def") {
            let def = self.definition()?;
            Expr::Define(Box::new(def), Box::new(self.pipe()?))
        } else {
            let left = self.comma()?;
            if self.take_sign("|") {
                Expr::Pipe(Box::new(left), Box::new(self.pipe()?))
            } else {
                left
            }
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn comma(&mut self) -> Result<Expr, JqError> {
        let mut left = self.bound()?;
        let mut length = 0;
        while self.take_sign(",") {
            length += 1;
            self.bounded(length)?;
            left = Expr::Both(Box::new(left), Box::new(self.bound()?));
        }
        Ok(left)
    }

    /// An expression that an `as` may follow: what is bound holds to the end of the pipe.
    fn bound(&mut self) -> Result<Expr, JqError> {
        let source = self.level(0)?;
        if !self.take_word("as") {
            return Ok(source);
        }
        let patterns = self.patterns()?;
        self.need_sign("|")?;
        let body = Box::new(self.pipe()?);
        Ok(Expr::Bind(Box::new(source), patterns, body))
    }

    /// Chains of one operator make trees as deep as they are long.
    fn bounded(&self, length: usize) -> Result<(), JqError> {
        if length > 4 * DEPTH {
            return Err(JqError::Unsupported("so long a chain".to_owned()));
        }
        Ok(())
    }

    fn level(&mut self, strength: usize) -> Result<Expr, JqError> {
        let Some(operators) = LEVELS.get(strength) else {
            return self.term();
        };
        let mut left = self.level(strength + 1)?;
        let mut length = 0;
        while let Some(operator) = self.operator(operators) {
            length += 1;
            self.bounded(length)?;
            let right = if operator == "//" {
                self.deeper()?;
                let right = self.level(strength)?;
                self.depth -= 1;
                right
            } else {
                self.level(strength + 1)?
            };
            left = joined(operator, left, right);
            // Assignments and comparisons do not join.
            if matches!(strength, 1 | 4) {
                break;
            }
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        let found = match &self.peek()?.kind {
            Kind::Sign(sign) => operators.iter().find(|o| *o == sign),
            Kind::Word(word) => operators.iter().find(|o| *o == word),
            _ => None,
        }?;
        self.next += 1;
        Some(found)
    }

    /// Behind `def`: `name(a; $b): body;`
    fn definition(&mut self) -> Result<Def, JqError> {
        let Some(Token {
            kind: Kind::Word(name),
            ..
        }) = self.peek()
        else {
            return Err(self.missing("a name"));
        };
        self.next += 1;
        let mut parameters = Vec::new();
        if self.take_sign("(") {
            loop {
                parameters.push(self.parameter()?);
                if !self.take_sign(";") {
                    break;
                }
            }
            self.need_sign(")")?;
        }
        self.need_sign(":")?;
        let body = self.pipe()?;
        self.need_sign(";")?;
        Ok(Def {
            name: name.clone(),
            parameters,
            body,
        })
    }

    fn parameter(&mut self) -> Result<String, JqError> {
        if let Some(name) = self.take_variable() {
            return Ok(format!("${name}"));
        }
        match self.peek().map(|t| &t.kind) {
            Some(Kind::Word(name)) => {
                self.next += 1;
                Ok(name.clone())
            }
            _ => Err(self.missing("a name")),
        }
    }
}

fn joined(operator: &'static str, left: Expr, right: Expr) -> Expr {
    let call = |name: &str, arguments: Vec<Expr>| Expr::Call(name.to_owned(), arguments);
    match operator {
        "=" => call("_assign", vec![left, right]),
        "|=" => call("_modify", vec![left, right]),
        _ if ASSIGNMENTS.contains(&operator) => {
            let plain = LEVELS.iter().flat_map(|l| l.iter());
            let plain = plain
                .copied()
                .find(|o| format!("{o}=") == operator && !ASSIGNMENTS.contains(o));
            let value = Expr::Variable(ASSIGNED.to_owned());
            let update = Expr::Binary(plain.unwrap_or("//"), Box::new(Expr::Here), Box::new(value));
            let body = call("_modify", vec![left, update]);
            let pattern = Pattern::Name(ASSIGNED.to_owned());
            Expr::Bind(Box::new(right), vec![pattern], Box::new(body))
        }
        _ => Expr::Binary(operator, Box::new(left), Box::new(right)),
    }
}

fn index(base: Expr, key: Expr) -> Expr {
    Expr::Index(Box::new(base), Box::new(key))
}

fn constant(text: &str) -> Expr {
    Expr::Constant(Value::String(text.to_owned()))
}

/// Whole numbers as integers, so that they equal those of the object.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range and the fraction are checked before the cast"
)]
pub(super) fn number_value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9.0e15 {
        Value::from(number as i64)
    } else {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}
