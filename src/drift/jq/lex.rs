//! Text into tokens.

use super::JqError;

/// One token and where it begins (from 1).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// `.name`
    Field(String),
    /// A word: a function, a keyword.
    Word(String),
    /// `$name`
    Variable(String),
    /// `@name`
    Format(String),
    /// A text in quotes.
    Text(Vec<Piece>),
    /// A number.
    Number(f64),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// A part of a text in quotes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// As it stands.
    Plain(String),
    /// `\(…)`
    Code(Vec<Token>),
}

/// Longest first.
const SIGNS: [&str; 35] = [
    "?//", "//=", "..", "==", "!=", "<=", ">=", "//", "|=", "+=", "-=", "*=", "/=", "%=", ".", "|",
    ",", "[", "]", "(", ")", "{", "}", ":", ";", "?", "=", "<", ">", "+", "-", "*", "/", "%", "$",
];

/// How deep texts may hold texts.
const DEPTH: usize = 16;

/// Splits an expression.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, JqError> {
    let chars: Vec<char> = text.chars().collect();
    let mut reader = Reader {
        chars: &chars,
        at: 0,
        depth: 0,
    };
    reader.until_end(false)
}

struct Reader<'t> {
    chars: &'t [char],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or_default()
    }

    fn wrong(&self, at: usize, problem: impl Into<String>) -> JqError {
        JqError::Syntax {
            at: at + 1,
            problem: problem.into(),
        }
    }

    /// All tokens to the end; inside a text only to the bracket that closes.
    fn until_end(&mut self, inside: bool) -> Result<Vec<Token>, JqError> {
        let mut found = Vec::new();
        let mut open = 0_usize;
        while self.at < self.chars.len() {
            let c = self.peek(0);
            if c.is_whitespace() {
                self.at += 1;
                continue;
            }
            if c == '#' {
                while self.at < self.chars.len() && self.peek(0) != '\n' {
                    self.at += 1;
                }
                if self.at >= self.chars.len() {
                    // Argo CD writes the expression into `del(…)`, in one line.
                    return Err(self.wrong(self.at, "the comment swallows the bracket behind it"));
                }
                continue;
            }
            if inside && c == ')' && open == 0 {
                self.at += 1;
                return Ok(found);
            }
            let at = self.at + 1;
            let kind = self.token()?;
            match kind {
                Kind::Sign("(") => open += 1,
                Kind::Sign(")") => open = open.saturating_sub(1),
                _ => {}
            }
            found.push(Token { at, kind });
        }
        if inside {
            return Err(self.wrong(self.at, "`)` is missing inside a text"));
        }
        Ok(found)
    }

    fn token(&mut self) -> Result<Kind, JqError> {
        match (self.peek(0), self.peek(1)) {
            ('"', _) => self.text(),
            ('.', c) if is_name_start(c) => Ok(Kind::Field(self.name(1))),
            ('$', c) if is_name_start(c) => Ok(Kind::Variable(self.name(1))),
            ('@', c) if is_name_start(c) => Ok(Kind::Format(self.name(1))),
            (c, _) if is_name_start(c) => Ok(Kind::Word(self.name(0))),
            (c, next) if c.is_ascii_digit() || (c == '.' && next.is_ascii_digit()) => self.number(),
            _ => self.sign(),
        }
    }

    fn name(&mut self, skip: usize) -> String {
        self.at += skip;
        let is_part = |c: &&char| c.is_ascii_alphanumeric() || **c == '_';
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let name: String = rest.iter().take_while(is_part).collect();
        self.at += name.len();
        name
    }

    fn sign(&mut self) -> Result<Kind, JqError> {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let text: String = rest.iter().take(3).collect();
        let Some(sign) = SIGNS.iter().find(|sign| text.starts_with(**sign)) else {
            let problem = format!("`{}` has no meaning here", self.peek(0).escape_debug());
            return Err(self.wrong(self.at, problem));
        };
        self.at += sign.len();
        Ok(Kind::Sign(sign))
    }

    fn number(&mut self) -> Result<Kind, JqError> {
        let start = self.at;
        let mut text = String::new();
        loop {
            let (c, next) = (self.peek(0), self.peek(1));
            let exponent = matches!(c, 'e' | 'E')
                && (next.is_ascii_digit()
                    || (matches!(next, '+' | '-') && self.peek(2).is_ascii_digit()));
            let signed = matches!(c, '+' | '-') && text.ends_with(['e', 'E']);
            if !(c.is_ascii_digit() || c == '.' || exponent || signed) {
                break;
            }
            text.push(c);
            self.at += 1;
        }
        let number = text.parse().map(Kind::Number);
        number.map_err(|_| self.wrong(start, "this is no number"))
    }

    fn text(&mut self) -> Result<Kind, JqError> {
        let start = self.at;
        self.at += 1;
        let mut pieces = Vec::new();
        let mut plain = String::new();
        loop {
            if self.at >= self.chars.len() {
                return Err(self.wrong(start, "the text has no closing quote"));
            }
            match (self.peek(0), self.peek(1)) {
                ('"', _) => {
                    self.at += 1;
                    pieces.push(Piece::Plain(plain));
                    return Ok(Kind::Text(pieces));
                }
                ('\\', '(') => {
                    self.at += 2;
                    pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                    pieces.push(Piece::Code(self.code()?));
                }
                ('\\', _) => plain.push(self.escaped()?),
                (c, _) => {
                    plain.push(c);
                    self.at += 1;
                }
            }
        }
    }

    fn code(&mut self) -> Result<Vec<Token>, JqError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(JqError::Unsupported("deep nesting".to_owned()));
        }
        let tokens = self.until_end(true)?;
        self.depth -= 1;
        Ok(tokens)
    }

    /// What stands behind a backslash.
    fn escaped(&mut self) -> Result<char, JqError> {
        let at = self.at;
        self.at += 2;
        Ok(match self.chars.get(at + 1) {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(c @ ('"' | '\\' | '/')) => *c,
            Some('u') => {
                let first = self.hex4();
                let pair = (0xd800..0xdc00).contains(&first)
                    && (self.peek(0), self.peek(1)) == ('\\', 'u');
                let code = if pair {
                    self.at += 2;
                    0x10000 + ((first - 0xd800) << 10) + self.hex4().wrapping_sub(0xdc00)
                } else {
                    first
                };
                char::from_u32(code).unwrap_or('\u{fffd}')
            }
            _ => return Err(self.wrong(at, "this escape is none")),
        })
    }

    fn hex4(&mut self) -> u32 {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let digits: String = rest.iter().take(4).collect();
        self.at += digits.chars().count();
        u32::from_str_radix(&digits, 16).unwrap_or(0xfffd)
    }
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}
