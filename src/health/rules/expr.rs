//! The tests and values that a health rule is written in: their syntax tree and the parser.
//!
//! `.status.phase` is a path (`$` starts at the object when a step walks a list, `^` one level up; `[]` walks a list or the values of a map),
//! `@Ready` the status of a condition and `@Ready.reason` another of its fields, a bare or quoted word is text. See `health/README.md`.

use serde_json::Value;

use super::lex::{Lexer, Token};

/// Where a path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// The item that a step walks, else the object.
    Here,
    /// The object.
    Object,
    /// The item one level up.
    Up,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    /// A field of a map.
    Field(String),
    /// Every element of a list, or every value of a map.
    Each,
}

/// A value: none, one or several.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Path(Start, Vec<Segment>),
    Condition {
        kind: String,
        field: String,
    },
    Literal(Value),
    Count(Box<Operand>, Option<Box<Test>>),
    Sum(Box<Operand>),
    Join(Box<Operand>, String),
    /// The text before the first of a separator.
    Before(Box<Operand>, String),
    /// The text behind it.
    After(Box<Operand>, String),
    /// The second when the first has no value, or an empty one.
    Else(Box<Operand>, Box<Operand>),
    Plus(Box<Operand>, Box<Operand>),
    Minus(Box<Operand>, Box<Operand>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Starts,
    Ends,
    Contains,
}

/// A question with yes or no for an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
    /// Holds when any value on the left has the relation to any on the right.
    Compare(Operand, Relation, Operand),
    In(Operand, Vec<Operand>),
    /// There is a value that is not null.
    Present(Operand),
    /// There is no value, or only null, "", [] and {}.
    Empty(Operand),
    /// The controller has seen another generation than the object has now.
    Stale,
    Some(Operand, Box<Test>),
    Every(Operand, Box<Test>),
}

/// Parses a whole test.
pub(super) fn test(text: &str) -> Result<Test, String> {
    let mut parser = Parser(Lexer::new(text)?);
    let whole = parser.or()?;
    parser.end()?;
    Ok(whole)
}

/// Parses a whole value.
pub(super) fn operand(text: &str) -> Result<Operand, String> {
    let mut parser = Parser(Lexer::new(text)?);
    let operand = parser.operand()?;
    parser.end()?;
    Ok(operand)
}

struct Parser(Lexer);

impl Parser {
    fn end(&mut self) -> Result<(), String> {
        match self.0.next() {
            None => Ok(()),
            Some(token) => Err(format!("{token} stands where the end should be")),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        self.0.take(&Token::Word(word.to_owned()))
    }

    fn mark(&mut self, mark: &'static str) -> bool {
        self.0.take(&Token::Mark(mark))
    }

    fn need(&mut self, mark: &'static str) -> Result<(), String> {
        if self.mark(mark) {
            return Ok(());
        }
        Err(match self.0.peek() {
            Some(token) => format!("{token} stands where `{mark}` should be"),
            None => format!("`{mark}` is missing at the end"),
        })
    }

    fn or(&mut self) -> Result<Test, String> {
        let mut test = self.and()?;
        while self.word("or") {
            test = Test::Or(Box::new(test), Box::new(self.and()?));
        }
        Ok(test)
    }

    fn and(&mut self) -> Result<Test, String> {
        let mut test = self.not()?;
        while self.word("and") {
            test = Test::And(Box::new(test), Box::new(self.not()?));
        }
        Ok(test)
    }

    fn not(&mut self) -> Result<Test, String> {
        if self.word("not") {
            return Ok(Test::Not(Box::new(self.not()?)));
        }
        self.grouped().map_or_else(|| self.atom(), Ok)
    }

    /// A test in parentheses; `None` when there is none, or when they hold a value that is compared.
    fn grouped(&mut self) -> Option<Test> {
        let before = self.0.clone();
        let inner = (self.mark("(").then(|| self.or().ok())).flatten();
        let test = inner.filter(|_| self.mark(")"));
        let compared =
            matches!(self.0.peek(), Some(Token::Mark(mark)) if !matches!(*mark, ")" | "," | "]"));
        if test.is_none() || compared {
            self.0 = before;
            return None;
        }
        test
    }

    fn atom(&mut self) -> Result<Test, String> {
        if self.word("stale") {
            return Ok(Test::Stale);
        }
        if self.word("empty") {
            self.need("(")?;
            let operand = self.operand()?;
            self.need(")")?;
            return Ok(Test::Empty(operand));
        }
        if self.word("some") {
            let (operand, test) = self.walk()?;
            return Ok(Test::Some(operand, Box::new(test)));
        }
        if self.word("every") {
            let (operand, test) = self.walk()?;
            return Ok(Test::Every(operand, Box::new(test)));
        }
        self.relation()
    }

    /// `(operand : test)`.
    fn walk(&mut self) -> Result<(Operand, Test), String> {
        self.need("(")?;
        let operand = self.operand()?;
        self.need(":")?;
        let test = self.or()?;
        self.need(")")?;
        Ok((operand, test))
    }

    fn relation(&mut self) -> Result<Test, String> {
        let left = self.operand()?;
        if self.word("in") {
            return Ok(Test::In(left, self.list()?));
        }
        if self.mark("!=") {
            let test = Test::Compare(left, Relation::Equal, self.operand()?);
            return Ok(Test::Not(Box::new(test)));
        }
        let Some(relation) = self.sign() else {
            return Ok(Test::Present(left));
        };
        Ok(Test::Compare(left, relation, self.operand()?))
    }

    fn sign(&mut self) -> Option<Relation> {
        const MARKS: [(&str, Relation); 5] = [
            ("=", Relation::Equal),
            ("<", Relation::Less),
            ("<=", Relation::LessOrEqual),
            (">", Relation::Greater),
            (">=", Relation::GreaterOrEqual),
        ];
        const WORDS: [(&str, Relation); 3] = [
            ("starts", Relation::Starts),
            ("ends", Relation::Ends),
            ("contains", Relation::Contains),
        ];
        let mark = MARKS.iter().find(|(mark, _)| self.mark(mark));
        mark.or_else(|| WORDS.iter().find(|(word, _)| self.word(word)))
            .map(|(_, relation)| *relation)
    }

    fn list(&mut self) -> Result<Vec<Operand>, String> {
        self.need("[")?;
        let mut items = vec![self.simple()?];
        while self.mark(",") {
            items.push(self.simple()?);
        }
        self.need("]")?;
        Ok(items)
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let mut left = self.simple()?;
        loop {
            let join = if self.mark("??") {
                Operand::Else
            } else if self.mark("+") {
                Operand::Plus
            } else if self.mark("-") {
                Operand::Minus
            } else {
                return Ok(left);
            };
            left = join(Box::new(left), Box::new(self.simple()?));
        }
    }

    fn simple(&mut self) -> Result<Operand, String> {
        match self.0.next() {
            Some(Token::Path(start, segments)) => Ok(Operand::Path(start, segments)),
            Some(Token::Condition(kind, field)) => Ok(Operand::Condition { kind, field }),
            Some(Token::Text(text)) => Ok(Operand::Literal(Value::String(text))),
            Some(Token::Word(word)) => self.call(word),
            Some(Token::Mark("(")) => {
                let inner = self.operand()?;
                self.need(")")?;
                Ok(inner)
            }
            Some(token) => Err(format!("{token} stands where a value should be")),
            None => Err("a value is missing at the end".to_owned()),
        }
    }

    /// `, "text"`.
    fn separator(&mut self) -> Result<String, String> {
        self.need(",")?;
        match self.0.next() {
            Some(Token::Text(separator)) => Ok(separator),
            _ => Err("a quoted text is missing behind the comma".to_owned()),
        }
    }

    fn call(&mut self, word: String) -> Result<Operand, String> {
        if !FUNCTIONS.contains(&word.as_str()) || !self.mark("(") {
            return Ok(Operand::Literal(literal(word)));
        }
        let inner = Box::new(self.operand()?);
        let operand = match word.as_str() {
            "sum" => Operand::Sum(inner),
            "join" => Operand::Join(inner, self.separator()?),
            "before" => Operand::Before(inner, self.separator()?),
            "after" => Operand::After(inner, self.separator()?),
            _ if self.mark(":") => Operand::Count(inner, Some(Box::new(self.or()?))),
            _ => Operand::Count(inner, None),
        };
        self.need(")")?;
        Ok(operand)
    }
}

/// The words that take values in parentheses.
const FUNCTIONS: [&str; 5] = ["count", "sum", "join", "before", "after"];

fn literal(word: String) -> Value {
    match word.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match word.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => Value::String(word),
        },
    }
}
