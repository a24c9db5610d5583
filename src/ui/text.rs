//! Widths and cuts of text, in terminal columns.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::domain::Safe;

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Cuts text to a width; what is cut off is shown by the mark.
pub fn cut_end(text: &str, max: usize, mark: &str) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let mark = if max > width(mark) { mark } else { "" };
    format!("{}{mark}", head(text, max - width(mark)))
}

/// Cuts text in its middle, where names of clusters and objects say least.
pub fn cut_middle(text: &str, max: usize, mark: &str) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    if max < width(mark) + 4 {
        return cut_end(text, max, mark);
    }
    let room = max - width(mark);
    let left = head(text, room.div_ceil(2));
    let right = tail(text, room - width(&left));
    format!("{left}{mark}{right}")
}

/// The beginning of a text that fits a width.
pub fn head(text: &str, max: usize) -> String {
    let mut used = 0;
    text.graphemes(true)
        .take_while(|g| {
            used += width(g);
            used <= max
        })
        .collect()
}

/// The end of a text that fits a width.
fn tail(text: &str, max: usize) -> String {
    let mut used = 0;
    let mut kept: Vec<&str> = text
        .graphemes(true)
        .rev()
        .take_while(|g| {
            used += width(g);
            used <= max
        })
        .collect();
    kept.reverse();
    kept.concat()
}

/// Leaves out the first columns of a text.
pub fn skip(text: &str, columns: usize) -> String {
    let mut left = columns;
    text.graphemes(true)
        .skip_while(|g| {
            let w = width(g);
            let skipped = left >= w && w > 0;
            left = left.saturating_sub(w);
            skipped
        })
        .collect()
}

/// Breaks a sentence at spaces into lines of a width; a longer word is broken where it must be.
pub fn wrap(text: &Safe, max: usize) -> Vec<Safe> {
    let max = max.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.as_str().split_whitespace() {
        let mut word = word.to_owned();
        if !line.is_empty() && width(&line) + 1 + width(&word) > max {
            lines.push(Safe::from(std::mem::take(&mut line)));
        }
        while width(&word) > max {
            let first = head(&word, max);
            if first.is_empty() {
                break;
            }
            word = word.split_off(first.len());
            lines.push(Safe::from(first));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        lines.push(Safe::from(line));
    }
    lines
}

/// What plain ASCII terminals get for a character; one column stays one column.
pub fn ascii(c: char) -> char {
    match c {
        ' '..='~' => c,
        '→' | '⟫' | '›' => '>',
        '←' | '⟪' | '‹' => '<',
        '…' => '~',
        '•' => '*',
        '–' | '—' | '─' => '-',
        '├' => '+',
        '└' => '`',
        '│' => '|',
        '×' => 'x',
        '·' => '.',
        '≠' => '!',
        '✓' => '=',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_in_the_middle_and_sentences_at_the_end() {
        assert_eq!(
            cut_middle("edge-microservice-namespace", 13, "…"),
            "edge-m…espace"
        );
        assert_eq!(cut_end("connection refused", 10, "…"), "connectio…");
        assert_eq!(cut_middle("edge", 13, "…"), "edge");
        assert_eq!(cut_end("edge", 1, "…"), "e");
        assert_eq!(cut_end("edge", 0, "…"), "");
    }

    #[test]
    fn wide_characters_count_twice_and_are_never_halved() {
        assert_eq!(cut_end("東京東京", 5, "…"), "東京…");
        assert_eq!(width(&cut_end("東京東京", 4, "…")), 3);
        assert_eq!(skip("東京ab", 2), "京ab");
    }

    #[test]
    fn sentences_break_at_spaces_and_long_words_where_they_must() {
        let wrapped = wrap(&Safe::fixed("the server refuses 0123456789abcdef"), 10);
        let lines: Vec<&str> = wrapped.iter().map(Safe::as_str).collect();
        assert_eq!(lines, ["the server", "refuses", "0123456789", "abcdef"]);
    }
}
