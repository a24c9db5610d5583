//! Taking the terminal and giving it back, whatever ends the console.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::Manner;

/// Alternate screen, bracketed paste, no cursor, no line wrap.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[?7l";
/// A half-written frame is closed first; then everything that was set is set back.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?7h\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// Clicks and the wheel, as decimal numbers; not every movement.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Whether the console has the terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether it was set up for frames that are drawn.
static DRAWN: AtomicBool = AtomicBool::new(false);
/// Whether the mouse was asked for.
static MOUSE: AtomicBool = AtomicBool::new(false);
/// The thread whose panic ends the console; a panic elsewhere is one task's affair.
static OWNER: OnceLock<ThreadId> = OnceLock::new();

pub(super) fn enter(manner: Manner, mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    DRAWN.store(manner == Manner::Drawn, Ordering::SeqCst);
    let mouse = mouse && manner == Manner::Drawn;
    MOUSE.store(mouse, Ordering::SeqCst);
    match manner {
        Manner::Drawn if mouse => write(&[ENTER, MOUSE_ON].concat()),
        Manner::Drawn => write(ENTER),
        Manner::Plain => Ok(()),
    }
}

/// Gives the terminal back if the console has it; doing it twice is harmless.
pub(super) fn leave() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    if DRAWN.load(Ordering::SeqCst) {
        // A terminal that is gone cannot be told anything, and nobody is left to read a complaint.
        let _ = if MOUSE.load(Ordering::SeqCst) {
            write(&[MOUSE_OFF, LEAVE].concat())
        } else {
            write(LEAVE)
        };
    }
    let _ = disable_raw_mode();
}

/// Gives the terminal back now, from wherever the end comes.
pub fn restore() {
    leave();
}

/// Whether the console has the terminal.
pub(super) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Writes to the terminal past every buffer.
fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Makes panics restore the terminal before they are reported. Call it on the thread that runs the console, after any other hook is set.
///
/// A panic on another thread is logged and changes nothing on the screen: one broken task must not take the console with it.
pub fn install_panic_hook() {
    let _ = OWNER.set(std::thread::current().id());
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let ours = OWNER.get() == Some(&std::thread::current().id());
        if is_taken() && !ours {
            tracing::error!(%panic, "a task panicked");
            return;
        }
        restore();
        report(panic);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_set_is_set_back() {
        let modes = |bytes: &[u8], sign: u8| -> Vec<String> {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let mut modes: Vec<String> = text
                .split("\x1b[?")
                .filter_map(|s| s.strip_suffix(sign as char))
                .map(str::to_owned)
                .collect();
            modes.sort();
            modes
        };
        // What entering switches on, leaving switches off, and the other way round.
        assert_eq!(
            modes(ENTER, b'h'),
            modes(LEAVE, b'l')
                .into_iter()
                .filter(|m| m != "2026")
                .collect::<Vec<_>>()
        );
        assert_eq!(modes(MOUSE_ON, b'h'), modes(MOUSE_OFF, b'l'));
        assert_eq!(modes(ENTER, b'l').len(), 2);
        assert!(modes(LEAVE, b'h').iter().any(|m| m == "25") && LEAVE.starts_with(b"\x1b[?2026l"));
    }

    #[test]
    fn a_terminal_that_was_not_taken_is_left_alone() {
        // Nothing may be written to the terminal of the test runner.
        assert!(!is_taken());
        restore();
        assert!(!is_taken());
    }
}
