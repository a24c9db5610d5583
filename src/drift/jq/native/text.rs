//! Functions of texts.

use regex::{Captures, Regex, RegexBuilder};
use serde_json::{Value, json};

use super::format::plain;
use super::order::kind;
use super::{Made, list, wrong};
use crate::drift::jq::parse::number_value;

/// Calls a function of texts; `None` when it is none.
pub(super) fn call(name: &str, input: &Value, arguments: &[&Value]) -> Option<Made> {
    let text = || input.as_str().ok_or_else(|| wrong(name, input));
    let both = |other: &Value| match (input.as_str(), other.as_str()) {
        (Some(a), Some(b)) => Ok((a.to_owned(), b.to_owned())),
        _ => Err(json!(format!(
            "{name} cannot be applied to: {} and {}",
            kind(input),
            kind(other)
        ))),
    };
    Some(match (name, arguments) {
        ("utf8bytelength", []) => text().map(|t| json!(t.len())),
        ("ascii_downcase", []) => text().map(|t| json!(t.to_ascii_lowercase())),
        ("ascii_upcase", []) => text().map(|t| json!(t.to_ascii_uppercase())),
        ("ltrim", []) => text().map(|t| json!(t.trim_start())),
        ("rtrim", []) => text().map(|t| json!(t.trim_end())),
        ("trim", []) => text().map(|t| json!(t.trim())),
        ("explode", []) => text().map(|t| t.chars().map(u32::from).collect()),
        ("implode", []) => implode(input),
        ("fromjson", []) => text().and_then(|json| {
            let why = |e: serde_json::Error| json!(format!("it is no JSON: {e}"));
            serde_json::from_str(json).map_err(why)
        }),
        ("tonumber", []) => tonumber(input),
        ("toboolean", []) => match (input, plain(input).as_str()) {
            (Value::Bool(_), _) => Ok(input.clone()),
            (Value::String(_), word @ ("true" | "false")) => Ok(json!(word == "true")),
            _ => Err(wrong(name, input)),
        },
        ("split", [by]) => both(by).map(|(text, by)| split(&text, &by)),
        ("startswith", [part]) => both(part).map(|(text, part)| json!(text.starts_with(&part))),
        ("endswith", [part]) => both(part).map(|(text, part)| json!(text.ends_with(&part))),
        ("join", [by]) => joined(input, by),
        ("_match", [pattern, flags, only]) => matched(input, pattern, flags, **only == json!(true)),
        _ => return None,
    })
}

/// Nothing of nothing; by nothing, its characters.
pub(super) fn split(text: &str, by: &str) -> Value {
    if text.is_empty() {
        return json!([]);
    }
    if by.is_empty() {
        return text.chars().map(String::from).collect();
    }
    text.split(by).collect()
}

fn implode(value: &Value) -> Made {
    let letter = |code: &Value| {
        let code = code.as_u64().and_then(|c| u32::try_from(c).ok());
        code.and_then(char::from_u32)
            .ok_or_else(|| wrong("implode", value))
    };
    let letters: Result<String, Value> = list("implode", value)?.iter().map(letter).collect();
    letters.map(Value::String)
}

fn tonumber(value: &Value) -> Made {
    match value {
        Value::Number(_) => Ok(value.clone()),
        Value::String(text) => {
            // Rust reads words such as `inf` and a leading `+`, which are no numbers here.
            let plausible = text
                .bytes()
                .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
                && !text.starts_with('+');
            let read = text.parse::<i64>().map(|n| json!(n)).ok();
            let read = read.or_else(|| text.parse::<f64>().map(number_value).ok());
            let cannot = || json!(format!("cannot be parsed as a number: {}", plain(value)));
            read.filter(|_| plausible).ok_or_else(cannot)
        }
        other => Err(wrong("tonumber", other)),
    }
}

fn joined(value: &Value, by: &Value) -> Made {
    let items = list("join", value)?;
    let Some(by) = by.as_str().or(items.is_empty().then_some("")) else {
        return Err(wrong("join", by));
    };
    let part = |item: &Value| match item {
        Value::Null => Ok(String::new()),
        Value::Array(_) | Value::Object(_) => Err(wrong("join", item)),
        other => Ok(plain(other)),
    };
    let parts: Result<Vec<String>, Value> = items.iter().map(part).collect();
    Ok(json!(parts?.join(by)))
}

/// Whether a text matches, or all its matches.
fn matched(input: &Value, pattern: &Value, flags: &Value, only_whether: bool) -> Made {
    // Pattern and flags may come as one list.
    let (pattern, flags) = match pattern {
        Value::Array(both) => (
            both.first().unwrap_or(&Value::Null),
            both.get(1).unwrap_or(flags),
        ),
        one => (one, flags),
    };
    let flags = match flags {
        Value::Null => "",
        Value::String(flags) => flags,
        other => return Err(wrong("match", other)),
    };
    let (Some(text), Some(pattern)) = (input.as_str(), pattern.as_str()) else {
        return Err(json!(format!(
            "{} cannot be matched, as it is not a string",
            kind(input)
        )));
    };
    let regex = regex(pattern, flags)?;
    if only_whether {
        return Ok(json!(regex.is_match(text)));
    }
    let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
    let limit = if flags.contains('g') { usize::MAX } else { 1 };
    let found = regex.captures_iter(text).take(limit);
    Ok(found
        .map(|captures| one_match(text, &captures, &names))
        .collect())
}

fn regex(pattern: &str, flags: &str) -> Result<Regex, Value> {
    if let Some(unknown) = flags.chars().find(|f| !"gi".contains(*f)) {
        return Err(json!(format!(
            "unsupported regular expression flag: {}",
            unknown.escape_debug()
        )));
    }
    RegexBuilder::new(pattern)
        .case_insensitive(flags.contains('i'))
        .size_limit(1 << 20)
        .build()
        .map_err(|_| json!("the regular expression is none"))
}

/// Offsets and lengths are in characters.
fn one_match(text: &str, captures: &Captures<'_>, names: &[Option<&str>]) -> Value {
    let chars = |bytes: usize| text.get(..bytes).map_or(0, |t| t.chars().count());
    let whole = captures
        .get(0)
        .map_or((0, ""), |m| (chars(m.start()), m.as_str()));
    let group = |(position, name): (usize, Option<&str>)| match captures.get(position + 1) {
        Some(m) => {
            json!({"offset": chars(m.start()), "length": m.as_str().chars().count(), "string": m.as_str(), "name": name})
        }
        None => json!({"offset": -1, "length": 0, "string": null, "name": name}),
    };
    let groups: Vec<Value> = names.iter().copied().enumerate().map(group).collect();
    json!({"offset": whole.0, "length": whole.1.chars().count(), "string": whole.1, "captures": groups})
}
