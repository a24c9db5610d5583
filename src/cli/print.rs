//! One answer in the form that was asked for: table, JSON, YAML, CSV or names.

use serde::Serialize;

use super::args::Form;
use super::document::Document;
use super::table::Table;

/// The same answer in its two shapes.
pub(crate) struct Answer<'a, T> {
    /// The stable document.
    pub(crate) document: &'a Document<T>,
    /// The columns of `table` and `csv`.
    pub(crate) table: Table,
    /// The columns of `wide`, when there are more.
    pub(crate) wide: Option<Table>,
    /// What `-o name` prints, one a line.
    pub(crate) names: Vec<String>,
    /// What the table says when there are no items.
    pub(crate) empty: &'static str,
}

impl<T: Serialize> Answer<'_, T> {
    /// The text of the answer.
    ///
    /// # Errors
    /// The form is one that only pictures have, or the document cannot be written in it.
    pub(crate) fn text(&self, form: Form) -> Result<String, String> {
        match form {
            Form::Json => json(self.document),
            Form::Yaml => yaml(self.document),
            Form::Csv => Ok(self.table.csv()),
            Form::Name => Ok(self.names.iter().map(|n| crate::domain::safe::escape(n).into_owned() + "\n").collect()),
            Form::Table | Form::Text => Ok(self.columns(&self.table)),
            Form::Wide => Ok(self.columns(self.wide.as_ref().unwrap_or(&self.table))),
            Form::Ansi | Form::Svg | Form::Png | Form::Cast => {
                Err("This form is for pictures; use `driftdeck snapshot`, or -o table, wide, json, yaml, csv or name.".to_owned())
            }
        }
    }

    fn columns(&self, table: &Table) -> String {
        let body = if self.document.items.is_empty() {
            format!("{}\n", self.empty)
        } else {
            table.text()
        };
        body + &self.document.footnotes()
    }
}

/// Pretty JSON in which no character can act on a terminal: such characters are written as `\u` escapes, which leaves the values as they are.
///
/// # Errors
/// A value that JSON cannot hold.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, String> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| format!("The answer could not be written as JSON: {e}."))?;
    Ok(escape_json(&text))
}

/// The document as YAML.
///
/// # Errors
/// A value that YAML cannot hold.
pub(crate) fn yaml<T: Serialize>(value: &T) -> Result<String, String> {
    let value = serde_json::to_value(value)
        .map_err(|e| format!("The answer could not be written as YAML: {e}."))?;
    serde_yaml::to_string(&value)
        .map_err(|e| format!("The answer could not be written as YAML: {e}."))
}

fn escape_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let mut one = [0_u8; 4];
        let raw: &str = c.encode_utf8(&mut one);
        if c == '\n' || crate::domain::safe::escape(raw) == raw {
            out.push(c);
        } else {
            let mut units = [0_u16; 2];
            out.extend(
                c.encode_utf16(&mut units)
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}")),
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_the_value_and_hides_what_acts_on_a_terminal() {
        let value = serde_json::json!({"live": "a\u{9b}2J\u{202e}\u{1b}[31m\u{e0001}"});
        let text = json(&value).unwrap();
        assert!(text.is_ascii());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }

    #[test]
    fn ordinary_text_stays_readable() {
        assert!(
            json(&serde_json::json!(["Köln 東京", "••• 1"]))
                .unwrap()
                .contains("Köln 東京")
        );
    }
}
