//! `PATH=VALUE` set into values, as `helm --set` reads it: Flux's `targetPath` means the same.
//!
//! Source of the rules: Helm's documentation of `--set` and what its parser does. A value may be a list in braces, a backslash takes the meaning
//! from the character that follows, and a comma begins another key.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use super::values::{Node, Shared};

/// Keys inside each other.
const DEPTH: usize = 30;
/// The highest place of a list that can be set.
const PLACES: usize = 65_536;

/// How a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A number, a yes or no, nothing, else a text.
    Typed,
    /// A text, whatever it looks like: it stands in quotes.
    Text,
    /// A text to its end: neither commas nor braces nor backslashes mean anything.
    Literal,
}

impl How {
    /// How Flux reads a value.
    pub(super) fn of(value: &str, literal: bool) -> Self {
        let quoted = |quote: char| value.starts_with(quote) && value.ends_with(quote);
        if literal {
            Self::Literal
        } else if quoted('\'') || quoted('"') {
            Self::Text
        } else {
            Self::Typed
        }
    }
}

/// Why a key ends.
enum End {
    /// There is no more.
    Done,
    /// It cannot be read; the words do not repeat it.
    Wrong(&'static str),
}

type Outcome<T> = Result<T, End>;

/// Sets a value at a path.
///
/// # Errors
/// What Helm refuses too, in words that repeat neither path nor value.
pub(super) fn set(
    into: &Shared,
    path: &str,
    value: &str,
    how: How,
    secret: bool,
) -> Result<(), &'static str> {
    let value = match how {
        How::Text => value.trim_matches(['\'', '"']),
        How::Typed | How::Literal => value,
    };
    let text: Vec<char> = format!("{path}={value}").chars().collect();
    let mut reader = Reader {
        text,
        at: 0,
        how,
        secret,
    };
    loop {
        match reader.key(into, 0) {
            Ok(()) => {}
            Err(End::Done) => return Ok(()),
            Err(End::Wrong(why)) => return Err(why),
        }
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
    how: How,
    secret: bool,
}

impl Reader {
    /// One key, and its value.
    fn key(&mut self, data: &Shared, depth: usize) -> Outcome<()> {
        let (key, stop) = self.until(&['=', '[', ',', '.']);
        match stop {
            None if key.is_empty() => Err(End::Done),
            None => Err(End::Wrong("a key has no value")),
            Some('[') => self.place_of(data, &key, depth),
            Some('=') => {
                let value = self.value()?;
                put(data, &key, value);
                Ok(())
            }
            Some('.') => self.inside(data, &key, depth + 1),
            Some(_) => Err(End::Wrong("a key has no value before a comma")),
        }
    }

    /// `KEY[PLACE]…`
    fn place_of(&mut self, data: &Shared, key: &str, depth: usize) -> Outcome<()> {
        let place = self.place()?;
        let known = data.borrow().get(key).cloned();
        let list = match known {
            None => new_list(Vec::new()),
            Some(Node::List(items)) => items,
            Some(_) => return Err(End::Wrong("a key with a place is no list")),
        };
        let list = self.item(&list, place, depth)?;
        put(data, key, Node::List(list));
        Ok(())
    }

    /// `KEY.…`
    fn inside(&mut self, data: &Shared, key: &str, depth: usize) -> Outcome<()> {
        if depth > DEPTH {
            return Err(End::Wrong("keys stand too deep in each other"));
        }
        let known = data.borrow().get(key).cloned();
        let inner = match known {
            None => Shared::default(),
            Some(Node::Map(inner)) => inner,
            Some(_) => return Err(End::Wrong("a key with keys below it is no map")),
        };
        let outcome = self.key(&inner, depth);
        let empty = inner.borrow().is_empty();
        if outcome.is_ok() && empty {
            return Err(End::Wrong("a key has no value"));
        }
        if !empty {
            put(data, key, Node::Map(inner));
        }
        outcome
    }

    /// What follows `LIST[PLACE]`.
    fn item(
        &mut self,
        list: &Rc<RefCell<Vec<Node>>>,
        place: usize,
        depth: usize,
    ) -> Outcome<Rc<RefCell<Vec<Node>>>> {
        let (rest, stop) = self.until(&['[', '.', '=']);
        if !rest.is_empty() {
            return Err(End::Wrong("something stands behind a place"));
        }
        let known = list.borrow().get(place).cloned();
        let value = match stop {
            None => return Err(End::Done),
            Some('=') => self.value()?,
            Some('[') => {
                let next = self.place()?;
                let inner = match known {
                    None | Some(Node::Leaf(Value::Null, _)) => new_list(Vec::new()),
                    Some(Node::List(items)) => items,
                    Some(_) => return Err(End::Wrong("a key with a place is no list")),
                };
                Node::List(self.item(&inner, next, depth)?)
            }
            Some(_) => {
                let inner = match known {
                    Some(Node::Map(inner)) => inner,
                    _ => Rc::new(RefCell::new(BTreeMap::new())),
                };
                self.key(&inner, depth)?;
                Node::Map(inner)
            }
        };
        Ok(placed(list, place, value))
    }

    fn place(&mut self) -> Outcome<usize> {
        let (place, stop) = self.until(&[']']);
        let place = stop.and_then(|_| place.parse().ok());
        let place = place.ok_or(End::Wrong("a place of a list is no number"))?;
        if place > PLACES {
            return Err(End::Wrong("a place of a list is too high"));
        }
        Ok(place)
    }

    /// What follows an equals sign, up to and with the comma that ends it.
    fn value(&mut self) -> Outcome<Node> {
        if self.how == How::Literal {
            let rest: String = self
                .text
                .get(self.at..)
                .unwrap_or_default()
                .iter()
                .collect();
            self.at = self.text.len();
            return Ok(Node::Leaf(json!(rest), self.secret));
        }
        if self.text.get(self.at) == Some(&'{') {
            self.at += 1;
            return self.list();
        }
        let (value, _) = self.until(&[',']);
        Ok(self.typed(value))
    }

    /// `a,b,c}`, and the comma behind it.
    fn list(&mut self) -> Outcome<Node> {
        let mut items = Vec::new();
        loop {
            let (item, stop) = self.until(&[',', '}']);
            let ended = match stop {
                None => return Err(End::Wrong("a list has no closing brace")),
                Some(stop) => stop == '}',
            };
            items.push(self.typed(item));
            if ended {
                if self.text.get(self.at) == Some(&',') {
                    self.at += 1;
                }
                return Ok(Node::List(new_list(items)));
            }
        }
    }

    fn typed(&self, text: String) -> Node {
        let value = if self.how == How::Text {
            json!(text)
        } else {
            typed(text)
        };
        Node::Leaf(value, self.secret)
    }

    /// What stands before one of these characters, and which it was; `None` at the end.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut found = String::new();
        while let Some(&here) = self.text.get(self.at) {
            self.at += 1;
            if stops.contains(&here) {
                return (found, Some(here));
            }
            if here == '\\' {
                let Some(&next) = self.text.get(self.at) else {
                    break;
                };
                found.push(next);
                self.at += 1;
            } else {
                found.push(here);
            }
        }
        (found, None)
    }
}

/// What Helm takes a text for.
fn typed(text: String) -> Value {
    let word = |word: &str| text.eq_ignore_ascii_case(word);
    if word("true") || word("false") {
        return json!(word("true"));
    }
    if word("null") {
        return Value::Null;
    }
    // A number that begins with a nought is a code.
    let number = (text == "0" || !text.starts_with('0')).then(|| text.parse::<i64>());
    match number {
        Some(Ok(number)) => json!(number),
        _ => json!(text),
    }
}

fn new_list(items: Vec<Node>) -> Rc<RefCell<Vec<Node>>> {
    Rc::new(RefCell::new(items))
}

/// An entry of a map; what has no key is dropped, as in Helm.
fn put(data: &Shared, key: &str, value: Node) {
    if !key.is_empty() {
        data.borrow_mut().insert(key.to_owned(), value);
    }
}

/// The list with a value in a place: the same list where it is long enough, else a longer copy, as Go's slices do.
fn placed(list: &Rc<RefCell<Vec<Node>>>, place: usize, value: Node) -> Rc<RefCell<Vec<Node>>> {
    if let Some(slot) = list.borrow_mut().get_mut(place) {
        *slot = value;
        return list.clone();
    }
    let mut longer = list.borrow().clone();
    longer.resize(place, Node::Leaf(Value::Null, false));
    longer.push(value);
    new_list(longer)
}

#[cfg(test)]
mod tests {
    use super::super::values::Values;
    use super::*;
    use crate::desired::flux::{Given, GivenText, GivenValues};

    fn made(own: Value, path: &str, value: &str, literal: bool) -> Option<Value> {
        let one = GivenValues {
            given: GivenText {
                text: value.to_owned(),
                secret: false,
            },
            from: "the ConfigMap edge/one".to_owned(),
            target_path: path.to_owned(),
            literal,
        };
        let given = Given {
            values: vec![one],
            ..Given::default()
        };
        let merged = Values::merged(own.as_object().unwrap(), &given);
        merged.ok().map(|values| values.clear)
    }

    #[test]
    fn values_have_the_types_that_helm_gives_them() {
        for (text, value) in [
            ("3", json!(3)),
            ("-7", json!(-7)),
            ("0", json!(0)),
            ("007", json!("007")),
            ("1.5", json!("1.5")),
            ("True", json!(true)),
            ("null", Value::Null),
            ("", json!("")),
            ("'3'", json!("3")),
            ("\"true\"", json!("true")),
            ("{a,2}", json!(["a", 2])),
            ("{}", json!([""])),
            ("a\\,b", json!("a,b")),
        ] {
            assert_eq!(
                made(json!({}), "a.b", text, false),
                Some(json!({"a": {"b": value}})),
                "{text}"
            );
        }
    }

    #[test]
    fn paths_lead_through_maps_and_lists() {
        for (own, path, made_of) in [
            (json!({}), "a[1].b", json!({"a": [null, {"b": "x"}]})),
            (
                json!({"a": [{"b": "y", "c": 1}]}),
                "a[0].b",
                json!({"a": [{"b": "x", "c": 1}]}),
            ),
            (json!({}), "a\\.b.c", json!({"a.b": {"c": "x"}})),
            (json!({}), "a[0][1]", json!({"a": [[null, "x"]]})),
        ] {
            assert_eq!(made(own, path, "x", false), Some(made_of), "{path}");
        }
    }

    #[test]
    fn a_comma_begins_another_key_unless_the_value_is_literal() {
        assert_eq!(
            made(json!({}), "a", "x,b=y", false),
            Some(json!({"a": "x", "b": "y"}))
        );
        assert_eq!(made(json!({}), "a", "x,y", false), None);
        let text = "{\"x\": [1,2]}, y=z\\n\n";
        assert_eq!(
            made(json!({}), "a.b", text, true),
            Some(json!({"a": {"b": text}}))
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (own, path) in [
            (json!({"a": "text"}), "a.b"),
            (json!({"a": {}}), "a[0]"),
            (json!({}), "a[x]"),
            (json!({}), "a[0]b"),
            (json!({}), "a[99999999]"),
            (json!({}), &"a.".repeat(40)),
        ] {
            assert_eq!(made(own, path, "x", false), None, "{path}");
        }
    }
}
