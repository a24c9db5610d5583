//! What waits while a key is held: the parts of a frame that follow the cursor are drawn when the fingers rest, as a pager draws one line a key.

use std::time::Duration;

use crossterm::event::KeyEvent;
use ratatui::buffer::{Buffer, Cell};
use tokio::time::Instant;

use crate::app::Model;
use crate::app::shape::{Area, Size};
use crate::view::place::Place;

/// A key that comes again within this time is held: keyboards repeat 10 to 40 times a second.
const REPEAT: Duration = Duration::from_millis(120);

/// The last key, and what stood beside the list when it was first pressed.
#[derive(Debug, Default)]
pub(super) struct Hurry {
    key: Option<(KeyEvent, Instant)>,
    held: bool,
    kept: Option<Kept>,
}

/// Parts of a frame as they were shown, and where.
#[derive(Debug)]
struct Kept {
    place: Place,
    size: Size,
    parts: Vec<(Area, Vec<Cell>)>,
}

impl Hurry {
    /// Notes a key.
    pub(super) fn press(&mut self, key: KeyEvent, now: Instant) {
        let again = |(last, at): (KeyEvent, Instant)| last == key && now < at + REPEAT;
        self.held = self.key.is_some_and(again);
        self.key = Some((key, now));
    }

    /// When the parts that were left as they stood have to be drawn; `None` when none was.
    pub(super) fn due(&self) -> Option<Instant> {
        let (_, at) = self.key.filter(|_| self.held)?;
        Some(at + REPEAT)
    }

    /// The fingers rest: everything is drawn again.
    pub(super) fn rest(&mut self) {
        self.held = false;
    }

    /// Puts what was shown beside the list back into a frame while a key is held; else remembers what this frame shows there.
    pub(super) fn calm(&mut self, frame: &mut Buffer, model: &Model, now: Instant) {
        self.held &= self.due().is_some_and(|due| now < due);
        let fresh = self.key.is_some_and(|(_, at)| now < at + REPEAT);
        let parts = followers(model);
        match &self.kept {
            Some(kept) if self.held && kept.fits(model, &parts) => kept.restore(frame),
            _ => self.kept = fresh.then(|| Kept::of(frame, model, parts)),
        }
    }
}

/// Where the seen screen shows what is under the cursor; nowhere under a window.
fn followers(model: &Model) -> Vec<Area> {
    let screen = model.screen().filter(|_| model.modal.is_none());
    screen.map_or_else(Vec::new, |screen| screen.face().followers(&model.ctx()))
}

impl Kept {
    fn of(frame: &Buffer, model: &Model, parts: Vec<Area>) -> Self {
        let cells = |area: Area| {
            let cells = places(area).filter_map(|at| frame.cell(at)).cloned();
            (area, cells.collect())
        };
        Self {
            place: model.place(),
            size: model.size,
            parts: parts.into_iter().map(cells).collect(),
        }
    }

    /// Whether the same parts of the same screen are seen.
    fn fits(&self, model: &Model, parts: &[Area]) -> bool {
        let ours = self.parts.iter().map(|(area, _)| area);
        self.place == model.place() && self.size == model.size && ours.eq(parts)
    }

    fn restore(&self, frame: &mut Buffer) {
        for (area, cells) in &self.parts {
            for (at, cell) in places(*area).zip(cells) {
                if let Some(target) = frame.cell_mut(at) {
                    target.clone_from(cell);
                }
            }
        }
    }
}

fn places(area: Area) -> impl Iterator<Item = (u16, u16)> {
    let rows = area.y..area.y.saturating_add(area.h);
    rows.flat_map(move |y| (area.x..area.x.saturating_add(area.w)).map(move |x| (x, y)))
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyCode;

    use super::*;
    use crate::app::testkit::{console, press, troubled_fleet};
    use crate::runtime::console::frame;
    use crate::theme::{Depth, Looks, Theme};

    const STEP: Duration = Duration::from_millis(33);

    /// A console whose keys come when the test says.
    struct Desk {
        model: Model,
        theme: Theme,
        hurry: Hurry,
        now: Instant,
    }

    impl Desk {
        fn new(cols: u16, rows: u16) -> Self {
            let looks = Looks {
                depth: Depth::True,
                ascii: false,
                folder: None,
            };
            Self {
                model: console(troubled_fleet(), cols, rows, false),
                theme: Theme::load("dark", &looks).unwrap(),
                hurry: Hurry::default(),
                now: Instant::now(),
            }
        }

        fn whole(&self) -> Buffer {
            frame(&self.model, &self.theme)
        }

        fn drawn(&mut self) -> Buffer {
            let mut frame = self.whole();
            self.hurry.calm(&mut frame, &self.model, self.now);
            frame
        }

        /// Presses a key so long after the last one, and draws.
        fn press(&mut self, key: char, after: Duration) -> Buffer {
            self.now += after;
            let event = KeyEvent::from(KeyCode::Char(key));
            self.hurry.press(event, self.now);
            press(&mut self.model, &key.to_string());
            self.drawn()
        }

        /// What stands in the detail of a frame.
        fn detail(&self, frame: &Buffer) -> Vec<String> {
            let area = followers(&self.model).pop().unwrap();
            let cells = places(area).filter_map(|at| frame.cell(at));
            cells.map(|c| c.symbol().to_owned()).collect()
        }
    }

    #[test]
    fn a_single_key_is_answered_whole() {
        let mut desk = Desk::new(200, 50);
        assert_eq!(desk.press('j', STEP), desk.whole());
        assert_eq!(desk.hurry.due(), None);
        let next = desk.press('k', STEP);
        assert_eq!(next, desk.whole(), "another key is no held key");
    }

    #[test]
    fn a_held_key_moves_the_cursor_and_leaves_the_detail_until_it_rests() {
        let mut desk = Desk::new(200, 50);
        let first = desk.press('j', STEP);
        for _ in 0..2 {
            let held = desk.press('j', STEP);
            assert_eq!(desk.detail(&held), desk.detail(&first));
            let whole = desk.whole();
            assert_ne!(desk.detail(&held), desk.detail(&whole));
            let mut mended = held.clone();
            for at in places(followers(&desk.model)[0]) {
                mended[at] = whole[at].clone();
            }
            assert_eq!(mended, whole, "everything else is as it is");
        }
        assert_eq!(desk.hurry.due(), Some(desk.now + REPEAT));
        desk.now += REPEAT;
        assert_eq!(desk.drawn(), desk.whole());
    }

    #[test]
    fn nothing_is_left_standing_on_another_screen_size_or_under_a_window() {
        let mut desk = Desk::new(200, 50);
        for key in ['j', 'j', '?', '?'] {
            desk.press(key, STEP);
        }
        assert_eq!(desk.drawn(), desk.whole());
        let mut desk = Desk::new(200, 50);
        desk.press('3', STEP);
        assert_eq!(desk.press('3', STEP), desk.whole());
        desk.press('j', STEP);
        desk.press('j', STEP);
        desk.model.size = Size { cols: 80, rows: 24 };
        assert_eq!(desk.drawn(), desk.whole());
    }
}
