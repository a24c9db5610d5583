//! Windows in which the layout of a list is chosen: its columns and their order, and what its rows are grouped by.

use crossterm::event::KeyCode;

use crate::domain::Safe;
use crate::keymap::Key;
use crate::view::columns::{self, LABEL, Standing};
use crate::view::grouping::{self, NONE};
use crate::view::place::Place;

/// One line of the window of columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnLine {
    /// The column's name.
    pub name: String,
    /// What it shows.
    pub about: Safe,
    /// Whether it is shown.
    pub shown: bool,
    /// Whether it cannot be left out.
    pub fixed: bool,
}

/// The window of columns.
#[derive(Clone, Debug)]
pub struct ColumnPick {
    /// The list whose columns they are.
    pub place: Place,
    /// The lines: what is shown in its order, then the rest.
    pub lines: Vec<ColumnLine>,
    /// The line under the cursor.
    pub cursor: usize,
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked {
    /// Nothing but a change of the window.
    Going,
    /// What is seen is taken.
    Kept,
    /// Everything stays as it was.
    Dropped,
    /// The choice is forgotten: as configured, else as usual.
    Reset,
}

impl ColumnPick {
    /// The columns of a list: those shown, then what else there is, with the labels that rows have.
    pub fn new(place: Place, shown: &[String], labels: impl Iterator<Item = Safe>) -> Self {
        let labels = labels.map(|label| format!("{LABEL}{label}"));
        let offered = columns::offers(place).iter().map(|o| o.id.to_owned());
        let mut names = shown.to_vec();
        for name in offered.chain(labels) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let line = |(i, name): (usize, String)| ColumnLine {
            about: about(place, &name),
            fixed: columns::offer(place, &name).is_some_and(|o| o.standing == Standing::Fixed),
            shown: i < shown.len(),
            name,
        };
        Self {
            place,
            lines: names.into_iter().enumerate().map(line).collect(),
            cursor: 0,
        }
    }

    /// The names of what is shown, in order.
    pub fn shown(&self) -> Vec<String> {
        let shown = self.lines.iter().filter(|line| line.shown);
        shown.map(|line| line.name.clone()).collect()
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key) -> Picked {
        match (key.typed(), key.code()) {
            (_, KeyCode::Enter) => return Picked::Kept,
            (Some('q'), _) => return Picked::Dropped,
            (Some('0'), _) => return Picked::Reset,
            (Some(' ' | 'x'), _) => self.toggle(),
            (Some('J'), _) | (_, KeyCode::Right) => self.carry(1),
            (Some('K'), _) | (_, KeyCode::Left) => self.carry(-1),
            _ => self.cursor = stepped(self.cursor, self.lines.len(), key),
        }
        Picked::Going
    }

    fn toggle(&mut self) {
        if let Some(line) = self.lines.get_mut(self.cursor).filter(|line| !line.fixed) {
            line.shown = !line.shown;
        }
    }

    /// Moves the line under the cursor, and the cursor with it.
    fn carry(&mut self, by: isize) {
        let to = self.cursor.saturating_add_signed(by);
        if to < self.lines.len() {
            self.lines.swap(self.cursor, to);
            self.cursor = to;
        }
    }
}

fn about(place: Place, name: &str) -> Safe {
    match (columns::offer(place, name), columns::label_of(name)) {
        (Some(offer), _) => Safe::fixed(offer.about),
        (None, Some(label)) => format!("the label {label}").into(),
        (None, None) => Safe::default(),
    }
}

/// The window of groupings.
#[derive(Clone, Debug)]
pub struct GroupPick {
    /// The list that is grouped.
    pub place: Place,
    /// Names and what they group by; the first is not at all.
    pub lines: Vec<(String, Safe)>,
    /// The line under the cursor.
    pub cursor: usize,
}

impl GroupPick {
    /// What a list can be grouped by; the cursor is on what it is grouped by now.
    pub fn new(place: Place, now: Option<&str>, labels: impl Iterator<Item = Safe>) -> Self {
        let none = match place {
            Place::Drift => "equal changes as one row, whatever else",
            _ => "one list",
        };
        let mut lines = vec![(NONE.to_owned(), Safe::fixed(none))];
        let ways = grouping::ways(place).iter();
        lines.extend(ways.map(|way| (way.id.to_owned(), Safe::fixed(way.about))));
        let labels = labels.filter(|_| columns::has_labels(place));
        lines.extend(labels.map(|label| {
            (
                format!("{LABEL}{label}"),
                format!("the label {label}").into(),
            )
        }));
        let here = now.and_then(|now| lines.iter().position(|(id, _)| id == now));
        Self {
            place,
            lines,
            cursor: here.unwrap_or(0),
        }
    }

    /// The name under the cursor.
    pub fn chosen(&self) -> Option<&str> {
        self.lines.get(self.cursor).map(|(id, _)| id.as_str())
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key) -> Picked {
        match (key.typed(), key.code()) {
            (_, KeyCode::Enter) => return Picked::Kept,
            (Some('q'), _) => return Picked::Dropped,
            (Some('0'), _) => return Picked::Reset,
            _ => self.cursor = stepped(self.cursor, self.lines.len(), key),
        }
        Picked::Going
    }
}

/// Where the usual keys lead in a window of lines.
fn stepped(cursor: usize, len: usize, key: Key) -> usize {
    let by = match (key.typed(), key.code()) {
        (Some('j'), _) | (_, KeyCode::Down | KeyCode::Tab) => 1,
        (Some('k'), _) | (_, KeyCode::Up | KeyCode::BackTab) => -1,
        (_, KeyCode::PageDown) => 10,
        (_, KeyCode::PageUp) => -10,
        (Some('g'), _) | (_, KeyCode::Home) => isize::MIN,
        (Some('G'), _) | (_, KeyCode::End) => isize::MAX,
        _ if key.is_ctrl('n') => 1,
        _ if key.is_ctrl('p') => -1,
        _ => 0,
    };
    cursor.saturating_add_signed(by).min(len.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(pick: &mut ColumnPick, keys: &str) -> Picked {
        let events = crate::keymap::key::script(keys).unwrap();
        let pressed = events.into_iter().map(|e| pick.press(e.into()));
        pressed.last().unwrap_or(Picked::Going)
    }

    fn pick() -> ColumnPick {
        let shown = ["cluster", "seen", "drift"].map(ToOwned::to_owned);
        ColumnPick::new(Place::Fleet, &shown, [Safe::fixed("region")].into_iter())
    }

    #[test]
    fn a_column_is_shown_hidden_and_moved() {
        let mut pick = pick();
        press(&mut pick, "G space K");
        press(&mut pick, "g j j space");
        assert_eq!(pick.shown(), ["cluster", "seen", "label:region"]);
        press(&mut pick, "space K K");
        assert_eq!(pick.shown(), ["drift", "cluster", "seen", "label:region"]);
        assert_eq!(press(&mut pick, "enter"), Picked::Kept);
    }

    #[test]
    fn what_a_row_is_and_whether_it_is_current_cannot_be_hidden() {
        let mut pick = pick();
        press(&mut pick, "space j space");
        assert_eq!(pick.shown(), ["cluster", "seen", "drift"]);
    }

    #[test]
    fn the_cursor_of_groupings_is_on_what_is_chosen() {
        let labels = [Safe::fixed("tier")];
        let pick = GroupPick::new(Place::Fleet, Some("label:tier"), labels.into_iter());
        assert_eq!(pick.chosen(), Some("label:tier"));
        let labels = [Safe::fixed("tier")];
        let pick = GroupPick::new(Place::Drift, None, labels.into_iter());
        assert_eq!(pick.chosen(), Some("none"));
        assert!(!pick.lines.iter().any(|(id, _)| id == "label:tier"));
    }
}
