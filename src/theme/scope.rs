//! The table of scopes: every meaning that has a style, and how it stands out without any colour.

use ratatui::style::Modifier;

/// One meaning.
#[derive(Clone, Copy, Debug)]
pub struct ScopeRow {
    /// Its dotted name.
    pub name: &'static str,
    /// What wears it.
    pub about: &'static str,
    /// What stands in for colour on a terminal without any.
    pub mono: Modifier,
}

const PLAIN: Modifier = Modifier::empty();
const BOLD: Modifier = Modifier::BOLD;
const DIM: Modifier = Modifier::DIM;
const REVERSED: Modifier = Modifier::REVERSED;
const UNDERLINED: Modifier = Modifier::UNDERLINED;

const fn row(name: &'static str, mono: Modifier, about: &'static str) -> ScopeRow {
    ScopeRow { name, about, mono }
}

/// Every scope, in the order of the documentation.
pub const SCOPES: &[ScopeRow] = &[
    row("background", PLAIN, "the whole screen"),
    row("text", PLAIN, "plain text"),
    row("text.dim", DIM, "what is less important"),
    row("text.strong", BOLD, "names and figures that matter"),
    row("header", PLAIN, "the first line"),
    row("header.title", BOLD, "the screen's name in it"),
    row("header.readonly", PLAIN, "the mark of read-only mode"),
    row("header.write", REVERSED, "the mark of write mode"),
    row("footer", DIM, "the last line"),
    row("footer.key", BOLD, "a key in it"),
    row("crumb", PLAIN, "where we are, in the last lines"),
    row("border", DIM, "lines between panes"),
    row("border.focus", BOLD, "lines around the pane with the focus"),
    row("column", UNDERLINED, "column titles"),
    row(
        "selection",
        REVERSED,
        "the sign and the name of the selected row",
    ),
    row("mark", BOLD, "the sign of a marked row"),
    row("live", PLAIN, "a cluster that answers"),
    row("slow", PLAIN, "a cluster that answers slowly"),
    row("stale", DIM, "a row that is no longer current"),
    row("unreachable", BOLD, "a cluster that never answered"),
    row("auth", BOLD, "a cluster that wants credentials"),
    row("denied", BOLD, "a cluster that lets nothing be read"),
    row("connecting", DIM, "a cluster before its first answer"),
    row("sync.synced", PLAIN, "as Git says"),
    row("sync.outofsync", BOLD, "not as Git says"),
    row("sync.unknown", DIM, "not compared"),
    row("sync.running", PLAIN, "being synced"),
    row("health.healthy", PLAIN, "well"),
    row("health.progressing", PLAIN, "on its way"),
    row("health.suspended", DIM, "paused on purpose"),
    row("health.missing", BOLD, "not there"),
    row("health.degraded", BOLD, "failed"),
    row("health.unknown", DIM, "not known"),
    row("drift.edited", BOLD, "somebody changed it"),
    row("drift.missing", BOLD, "gone from the cluster"),
    row("drift.extra", BOLD, "not in Git"),
    row("drift.behind", PLAIN, "Git moved on"),
    row("drift.unknown", DIM, "not judged"),
    row("drift.impact", PLAIN, "the bar that shows how many"),
    row("diff.added", BOLD, "what only the cluster has"),
    row("diff.removed", BOLD, "what only Git has"),
    row("diff.word", UNDERLINED, "the part of a line that changed"),
    row("diff.context", PLAIN, "lines that are equal"),
    row("diff.ignored", DIM, "what differs and does not count"),
    row("diff.path", BOLD, "the path above a change"),
    row("diff.owner", DIM, "who set a field"),
    row("diff.fold", DIM, "the count of lines left out"),
    row("yaml.key", BOLD, "a key of a YAML text"),
    row("yaml.number", PLAIN, "a number or a switch in it"),
    row("yaml.block", DIM, "a text that stands inside it"),
    row("outcome.good", PLAIN, "reverted or unchanged"),
    row("outcome.refused", BOLD, "nothing was changed"),
    row("outcome.failed", BOLD, "could not be carried out"),
    row("outcome.unknown", BOLD, "sent, and not seen"),
    row("progress", PLAIN, "the bar of a run"),
    row("notice.info", PLAIN, "a message"),
    row("notice.warning", BOLD, "a message to look at"),
    row("notice.error", BOLD, "a message to act on"),
    row("metric", PLAIN, "figures and sparklines"),
    row("popup", PLAIN, "a window over the screen"),
    row("popup.border", BOLD, "the line around it"),
    row("shadow", DIM, "the screen behind a window"),
    row("input", BOLD, "text being typed"),
    row("match", UNDERLINED, "the letters that a search found"),
];

/// All names.
pub fn scope_names() -> Vec<&'static str> {
    SCOPES.iter().map(|s| s.name).collect()
}
