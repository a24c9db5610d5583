//! A list with a cursor that sticks to what it points at, marks, and an order that does not change under moving fingers.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

/// How long after the last move the order stays as it is.
pub const FREEZE: SignedDuration = SignedDuration::from_secs(1);

/// The keys of a list in the order shown, with cursor, scroll position and marks.
#[derive(Clone, Debug)]
pub struct List<K> {
    keys: Vec<K>,
    cursor: usize,
    offset: usize,
    marks: BTreeSet<K>,
    last_mark: Option<K>,
    /// When the operator last moved; before that the cursor stays on the first row.
    moved_at: Option<Timestamp>,
    /// Whether the order shown is not the wanted one yet.
    unsettled: bool,
}

/// One step of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Rows down, or up when negative.
    By(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl<K> Default for List<K> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            cursor: 0,
            offset: 0,
            marks: BTreeSet::new(),
            last_mark: None,
            moved_at: None,
            unsettled: false,
        }
    }
}

impl<K: Ord + Clone> List<K> {
    /// The keys in the order shown.
    pub fn keys(&self) -> &[K] {
        &self.keys
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The row the cursor is on.
    pub fn selected(&self) -> Option<&K> {
        self.keys.get(self.cursor)
    }

    /// Its number.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The number of the first visible row.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The marked rows that are in the list, in the order shown.
    pub fn marked(&self) -> Vec<K> {
        let shown = self.keys.iter().filter(|k| self.marks.contains(k));
        shown.cloned().collect()
    }

    /// Whether a row is marked.
    pub fn is_marked(&self, key: &K) -> bool {
        self.marks.contains(key)
    }

    /// The marked rows, or the selected one when none is marked.
    pub fn chosen(&self) -> Vec<K> {
        let marked = self.marked();
        if marked.is_empty() {
            self.selected().cloned().into_iter().collect()
        } else {
            marked
        }
    }

    /// Whether a better order waits until the fingers rest.
    pub fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// Takes the wanted order. While the operator moves, known rows keep their places and new ones come last.
    pub fn set(&mut self, wanted: Vec<K>, now: Timestamp, height: usize) {
        if self.keys == wanted {
            self.unsettled = false;
            self.show(height);
            return;
        }
        let moving = self
            .moved_at
            .is_some_and(|at| now.duration_since(at) < FREEZE);
        if !moving {
            self.set_now(wanted, height);
            return;
        }
        let next = self.in_place(&wanted);
        self.unsettled = next != wanted;
        self.replace(next, height);
    }

    /// Takes an order at once, for a filter or sort that the operator just asked for.
    pub fn set_now(&mut self, wanted: Vec<K>, height: usize) {
        self.unsettled = false;
        self.replace(wanted, height);
    }

    /// The old order without what is gone, then what is new.
    fn in_place(&self, wanted: &[K]) -> Vec<K> {
        let present: BTreeSet<&K> = wanted.iter().collect();
        let known: BTreeSet<&K> = self.keys.iter().collect();
        let old = self.keys.iter().filter(|k| present.contains(k));
        let new = wanted.iter().filter(|k| !known.contains(k));
        old.chain(new).cloned().collect()
    }

    /// Replaces the keys; the selected row stays selected and stays on its line of the screen.
    fn replace(&mut self, next: Vec<K>, height: usize) {
        let line = self.cursor.saturating_sub(self.offset);
        let followed = self
            .moved_at
            .and_then(|_| self.selected())
            .and_then(|old| next.iter().position(|k| k == old));
        self.keys = next;
        if let Some(found) = followed {
            self.cursor = found;
            self.offset = found.saturating_sub(line);
        }
        self.cursor = self.cursor.min(self.keys.len().saturating_sub(1));
        self.show(height);
    }

    /// Puts the cursor on a row without anybody having moved: until somebody does, it stays on this line.
    pub fn begin_at(&mut self, row: usize, height: usize) {
        self.cursor = row.min(self.keys.len().saturating_sub(1));
        self.show(height);
    }

    /// Moves the cursor.
    pub fn step(&mut self, step: Step, now: Timestamp, height: usize) {
        let last = self.keys.len().saturating_sub(1);
        self.cursor = match step {
            Step::By(rows) => self.cursor.saturating_add_signed(rows).min(last),
            Step::First => 0,
            Step::Last => last,
        };
        self.moved_at = Some(now);
        self.show(height);
    }

    /// Puts the cursor on a row, when it is in the list.
    pub fn select(&mut self, key: &K, now: Timestamp, height: usize) {
        if let Some(found) = self.keys.iter().position(|k| k == key) {
            self.cursor = found;
            self.moved_at = Some(now);
            self.show(height);
        }
    }

    /// Puts the cursor on a line by its number; whether there is one.
    pub fn select_line(&mut self, line: usize, now: Timestamp, height: usize) -> bool {
        let found = line < self.keys.len();
        if found {
            self.cursor = line;
            self.moved_at = Some(now);
            self.show(height);
        }
        found
    }

    /// Scrolls just enough for the cursor to be visible, and never past the end.
    pub fn show(&mut self, height: usize) {
        let height = height.max(1);
        if self.cursor < self.offset {
            self.offset = self.cursor;
        } else if self.cursor >= self.offset + height {
            self.offset = self.cursor + 1 - height;
        }
        self.offset = self.offset.min(self.keys.len().saturating_sub(height));
    }

    /// Marks the selected row, or clears its mark.
    pub fn toggle_mark(&mut self) {
        let Some(key) = self.selected().cloned() else {
            return;
        };
        if !self.marks.remove(&key) {
            self.marks.insert(key.clone());
            self.last_mark = Some(key);
        }
    }

    /// Marks every row from the last mark to the cursor.
    pub fn mark_range(&mut self) {
        let from = self
            .last_mark
            .as_ref()
            .and_then(|last| self.keys.iter().position(|k| k == last))
            .unwrap_or(self.cursor);
        let (first, last) = (from.min(self.cursor), from.max(self.cursor));
        let range = self.keys.get(first..=last).unwrap_or_default();
        self.marks.extend(range.iter().cloned());
        self.last_mark = self.selected().cloned();
    }

    /// Marks the shown rows that are not marked, and the other way round.
    pub fn invert_marks(&mut self) {
        for key in &self.keys {
            if !self.marks.remove(key) {
                self.marks.insert(key.clone());
            }
        }
    }

    /// Marks those of these rows that are shown; how many.
    pub fn mark_all(&mut self, keys: impl Iterator<Item = K>) -> usize {
        let shown: BTreeSet<&K> = self.keys.iter().collect();
        let found: Vec<K> = keys.filter(|key| shown.contains(key)).collect();
        let count = found.len();
        self.marks.extend(found);
        count
    }

    /// Marks these rows, or clears their marks.
    pub fn set_marks(&mut self, keys: Vec<K>, marked: bool) {
        for key in keys {
            if marked {
                self.marks.insert(key);
            } else {
                self.marks.remove(&key);
            }
        }
    }

    /// Clears every mark; whether there was any.
    pub fn clear_marks(&mut self) -> bool {
        self.last_mark = None;
        let had = !self.marks.is_empty();
        self.marks.clear();
        had
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_227_240_000 + millis).unwrap()
    }

    fn list(keys: &[&'static str]) -> List<&'static str> {
        let mut list = List::default();
        list.set(keys.to_vec(), at(0), 3);
        list
    }

    #[test]
    fn before_the_first_move_the_cursor_stays_on_the_first_row() {
        let mut list = list(&["edge-ber-017", "edge-lyo-001"]);
        list.set(
            vec!["edge-par-031", "edge-ber-017", "edge-lyo-001"],
            at(1),
            3,
        );
        assert_eq!(list.selected(), Some(&"edge-par-031"));
    }

    #[test]
    fn after_a_move_the_cursor_follows_its_row() {
        let mut list = list(&["edge-ber-017", "edge-lyo-001"]);
        list.step(Step::By(1), at(0), 3);
        list.set(vec!["edge-lyo-001", "edge-ber-017"], at(5_000), 3);
        assert_eq!(list.selected(), Some(&"edge-lyo-001"));
        assert!(!list.is_unsettled());
    }

    #[test]
    fn while_the_operator_moves_known_rows_keep_their_places() {
        let mut list = list(&["edge-ber-017", "edge-lyo-001", "edge-mad-001"]);
        list.step(Step::By(1), at(0), 3);
        list.set(
            vec!["edge-par-031", "edge-mad-001", "edge-ber-017"],
            at(500),
            3,
        );
        assert_eq!(
            list.keys(),
            ["edge-ber-017", "edge-mad-001", "edge-par-031"]
        );
        assert!(list.is_unsettled());
        list.set(
            vec!["edge-par-031", "edge-mad-001", "edge-ber-017"],
            at(1_600),
            3,
        );
        assert_eq!(
            list.keys(),
            ["edge-par-031", "edge-mad-001", "edge-ber-017"]
        );
    }

    #[test]
    fn when_the_selected_row_is_gone_the_next_one_takes_its_place() {
        let mut list = list(&["a", "b", "c"]);
        list.step(Step::By(1), at(0), 3);
        list.set(vec!["a", "c"], at(5_000), 3);
        assert_eq!(list.selected(), Some(&"c"));
        list.set(vec![], at(9_000), 3);
        assert_eq!(list.selected(), None);
    }

    #[test]
    fn the_cursor_stays_visible_and_the_end_is_not_passed() {
        let mut list = list(&["a", "b", "c", "d", "e"]);
        list.step(Step::Last, at(0), 3);
        assert_eq!((list.cursor(), list.offset()), (4, 2));
        list.step(Step::By(-100), at(0), 3);
        assert_eq!((list.cursor(), list.offset()), (0, 0));
    }

    #[test]
    fn a_row_that_moves_keeps_its_line_of_the_screen() {
        let mut list = list(&["a", "b", "c", "d", "e", "f"]);
        list.step(Step::By(3), at(0), 3);
        let line = list.cursor() - list.offset();
        list.set(vec!["x", "y", "a", "b", "c", "d", "e", "f"], at(5_000), 3);
        assert_eq!(list.selected(), Some(&"d"));
        assert_eq!(list.cursor() - list.offset(), line);
    }

    #[test]
    fn marks_survive_a_filter_and_chosen_falls_back_to_the_selected_row() {
        let mut list = list(&["a", "b", "c"]);
        assert_eq!(list.chosen(), ["a"]);
        list.toggle_mark();
        list.step(Step::By(2), at(0), 3);
        list.mark_range();
        assert_eq!(list.chosen(), ["a", "b", "c"]);
        list.set_now(vec!["c"], 3);
        assert_eq!(list.chosen(), ["c"]);
        list.set_now(vec!["a", "b", "c"], 3);
        assert_eq!(list.marked().len(), 3);
        list.invert_marks();
        assert!(list.marked().is_empty());
    }
}
