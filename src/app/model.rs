//! Everything the console knows: the fleet, the screens on top of each other, and what is open over them.

use jiff::{SignedDuration, Timestamp};

use super::alert::Alerts;
use super::figures::Figures;
use super::kept::Kept;
use super::modal::Modal;
use super::mouse::Clicks;
use super::msg::Notice;
use super::rows::Rows;
use super::screens::{Ctx, Face, FleetScreen, Screen};
use super::shape::Size;
use super::words::Words;
use crate::domain::link::LinkTemplate;
use crate::domain::{ClusterEvent, Safe};
use crate::fleet::Fleet;
use crate::keymap::{Key, Keymap};
use crate::view::layout::{ByScreen, Layouts};
use crate::view::place::Place;

/// More screens than this on top of each other are not kept.
const DEEPEST: usize = 16;
/// The rows are made at most this often.
const BREATH: SignedDuration = SignedDuration::from_millis(50);

/// What the model starts with.
#[derive(Debug)]
pub struct Start {
    /// The rows, all connecting.
    pub fleet: Fleet,
    /// The keys.
    pub keymap: Keymap,
    /// Whether plans may be run.
    pub write: bool,
    /// Themes that can be chosen.
    pub themes: Vec<String>,
    /// Keymaps that can be chosen.
    pub keymaps: Vec<String>,
    /// The terminal.
    pub size: Size,
    /// Now.
    pub now: Timestamp,
    /// What is remembered from earlier sittings.
    pub kept: Kept,
    /// Pages that the configuration names.
    pub links: Vec<LinkTemplate>,
    /// Layouts of lists that the configuration names.
    pub layouts: ByScreen,
}

/// The console's state. Only [`super::update`] changes it.
#[derive(Debug)]
pub struct Model {
    /// The fleet.
    pub fleet: Fleet,
    /// Its rows, as of the last message.
    pub rows: Rows,
    /// When the last message came.
    pub now: Timestamp,
    /// The terminal.
    pub size: Size,
    /// The keys.
    pub keymap: Keymap,
    /// Whether plans may be run.
    pub write: bool,
    /// The screens; the last one is seen. Never empty.
    pub stack: Vec<Screen>,
    /// The plan or run that was left and can be come back to.
    pub parked: Option<Screen>,
    /// What is open over the screen.
    pub modal: Option<Modal>,
    /// Keys of a chord that is not complete.
    pub pressed: Vec<Key>,
    /// A message, until the next key.
    pub notice: Option<Notice>,
    /// Themes that can be chosen.
    pub themes: Vec<String>,
    /// Keymaps that can be chosen.
    pub keymaps: Vec<String>,
    /// What is remembered between sittings.
    pub kept: Kept,
    /// What servers said when they were asked.
    pub words: Words,
    /// Pages that the configuration names.
    pub links: Vec<LinkTemplate>,
    /// How lists are laid out.
    pub layouts: Layouts,
    /// Screens that were left and can be gone forward to, the last one first.
    pub(super) forward: Vec<Screen>,
    pub(super) alerts: Alerts,
    pub(super) interrupted: bool,
    pub(super) asks: u64,
    pub(super) clicks: Clicks,
    pace: Pace,
}

/// What waits to be made from the fleet, and to be drawn.
#[derive(Debug)]
struct Pace {
    /// Whether something visible may have changed since the last frame.
    dirty: bool,
    /// When the rows were last made from the fleet.
    followed_at: Option<Timestamp>,
    /// Whether the fleet changed since.
    behind: bool,
    figures: Figures,
    /// When time alone was last looked at. Facts bring the time along too, but do not show what it changed.
    ticked: Timestamp,
}

impl Model {
    /// The console on its first screen.
    pub fn new(start: Start) -> Self {
        let mut model = Self {
            fleet: start.fleet,
            rows: Rows::default(),
            now: start.now,
            size: start.size,
            keymap: start.keymap,
            write: start.write,
            stack: vec![Screen::Fleet(FleetScreen::default())],
            parked: None,
            words: Words::default(),
            modal: None,
            pressed: Vec::new(),
            notice: None,
            themes: start.themes,
            keymaps: start.keymaps,
            layouts: Layouts::new(start.layouts, start.kept.layouts.clone()),
            kept: start.kept,
            links: start.links,
            forward: Vec::new(),
            alerts: Alerts::default(),
            interrupted: false,
            asks: 0,
            clicks: Clicks::default(),
            pace: Pace {
                dirty: true,
                followed_at: None,
                behind: false,
                figures: Figures::default(),
                ticked: start.now,
            },
        };
        model.rows.follow(&model.fleet, model.now);
        model.refresh(true);
        model
    }

    /// The screen that is seen.
    pub fn screen(&self) -> Option<&Screen> {
        self.stack.last()
    }

    /// Its kind.
    pub fn place(&self) -> Place {
        self.screen().map_or(Place::Fleet, |s| s.face().place())
    }

    /// What screens look at.
    pub fn ctx(&self) -> Ctx<'_> {
        Ctx {
            fleet: &self.fleet,
            rows: &self.rows,
            now: self.now,
            size: self.size,
            keymap: &self.keymap,
            kept: &self.kept,
            words: &self.words,
            links: &self.links,
            layouts: &self.layouts,
        }
    }

    /// Runs something on the screen that is seen, together with what it may look at.
    pub(super) fn on_screen<T>(
        &mut self,
        act: impl FnOnce(&mut Screen, &Ctx<'_>) -> T,
    ) -> Option<T> {
        let ctx = Ctx {
            fleet: &self.fleet,
            rows: &self.rows,
            now: self.now,
            size: self.size,
            keymap: &self.keymap,
            kept: &self.kept,
            words: &self.words,
            links: &self.links,
            layouts: &self.layouts,
        };
        self.stack.last_mut().map(|screen| act(screen, &ctx))
    }

    /// Lets the screen follow the fleet.
    pub(super) fn refresh(&mut self, at_once: bool) {
        self.on_screen(|screen, ctx| screen.face_mut().refresh(ctx, at_once));
    }

    /// Makes the rows anew after the fleet changed, but not more often than somebody could see: in a storm of facts the rest waits for the next tick.
    pub(super) fn follow(&mut self) {
        let breath = |at: Timestamp| self.now.duration_since(at) < BREATH;
        self.pace.behind = self.pace.followed_at.is_some_and(breath);
        if self.pace.behind {
            return;
        }
        self.pace.followed_at = Some(self.now);
        if self.rows.follow(&self.fleet, self.now) {
            self.refresh(false);
            self.touch();
        }
    }

    /// Folds facts; the rows are made anew once, whatever their number.
    pub(super) fn fold(&mut self, events: impl IntoIterator<Item = ClusterEvent>) {
        let mut visible = false;
        for event in events {
            let event = self.pace.figures.hold(event, &self.fleet, self.now);
            visible |= event.is_some_and(|event| self.fleet.fold(event).visible);
        }
        if visible {
            self.follow();
        }
    }

    /// Looks at the time alone: folds the figures whose time has come.
    pub(super) fn tick(&mut self) {
        let step = self.step();
        let of = |at: Timestamp| at.as_second().div_euclid(step);
        if of(self.pace.ticked) != of(self.now) {
            self.touch();
        }
        self.pace.ticked = self.now;
        let ripe = self.pace.figures.ripe(self.now);
        if !ripe.is_empty() {
            for event in ripe.into_values() {
                self.fleet.fold(event);
            }
            self.follow();
        }
    }

    /// Whether the rows wait for the next tick.
    pub(super) fn is_behind(&self) -> bool {
        self.pace.behind
    }

    /// Notes that something visible may have changed.
    pub(super) fn touch(&mut self) {
        self.pace.dirty = true;
    }

    /// Whether something visible may have changed since the last time this was asked.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.pace.dirty)
    }

    /// Opens a screen on top.
    pub(super) fn push(&mut self, screen: Screen) {
        if self.stack.len() >= DEEPEST {
            self.stack.remove(1);
        }
        self.forward.clear();
        self.stack.push(screen);
        self.refresh(true);
    }

    /// Leaves the screen; a plan or run is parked. Whether there was one below.
    pub(super) fn pop(&mut self) -> bool {
        if self.stack.len() < 2 {
            return false;
        }
        match self.stack.pop() {
            Some(left @ (Screen::Plan(_) | Screen::Run(_))) => self.parked = Some(left),
            Some(left) if self.forward.len() < DEEPEST => self.forward.push(left),
            _ => {}
        }
        self.refresh(false);
        true
    }

    /// The next number for a question to the runtime.
    pub(super) fn next_ask(&mut self) -> u64 {
        self.asks += 1;
        self.asks
    }

    /// The way back: what each screen below is called.
    pub fn crumbs(&self) -> Vec<Safe> {
        self.stack.iter().map(|s| s.face().crumb()).collect()
    }

    /// Every screen there is, seen or not, with what they may look at.
    pub(super) fn screens(&mut self) -> (impl Iterator<Item = &mut Screen>, Ctx<'_>) {
        let ctx = Ctx {
            fleet: &self.fleet,
            rows: &self.rows,
            now: self.now,
            size: self.size,
            keymap: &self.keymap,
            kept: &self.kept,
            words: &self.words,
            links: &self.links,
            layouts: &self.layouts,
        };
        (self.stack.iter_mut().chain(self.parked.as_mut()), ctx)
    }

    /// When the screen would look different although nothing happens: the next minute of the clock, the next step of a young age, or the moment
    /// at which a waiting order of rows may be taken.
    pub fn wake_at(&self) -> Timestamp {
        let due = self.pace.figures.due().into_iter();
        due.fold(self.changes_at(), Timestamp::min)
    }

    fn changes_at(&self) -> Timestamp {
        if let Some(at) = self.pace.followed_at.filter(|_| self.pace.behind) {
            return at.checked_add(BREATH).unwrap_or(self.now);
        }
        if let Some(at) = self.face().and_then(|face| face.wakes_at(&self.ctx())) {
            return at.max(self.now);
        }
        let unsettled = self.screen().is_some_and(|s| s.face().is_unsettled());
        if unsettled {
            let ticked = self.pace.ticked;
            return ticked.checked_add(super::list::FREEZE).unwrap_or(ticked);
        }
        let step = self.step();
        let next = (self.pace.ticked.as_second().div_euclid(step) + 1) * step;
        Timestamp::from_second(next).unwrap_or(self.now)
    }

    /// What the clock and the ages on the screen step with, in seconds.
    fn step(&self) -> i64 {
        if self.has_young_ages() { 10 } else { 60 }
    }

    /// Whether an age below a minute may be on the screen. The two that stay open all night are looked at closely, so that an idle one is not
    /// even drawn; all others show the ages of many things.
    fn has_young_ages(&self) -> bool {
        if self.modal.is_some() || !matches!(self.place(), Place::Fleet | Place::Drift) {
            return true;
        }
        let young = |then: Timestamp| self.now.duration_since(then) < SignedDuration::from_mins(1);
        let rows = self.rows.clusters.iter().filter(|c| !c.state.is_current());
        rows.filter_map(|c| c.since.or(c.seen_at)).any(young)
            || self.rows.groups.iter().any(|g| young(g.since))
    }
}

impl Model {
    /// What the screen that is seen can be asked.
    pub fn face(&self) -> Option<&dyn Face> {
        self.screen().map(Screen::face)
    }
}
