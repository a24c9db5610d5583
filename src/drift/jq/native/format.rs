//! `@base64` and its like, and values as texts.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};

use super::order::kind;

const KNOWN: [&str; 10] = [
    "text", "json", "csv", "tsv", "html", "uri", "urid", "sh", "base64", "base64d",
];

/// Whether there is such a format.
pub(in crate::drift::jq) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// A text as it is, anything else as JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value inside a text of this format.
pub(in crate::drift::jq) fn piece(name: Option<&str>, value: &Value) -> Result<String, Value> {
    name.map_or_else(|| Ok(plain(value)), |name| format(name, value))
}

/// A value in a format.
pub(in crate::drift::jq) fn format(name: &str, value: &Value) -> Result<String, Value> {
    let text = || plain(value);
    let undecoded = || {
        json!(format!(
            "it is not {}: {}",
            name.trim_end_matches('d'),
            kind(value)
        ))
    };
    Ok(match name {
        "json" => value.to_string(),
        "html" => escaped(&text()),
        "uri" => percent(&text()),
        "urid" => unpercent(&text()).ok_or_else(undecoded)?,
        "csv" => row(name, value, ",", |t| {
            format!("\"{}\"", t.replace('"', "\"\""))
        })?,
        "tsv" => row(name, value, "\t", tabbed)?,
        "sh" => match value {
            Value::Array(_) => row(name, value, " ", quoted)?,
            _ => shell(value)?,
        },
        "base64" => STANDARD.encode(text()),
        "base64d" => {
            let bytes = STANDARD_NO_PAD.decode(text().trim_end_matches('='));
            String::from_utf8_lossy(&bytes.map_err(|_| undecoded())?).into_owned()
        }
        _ => text(),
    })
}

fn row(
    name: &str,
    value: &Value,
    between: &str,
    quote: impl Fn(&str) -> String,
) -> Result<String, Value> {
    let Value::Array(items) = value else {
        return Err(json!(format!(
            "@{name} cannot be applied to: {}",
            kind(value)
        )));
    };
    let cell = |item: &Value| match item {
        Value::Null if name == "sh" => Ok("null".to_owned()),
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(quote(text)),
        Value::Bool(_) | Value::Number(_) => Ok(item.to_string()),
        other => Err(json!(format!("@{name} cannot hold: {}", kind(other)))),
    };
    let cells: Result<Vec<String>, Value> = items.iter().map(cell).collect();
    Ok(cells?.join(between))
}

fn shell(value: &Value) -> Result<String, Value> {
    match value {
        Value::String(text) => Ok(quoted(text)),
        Value::Object(_) => Err(json!("@sh cannot hold: object")),
        other => Ok(other.to_string()),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn tabbed(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\r', "\\r")
        .replace('\n', "\\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
        .replace('"', "&quot;")
}

fn percent(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}

fn unpercent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = rest.get(2..)?;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
