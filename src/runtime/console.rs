//! The console's loop: input first, then facts and answers, one fold, one frame, and only if something changed.

use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use futures::StreamExt as _;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::carry::{Carrier, OnTerminal};
use super::history::Archive;
use super::hurry::Hurry;
use super::keep;
use super::session::Session;
use crate::app::mouse::{How, Pointed};
use crate::app::shape::Size;
use crate::app::{Done, Model, Msg, Notice, Start, update};
use crate::config::Config;
use crate::domain::{ClusterEvent, Safe};
use crate::keymap::Keymap;
use crate::terminal::{self, Ending, Manner, Terminal};
use crate::theme::{Looks, Theme};
use crate::ui;

/// Events folded before input is looked at again.
const BATCH: usize = 512;

/// The size of what is read out: one list, and whole lines.
const PLAIN_COLUMNS: u16 = 99;
const PLAIN_ROWS: u16 = 24;

/// The log's name for how long frames take (`DRIFTDECK_LOG=frames=trace`).
pub(crate) const FRAMES: &str = "frames";

/// How often the history takes the fleet as it stands.
const REMEMBER: Duration = Duration::from_secs(30);

/// Time alone is looked at no more often.
const BETWEEN_TICKS: Duration = Duration::from_millis(50);

/// What the console starts with, beside the sitting.
pub struct ConsoleOptions {
    /// The keys.
    pub keymap: Keymap,
    /// The looks of the theme, and where themes are.
    pub looks: Looks,
    /// The theme.
    pub theme: Theme,
    /// The person's `keymaps/` folder.
    pub keymaps: PathBuf,
    /// The configuration, for guardrails.
    pub config: Config,
    /// Whether plans may be run.
    pub write: bool,
    /// What has to be said first, until the next key.
    pub greeting: Option<Safe>,
    /// How frames reach the terminal.
    pub manner: Manner,
    /// Whether the terminal is asked for the mouse.
    pub mouse: bool,
    /// Shortest time between two frames.
    pub frame: Duration,
    /// Whether what a key changed waits for that time too: for lines on which every frame counts.
    pub patient: bool,
}

/// Runs the console on the terminal until it is left.
///
/// # Errors
/// A sentence, when the terminal cannot be taken.
pub async fn run(session: Session, options: ConsoleOptions) -> Result<(), String> {
    let endings = terminal::watch().map_err(|e| {
        format!(
            "The console needs a terminal of its own, and this one cannot be watched: {e}. \
             Start it in a terminal, or use driftdeck status or driftdeck snapshot."
        )
    })?;
    let manner = options.manner;
    let screen = Terminal::open(manner, options.mouse).map_err(|e| e.to_string())?;
    terminal::install_panic_hook();
    let Session {
        fleet,
        sources,
        events,
        operate,
        links,
        ..
    } = session;
    let state = operate.state.clone();
    let (carrier, answers) = Carrier::new(
        operate,
        std::sync::Arc::clone(&sources),
        options.config.clone(),
    );
    let archive = Archive::open(&state, Timestamp::now());
    let (cols, rows) = Terminal::size();
    let (cols, rows) = fitting(manner, cols, rows);
    let mut model = Model::new(Start {
        fleet,
        keymap: options.keymap.clone(),
        write: options.write,
        themes: Theme::names(options.looks.folder.clone()),
        keymaps: Keymap::names(Some(options.keymaps.clone())),
        size: Size { cols, rows },
        now: Timestamp::now(),
        kept: keep::read(&state),
        links: options.config.links(),
        layouts: options.config.view.clone(),
    });
    model.notice = options.greeting.clone().map(Notice::warning);
    let mut console = Console {
        model,
        screen,
        carrier,
        options,
        sources,
        links,
        drawn: None,
        pressed: false,
        hurry: Hurry::default(),
        ticked: Instant::now(),
        archive,
        observed: Instant::now(),
        told: 0,
    };
    console.tell_of_history();
    console.serve(endings, events, answers).await;
    console
        .archive
        .observe(&console.model.fleet, Timestamp::now());
    Ok(())
}

struct Console {
    model: Model,
    screen: Terminal,
    carrier: Carrier,
    options: ConsoleOptions,
    sources: std::sync::Arc<crate::sources::Sources>,
    links: std::sync::Arc<super::session::Links>,
    drawn: Option<Instant>,
    /// Whether a key waits to be answered by a frame.
    pressed: bool,
    hurry: Hurry,
    /// When time alone was last looked at.
    ticked: Instant,
    archive: Archive,
    /// When the archive last looked at the fleet.
    observed: Instant,
    /// How many of the archive's complaints were shown.
    told: usize,
}

impl Console {
    async fn serve(
        &mut self,
        mut endings: mpsc::Receiver<Ending>,
        mut events: mpsc::Receiver<ClusterEvent>,
        mut answers: mpsc::UnboundedReceiver<Done>,
    ) {
        let mut keys = EventStream::new();
        let mut waiting = Vec::with_capacity(BATCH);
        let mut dirty = true;
        loop {
            dirty |= self.model.take_dirty();
            let due = if self.pressed {
                Instant::now()
            } else {
                self.next_frame()
            };
            let wake = self.wake();
            let rest = self.hurry.due();
            let msg = tokio::select! {
                biased;
                _ = endings.recv() => return,
                key = keys.next() => match key {
                    Some(Ok(event)) => translate(event, self.options.manner),
                    // The line of the terminal is gone; the watchdog says so too.
                    Some(Err(_)) | None => return,
                },
                Some(done) = answers.recv() => Some(Msg::Done(done)),
                () = until(due), if dirty => {
                    self.draw();
                    dirty = false;
                    self.pressed = false;
                    None
                }
                () = until(rest.unwrap_or_else(Instant::now)), if rest.is_some() => {
                    self.hurry.rest();
                    dirty = true;
                    None
                }
                // Before the facts, which may come without end.
                () = until(wake) => {
                    self.ticked = Instant::now();
                    Some(Msg::Tick)
                }
                count = events.recv_many(&mut waiting, BATCH), if !events.is_closed() || !events.is_empty() => {
                    (count > 0).then(|| self.facts(&mut waiting))
                }
            };
            // What a key changed is shown at once; keys that wait already are folded first.
            if let Some(Msg::Key(key)) = &msg {
                self.pressed |= !self.options.patient;
                self.hurry.press(*key, Instant::now());
            }
            self.pressed |= matches!(msg, Some(Msg::Mouse(_))) && !self.options.patient;
            if let Some(msg) = msg
                && self.take(msg, &mut keys).await
            {
                return;
            }
            self.remember();
        }
    }

    /// Lets the archive look at the fleet, now and then.
    fn remember(&mut self) {
        if self.observed.elapsed() >= REMEMBER {
            self.observed = Instant::now();
            self.archive.observe(&self.model.fleet, Timestamp::now());
            self.tell_of_history();
        }
    }

    /// Says what is wrong with the history's file, each thing once.
    fn tell_of_history(&mut self) {
        while let Some(sentence) = self.archive.complaints.get(self.told).cloned() {
            self.told += 1;
            self.complain(Err(sentence));
        }
    }

    fn facts(&self, waiting: &mut Vec<ClusterEvent>) -> Msg {
        for event in waiting.iter() {
            self.links.follow(event);
        }
        Msg::Facts(std::mem::take(waiting))
    }

    /// Folds a message and carries out what follows from it; says whether the console ends.
    async fn take(&mut self, msg: Msg, keys: &mut EventStream) -> bool {
        for effect in update(&mut self.model, msg, Timestamp::now()) {
            if let Some(order) = self.carrier.carry(effect, &self.model.fleet)
                && self.on_terminal(order, keys).await
            {
                return true;
            }
        }
        false
    }

    async fn on_terminal(&mut self, order: OnTerminal, keys: &mut EventStream) -> bool {
        match order {
            OnTerminal::Quit => return true,
            OnTerminal::Redraw => self.screen.forget(),
            OnTerminal::Copy(text) => self.screen.copy(&text),
            OnTerminal::Alert(text) => self.screen.alert(&text),
            OnTerminal::Suspend => self.complain(self.screen.suspend().map_err(|e| e.to_string())),
            OnTerminal::Theme(name) => {
                let bands = self.options.theme.bands().clone();
                let loaded = Theme::load(&name, &self.options.looks)
                    .map(|theme| self.options.theme = theme.banded(bands));
                self.complain(loaded.map_err(|e| e.to_string()));
                self.screen.forget();
            }
            OnTerminal::Keymap(name) => {
                let loaded = Keymap::load(&name, Some(self.options.keymaps.clone()))
                    .map(|keymap| self.model.keymap = keymap);
                self.complain(loaded.map_err(|e| e.to_string()));
            }
            OnTerminal::Login(cluster) => {
                // The plugin needs the keys: nobody else may read them meanwhile.
                self.screen.leave();
                let result = self
                    .sources
                    .login(&cluster)
                    .await
                    .map_err(|fault| fault.sentence);
                *keys = EventStream::new();
                self.complain(self.screen.enter().map_err(|e| e.to_string()));
                update(
                    &mut self.model,
                    Msg::Done(Done::LoggedIn { cluster, result }),
                    Timestamp::now(),
                );
            }
        }
        false
    }

    fn complain(&mut self, result: Result<(), String>) {
        if let Err(why) = result {
            let say = Done::Say(Notice::error(Safe::from(why)));
            update(&mut self.model, Msg::Done(say), Timestamp::now());
        }
    }

    /// When the next frame may be drawn.
    fn next_frame(&self) -> Instant {
        self.drawn
            .map_or_else(Instant::now, |last| last + self.options.frame)
    }

    /// When the screen would look different although nothing happens.
    fn wake(&self) -> Instant {
        let left = self.model.wake_at().duration_since(Timestamp::now());
        wake(left, Instant::now(), self.ticked)
    }

    fn draw(&mut self) {
        let begun = Instant::now();
        let mut frame = frame(&self.model, &self.options.theme);
        self.hurry.calm(&mut frame, &self.model, begun);
        tracing::trace!(target: FRAMES, micros = micros(begun), "drawn");
        self.screen.show(frame);
        self.drawn = Some(Instant::now());
    }
}

/// The size that frames are made for: what is read out line by line has nothing beside anything else, however wide the terminal.
fn fitting(manner: Manner, cols: u16, rows: u16) -> (u16, u16) {
    match manner {
        Manner::Drawn => (cols, rows),
        Manner::Plain => (PLAIN_COLUMNS, rows.max(PLAIN_ROWS)),
    }
}

/// When time is to be looked at, as long from now as `left`. Facts that come meanwhile do not put it off.
fn wake(left: jiff::SignedDuration, now: Instant, ticked: Instant) -> Instant {
    let due = now + Duration::try_from(left).unwrap_or_default();
    due.max(ticked + BETWEEN_TICKS)
}

/// Waits until then, and not at all when that is now. tokio's own sleep is never over when it is first asked: it ends with a millisecond of the
/// timer's, and of facts without end each turn of the loop would begin it anew.
async fn until(due: Instant) {
    if due > Instant::now() {
        tokio::time::sleep_until(due).await;
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// One frame of the console at the model's size.
pub fn frame(model: &Model, theme: &Theme) -> Buffer {
    let Size { cols, rows } = model.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, cols, rows));
    ui::draw(model, theme, &mut buffer);
    buffer
}

/// What of the mouse the console knows: the left button and the wheel.
fn pointed(event: MouseEvent) -> Option<Pointed> {
    let how = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => How::Click,
        MouseEventKind::ScrollUp => How::Up,
        MouseEventKind::ScrollDown => How::Down,
        _ => return None,
    };
    Some(Pointed {
        how,
        x: event.column,
        y: event.row,
    })
}

fn translate(event: Event, manner: Manner) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Mouse(event) => pointed(event).map(Msg::Mouse),
        Event::Resize(cols, rows) => {
            let (cols, rows) = fitting(manner, cols, rows);
            Some(Msg::Resize(cols, rows))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_due_does_not_wait_for_the_timer() {
        let now = Instant::now();
        assert_eq!(until(now).now_or_never(), Some(()));
        let ahead = now + Duration::from_secs(3600);
        assert_eq!(until(ahead).now_or_never(), None);
    }

    #[test]
    fn what_is_due_stays_due_however_often_it_is_put_aside() {
        let now = Instant::now();
        let ticked = now - Duration::from_secs(1);
        let past = jiff::SignedDuration::from_millis(-30);
        assert_eq!(wake(past, now, ticked), now);
        assert_eq!(wake(past, now, now), now + BETWEEN_TICKS);
        let ahead = jiff::SignedDuration::from_secs(7);
        assert_eq!(wake(ahead, now, ticked), now + Duration::from_secs(7));
    }
}
