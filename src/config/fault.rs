//! What is wrong with a file that a person wrote: the file, the line, the word, and the nearest right one.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::safe::escape;

/// One thing wrong in one written file. Nothing of the file is used while one stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The file as the person knows it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what would be right, one sentence without the final period.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}.", self.file, self.line, self.what)
    }
}

/// A TOML file and its name, so that every complaint can say where.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// The file as the person knows it.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A key or value and where it stands.
pub type Span = Range<usize>;

impl<'a> Written<'a> {
    /// Parses the file.
    ///
    /// # Errors
    /// The first place that is not TOML.
    pub fn parse(&self) -> Result<DeTable<'a>, Fault> {
        DeTable::parse(self.text)
            .map(Spanned::into_inner)
            .map_err(|e| self.fault(&e.span().unwrap_or(0..0), e.message()))
    }

    /// Makes a complaint about a place in the file.
    pub fn fault(&self, at: &Span, what: impl AsRef<str>) -> Fault {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        Fault {
            file: escape(self.name).into_owned(),
            line: before.matches('\n').count() + 1,
            what: escape(what.as_ref().trim_end_matches('.')).into_owned(),
        }
    }

    /// Takes a text value.
    ///
    /// # Errors
    /// When the value is something else.
    pub fn text_of<'v>(
        &self,
        key: &str,
        value: &'v Spanned<DeValue<'a>>,
    ) -> Result<&'v str, Fault> {
        value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.fault(&value.span(), format!("`{key}` must be text in quotes")))
    }

    /// Refuses every key that is not known.
    ///
    /// # Errors
    /// The first unknown key, with the nearest known one.
    pub fn only(&self, table: &DeTable<'a>, kind: &str, known: &[&str]) -> Result<(), Fault> {
        for key in table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                return Err(self.fault(&key.span(), unknown(kind, key.get_ref(), known)));
            }
        }
        Ok(())
    }
}

/// `unknown scope `drift.aded`; the nearest is `drift.added``, or the list of what there is when nothing is near.
pub fn unknown(kind: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("unknown {kind} `{word}`; the nearest is `{near}`"),
        None if known.len() <= 12 => {
            format!("unknown {kind} `{word}`; there are {}", known.join(", "))
        }
        None => format!("unknown {kind} `{word}`"),
    }
}

/// The known word that looks most like this one, if any does.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|k| (strsim::jaro_winkler(word, k), *k))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Written<'_> = Written {
        name: "themes/night.toml",
        text: "inherits = \"dark\"\n\n[scopes]\n\"drift.aded\" = \"red\"\n",
    };

    #[test]
    fn a_complaint_names_file_and_line() {
        let table = FILE.parse().unwrap();
        let scopes = table["scopes"].get_ref().as_table().unwrap();
        let fault = FILE
            .only(scopes, "scope", &["drift.added", "drift.removed"])
            .unwrap_err();
        assert_eq!(
            fault.to_string(),
            "themes/night.toml, line 4: unknown scope `drift.aded`; the nearest is `drift.added`."
        );
    }

    #[test]
    fn text_that_is_not_toml_is_placed_too() {
        let broken = Written {
            name: "keymaps/mine.toml",
            text: "a = 1\nb = [",
        };
        assert_eq!(broken.parse().unwrap_err().line, 2);
    }

    #[test]
    fn a_word_like_nothing_known_gets_the_list_when_it_is_short() {
        assert_eq!(
            unknown("layer", "zzz", &["global", "fleet"]),
            "unknown layer `zzz`; there are global, fleet"
        );
        assert_eq!(nearest("zzz", &["global"]), None);
    }

    #[test]
    fn control_characters_of_the_file_do_not_reach_the_sentence() {
        let fault = FILE.fault(&(0..0), "odd \u{1b}[31m");
        assert!(!fault.to_string().contains('\u{1b}'));
    }
}
