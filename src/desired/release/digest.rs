//! The digest of a release's values as Flux keeps it in its history: of the YAML that Go writes, keys sorted.
//!
//! Source of the rules: fluxcd/pkg `chartutil` (SHA-256 of the sorted values, of nothing when there are none) and go-yaml v2, which it writes with:
//! lines are broken after 80 characters, a text is quoted when it would read as something else, and one with line breaks is a block.

use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

use super::plain::{is_plain, resolves_to_text};

/// Characters of a line after which the next blank breaks it.
const WIDTH: usize = 80;
/// Bytes of a key that stands on one line with its value.
const KEY: usize = 128;

/// The digest of values; `None` for keys that go-yaml would write in a form of their own.
pub(super) fn digest(values: &Value) -> Option<String> {
    let mut writer = Writer::default();
    if let Some(map) = values.as_object().filter(|map| !map.is_empty()) {
        writer.map(map, 0, false)?;
    }
    let hex: String = Sha256::digest(&writer.out)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    Some(format!("sha256:{hex}"))
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Characters of the line so far.
    column: usize,
}

impl Writer {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column = if c == '\n' { 0 } else { self.column + 1 };
    }

    fn text(&mut self, text: &str) {
        text.chars().for_each(|c| self.put(c));
    }

    fn indent(&mut self, indent: usize) {
        while self.column < indent {
            self.put(' ');
        }
    }

    /// `inside` says that the first line already stands behind a dash.
    fn map(&mut self, map: &Map<String, Value>, indent: usize, inside: bool) -> Option<()> {
        let mut entries: Vec<(&String, &Value)> = map.iter().collect();
        entries.sort_by_key(|(key, _)| *key);
        for (place, (key, value)) in entries.into_iter().enumerate() {
            if place > 0 || !inside {
                self.indent(indent);
            }
            if key.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) || key.len() > KEY {
                return None;
            }
            self.scalar(key, indent, false);
            self.put(':');
            self.value(value, indent)?;
        }
        Some(())
    }

    fn value(&mut self, value: &Value, indent: usize) -> Option<()> {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.put('\n');
                self.map(map, indent + 2, false)
            }
            Value::Array(items) if !items.is_empty() => {
                self.put('\n');
                self.list(items, indent, false)
            }
            leaf => {
                self.put(' ');
                self.leaf(leaf, indent + 2);
                Some(())
            }
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, inside: bool) -> Option<()> {
        for (place, item) in items.iter().enumerate() {
            if place > 0 || !inside {
                self.indent(indent);
            }
            self.text("- ");
            match item {
                Value::Object(map) if !map.is_empty() => self.map(map, indent + 2, true)?,
                Value::Array(inner) if !inner.is_empty() => self.list(inner, indent + 2, true)?,
                leaf => self.leaf(leaf, indent + 2),
            }
        }
        Some(())
    }

    /// What has nothing below it, with the end of its line.
    fn leaf(&mut self, leaf: &Value, indent: usize) {
        match leaf {
            Value::String(text) => self.scalar(text, indent, true),
            Value::Number(number) => self.text(&written(number)),
            Value::Object(_) => self.text("{}"),
            Value::Array(_) => self.text("[]"),
            other => self.text(&other.to_string()),
        }
        if self.column > 0 {
            self.put('\n');
        }
    }

    /// A text in the form that go-yaml chooses; `breaks` allows to break its line.
    fn scalar(&mut self, text: &str, indent: usize, breaks: bool) {
        let form = Form::of(text);
        if breaks && text.contains('\n') && form.block {
            self.block(text, indent);
        } else if !text.contains('\n') && resolves_to_text(text) && form.plain {
            self.broken(text, indent, breaks, |_| None);
        } else if !text.contains('\n') && resolves_to_text(text) && form.single {
            self.put('\'');
            self.broken(text, indent, breaks, |c| (c == '\'').then_some('\''));
            self.put('\'');
        } else {
            self.double(text, indent, breaks);
        }
    }

    /// A text on one line or several; `before` is what goes before a character.
    fn broken(
        &mut self,
        text: &str,
        indent: usize,
        breaks: bool,
        before: impl Fn(char) -> Option<char>,
    ) {
        let mut blank = false;
        let letters: Vec<char> = text.chars().collect();
        for (place, &c) in letters.iter().enumerate() {
            let inner = place > 0 && letters.get(place + 1).is_some_and(|next| *next != ' ');
            if c == ' ' && breaks && !blank && self.column > WIDTH && inner {
                self.put('\n');
                self.indent(indent);
            } else {
                before(c).into_iter().for_each(|extra| self.put(extra));
                self.put(c);
            }
            blank = c == ' ';
        }
    }

    fn double(&mut self, text: &str, indent: usize, breaks: bool) {
        self.put('"');
        let marked = text.starts_with('\u{feff}');
        let mut blank = false;
        let letters: Vec<char> = text.chars().collect();
        for (place, &c) in letters.iter().enumerate() {
            let next = letters.get(place + 1);
            // Behind a byte order mark go-yaml escapes everything.
            if marked || needs_escape(c) {
                self.text(&escape(c));
            } else if c == ' '
                && breaks
                && !blank
                && self.column > WIDTH
                && place > 0
                && next.is_some()
            {
                self.put('\n');
                self.indent(indent);
                if next == Some(&' ') {
                    self.put('\\');
                }
            } else {
                self.put(c);
            }
            blank = c == ' ';
        }
        self.put('"');
    }

    fn block(&mut self, text: &str, indent: usize) {
        self.put('|');
        if text.starts_with([' ', '\n']) {
            self.put('2');
        }
        let kept = text.strip_suffix('\n');
        match kept {
            None => self.put('-'),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.put('+'),
            Some(_) => {}
        }
        self.put('\n');
        for c in text.chars() {
            if c != '\n' && self.column == 0 {
                self.indent(indent);
            }
            self.put(c);
        }
    }
}

/// Which forms a text may have.
struct Form {
    plain: bool,
    single: bool,
    block: bool,
}

impl Form {
    fn of(text: &str) -> Self {
        let special = text.chars().any(|c| !is_printable(c));
        let pair = |first: fn(char) -> bool, second: fn(char) -> bool| {
            text.chars()
                .zip(text.chars().skip(1))
                .any(|(a, b)| first(a) && second(b))
        };
        let space: fn(char) -> bool = |c| c == ' ';
        let space_then_break = pair(space, is_break);
        let break_then_space = pair(is_break, space);
        Self {
            plain: !special && is_plain(text),
            single: !special && !space_then_break && !break_then_space,
            block: !special && !space_then_break && !text.ends_with(' '),
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// go-yaml takes nothing beyond the basic plane for printable, nor a tab.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn needs_escape(c: char) -> bool {
    !is_printable(c) || is_break(c) || c == '"' || c == '\\'
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        other => {
            return match other as u32 {
                code @ ..=0xFF => format!("\\x{code:02X}"),
                code @ 0x100..=0xFFFF => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}

/// A number as Go writes it: whole where it is, else as short as it can be, with an exponent from a million on.
fn written(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let value = number.as_f64().unwrap_or_default();
    if value.fract() == 0.0 && value.abs() < 9.2e18 {
        return format!("{value:.0}").replace("-0", "0");
    }
    let short = format!("{value:e}");
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written_as(values: &Value) -> String {
        let mut writer = Writer::default();
        writer.map(values.as_object().unwrap(), 0, false).unwrap();
        writer.out
    }

    /// What go-yaml v2 wrote for the same values.
    const VECTORS: &str = include_str!("digest/go-yaml.jsonl");

    #[test]
    fn values_are_written_as_go_writes_them() {
        let mut seen = 0;
        for line in VECTORS.lines() {
            let vector: Value = serde_json::from_str(line).unwrap();
            let text = vector.get("yaml").and_then(Value::as_str).unwrap();
            assert_eq!(written_as(vector.get("values").unwrap()), text);
            seen += 1;
        }
        assert!(seen > 100, "{seen} vectors");
    }

    #[test]
    fn no_values_have_the_digest_of_nothing() {
        let nothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(&serde_json::json!({})).as_deref(), Some(nothing));
        let odd = serde_json::json!({"a\nb": 1});
        assert_eq!(digest(&odd), None);
    }
}
