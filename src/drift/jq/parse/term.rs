//! What an operator joins: paths, brackets, texts, loops, calls.

use serde_json::Value;

use super::{DEPTH, Expr, Fold, Part, Pattern, Reader, constant, index, number_value, read};
use crate::drift::jq::JqError;
use crate::drift::jq::lex::{Kind, Piece, Token};

impl Reader<'_> {
    pub(super) fn term(&mut self) -> Result<Expr, JqError> {
        self.deeper()?;
        let base = self.atom()?;
        let term = self.postfix(base)?;
        self.depth -= 1;
        Ok(term)
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
                    Expr::Try(Box::new(base), None)
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
            Some(Kind::Text(pieces)) => {
                self.next += 1;
                Ok(index(base, self.text(None, pieces)?))
            }
            _ => Err(self.missing("a name")),
        }
    }

    fn behind_bracket(&mut self, base: Expr) -> Result<Expr, JqError> {
        let null = || Box::new(Expr::Constant(Value::Null));
        if self.take_sign("]") {
            return Ok(Expr::Each(Box::new(base)));
        }
        if self.take_sign(":") {
            let to = self.pipe()?;
            self.need_sign("]")?;
            return Ok(Expr::Slice(Box::new(base), null(), Box::new(to)));
        }
        let key = self.pipe()?;
        if !self.take_sign(":") {
            self.need_sign("]")?;
            return Ok(index(base, key));
        }
        let to = if self.take_sign("]") {
            return Ok(Expr::Slice(Box::new(base), Box::new(key), null()));
        } else {
            self.pipe()?
        };
        self.need_sign("]")?;
        Ok(Expr::Slice(Box::new(base), Box::new(key), Box::new(to)))
    }

    fn atom(&mut self) -> Result<Expr, JqError> {
        let Some(token) = self.peek() else {
            return Err(self.missing("an expression"));
        };
        self.next += 1;
        match &token.kind {
            Kind::Field(name) => Ok(index(Expr::Here, constant(name))),
            Kind::Sign(".") => match self.peek().map(|t| &t.kind) {
                Some(Kind::Text(_)) => self.behind_dot(Expr::Here),
                _ => Ok(Expr::Here),
            },
            Kind::Sign("..") => Ok(Expr::Everywhere),
            Kind::Sign("-") => Ok(Expr::Call("_negate".to_owned(), vec![self.term()?])),
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
            Kind::Sign("{") => self.object(),
            Kind::Text(pieces) => self.text(None, pieces),
            Kind::Format(name) => self.format(name),
            Kind::Number(number) => Ok(Expr::Constant(number_value(*number))),
            Kind::Variable(name) => Ok(Expr::Variable(name.clone())),
            Kind::Word(word) => self.word(word, token),
            Kind::Sign(_) => Err(self.unexpected(token)),
        }
    }

    fn format(&mut self, name: &str) -> Result<Expr, JqError> {
        match self.peek().map(|t| &t.kind) {
            Some(Kind::Text(pieces)) => {
                self.next += 1;
                self.text(Some(name.to_owned()), pieces)
            }
            _ => Ok(Expr::Format(name.to_owned())),
        }
    }

    fn text(&mut self, format: Option<String>, pieces: &[Piece]) -> Result<Expr, JqError> {
        if let [Piece::Plain(text)] = pieces {
            return Ok(constant(text));
        }
        let parts = pieces.iter().map(|piece| match piece {
            Piece::Plain(text) => Ok(Part::Plain(text.clone())),
            Piece::Code(tokens) => read(tokens, self.depth).map(Part::Code),
        });
        Ok(Expr::Text(format, parts.collect::<Result<_, _>>()?))
    }

    fn word(&mut self, word: &str, token: &Token) -> Result<Expr, JqError> {
        match word {
            "null" => Ok(Expr::Constant(Value::Null)),
            "true" => Ok(Expr::Constant(Value::Bool(true))),
            "false" => Ok(Expr::Constant(Value::Bool(false))),
            "if" => self.condition(),
            "try" => self.attempt(),
            "reduce" => self.fold(false),
            "foreach" => self.fold(true),
            "label" => {
                let name = self.need_variable()?;
                self.need_sign("|")?;
                Ok(Expr::Label(name, Box::new(self.pipe()?)))
            }
            "break" => Ok(Expr::Break(self.need_variable()?)),
            "def" => {
                let def = self.definition()?;
                Ok(Expr::Define(Box::new(def), Box::new(self.pipe()?)))
            }
            "import" | "include" => Err(JqError::Unsupported(word.to_owned())),
            "then" | "elif" | "else" | "end" | "as" | "catch" | "and" | "or" => {
                Err(self.unexpected(token))
            }
            _ => Ok(Expr::Call(word.to_owned(), self.arguments()?)),
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

    fn attempt(&mut self) -> Result<Expr, JqError> {
        let body = Box::new(self.term()?);
        let handler = if self.take_word("catch") {
            Some(Box::new(self.term()?))
        } else {
            None
        };
        Ok(Expr::Try(body, handler))
    }

    fn fold(&mut self, each: bool) -> Result<Expr, JqError> {
        let source = self.term()?;
        self.need_word("as")?;
        let patterns = self.patterns()?;
        self.need_sign("(")?;
        let init = self.pipe()?;
        self.need_sign(";")?;
        let update = self.pipe()?;
        let extract = if each && self.take_sign(";") {
            Some(self.pipe()?)
        } else {
            each.then_some(Expr::Here)
        };
        self.need_sign(")")?;
        Ok(Expr::Fold(Box::new(Fold {
            source,
            patterns,
            init,
            update,
            extract,
        })))
    }

    fn condition(&mut self) -> Result<Expr, JqError> {
        self.deeper()?;
        let condition = self.pipe()?;
        self.need_word("then")?;
        let then = self.pipe()?;
        let otherwise = if self.take_word("elif") {
            self.condition()?
        } else {
            let otherwise = if self.take_word("else") {
                self.pipe()?
            } else {
                Expr::Here
            };
            self.need_word("end")?;
            otherwise
        };
        self.depth -= 1;
        Ok(Expr::If(
            Box::new(condition),
            Box::new(then),
            Box::new(otherwise),
        ))
    }

    /// Patterns of an `as`, each the next one's chance.
    pub(super) fn patterns(&mut self) -> Result<Vec<Pattern>, JqError> {
        let mut all = vec![self.pattern()?];
        while self.take_sign("?//") {
            all.push(self.pattern()?);
        }
        Ok(all)
    }

    fn pattern(&mut self) -> Result<Pattern, JqError> {
        self.deeper()?;
        let pattern = if let Some(name) = self.take_variable() {
            Pattern::Name(name)
        } else if self.take_sign("[") {
            let mut items = vec![self.pattern()?];
            while self.take_sign(",") {
                items.push(self.pattern()?);
            }
            self.need_sign("]")?;
            Pattern::List(items)
        } else {
            self.need_sign("{")?;
            let mut entries = vec![self.pattern_entry()?];
            while self.take_sign(",") {
                entries.push(self.pattern_entry()?);
            }
            self.need_sign("}")?;
            Pattern::Map(entries)
        };
        self.depth -= 1;
        Ok(pattern)
    }

    fn pattern_entry(&mut self) -> Result<(Option<String>, Expr, Option<Pattern>), JqError> {
        if let Some(name) = self.take_variable() {
            let inner = if self.take_sign(":") {
                Some(self.pattern()?)
            } else {
                None
            };
            let key = constant(&name);
            return Ok((Some(name), key, inner));
        }
        let key = self.key()?;
        self.need_sign(":")?;
        Ok((None, key, Some(self.pattern()?)))
    }

    /// A key of an object or a pattern.
    fn key(&mut self) -> Result<Expr, JqError> {
        let Some(token) = self.peek() else {
            return Err(self.missing("a key"));
        };
        self.next += 1;
        match &token.kind {
            Kind::Word(name) => Ok(constant(name)),
            Kind::Text(pieces) => self.text(None, pieces),
            Kind::Sign("(") => {
                let key = self.pipe()?;
                self.need_sign(")")?;
                Ok(key)
            }
            _ => Err(self.unexpected(token)),
        }
    }

    fn object(&mut self) -> Result<Expr, JqError> {
        let mut entries = Vec::new();
        while !self.take_sign("}") {
            if !entries.is_empty() {
                self.need_sign(",")?;
            }
            self.bounded(entries.len())?;
            entries.push(self.entry()?);
        }
        Ok(Expr::Object(entries))
    }

    fn entry(&mut self) -> Result<(Expr, Expr), JqError> {
        if let Some(name) = self.take_variable() {
            return Ok((constant(&name), Expr::Variable(name)));
        }
        let key = self.key()?;
        if !self.take_sign(":") {
            let value = index(Expr::Here, key.clone());
            return Ok((key, value));
        }
        let mut value = self.level(0)?;
        let mut length = 0;
        while self.take_sign("|") {
            length += 1;
            self.bounded(length)?;
            value = Expr::Pipe(Box::new(value), Box::new(self.level(0)?));
        }
        Ok((key, value))
    }
}
