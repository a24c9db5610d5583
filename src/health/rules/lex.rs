//! The tokens of a health rule's tests.

use std::collections::VecDeque;
use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use super::expr::{Segment, Start};

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Path(Start, Vec<Segment>),
    /// A condition's type and the field of it that is meant.
    Condition(String, String),
    Text(String),
    Word(String),
    Mark(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(..) => write!(f, "a path"),
            Self::Condition(kind, _) => write!(f, "`@{kind}`"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Mark(mark) => write!(f, "`{mark}`"),
        }
    }
}

/// The tokens of a text, read from the front.
#[derive(Clone)]
pub(super) struct Lexer(VecDeque<Token>);

impl Lexer {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let mut chars = text.chars().peekable();
        let mut tokens = VecDeque::new();
        while let Some(&c) = chars.peek() {
            if c.is_whitespace() {
                chars.next();
            } else {
                tokens.push_back(token(&mut chars, c)?);
            }
        }
        Ok(Self(tokens))
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.0.front()
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        self.0.pop_front()
    }

    /// Takes the next token if it is this one.
    pub(super) fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        if found {
            self.0.pop_front();
        }
        found
    }
}

type Source<'t> = Peekable<Chars<'t>>;

fn token(chars: &mut Source<'_>, first: char) -> Result<Token, String> {
    match first {
        '.' | '$' | '^' => path(chars, first),
        '@' => condition(chars),
        '"' => Ok(Token::Text(quoted(chars)?)),
        c if is_word(c) => Ok(Token::Word(word(chars, |c| {
            is_word(c) || matches!(c, '-' | '/' | '.')
        }))),
        _ => mark(chars, first),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn word(chars: &mut Source<'_>, part: fn(char) -> bool) -> String {
    let mut word = String::new();
    while let Some(c) = chars.next_if(|c| part(*c)) {
        word.push(c);
    }
    word
}

fn quoted(chars: &mut Source<'_>) -> Result<String, String> {
    chars.next();
    let mut text = String::new();
    loop {
        match chars.next() {
            Some('"') => return Ok(text),
            Some(c) => text.push(c),
            None => return Err("a quote is not closed".to_owned()),
        }
    }
}

fn mark(chars: &mut Source<'_>, first: char) -> Result<Token, String> {
    const LONG: [&str; 4] = ["!=", "<=", ">=", "??"];
    const SHORT: [&str; 11] = ["(", ")", "[", "]", ",", ":", "=", "<", ">", "+", "-"];
    chars.next();
    if let Some(long) = LONG
        .into_iter()
        .find(|m| m.starts_with(first) && chars.peek() == m.chars().nth(1).as_ref())
    {
        chars.next();
        return Ok(Token::Mark(long));
    }
    SHORT
        .into_iter()
        .find(|m| m.starts_with(first))
        .map(Token::Mark)
        .ok_or_else(|| format!("`{first}` means nothing here"))
}

fn condition(chars: &mut Source<'_>) -> Result<Token, String> {
    chars.next();
    let kind = if chars.peek() == Some(&'"') {
        quoted(chars)?
    } else {
        word(chars, is_word)
    };
    if kind.is_empty() {
        return Err("`@` names no condition".to_owned());
    }
    let field = match chars.next_if_eq(&'.') {
        Some(_) => word(chars, is_word),
        None => "status".to_owned(),
    };
    Ok(Token::Condition(kind, field))
}

fn path(chars: &mut Source<'_>, first: char) -> Result<Token, String> {
    let start = match first {
        '$' => Start::Object,
        '^' => Start::Up,
        _ => Start::Here,
    };
    if start != Start::Here {
        chars.next();
    }
    let mut segments = Vec::new();
    loop {
        if chars.next_if_eq(&'.').is_some() {
            let field = word(chars, |c| is_word(c) || c == '-');
            if !field.is_empty() {
                segments.push(Segment::Field(field));
            }
        } else if chars.next_if_eq(&'[').is_some() {
            segments.push(bracket(chars)?);
        } else {
            return Ok(Token::Path(start, segments));
        }
    }
}

/// What follows `[`: `]`, or a quoted field and `]`.
fn bracket(chars: &mut Source<'_>) -> Result<Segment, String> {
    let segment = if chars.peek() == Some(&'"') {
        Segment::Field(quoted(chars)?)
    } else {
        Segment::Each
    };
    match chars.next() {
        Some(']') => Ok(segment),
        _ => Err("a path needs `[]` or `[\"field\"]`".to_owned()),
    }
}
