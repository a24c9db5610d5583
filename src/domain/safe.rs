//! Text that may reach a terminal: whatever could act on it is made visible, so that different inputs stay different.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Text in which no character can move the cursor, change colours, set a title or reorder what follows.
///
/// Only [`Safe::new`] (which escapes) and [`Safe::fixed`] (our own literals) make one, and widgets take nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Safe(Arc<str>);

impl Safe {
    /// Escapes text that came from outside. Line breaks and tabs are escaped too: a `Safe` is one line.
    pub fn new(raw: &str) -> Self {
        Self(escape(raw).into())
    }

    /// Takes a literal of our own, unchanged.
    pub fn fixed(ours: &'static str) -> Self {
        Self(ours.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Safe {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Safe {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Safe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Makes every control, format and reordering character visible; borrows when there is none.
///
/// C0 becomes its control picture (U+2400 block), everything else `⟪U+XXXX⟫`. At most eight combining marks in a row pass.
pub fn escape(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len() + 8);
    let mut marks = 0_u32;
    for c in raw.chars() {
        if is_combining(c) {
            marks += 1;
            if marks > 8 {
                push_code(&mut out, c);
                continue;
            }
        } else {
            marks = 0;
        }
        match c {
            '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('?')),
            '\u{7f}' => out.push('\u{2421}'),
            c if acts_on_terminal(c) => push_code(&mut out, c),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Zero-width combining marks of the common blocks.
fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// C1 controls, bidi controls, zero-width and other format characters, tags and variation selectors.
fn acts_on_terminal(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn push_code(out: &mut String, c: char) {
    use fmt::Write as _;
    // Writing to a String cannot fail.
    let _ = write!(out, "\u{27ea}U+{:04X}\u{27eb}", c as u32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed_unchanged() {
        assert!(matches!(
            escape("edge-ber-017"),
            Cow::Borrowed("edge-ber-017")
        ));
        assert_eq!(escape("Köln 東京"), "Köln 東京");
    }

    #[test]
    fn escape_sequences_become_pictures() {
        assert_eq!(escape("a\u{1b}[31mred\r\n"), "a␛[31mred␍␊");
        assert_eq!(escape("\u{9b}2J"), "⟪U+009B⟫2J");
        assert_eq!(escape("\u{7f}"), "␡");
    }

    #[test]
    fn bidi_and_zero_width_stay_visible_and_different() {
        assert_eq!(escape("a\u{202e}b"), "a⟪U+202E⟫b");
        assert_ne!(escape("ab"), escape("a\u{200b}b"));
    }

    #[test]
    fn a_flood_of_combining_marks_is_cut_but_a_letter_with_accents_is_not() {
        assert_eq!(escape("e\u{301}"), "e\u{301}");
        let flood = format!("x{}", "\u{300}".repeat(50));
        assert!(escape(&flood).contains("U+0300"));
    }
}
