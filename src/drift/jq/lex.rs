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
    /// A text in quotes.
    Text(String),
    /// A number.
    Number(f64),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Longest first.
const SIGNS: [&str; 33] = [
    "?//", "//=", "..", "==", "!=", "<=", ">=", "//", "|=", "+=", "-=", "*=", "/=", "%=", ".", "|",
    ",", "[", "]", "(", ")", "{", "}", ":", ";", "?", "=", "<", ">", "+", "-", "*", "/",
];

/// Splits an expression.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, JqError> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        if c == '#' {
            at += chars.iter().skip(at).take_while(|c| **c != '\n').count();
            continue;
        }
        let (kind, length) = token(chars.get(at..).unwrap_or_default(), at)?;
        found.push(Token { at: at + 1, kind });
        at += length;
    }
    Ok(found)
}

fn token(rest: &[char], at: usize) -> Result<(Kind, usize), JqError> {
    let first = rest.first().copied().unwrap_or_default();
    let second = rest.get(1).copied().unwrap_or_default();
    match first {
        '"' => text(rest, at),
        '.' if is_name_start(second) => {
            let name = name(rest.get(1..).unwrap_or_default());
            Ok((Kind::Field(name.clone()), name.chars().count() + 1))
        }
        '$' if is_name_start(second) => {
            let name = name(rest.get(1..).unwrap_or_default());
            Ok((Kind::Variable(name.clone()), name.chars().count() + 1))
        }
        c if is_name_start(c) => {
            let name = name(rest);
            let length = name.chars().count();
            Ok((Kind::Word(name), length))
        }
        c if c.is_ascii_digit() => number(rest, at),
        '%' => Ok((Kind::Sign("%"), 1)),
        _ => sign(rest).ok_or_else(|| JqError::Syntax {
            at: at + 1,
            problem: format!("`{}` has no meaning here", first.escape_debug()),
        }),
    }
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn name(rest: &[char]) -> String {
    rest.iter()
        .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
        .collect()
}

fn sign(rest: &[char]) -> Option<(Kind, usize)> {
    let text: String = rest.iter().take(3).collect();
    SIGNS
        .iter()
        .find(|sign| text.starts_with(**sign))
        .map(|sign| (Kind::Sign(sign), sign.len()))
}

fn number(rest: &[char], at: usize) -> Result<(Kind, usize), JqError> {
    let text: String = rest
        .iter()
        .take_while(|c| c.is_ascii_digit() || **c == '.')
        .collect();
    let value = text.parse().map_err(|_| JqError::Syntax {
        at: at + 1,
        problem: "this is no number".to_owned(),
    })?;
    Ok((Kind::Number(value), text.len()))
}

fn text(rest: &[char], at: usize) -> Result<(Kind, usize), JqError> {
    let mut out = String::new();
    let mut here = 1;
    loop {
        match rest.get(here) {
            None => {
                return Err(JqError::Syntax {
                    at: at + 1,
                    problem: "the text has no closing quote".to_owned(),
                });
            }
            Some('"') => return Ok((Kind::Text(out), here + 1)),
            Some('\\') => {
                here += escaped(
                    rest.get(here + 1..).unwrap_or_default(),
                    at + here,
                    &mut out,
                )?
            }
            Some(c) => {
                out.push(*c);
                here += 1;
            }
        }
    }
}

/// What stands behind a backslash; gives how many characters the escape has, the backslash included.
fn escaped(rest: &[char], at: usize, out: &mut String) -> Result<usize, JqError> {
    let simple = match rest.first() {
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some(c @ ('"' | '\\' | '/')) => *c,
        Some('u') => {
            let digits: String = rest.iter().skip(1).take(4).collect();
            let code = u32::from_str_radix(&digits, 16)
                .ok()
                .and_then(char::from_u32);
            out.push(code.unwrap_or('\u{fffd}'));
            return Ok(2 + digits.chars().count());
        }
        Some('(') => return Err(JqError::Unsupported("\\(…)".to_owned())),
        _ => {
            return Err(JqError::Syntax {
                at: at + 1,
                problem: "this escape is none".to_owned(),
            });
        }
    };
    out.push(simple);
    Ok(2)
}
