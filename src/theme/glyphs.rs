//! The signs of states: one set for terminals with Unicode, one of plain ASCII. Every sign is one column wide.

/// One set of signs.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether this is the ASCII set.
    pub ascii: bool,
    /// As Git says.
    pub synced: &'static str,
    /// Not as Git says.
    pub out_of_sync: &'static str,
    /// Being synced.
    pub syncing: &'static str,
    /// Well, or live.
    pub healthy: &'static str,
    /// On its way.
    pub progressing: &'static str,
    /// Failed.
    pub degraded: &'static str,
    /// Not there.
    pub missing: &'static str,
    /// Paused.
    pub paused: &'static str,
    /// Not known.
    pub unknown: &'static str,
    /// No longer current.
    pub stale: &'static str,
    /// Never answered.
    pub unreachable: &'static str,
    /// Being deleted.
    pub terminating: &'static str,
    /// Wants credentials.
    pub auth: &'static str,
    /// A marked row.
    pub marked: &'static str,
    /// The selected row.
    pub selected: &'static str,
    /// From the old value to the new one.
    pub arrow: &'static str,
    /// Text was cut here.
    pub ellipsis: &'static str,
    /// A vertical line.
    pub vertical: &'static str,
    /// A horizontal line.
    pub horizontal: &'static str,
    /// Corners of a window: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    /// More rows below.
    pub below: &'static str,
    /// More rows above.
    pub above: &'static str,
    /// A part of a bar that is filled.
    pub bar_full: &'static str,
    /// A part of a bar that is empty.
    pub bar_empty: &'static str,
    /// A branch of a tree, and the last one.
    pub branch: [&'static str; 2],
    /// Before a node of a tree: what hangs under it is shown, or left out.
    pub fold: [&'static str; 2],
    /// Between the parts of a path of screens.
    pub crumb: &'static str,
    /// Eight rising levels of a sparkline.
    pub levels: [&'static str; 8],
    /// Between two facts in one line.
    pub dot: &'static str,
    /// Desired against live.
    pub versus: &'static str,
}

/// With Unicode.
pub static UNICODE: Glyphs = Glyphs {
    ascii: false,
    synced: "✓",
    out_of_sync: "≠",
    syncing: "↻",
    healthy: "●",
    progressing: "◐",
    degraded: "✗",
    missing: "∅",
    paused: "‖",
    unknown: "?",
    stale: "◌",
    unreachable: "⊘",
    terminating: "†",
    auth: "@",
    marked: "◆",
    selected: ">",
    arrow: "→",
    ellipsis: "…",
    vertical: "│",
    horizontal: "─",
    corners: ["┌", "┐", "└", "┘"],
    below: "▼",
    above: "▲",
    bar_full: "█",
    bar_empty: "░",
    branch: ["├", "└"],
    fold: ["▾", "▸"],
    crumb: "›",
    levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    dot: "·",
    versus: "↔",
};

/// Plain ASCII.
pub static ASCII: Glyphs = Glyphs {
    ascii: true,
    synced: "=",
    out_of_sync: "!",
    syncing: "~",
    healthy: "+",
    progressing: "o",
    degraded: "X",
    missing: "0",
    paused: "P",
    unknown: "?",
    stale: ":",
    unreachable: "#",
    terminating: "T",
    auth: "@",
    marked: "*",
    selected: ">",
    arrow: ">",
    ellipsis: "~",
    vertical: "|",
    horizontal: "-",
    corners: ["+", "+", "+", "+"],
    below: "v",
    above: "^",
    bar_full: "#",
    bar_empty: ".",
    branch: ["|", "`"],
    fold: ["-", "+"],
    crumb: ">",
    levels: ["_", "_", ".", ".", "-", "-", "^", "^"],
    dot: ",",
    versus: "/",
};

impl Glyphs {
    /// The set for a terminal.
    pub fn set(ascii: bool) -> &'static Self {
        if ascii { &ASCII } else { &UNICODE }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn states(g: &Glyphs) -> Vec<&'static str> {
        vec![
            g.synced,
            g.out_of_sync,
            g.syncing,
            g.healthy,
            g.progressing,
            g.degraded,
            g.missing,
            g.paused,
            g.unknown,
            g.stale,
            g.unreachable,
            g.terminating,
            g.auth,
            g.marked,
        ]
    }

    #[test]
    fn every_sign_of_a_state_is_one_column_and_unlike_the_others() {
        for set in [&UNICODE, &ASCII] {
            let signs = states(set);
            for (i, sign) in signs.iter().enumerate() {
                assert_eq!(sign.width(), 1, "{sign}");
                assert!(!signs[..i].contains(sign), "{sign} twice");
            }
        }
    }

    #[test]
    fn the_ascii_set_is_ascii() {
        let text = format!("{ASCII:?}");
        assert!(text.is_ascii());
    }
}
