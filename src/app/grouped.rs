//! A list whose rows can stand in groups: each group has a line of its own above its rows and can be folded. The cursor sticks to what it points
//! at; what is chosen on a group's line is all of the group.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::list::{List, Step};
use crate::domain::Safe;

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line<K> {
    /// The line of a group, by the group's name.
    Head(Safe),
    /// A row.
    Row(K),
}

/// Where a group stands among the others, and its name. Groups stand by number, then by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket {
    /// Smaller comes first.
    pub rank: u8,
    /// Its name.
    pub name: Safe,
}

impl Bucket {
    /// A group among equals; one without a name stands last.
    pub fn named(name: Safe) -> Self {
        Self {
            rank: u8::from(name.is_empty()),
            name,
        }
    }
}

/// The rows of one group, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<K> {
    /// Its name.
    pub name: Safe,
    /// Its rows.
    pub rows: Vec<K>,
}

/// The rows that a list is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted<K> {
    /// One after the other.
    Flat(Vec<K>),
    /// In groups.
    Groups(Vec<Group<K>>),
}

/// Puts rows, which are in order already, into groups, and counts what stands on each group's line.
pub fn in_groups<'r, R: 'r, K, T: Default>(
    rows: impl Iterator<Item = &'r R>,
    bucket: impl Fn(&R) -> Bucket,
    key: impl Fn(&R) -> K,
    count: impl Fn(&mut T, &R),
) -> (Vec<Group<K>>, BTreeMap<Safe, T>) {
    let mut all: BTreeMap<Bucket, (Vec<K>, T)> = BTreeMap::new();
    for row in rows {
        let (keys, tally) = all.entry(bucket(row)).or_default();
        keys.push(key(row));
        count(tally, row);
    }
    let mut groups = Vec::new();
    let mut tallies = BTreeMap::new();
    for (Bucket { name, .. }, (rows, tally)) in all {
        tallies.insert(name.clone(), tally);
        groups.push(Group { name, rows });
    }
    (groups, tallies)
}

/// The lines of a list with cursor, scroll position, marks and folded groups.
#[derive(Clone, Debug)]
pub struct Grouped<K> {
    lines: List<Line<K>>,
    groups: Vec<Group<K>>,
    folded: BTreeSet<Safe>,
    /// Whether rows stand in groups.
    in_groups: bool,
}

impl<K> Default for Grouped<K> {
    fn default() -> Self {
        Self {
            lines: List::default(),
            groups: Vec::new(),
            folded: BTreeSet::new(),
            in_groups: false,
        }
    }
}

impl<K: Ord + Clone> Grouped<K> {
    /// The lines as they are drawn.
    pub fn lines(&self) -> &List<Line<K>> {
        &self.lines
    }

    /// The rows in the order that is wanted, those of folded groups too.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.groups.iter().flat_map(|group| &group.rows)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|group| group.rows.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.rows.is_empty())
    }

    /// The row under the cursor; none on the line of a group.
    pub fn selected(&self) -> Option<&K> {
        match self.lines.selected() {
            Some(Line::Row(key)) => Some(key),
            Some(Line::Head(_)) | None => None,
        }
    }

    /// The group whose line the cursor is on.
    pub fn head(&self) -> Option<&Safe> {
        match self.lines.selected() {
            Some(Line::Head(name)) => Some(name),
            Some(Line::Row(_)) | None => None,
        }
    }

    /// The rows of a group.
    pub fn rows_of(&self, name: &Safe) -> &[K] {
        let found = self.groups.iter().find(|group| group.name == *name);
        found.map_or(&[][..], |group| group.rows.as_slice())
    }

    /// Whether the rows of a group are hidden.
    pub fn is_folded(&self, name: &Safe) -> bool {
        self.folded.contains(name)
    }

    /// Whether a better order waits until the fingers rest.
    pub fn is_unsettled(&self) -> bool {
        self.lines.is_unsettled()
    }

    /// The marked rows in the order shown.
    pub fn marked(&self) -> Vec<K> {
        let marked = |key: &&K| self.lines.is_marked(&Line::Row((*key).clone()));
        self.keys().filter(marked).cloned().collect()
    }

    /// The marked rows, else the selected one, or all of the group whose line is selected.
    pub fn chosen(&self) -> Vec<K> {
        let marked = self.marked();
        if !marked.is_empty() {
            return marked;
        }
        match self.lines.selected() {
            Some(Line::Row(key)) => vec![key.clone()],
            Some(Line::Head(name)) => self.rows_of(name).to_vec(),
            None => Vec::new(),
        }
    }

    /// Takes the wanted rows. While the operator moves, known lines keep their places, unless what is wanted was just asked for.
    pub fn set(&mut self, wanted: Wanted<K>, when: When) {
        self.in_groups = matches!(wanted, Wanted::Groups(_));
        self.groups = match wanted {
            Wanted::Groups(groups) => groups,
            Wanted::Flat(rows) => vec![Group {
                name: Safe::default(),
                rows,
            }],
        };
        self.lay(when);
    }

    /// Makes the lines of the groups. A cursor whose row was folded away goes to the line of its group.
    fn lay(&mut self, when: When) {
        let mut lines = Vec::new();
        for group in &self.groups {
            if self.in_groups {
                lines.push(Line::Head(group.name.clone()));
            }
            if !(self.in_groups && self.folded.contains(&group.name)) {
                lines.extend(group.rows.iter().cloned().map(Line::Row));
            }
        }
        let hidden = self.selected().and_then(|key| self.folded_group_of(key));
        if when.at_once {
            self.lines.set_now(lines, when.height);
        } else {
            self.lines.set(lines, when.now, when.height);
        }
        if let Some(name) = hidden {
            self.lines.select(&Line::Head(name), when.now, when.height);
        }
    }

    fn folded_group_of(&self, key: &K) -> Option<Safe> {
        let folded = |group: &&Group<K>| self.in_groups && self.folded.contains(&group.name);
        let mut groups = self.groups.iter().filter(folded);
        let found = groups.find(|group| group.rows.contains(key));
        found.map(|group| group.name.clone())
    }

    /// The group under the cursor: the one whose line it is on, or that of its row.
    fn here(&self) -> Option<Safe> {
        if !self.in_groups {
            return None;
        }
        match self.lines.selected()? {
            Line::Head(name) => Some(name.clone()),
            Line::Row(key) => {
                let found = self.groups.iter().find(|group| group.rows.contains(key));
                found.map(|group| group.name.clone())
            }
        }
    }

    /// Folds or unfolds the group under the cursor; whether that changed anything.
    pub fn fold(&mut self, fold: Fold, now: Timestamp, height: usize) -> bool {
        let Some(name) = self.here() else {
            return false;
        };
        let folded = self.folded.contains(&name);
        let wanted = match fold {
            Fold::Close => true,
            Fold::Open => false,
            Fold::Turn => !folded,
        };
        if wanted == folded {
            return false;
        }
        if wanted {
            self.folded.insert(name);
        } else {
            self.folded.remove(&name);
        }
        self.lay(When::at_once(now, height));
        true
    }

    /// Folds every group, or unfolds all when none is left to fold; whether there is any.
    pub fn fold_all(&mut self, now: Timestamp, height: usize) -> bool {
        if !self.in_groups || self.groups.is_empty() {
            return false;
        }
        let all: BTreeSet<Safe> = self.groups.iter().map(|g| g.name.clone()).collect();
        self.folded = if all.is_subset(&self.folded) {
            BTreeSet::new()
        } else {
            all
        };
        self.lay(When::at_once(now, height));
        true
    }

    /// Moves the cursor.
    pub fn step(&mut self, step: Step, now: Timestamp, height: usize) {
        self.lines.step(step, now, height);
    }

    /// Puts the cursor on a row, when it is in the list; its group is unfolded.
    pub fn select(&mut self, key: &K, now: Timestamp, height: usize) {
        if let Some(name) = self.folded_group_of(key) {
            self.folded.remove(&name);
            self.lay(When::at_once(now, height));
        }
        self.lines.select(&Line::Row(key.clone()), now, height);
    }

    /// Puts the cursor on a line by its number; whether there is one.
    pub fn select_line(&mut self, line: usize, now: Timestamp, height: usize) -> bool {
        self.lines.select_line(line, now, height)
    }

    /// Marks the row, or every row of the group whose line is selected; clears the marks where all are marked.
    pub fn toggle_mark(&mut self) {
        let Some(name) = self.head().cloned() else {
            return self.lines.toggle_mark();
        };
        let rows = self.rows_of(&name).iter().cloned().map(Line::Row);
        let rows: Vec<Line<K>> = rows.collect();
        let all = rows.iter().all(|row| self.lines.is_marked(row));
        self.lines.set_marks(rows, !all);
    }

    /// Marks every row from the last mark to the cursor.
    pub fn mark_range(&mut self) {
        self.lines.mark_range();
    }

    /// Marks the shown rows that are not marked, and the other way round.
    pub fn invert_marks(&mut self) {
        self.lines.invert_marks();
    }

    /// Marks those of these rows that are in the list; how many.
    pub fn mark_all(&mut self, keys: impl Iterator<Item = K>) -> usize {
        let shown: BTreeSet<&K> = self.keys().collect();
        let found: Vec<Line<K>> = keys.filter(|k| shown.contains(k)).map(Line::Row).collect();
        let count = found.len();
        self.lines.set_marks(found, true);
        count
    }

    /// Clears every mark; whether there was any.
    pub fn clear_marks(&mut self) -> bool {
        self.lines.clear_marks()
    }
}

/// When lines are taken, and how many are seen.
#[derive(Clone, Copy, Debug)]
pub struct When {
    /// Now.
    pub now: Timestamp,
    /// How many lines are seen.
    pub height: usize,
    /// Whether the order is taken although the operator moves.
    pub at_once: bool,
}

impl When {
    /// For what the operator just asked for.
    pub fn at_once(now: Timestamp, height: usize) -> Self {
        Self {
            now,
            height,
            at_once: true,
        }
    }
}

/// What is done to the group under the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Its rows are hidden.
    Close,
    /// Its rows are shown.
    Open,
    /// The other way round.
    Turn,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 5] = [
        "edge-berlin-017",
        "edge-berlin-018",
        "edge-paris-004",
        "edge-paris-031",
        "hub-1",
    ];

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_227_240_000 + millis).unwrap()
    }

    fn town(key: &&'static str) -> Bucket {
        let town = key.split('-').nth(1).filter(|town| town.len() > 1);
        Bucket::named(Safe::new(town.unwrap_or("")))
    }

    fn wanted(bucket: impl Fn(&&'static str) -> Bucket) -> Wanted<&'static str> {
        let count = |n: &mut usize, _: &&str| *n += 1;
        let (groups, counts) = in_groups(ALL.iter(), bucket, |key| *key, count);
        assert_eq!(counts.values().sum::<usize>(), ALL.len());
        Wanted::Groups(groups)
    }

    fn list() -> Grouped<&'static str> {
        let mut list = Grouped::default();
        list.set(wanted(town), When::at_once(at(0), 10));
        list
    }

    fn words(list: &Grouped<&'static str>) -> Vec<String> {
        let lines = list.lines().keys().iter();
        lines
            .map(|line| match line {
                Line::Head(name) => format!("[{name}]"),
                Line::Row(key) => (*key).to_owned(),
            })
            .collect()
    }

    #[test]
    fn every_group_has_a_line_and_the_nameless_one_stands_last() {
        let list = list();
        assert_eq!(
            words(&list),
            [
                "[berlin]",
                "edge-berlin-017",
                "edge-berlin-018",
                "[paris]",
                "edge-paris-004",
                "edge-paris-031",
                "[]",
                "hub-1",
            ]
        );
        assert_eq!(list.len(), 5);
    }

    #[test]
    fn a_folded_group_keeps_its_rows_and_the_cursor_goes_to_its_line() {
        let mut list = list();
        list.step(Step::By(2), at(0), 10);
        assert_eq!(list.selected(), Some(&"edge-berlin-018"));
        assert!(list.fold(Fold::Close, at(1), 10));
        assert_eq!(list.head(), Some(&Safe::fixed("berlin")));
        assert_eq!(words(&list)[..2], ["[berlin]", "[paris]"]);
        assert_eq!(list.len(), 5);
        assert_eq!(list.chosen(), ["edge-berlin-017", "edge-berlin-018"]);
        assert!(!list.fold(Fold::Close, at(2), 10));
        assert!(list.fold(Fold::Turn, at(2), 10));
        assert_eq!(words(&list).len(), 8);
    }

    #[test]
    fn the_cursor_follows_a_row_into_another_group() {
        let mut list = list();
        list.step(Step::By(2), at(0), 10);
        let moved = |key: &&'static str| match *key {
            "edge-berlin-018" => Bucket::named(Safe::fixed("paris")),
            _ => town(key),
        };
        list.set(wanted(moved), When::at_once(at(5_000), 10));
        assert_eq!(list.selected(), Some(&"edge-berlin-018"));
        assert_eq!(list.lines().cursor(), 3);
    }

    #[test]
    fn a_row_that_moves_into_a_folded_group_leaves_the_cursor_on_that_groups_line() {
        let mut list = list();
        list.step(Step::By(3), at(0), 10);
        list.fold(Fold::Close, at(0), 10);
        list.step(Step::By(-1), at(0), 10);
        let moved = |_: &&'static str| Bucket::named(Safe::fixed("paris"));
        list.set(wanted(moved), When::at_once(at(5_000), 10));
        assert_eq!(list.head(), Some(&Safe::fixed("paris")));
    }

    #[test]
    fn a_mark_on_a_groups_line_marks_its_rows_and_a_second_clears_them() {
        let mut list = list();
        list.toggle_mark();
        assert_eq!(list.marked(), ["edge-berlin-017", "edge-berlin-018"]);
        list.fold(Fold::Close, at(0), 10);
        assert_eq!(list.marked().len(), 2);
        list.toggle_mark();
        assert!(list.marked().is_empty());
    }

    #[test]
    fn all_groups_are_folded_and_unfolded_and_a_list_without_groups_has_none() {
        let mut list = list();
        assert!(list.fold_all(at(0), 10));
        assert_eq!(words(&list), ["[berlin]", "[paris]", "[]"]);
        assert!(list.fold_all(at(0), 10));
        assert_eq!(words(&list).len(), 8);
        list.set(Wanted::Flat(ALL.to_vec()), When::at_once(at(0), 10));
        assert_eq!(words(&list), ALL);
        assert!(!list.fold_all(at(0), 10) && !list.fold(Fold::Turn, at(0), 10));
    }
}
