//! YAML as lines: which of them stand inside a text, how deep each one is, and what is left out when it is folded.

use super::sheet::{SheetLine, Tone};
use crate::domain::Safe;

/// Levels that stay when a document that is whole is folded for the first time.
const FIRST_FOLD: usize = 2;
/// Columns of one level.
const LEVEL: usize = 2;

/// The lines of a document.
pub(super) fn lines(text: &[Safe]) -> Vec<SheetLine> {
    let mut block: Option<usize> = None;
    let line = |text: &Safe| {
        let inside = block.is_some_and(|key| is_empty(text) || indent(text) > key);
        if !inside {
            block = begins_block(text).then(|| column(text));
        }
        SheetLine {
            text: text.clone(),
            tone: if inside { Tone::Block } else { Tone::Yaml },
            ..SheetLine::default()
        }
    };
    text.iter().map(line).collect()
}

/// The lines that stand less deep than `open` levels; what is left out is counted, and the keys that lead to it are named.
pub(super) fn folded(lines: &[SheetLine], open: usize) -> Vec<SheetLine> {
    let mut shown = Vec::new();
    let mut hidden = 0;
    let mut path = String::new();
    for (i, line) in lines.iter().enumerate() {
        let goes_on = hidden > 0 && is_empty(&line.text);
        if depth(line) < open && !goes_on {
            shown.extend(fold(hidden, &path));
            hidden = 0;
            shown.push(line.clone());
            continue;
        }
        if hidden == 0 {
            path = path_to(lines, i);
        }
        hidden += 1;
    }
    shown.extend(fold(hidden, &path));
    shown
}

/// How many levels a document has.
pub(super) fn levels(lines: &[SheetLine]) -> usize {
    lines.iter().map(|line| depth(line) + 1).max().unwrap_or(0)
}

/// Fewer levels, of so many; a whole document keeps the first few.
pub(super) fn fewer(open: usize, levels: usize) -> usize {
    if open >= levels {
        FIRST_FOLD.min(levels.saturating_sub(1)).max(1)
    } else {
        open.saturating_sub(1).max(1)
    }
}

fn fold(hidden: usize, path: &str) -> Option<SheetLine> {
    let lines = if hidden == 1 { "line" } else { "lines" };
    (hidden > 0).then(|| SheetLine {
        text: format!("… {hidden} {lines}  {path}").into(),
        tone: Tone::Dim,
        ..SheetLine::default()
    })
}

/// The keys that lead to a line: the nearest lines above that stand less deep.
fn path_to(lines: &[SheetLine], i: usize) -> String {
    let mut below = lines.get(i).map_or(0, depth);
    let mut keys: Vec<&str> = Vec::new();
    let above = lines.iter().take(i).rev();
    for line in above.filter(|line| !is_empty(&line.text)) {
        let here = depth(line);
        if here < below {
            below = here;
            let key = line.text.as_str().trim().trim_start_matches("- ");
            keys.push(key.split(':').next().unwrap_or(key));
        }
    }
    keys.reverse();
    keys.join(".")
}

fn depth(line: &SheetLine) -> usize {
    indent(&line.text) / LEVEL
}

fn is_empty(text: &Safe) -> bool {
    text.as_str().trim().is_empty()
}

fn indent(text: &Safe) -> usize {
    let text = text.as_str();
    text.len() - text.trim_start_matches(' ').len()
}

/// The column of a line's own key, behind the dashes of lists.
fn column(text: &Safe) -> usize {
    let text = text.as_str();
    text.len() - text.trim_start_matches(['-', ' ']).len()
}

/// Whether the lines below are a text: `key: |`, `- |-`.
fn begins_block(text: &Safe) -> bool {
    let last = text.as_str().split(' ').next_back().unwrap_or_default();
    let mut chars = last.chars();
    matches!(chars.next(), Some('|' | '>')) && chars.all(|c| "+-0123456789".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Vec<SheetLine> {
        let text = [
            "kind: ConfigMap",
            "data:",
            "  config: |",
            "    port: 8443",
            "",
            "    level: info",
            "  REGION: eu",
            "spec:",
            "  list:",
            "  - text: |-",
            "      odd: one",
            "    name: b",
        ];
        lines(&text.map(Safe::fixed))
    }

    fn shown(lines: &[SheetLine]) -> Vec<&str> {
        lines.iter().map(|l| l.text.as_str()).collect()
    }

    #[test]
    fn lines_of_a_text_are_told_from_keys() {
        let document = document();
        let blocks = document.iter().filter(|l| l.tone == Tone::Block);
        let blocks: Vec<&str> = blocks.map(|l| l.text.as_str()).collect();
        assert_eq!(
            blocks,
            ["    port: 8443", "", "    level: info", "      odd: one"]
        );
    }

    #[test]
    fn what_is_folded_is_counted_and_its_keys_are_named() {
        let document = document();
        assert_eq!(
            shown(&folded(&document, 1)),
            [
                "kind: ConfigMap",
                "data:",
                "… 5 lines  data",
                "spec:",
                "… 4 lines  spec"
            ]
        );
        assert_eq!(folded(&document, levels(&document)), document);
    }

    #[test]
    fn folding_a_whole_document_leaves_two_levels_and_then_one() {
        assert_eq!(fewer(usize::MAX, 9), 2);
        assert_eq!(fewer(2, 9), 1);
        assert_eq!(fewer(1, 9), 1);
        assert_eq!(fewer(usize::MAX, 2), 1);
    }
}
