//! Which texts go-yaml v2 writes without quotes: those that read as nothing but a text, and hold no sign of YAML's.

use std::sync::LazyLock;

use regex::Regex;

/// Words that read as something else.
const WORDS: [&str; 32] = [
    "", "~", "null", "Null", "NULL", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on",
    "On", "ON", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", ".nan",
    ".NaN", ".NAN", ".inf", ".Inf",
];
const INFINITE: [&str; 7] = [".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"];

/// Numbers, numbers to the base of sixty, and moments.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let whole = r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)";
    let broken = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?";
    let pattern = format!("^(?:{whole}|{broken})$");
    // A pattern of our own always reads.
    Regex::new(&pattern).ok()
});
static SIXTY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$").ok());
static MOMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^[0-9]{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12][0-9]|3[01])(?:[Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})| [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:[.,][0-9]+)?)?$").ok()
});

/// Whether a text without quotes is read as that text.
pub(super) fn resolves_to_text(text: &str) -> bool {
    let matches =
        |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_some_and(|p| p.is_match(text));
    if WORDS.contains(&text) || INFINITE.contains(&text) {
        return false;
    }
    let starts = |chars: &[char]| text.starts_with(chars);
    if starts(&['.']) {
        return text.parse::<f64>().is_err();
    }
    if !text.starts_with(['+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        return true;
    }
    let plain = text.replace('_', "");
    !(matches(&NUMBER, &plain) || matches(&SIXTY, text) || matches(&MOMENT, text))
}

/// Whether a text holds nothing that means something to YAML outside of quotes.
pub(super) fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return true;
    };
    let blank = |c: Option<char>| c.is_none_or(|c| c == ' ' || c == '\t');
    let second = text.chars().nth(1);
    let opens = "#,[]{}&*!|>'\"%@`".contains(first) || ("?:-".contains(first) && blank(second));
    if opens || text.starts_with("---") || text.starts_with("...") {
        return false;
    }
    if first == ' '
        || text.ends_with(' ')
        || text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
    {
        return false;
    }
    let pairs = text
        .chars()
        .zip(text.chars().skip(1).map(Some).chain([None]));
    let mut before = first;
    for (place, (c, next)) in pairs.enumerate() {
        let colon = place > 0 && c == ':' && blank(next);
        let comment = place > 0 && c == '#' && blank(Some(before));
        if colon || comment {
            return false;
        }
        before = c;
    }
    true
}
