//! The thread that writes frames: it takes the newest, writes what differs from the last in one call, and never makes the loop wait.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use ratatui::buffer::Buffer;

use super::encode::encode;
use super::{Manner, plain};

/// How long the end waits for the last frame to be written.
const PATIENCE: Duration = if cfg!(test) {
    // No frame of a test is given up because the machine is busy.
    Duration::from_secs(120)
} else {
    Duration::from_millis(300)
};

/// What the loop leaves for the painter.
#[derive(Debug, Default)]
struct Slot {
    frame: Option<Buffer>,
    /// Bytes of another kind, such as a clipboard order; written between frames.
    aside: Vec<u8>,
    forget: bool,
    closed: bool,
    busy: bool,
}

#[derive(Debug, Default)]
struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
}

/// The loop's end of the painter.
#[derive(Debug)]
pub(super) struct Painter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Painter {
    /// Starts the thread.
    pub(super) fn start(manner: Manner) -> Self {
        match bare() {
            Ok(out) => Self::on(out, manner),
            // Slower, and as right.
            Err(_) => Self::on(std::io::stdout(), manner),
        }
    }

    fn on(out: impl Write + Send + 'static, manner: Manner) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("painter".to_owned())
            .spawn(move || paint(&theirs, out, manner))
            .ok();
        Self { shared, thread }
    }

    /// Leaves a frame; one that waits is replaced.
    pub(super) fn show(&self, frame: Buffer) {
        self.leave(|slot| slot.frame = Some(frame));
    }

    /// The next frame is written whole.
    pub(super) fn forget(&self) {
        self.leave(|slot| slot.forget = true);
    }

    /// Leaves bytes of another kind.
    pub(super) fn send(&self, mut bytes: Vec<u8>) {
        self.leave(|slot| slot.aside.append(&mut bytes));
    }

    /// Waits until everything left is written, but not for ever: the terminal may take no more bytes.
    pub(super) fn settle(&self) {
        let mut slot = self.shared.slot.lock();
        while slot.busy || slot.has_work() {
            if self
                .shared
                .changed
                .wait_for(&mut slot, PATIENCE)
                .timed_out()
            {
                slot.frame = None;
                slot.aside.clear();
                return;
            }
        }
    }

    fn leave(&self, put: impl FnOnce(&mut Slot)) {
        put(&mut self.shared.slot.lock());
        self.shared.changed.notify_all();
    }
}

impl Slot {
    fn has_work(&self) -> bool {
        self.frame.is_some() || !self.aside.is_empty()
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        self.leave(|slot| slot.closed = true);
        // A painter that hangs in a write is left behind; the process ends anyway.
        if let Some(thread) = self.thread.take().filter(JoinHandle::is_finished) {
            let _ = thread.join();
        }
    }
}

/// The terminal without the standard library's buffer, which would make two writes of a frame that has a line feed in it.
fn bare() -> std::io::Result<File> {
    let out = std::io::stdout().as_fd().try_clone_to_owned()?;
    Ok(File::from(out))
}

fn paint(shared: &Shared, mut out: impl Write, manner: Manner) {
    let mut shown: Option<Buffer> = None;
    while let Some(work) = next(shared) {
        if work.forget {
            shown = None;
        }
        let mut bytes = work.aside;
        if let Some(frame) = work.frame {
            bytes.extend(match manner {
                Manner::Drawn => encode(shown.as_ref(), &frame),
                Manner::Plain => plain::spoken(shown.as_ref(), &frame),
            });
            shown = Some(frame);
        }
        if !bytes.is_empty() && (out.write_all(&bytes).is_err() || out.flush().is_err()) {
            // What arrived is not known; the watchdog ends the program if the terminal is gone.
            shown = None;
        }
        shared.slot.lock().busy = false;
        shared.changed.notify_all();
    }
}

/// Waits for work; `None` is the end.
fn next(shared: &Shared) -> Option<Slot> {
    let mut slot = shared.slot.lock();
    while !slot.has_work() {
        if slot.closed {
            return None;
        }
        shared.changed.wait(&mut slot);
    }
    let work = std::mem::replace(
        &mut *slot,
        Slot {
            busy: true,
            ..Slot::default()
        },
    );
    slot.closed = work.closed;
    Some(work)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    /// Counts writes and can be told to hang in one.
    struct Line {
        written: mpsc::Sender<Vec<u8>>,
        gate: Arc<Mutex<()>>,
    }

    impl Write for Line {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            drop(self.gate.lock());
            let _ = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn frame(text: &str) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 10, 1));
        buf.set_string(0, 0, text, Style::new());
        buf
    }

    fn painter() -> (Painter, mpsc::Receiver<Vec<u8>>, Arc<Mutex<()>>) {
        let (written, received) = mpsc::channel();
        let gate = Arc::new(Mutex::new(()));
        (
            Painter::on(
                Line {
                    written,
                    gate: Arc::clone(&gate),
                },
                Manner::Drawn,
            ),
            received,
            gate,
        )
    }

    #[test]
    fn a_frame_is_one_write_and_an_equal_one_is_none() {
        let (painter, received, _) = painter();
        painter.show(frame("live"));
        painter.settle();
        painter.show(frame("live"));
        painter.settle();
        drop(painter);
        assert_eq!(received.iter().count(), 1);
    }

    #[test]
    fn a_terminal_that_takes_no_bytes_does_not_stop_the_loop_and_gets_the_newest_frame_later() {
        let (painter, received, gate) = painter();
        let closed = gate.lock();
        painter.show(frame("one"));
        // The gate is closed by this very thread: a painter that waited would wait for ever.
        for i in 0..1_000 {
            painter.show(frame(&format!("n {i}")));
        }
        drop(closed);
        painter.settle();
        drop(painter);
        let writes: Vec<String> = received
            .iter()
            .map(|w| String::from_utf8(w).unwrap())
            .collect();
        assert!(writes.len() <= 3, "{}", writes.len());
        assert!(writes.last().unwrap().contains("999"), "{writes:?}");
    }

    #[test]
    fn forgetting_writes_the_whole_frame_again() {
        let (painter, received, _) = painter();
        painter.show(frame("live"));
        painter.settle();
        painter.forget();
        painter.show(frame("live"));
        painter.settle();
        drop(painter);
        let writes: Vec<Vec<u8>> = received.iter().collect();
        assert_eq!(writes.len(), 2);
        assert_eq!(writes[0], writes[1]);
    }
}
