//! The terminal's life: raw mode and back, after an ordinary end, a panic, a signal and a hang-up.
//!
//! The painter writes on a thread of its own, so that a link that takes no more bytes never stops the loop; each frame is one write, and a frame
//! that looks like the last one is none. The watchdog looks at the input descriptor for a hang-up, because the reader of keys spins on a dead one.

pub mod background;
pub mod encode;
mod guard;
mod painter;
mod plain;
mod scroll;
mod watchdog;

use std::io::IsTerminal;

use crossterm::clipboard::CopyToClipboard;
use crossterm::terminal::size;
use ratatui::buffer::Buffer;

use crate::domain::Safe;

pub use guard::{install_panic_hook, restore};
use painter::Painter;
pub use watchdog::{Ending, watch};

/// Why the console cannot take the terminal.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Input or output is a file or a pipe.
    #[error(
        "The console needs a terminal on standard input and output; for pipes and files use a command such as `driftdeck status`, or `driftdeck snapshot` for a picture."
    )]
    NotATerminal,
    /// The terminal refused a setting.
    #[error(
        "The terminal cannot be set up ({0}); check that TERM names it and that it is not closed."
    )]
    Setup(#[from] std::io::Error),
}

/// How frames reach the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Drawn in place.
    #[default]
    Drawn,
    /// Read out line by line: the screen is never cleared, and the cursor never moved.
    Plain,
}

/// The terminal while the console has it. Dropping it gives it back.
#[derive(Debug)]
pub struct Terminal {
    painter: Painter,
    manner: Manner,
    mouse: bool,
}

impl Terminal {
    /// Takes the terminal: raw mode and, where frames are drawn, the alternate screen, bracketed paste, no cursor.
    ///
    /// The mouse is asked for only where somebody wants it: a terminal that tells of clicks keeps its own selection to itself.
    ///
    /// # Errors
    /// Input or output is no terminal, or the terminal refuses.
    pub fn open(manner: Manner, mouse: bool) -> Result<Self, TerminalError> {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Err(TerminalError::NotATerminal);
        }
        guard::enter(manner, mouse)?;
        Ok(Self {
            painter: Painter::start(manner),
            manner,
            mouse,
        })
    }

    /// Columns and rows; 80 and 24 when the terminal does not say.
    pub fn size() -> (u16, u16) {
        size()
            .ok()
            .filter(|(cols, rows)| *cols > 0 && *rows > 0)
            .unwrap_or((80, 24))
    }

    /// Shows a frame. Returns at once; a frame that is not written yet is replaced.
    pub fn show(&self, frame: Buffer) {
        self.painter.show(frame);
    }

    /// Forgets what the terminal shows: the next frame is written whole.
    pub fn forget(&self) {
        self.painter.forget();
    }

    /// Gives the terminal back for a while, for another program on it.
    pub fn leave(&self) {
        self.painter.settle();
        guard::leave();
    }

    /// Takes the terminal again; the next frame is written whole.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn enter(&self) -> Result<(), TerminalError> {
        guard::enter(self.manner, self.mouse)?;
        self.painter.forget();
        Ok(())
    }

    /// Stops the process like `ctrl-z` does, and takes the terminal again once it is continued.
    ///
    /// # Errors
    /// The terminal refuses afterwards.
    pub fn suspend(&self) -> Result<(), TerminalError> {
        self.leave();
        let myself = rustix::process::getpid();
        // The call returns when the shell continues the process.
        rustix::process::kill_process(myself, rustix::process::Signal::TSTP)
            .map_err(std::io::Error::from)?;
        self.enter()
    }

    /// Asks the operator's terminal to put text on its clipboard (OSC 52); it works over SSH where the terminal allows it.
    pub fn copy(&self, text: &Safe) {
        let mut sequence = String::new();
        let command = CopyToClipboard::to_clipboard_from(text.as_str());
        // Writing to a String cannot fail.
        if crossterm::Command::write_ansi(&command, &mut sequence).is_ok() {
            self.painter.send(sequence.into_bytes());
        }
    }
}

impl Terminal {
    /// Rings, and asks the terminal for a notice of the desktop (OSC 777); terminals that do not know it ignore it.
    pub fn alert(&self, text: &Safe) {
        // A semicolon would end the title; the text itself is safe already.
        let text = text.as_str().replace(';', ",");
        let sequence = format!("\x07\x1b]777;notify;driftdeck;{text}\x1b\\");
        self.painter.send(sequence.into_bytes());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.painter.settle();
        guard::leave();
    }
}
