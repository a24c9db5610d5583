//! Tokens into an expression.

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
    /// `$name`
    Variable(String),
    /// `a | b`
    Pipe(Box<Expr>, Box<Expr>),
    /// `a, b`
    Both(Box<Expr>, Box<Expr>),
    /// `base[key]` and `base.key`
    Index(Box<Expr>, Box<Expr>),
    /// `base[]`
    Each(Box<Expr>),
    /// `base?`
    Try(Box<Expr>),
    /// `[a]`
    List(Option<Box<Expr>>),
    /// An operator.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `-a`
    Negative(Box<Expr>),
    /// `a as $x | b`
    Bind(Box<Expr>, String, Box<Expr>),
    /// `if a then b else c end`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function.
    Call(String, Vec<Expr>),
}

/// Operators of one strength, weakest first; all join to the left but `//`.
const LEVELS: [&[&str]; 6] = [
    &["//"],
    &["or"],
    &["and"],
    &["==", "!=", "<", "<=", ">", ">="],
    &["+", "-"],
    &["*", "/", "%"],
];

/// How deep expressions may nest.
const DEPTH: usize = 64;

/// Reads a whole expression.
pub(super) fn parse(tokens: &[Token]) -> Result<Expr, JqError> {
    let mut reader = Reader {
        tokens,
        next: 0,
        depth: 0,
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

    fn missing(&self, what: &str) -> JqError {
        let end = self.tokens.last().map_or(1, |t| t.at + 1);
        JqError::Syntax {
            at: self.peek().map_or(end, |t| t.at),
            problem: format!("`{what}` is missing"),
        }
    }

    fn unexpected(&self, token: &Token) -> JqError {
        match &token.kind {
            Kind::Sign(sign) if sign.ends_with('=') || *sign == "{" || *sign == "?//" => {
                JqError::Unsupported((*sign).to_owned())
            }
            Kind::Word(word)
                if matches!(
                    word.as_str(),
                    "def" | "reduce" | "foreach" | "label" | "try" | "import"
                ) =>
            {
                JqError::Unsupported(word.clone())
            }
            _ => JqError::Syntax {
                at: token.at,
                problem: "this does not belong here".to_owned(),
            },
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
        let left = self.comma()?;
        let expr = if self.take_word("as") {
            let Some(Token {
                kind: Kind::Variable(name),
                ..
            }) = self.peek()
            else {
                return Err(self.missing("$name"));
            };
            self.next += 1;
            self.need_sign("|")?;
            Expr::Bind(Box::new(left), name.clone(), Box::new(self.pipe()?))
        } else if self.take_sign("|") {
            Expr::Pipe(Box::new(left), Box::new(self.pipe()?))
        } else {
            left
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn comma(&mut self) -> Result<Expr, JqError> {
        let mut left = self.level(0)?;
        let mut length = 0;
        while self.take_sign(",") {
            length += 1;
            self.bounded(length)?;
            left = Expr::Both(Box::new(left), Box::new(self.level(0)?));
        }
        Ok(left)
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
                self.level(strength)?
            } else {
                self.level(strength + 1)?
            };
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
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

    fn term(&mut self) -> Result<Expr, JqError> {
        self.deeper()?;
        let base = self.atom()?;
        self.depth -= 1;
        self.postfix(base)
    }

    fn postfix(&mut self, mut base: Expr) -> Result<Expr, JqError> {
        for _ in 0..DEPTH {
            let Some(token) = self.peek() else {
                return Ok(base);
            };
            base = match &token.kind {
                Kind::Field(name) => {
                    self.next += 1;
                    index(base, constant(name))
                }
                Kind::Sign(".") => {
                    self.next += 1;
                    self.behind_dot(base)?
                }
                Kind::Sign("[") => {
                    self.next += 1;
                    self.behind_bracket(base)?
                }
                Kind::Sign("?") => {
                    self.next += 1;
                    Expr::Try(Box::new(base))
                }
                _ => return Ok(base),
            };
        }
        Err(JqError::Unsupported("so long a path".to_owned()))
    }

    /// `."text"` and `.[…]`.
    fn behind_dot(&mut self, base: Expr) -> Result<Expr, JqError> {
        if self.take_sign("[") {
            return self.behind_bracket(base);
        }
        match self.peek().map(|t| &t.kind) {
            Some(Kind::Text(text)) => {
                self.next += 1;
                Ok(index(base, constant(text)))
            }
            _ => Err(self.missing("a name")),
        }
    }

    fn behind_bracket(&mut self, base: Expr) -> Result<Expr, JqError> {
        if self.take_sign("]") {
            return Ok(Expr::Each(Box::new(base)));
        }
        let key = self.pipe()?;
        if self.take_sign(":") {
            return Err(JqError::Unsupported("[from:to]".to_owned()));
        }
        self.need_sign("]")?;
        Ok(index(base, key))
    }

    fn atom(&mut self) -> Result<Expr, JqError> {
        let Some(token) = self.peek() else {
            return Err(self.missing("an expression"));
        };
        self.next += 1;
        match &token.kind {
            Kind::Field(name) => Ok(index(Expr::Here, constant(name))),
            Kind::Sign(".") => self.after_bare_dot(),
            Kind::Sign("..") => Ok(Expr::Everywhere),
            Kind::Sign("-") => Ok(Expr::Negative(Box::new(self.term()?))),
            Kind::Sign("(") => {
                let inner = self.pipe()?;
                self.need_sign(")")?;
                Ok(inner)
            }
            Kind::Sign("[") => {
                if self.take_sign("]") {
                    return Ok(Expr::List(None));
                }
                let inner = self.pipe()?;
                self.need_sign("]")?;
                Ok(Expr::List(Some(Box::new(inner))))
            }
            Kind::Text(text) => Ok(constant(text)),
            Kind::Number(number) => Ok(Expr::Constant(number_value(*number))),
            Kind::Variable(name) => Ok(Expr::Variable(name.clone())),
            Kind::Word(word) => self.word(word, token),
            Kind::Sign(_) => Err(self.unexpected(token)),
        }
    }

    /// A dot by itself is the value; with a text or a bracket behind it, a place in it.
    fn after_bare_dot(&mut self) -> Result<Expr, JqError> {
        match self.peek().map(|t| &t.kind) {
            Some(Kind::Text(_)) => self.behind_dot(Expr::Here),
            _ => Ok(Expr::Here),
        }
    }

    fn word(&mut self, word: &str, token: &Token) -> Result<Expr, JqError> {
        match word {
            "null" => Ok(Expr::Constant(Value::Null)),
            "true" => Ok(Expr::Constant(Value::Bool(true))),
            "false" => Ok(Expr::Constant(Value::Bool(false))),
            "if" => self.condition(),
            "def" | "reduce" | "foreach" | "label" | "try" | "import" => {
                Err(self.unexpected(token))
            }
            _ => {
                let arguments = self.arguments()?;
                if super::eval::is_known(word, arguments.len()) {
                    Ok(Expr::Call(word.to_owned(), arguments))
                } else {
                    Err(JqError::Unsupported(format!("{word}/{}", arguments.len())))
                }
            }
        }
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, JqError> {
        let mut arguments = Vec::new();
        if self.take_sign("(") {
            arguments.push(self.pipe()?);
            while self.take_sign(";") {
                arguments.push(self.pipe()?);
            }
            self.need_sign(")")?;
        }
        Ok(arguments)
    }

    fn condition(&mut self) -> Result<Expr, JqError> {
        self.deeper()?;
        let condition = self.pipe()?;
        self.need_word("then")?;
        let then = self.pipe()?;
        let otherwise = if self.take_word("elif") {
            return Ok(Expr::If(
                Box::new(condition),
                Box::new(then),
                Box::new(self.condition()?),
            ));
        } else if self.take_word("else") {
            self.pipe()?
        } else {
            Expr::Here
        };
        self.need_word("end")?;
        Ok(Expr::If(
            Box::new(condition),
            Box::new(then),
            Box::new(otherwise),
        ))
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
