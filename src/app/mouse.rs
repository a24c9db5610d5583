//! The mouse, where somebody asked for it: a click selects, a second one opens, the wheel moves, a click on the titles of a list sorts it.

use crossterm::event::{KeyCode, KeyEvent};
use jiff::{SignedDuration, Timestamp};

use super::action::Action;
use super::acts;
use super::keys;
use super::model::Model;
use super::msg::Effect;
use super::shape::Area;

/// A second click on the same row within this time opens it.
const DOUBLE: SignedDuration = SignedDuration::from_millis(400);
/// Rows that one step of the wheel moves.
const WHEEL: usize = 3;

/// What the mouse did, and in which cell of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointed {
    /// What.
    pub how: How,
    /// Columns from the left.
    pub x: u16,
    /// Rows from the top.
    pub y: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The left button went down.
    Click,
    /// The wheel turned towards the top.
    Up,
    /// The wheel turned towards the end.
    Down,
}

/// The last click, to tell a double one.
#[derive(Debug, Default)]
pub struct Clicks {
    last: Option<(u16, Timestamp)>,
}

impl Clicks {
    /// Notes a click in a row; whether it is the second one there. A third begins anew.
    fn is_second(&mut self, y: u16, now: Timestamp) -> bool {
        let second = self
            .last
            .is_some_and(|(row, at)| row == y && now.duration_since(at) <= DOUBLE);
        self.last = (!second).then_some((y, now));
        second
    }
}

/// A place in a list that was clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Which part of the screen.
    pub part: Part,
    /// Lines below the titles.
    pub line: usize,
    /// Columns from the left of the part.
    pub x: u16,
}

/// A part of a screen that can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The main list.
    Main,
    /// The second list.
    Second,
    /// The detail.
    Detail,
}

/// Takes what the mouse did.
pub(super) fn point(model: &mut Model, at: Pointed) -> Vec<Effect> {
    match at.how {
        How::Up => wheel(model, KeyCode::Up, Action::Up),
        How::Down => wheel(model, KeyCode::Down, Action::Down),
        // A window is left by its keys: a click beside it must not lose what was typed.
        How::Click if model.modal.is_some() => Vec::new(),
        How::Click => click(model, at),
    }
}

/// The wheel is the arrow keys, in windows as in lists.
fn wheel(model: &mut Model, key: KeyCode, action: Action) -> Vec<Effect> {
    let mut effects = Vec::new();
    for _ in 0..WHEEL {
        effects.extend(if model.modal.is_some() {
            keys::press(model, KeyEvent::from(key).into())
        } else {
            acts::act(model, action)
        });
    }
    effects
}

fn click(model: &mut Model, at: Pointed) -> Vec<Effect> {
    model.notice = None;
    let ctx = model.ctx();
    let shape = ctx.shape(model.place());
    if shape.crumb.is_some_and(|area| hits(area, at)) {
        return acts::act(model, Action::Leave);
    }
    let parts = [
        (Part::Main, Some(shape.main)),
        (Part::Second, shape.second),
        (Part::Detail, shape.detail),
    ];
    let hit = parts
        .into_iter()
        .find_map(|(part, area)| area.filter(|area| hits(*area, at)).map(|area| (part, area)));
    let Some((part, area)) = hit else {
        return Vec::new();
    };
    let x = at.x - area.x;
    let Some(line) = at.y.checked_sub(area.y + 1).map(usize::from) else {
        return title(model, part);
    };
    let now = model.now;
    let second = model.clicks.is_second(at.y, now);
    let spot = Spot { part, line, x };
    let selected = model.on_screen(|screen, ctx| screen.face_mut().click(spot, ctx));
    if selected == Some(true) && second {
        return acts::act(model, Action::Open);
    }
    acts::ask_again(model)
}

/// A click on titles: those of a list sort it, those of a detail turn it.
fn title(model: &mut Model, part: Part) -> Vec<Effect> {
    let action = match part {
        Part::Main => Action::Sort,
        Part::Second | Part::Detail => Action::NextTab,
    };
    if action.info().places.has(model.place()) {
        return acts::act(model, action);
    }
    Vec::new()
}

fn hits(area: Area, at: Pointed) -> bool {
    (area.x..area.x + area.w).contains(&at.x) && (area.y..area.y + area.h).contains(&at.y)
}
