//! Pages of labelled lines that scroll: what the cluster screen and the windows with long text are made of.

use crate::domain::{DriftState, Health, MetricFigure, Safe, SyncState};

/// What a line means; the theme decides how it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Title,
    /// Plain.
    #[default]
    Plain,
    /// Of less importance.
    Dim,
    /// Well.
    Good,
    /// Look at it.
    Warn,
    /// Act on it.
    Bad,
    /// A hint, such as a key that helps.
    Info,
    /// What only one side has, or the other.
    Added,
    /// What only Git has, or the majority.
    Removed,
    /// A line of YAML.
    Yaml,
    /// A line of a text that stands inside YAML.
    Block,
}

/// What stands before a text: a state as sign and word, or a figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Sign {
    /// A verdict of an application.
    Sync(SyncState),
    /// A verdict of an object; none for one that is as Git wants it.
    Drift(Option<DriftState>),
    /// A health.
    Health(Health),
    /// A figure with its course.
    Figure(MetricFigure),
    /// A state that was good, and nobody knows whether it still holds.
    Old(&'static str),
}

impl Sign {
    /// The sign of what is no longer known to hold: what was good does not look good.
    #[must_use]
    pub fn aged(self) -> Self {
        match self {
            Self::Sync(SyncState::Synced) => Self::Old("was Synced"),
            Self::Drift(None) => Self::Old("was in sync"),
            Self::Health(Health::Healthy) => Self::Old("was Healthy"),
            other => other,
        }
    }
}

/// One line: a label in a column of its own, and what it says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SheetLine {
    /// The label; empty for none.
    pub label: Safe,
    /// Whether the text stands in the column behind the labels.
    pub labelled: bool,
    /// The text.
    pub text: Safe,
    /// What it means.
    pub tone: Tone,
    /// The state that it tells.
    pub sign: Option<Sign>,
}

/// Columns that labels take.
pub const LABEL: usize = 12;

/// A page that is being written.
#[derive(Clone, Debug, Default)]
pub struct Page {
    lines: Vec<SheetLine>,
    width: usize,
}

impl Page {
    /// An empty page; longer lines are broken at this many columns.
    pub fn new(width: usize) -> Self {
        Self {
            lines: Vec::new(),
            width: width.max(24),
        }
    }

    /// The lines.
    pub fn lines(self) -> Vec<SheetLine> {
        self.lines
    }

    /// A heading, with an empty line above unless it is the first.
    pub fn title(&mut self, text: impl Into<Safe>) {
        if !self.lines.is_empty() {
            self.lines.push(SheetLine::default());
        }
        self.push(None, text.into(), Tone::Title);
    }

    /// A label and what it says.
    pub fn fact(&mut self, label: impl Into<Safe>, text: impl Into<Safe>, tone: Tone) {
        let room = self.width.saturating_sub(LABEL);
        let mut label = label.into();
        for line in broken(&text.into(), room) {
            self.push(Some(std::mem::take(&mut label)), line, tone);
        }
    }

    /// A label, a state, and what more there is to say.
    pub fn state(&mut self, label: impl Into<Safe>, sign: Sign, text: impl Into<Safe>) {
        let first = self.lines.len();
        self.fact(label, text, Tone::Dim);
        // A text that was broken has its sign on the first of its lines.
        if let Some(line) = self.lines.get_mut(first) {
            line.sign = Some(sign);
        }
    }

    /// A figure: its name, its value, its course.
    pub fn figure(&mut self, figure: &MetricFigure) {
        self.state(figure.name.clone(), Sign::Figure(figure.clone()), "");
    }

    /// A line without a label.
    pub fn line(&mut self, text: impl Into<Safe>, tone: Tone) {
        for line in broken(&text.into(), self.width) {
            self.push(None, line, tone);
        }
    }

    fn push(&mut self, label: Option<Safe>, text: Safe, tone: Tone) {
        self.lines.push(SheetLine {
            labelled: label.is_some(),
            label: label.unwrap_or_default(),
            text,
            tone,
            sign: None,
        });
    }
}

/// Breaks text at spaces; leading spaces stay on the first line. Counts characters: a wide one is cut by the drawing.
fn broken(text: &Safe, width: usize) -> Vec<Safe> {
    let whole = text.as_str();
    if whole.chars().count() <= width {
        return vec![text.clone()];
    }
    let indent: String = whole.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut line = indent.clone();
    for word in whole.split_whitespace() {
        let longer = line.chars().count() + 1 + word.chars().count() > width;
        if longer && !line.trim().is_empty() {
            lines.push(Safe::from(std::mem::replace(&mut line, indent.clone())));
        }
        if !line.trim().is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(Safe::from(line));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_facts_continue_below_their_text() {
        let mut page = Page::new(30);
        page.fact("why", "the API server does not answer", Tone::Bad);
        let lines: Vec<_> = page.lines();
        let shown: Vec<_> = lines
            .iter()
            .map(|l| (l.label.as_str(), l.text.as_str()))
            .collect();
        assert_eq!(shown, [("why", "the API server"), ("", "does not answer")]);
    }

    #[test]
    fn a_heading_has_room_above() {
        let mut page = Page::new(30);
        page.title("link");
        page.title("nodes");
        assert_eq!(page.lines().len(), 3);
    }
}
