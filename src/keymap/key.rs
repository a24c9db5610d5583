//! One key as a person writes it and as the terminal sends it.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Shift is part of a character, not beside it: `G`, `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// Makes a key from its parts; terminals that report shift beside the character read the same as those that do not.
    pub fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let mut modifiers =
            modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match code {
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::SHIFT) => {
                KeyCode::Char(c.to_ascii_uppercase())
            }
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            other => other,
        };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code, modifiers }
    }

    /// Reads one key as written: `j`, `G`, `?`, `ctrl-d`, `enter`, `shift-tab`.
    pub fn parse(word: &str) -> Option<Self> {
        let mut chars = word.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Some(Self::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        let parsed = crokey::parse(word).ok()?;
        match parsed.codes {
            crokey::OneToThree::One(code) => Some(Self::new(code, parsed.modifiers)),
            // Two keys at once cannot be told apart by most terminals.
            _ => None,
        }
    }

    /// Its code, for text input.
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// The character it types, when it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// Whether this is control and the letter.
    pub fn is_ctrl(self, letter: char) -> bool {
        self.code == KeyCode::Char(letter) && self.modifiers == KeyModifiers::CONTROL
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }
}

impl From<Key> for KeyEvent {
    /// The event that a terminal sends for the key.
    fn from(key: Key) -> Self {
        Self::new(key.code, key.modifiers)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            f.write_str("shift-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("space"),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Enter => f.write_str("enter"),
            KeyCode::Esc => f.write_str("esc"),
            KeyCode::BackTab => f.write_str("shift-tab"),
            KeyCode::PageDown => f.write_str("pgdn"),
            KeyCode::PageUp => f.write_str("pgup"),
            KeyCode::F(n) => write!(f, "f{n}"),
            other => write!(f, "{}", format!("{other:?}").to_lowercase()),
        }
    }
}

/// Reads a chord: keys separated by spaces. The error is the word that is no key.
pub fn parse_chord(text: &str) -> Result<Vec<Key>, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        return Err(text.to_owned());
    }
    words
        .into_iter()
        .map(|w| Key::parse(w).ok_or_else(|| w.to_owned()))
        .collect()
}

/// Reads keys to press one after the other, as `driftdeck snapshot --keys` takes them: `2 enter j`.
///
/// # Errors
/// A sentence that names the word that is no key.
pub fn script(text: &str) -> Result<Vec<KeyEvent>, String> {
    let event = |word: &str| Key::parse(word).map(KeyEvent::from);
    text.split_whitespace()
        .map(|word| {
            let unknown = || format!("{}.", crate::config::fault::unknown("key", word, KEY_NAMES));
            event(word).ok_or_else(unknown)
        })
        .collect()
}

/// Writes a chord as it is read.
pub fn show_chord(chord: &[Key]) -> String {
    chord
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The names of keys that are not one character, for complaints.
pub const KEY_NAMES: &[&str] = &[
    "enter",
    "esc",
    "space",
    "tab",
    "backtab",
    "shift-tab",
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "backspace",
    "delete",
    "insert",
    "ctrl-a",
    "ctrl-d",
    "f1",
    "f5",
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("j")]
    #[case("G")]
    #[case("?")]
    #[case("-")]
    #[case("ctrl-d")]
    #[case("enter")]
    #[case("space")]
    #[case("shift-tab")]
    #[case("f5")]
    #[case("g g")]
    fn a_chord_is_shown_as_it_is_written(#[case] text: &str) {
        assert_eq!(show_chord(&parse_chord(text).unwrap()), text);
    }

    #[test]
    fn shift_beside_the_character_and_in_it_are_the_same_key() {
        let legacy = Key::from(KeyEvent::new(KeyCode::Char('G'), KeyModifiers::NONE));
        let kitty = Key::from(KeyEvent::new(KeyCode::Char('g'), KeyModifiers::SHIFT));
        assert_eq!(legacy, kitty);
        assert_eq!(Key::parse("shift-g"), Some(legacy));
        let question = Key::from(KeyEvent::new(KeyCode::Char('?'), KeyModifiers::SHIFT));
        assert_eq!(Key::parse("?"), Some(question));
    }

    #[test]
    fn a_control_key_types_nothing() {
        assert_eq!(Key::parse("ctrl-d").unwrap().typed(), None);
        assert_eq!(Key::parse("d").unwrap().typed(), Some('d'));
    }

    #[test]
    fn a_script_is_events_or_a_sentence() {
        assert_eq!(script("2 enter").unwrap().len(), 2);
        assert_eq!(
            script("2 entr").unwrap_err(),
            "unknown key `entr`; the nearest is `enter`."
        );
    }

    #[test]
    fn what_is_no_key_is_named() {
        assert_eq!(parse_chord("g entr"), Err("entr".to_owned()));
        assert!(parse_chord("  ").is_err());
        // Two keys at the same moment are not a key here.
        assert_eq!(Key::parse("a-b"), None);
    }
}
