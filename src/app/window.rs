//! Windows with long text: explain, events, history, logs, compare, YAML, trees. They scroll, search, and say when they wait. Where lines stand
//! for objects, one of them is chosen and can be looked at more closely.

use tui_input::Input;

use crossterm::event::KeyCode;

use super::action::Action;
use super::inquiry::Question;
use super::msg::WishTarget;
use super::sheet::{SheetLine, Tone};
use super::tree::Node;
use crate::domain::Safe;
use crate::keymap::Key;

/// Most lines a window keeps; of a log that is followed the oldest go first.
const KEPT: usize = 20_000;

/// One view of a window; several are turned with `tab`.
#[derive(Clone, Debug, Default)]
pub struct Leaf {
    /// Its name in the title.
    pub name: Safe,
    /// Its lines.
    pub lines: Vec<SheetLine>,
    /// The object that each line stands for; empty where no line stands for any.
    pub targets: Vec<Option<WishTarget>>,
    /// The node of a tree that each line shows; empty where the lines are text.
    pub nodes: Vec<Option<Node>>,
}

impl Leaf {
    /// A view of plain lines.
    pub fn of(name: Safe, lines: Vec<SheetLine>) -> Self {
        Self {
            name,
            lines,
            targets: Vec::new(),
            nodes: Vec::new(),
        }
    }
}

/// A window with long text.
#[derive(Debug, Default)]
pub struct Window {
    /// What it is about.
    pub title: Safe,
    /// Its views.
    pub leaves: Vec<Leaf>,
    /// The view that is seen.
    pub leaf: usize,
    /// The question whose answer it shows, and its number; none when everything is known already.
    pub question: Option<(u64, Question)>,
    /// Whether the answer is waited for.
    pub waits: bool,
    /// The first visible line.
    pub top: usize,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// Whether it stays at the end while lines come in.
    pub follows: bool,
    /// What is searched for.
    pub search: Option<Input>,
    /// Whether the search text is being typed.
    pub typing: bool,
    /// What is there when there are no lines.
    pub empty: Safe,
    /// The chosen line, where lines stand for objects.
    pub cursor: usize,
    /// The window that this one was opened from; it comes back when this one closes.
    pub behind: Option<Box<Window>>,
}

/// What a key in a window leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// Nothing but a change of the window.
    Kept,
    /// The window closes.
    Closed,
    /// The line at the top, or the found one, is copied.
    Copy,
    /// The question is asked again, following from now on or not.
    AskAgain,
    /// The chosen object is looked at more closely.
    Closer(Action),
}

impl Window {
    /// A window whose text is known.
    pub fn of(title: impl Into<Safe>, lines: Vec<SheetLine>) -> Self {
        Self {
            title: title.into(),
            leaves: vec![Leaf::of(Safe::default(), lines)],
            ..Self::default()
        }
    }

    /// A window that waits for an answer.
    pub fn asking(
        title: impl Into<Safe>,
        ask: u64,
        question: Question,
        empty: &'static str,
    ) -> Self {
        Self {
            title: title.into(),
            question: Some((ask, question)),
            waits: true,
            empty: Safe::fixed(empty),
            ..Self::default()
        }
    }

    /// The lines seen.
    pub fn lines(&self) -> &[SheetLine] {
        self.leaves
            .get(self.leaf)
            .map_or(&[][..], |leaf| leaf.lines.as_slice())
    }

    /// The nodes of the tree that is seen; none where the view is no tree.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let leaf = self.leaves.get(self.leaf);
        leaf.into_iter()
            .flat_map(|leaf| leaf.nodes.iter().flatten())
    }

    /// The node that a line shows.
    pub fn node(&self, line: usize) -> Option<&Node> {
        self.leaves.get(self.leaf)?.nodes.get(line)?.as_ref()
    }

    /// Whether it waits for, or follows, this question.
    pub fn hears(&self, ask: u64) -> bool {
        self.question.as_ref().is_some_and(|(own, _)| *own == ask)
    }

    /// Takes the views of an answer.
    pub fn take(&mut self, leaves: Vec<Leaf>) {
        self.waits = false;
        self.leaves = leaves;
        self.leaf = self.leaf.min(self.leaves.len().saturating_sub(1));
        self.cursor = 0;
    }

    /// Whether lines stand for objects.
    pub fn picks(&self) -> bool {
        self.leaves
            .get(self.leaf)
            .is_some_and(|leaf| leaf.targets.iter().any(Option::is_some))
    }

    /// The object that the chosen line stands for.
    pub fn target(&self) -> Option<&WishTarget> {
        self.leaves
            .get(self.leaf)?
            .targets
            .get(self.cursor)?
            .as_ref()
    }

    /// The line that a copy takes.
    pub fn here(&self, height: usize) -> Option<&SheetLine> {
        let line = if self.picks() {
            self.cursor
        } else {
            self.first(height)
        };
        self.lines().get(line)
    }

    /// Takes more lines of a log.
    pub fn append(&mut self, lines: Vec<SheetLine>) {
        self.waits = false;
        if self.leaves.is_empty() {
            self.leaves.push(Leaf::default());
        }
        let Some(leaf) = self.leaves.first_mut() else {
            return;
        };
        leaf.lines.extend(lines);
        let over = leaf.lines.len().saturating_sub(KEPT);
        leaf.lines.drain(..over);
        self.top = self.top.saturating_sub(over);
    }

    /// Takes a refusal.
    pub fn refuse(&mut self, why: Safe) {
        self.waits = false;
        let line = SheetLine {
            text: why,
            tone: Tone::Bad,
            ..SheetLine::default()
        };
        if self.leaves.is_empty() {
            self.leaves.push(Leaf::default());
        }
        if let Some(leaf) = self.leaves.first_mut() {
            leaf.lines.push(line);
        }
    }

    /// The first visible line at a height.
    pub fn first(&self, height: usize) -> usize {
        let end = self.lines().len().saturating_sub(height);
        if self.follows { end } else { self.top.min(end) }
    }

    /// The search text in lower case, when there is one.
    pub fn wanted(&self) -> Option<String> {
        let text = self.search.as_ref()?.value().trim().to_lowercase();
        (!text.is_empty()).then_some(text)
    }

    /// Takes a key; `height` is how many lines are seen.
    pub fn press(&mut self, key: Key, height: usize) -> Pressed {
        if self.typing {
            self.type_key(key, height);
            return Pressed::Kept;
        }
        match (key.typed(), key.code()) {
            (_, KeyCode::Esc) if self.search.is_some() => self.search = None,
            (Some('q'), _) | (_, KeyCode::Esc) => return Pressed::Closed,
            (Some('/'), _) => {
                self.search = Some(Input::default());
                self.typing = true;
            }
            (Some('n'), _) => self.find(true, height),
            (Some('N'), _) => self.find(false, height),
            (Some('c'), _) => return Pressed::Copy,
            (Some('r'), _) => return Pressed::AskAgain,
            (Some('e'), _) if self.picks() => return Pressed::Closer(Action::Events),
            (Some('l'), _) if self.picks() => return Pressed::Closer(Action::Logs),
            (Some('y'), _) | (_, KeyCode::Enter) if self.picks() => {
                return Pressed::Closer(Action::Yaml);
            }
            (Some('f' | 'F'), _) => self.follows = !self.follows,
            (_, KeyCode::Tab) => self.turn(1),
            (_, KeyCode::BackTab) => self.turn(-1),
            (Some('h'), _) | (_, KeyCode::Left) => self.shift = self.shift.saturating_sub(8),
            (Some('l'), _) | (_, KeyCode::Right) => self.shift = (self.shift + 8).min(10_000),
            _ => self.scroll(key, height),
        }
        Pressed::Kept
    }

    fn scroll(&mut self, key: Key, height: usize) {
        let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
        let by = match (key.typed(), key.code()) {
            (Some('j'), _) | (_, KeyCode::Down | KeyCode::Enter) => 1,
            (Some('k'), _) | (_, KeyCode::Up) => -1,
            (Some(' '), _) | (_, KeyCode::PageDown) => page,
            (_, KeyCode::PageUp) => -page,
            (Some('g'), _) | (_, KeyCode::Home) => isize::MIN,
            (Some('G'), _) | (_, KeyCode::End) => isize::MAX,
            _ if key.is_ctrl('d') => page / 2,
            _ if key.is_ctrl('u') => -(page / 2),
            _ if key.is_ctrl('f') => page,
            _ if key.is_ctrl('b') => -page,
            _ => return,
        };
        if self.picks() {
            return self.choose(by, height);
        }
        let end = self.lines().len().saturating_sub(height);
        self.top = self.first(height).saturating_add_signed(by).min(end);
        self.follows = false;
    }

    /// Chooses another line and keeps it in sight.
    fn choose(&mut self, by: isize, height: usize) {
        let last = self.lines().len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
        let lowest = (self.cursor + 1).saturating_sub(height);
        self.top = self.first(height).clamp(lowest, self.cursor);
    }

    fn turn(&mut self, by: isize) {
        let count = self.leaves.len();
        if count > 1 {
            let next = self.leaf.checked_add_signed(by).unwrap_or(count - 1);
            self.leaf = if next >= count { 0 } else { next };
            self.top = 0;
        }
    }

    fn type_key(&mut self, key: Key, height: usize) {
        match key.code() {
            KeyCode::Esc => {
                self.search = None;
                self.typing = false;
            }
            KeyCode::Enter => {
                self.typing = false;
                if self.wanted().is_none() {
                    self.search = None;
                }
            }
            _ => {
                if let Some(input) = &mut self.search {
                    super::modal::edit(input, key);
                }
                self.follows = false;
                self.find_from(self.first(height), true, height);
            }
        }
    }

    fn find(&mut self, forward: bool, height: usize) {
        let here = self.first(height);
        let from = if forward {
            here + 1
        } else {
            here.saturating_sub(1)
        };
        self.follows = false;
        self.find_from(from, forward, height);
    }

    /// Brings the next line that holds the search text to the top; stays where it is when there is none.
    fn find_from(&mut self, from: usize, forward: bool, height: usize) {
        let Some(wanted) = self.wanted() else {
            return;
        };
        let holds = |line: &SheetLine| line.text.as_str().to_lowercase().contains(&wanted);
        let lines = self.lines();
        let found = if forward {
            let after = lines.iter().enumerate().skip(from);
            after.into_iter().find(|(_, l)| holds(l)).map(|(i, _)| i)
        } else {
            let before = lines.iter().enumerate().take(from + 1);
            before.rev().find(|(_, l)| holds(l)).map(|(i, _)| i)
        };
        if let Some(found) = found {
            self.top = found.min(lines.len().saturating_sub(height));
            self.cursor = found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        let lines = (0..100).map(|i| SheetLine {
            text: format!("line {i}").into(),
            ..SheetLine::default()
        });
        Window::of("log", lines.collect())
    }

    fn press(window: &mut Window, keys: &str) -> Pressed {
        let events = crate::keymap::key::script(keys).unwrap();
        let pressed = events.into_iter().map(|e| window.press(e.into(), 10));
        pressed.last().unwrap_or(Pressed::Kept)
    }

    #[test]
    fn it_scrolls_and_stops_at_both_ends() {
        let mut window = window();
        press(&mut window, "j j k");
        assert_eq!(window.first(10), 1);
        press(&mut window, "G j");
        assert_eq!(window.first(10), 90);
        press(&mut window, "g k");
        assert_eq!(window.first(10), 0);
    }

    #[test]
    fn a_search_finds_forward_and_backward_and_escape_clears_it_before_it_closes() {
        let mut window = window();
        press(&mut window, "/ 4 2 enter");
        assert_eq!(window.first(10), 42);
        press(&mut window, "esc");
        assert_eq!(press(&mut window, "/ 7 enter n"), Pressed::Kept);
        assert_eq!(window.first(10), 57);
        press(&mut window, "N");
        assert_eq!(window.first(10), 47);
        assert_eq!(press(&mut window, "esc"), Pressed::Kept);
        assert_eq!(press(&mut window, "esc"), Pressed::Closed);
    }

    #[test]
    fn letters_of_a_search_are_text() {
        let mut window = window();
        assert_eq!(press(&mut window, "/ q"), Pressed::Kept);
        assert_eq!(window.wanted().as_deref(), Some("q"));
    }

    #[test]
    fn a_followed_log_stays_at_its_end_until_somebody_scrolls() {
        let mut window = window();
        press(&mut window, "f");
        assert_eq!(window.first(10), 90);
        window.append(vec![SheetLine::default()]);
        assert_eq!(window.first(10), 91);
        press(&mut window, "k");
        window.append(vec![SheetLine::default()]);
        assert_eq!(window.first(10), 90);
    }
}
