//! The only place that prints: standard output for answers, standard error for complaints, both free of foreign control characters.

use std::io::{self, Write as _};

use crate::domain::safe::escape;

/// Prints an answer. A reader that went away ends the program quietly, as `head` expects.
///
/// # Errors
/// The write failed for another reason, such as a full disk.
pub(crate) fn answer(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| {
        if text.ends_with('\n') {
            Ok(())
        } else {
            out.write_all(b"\n")
        }
    });
    match written.and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(format!(
            "The answer could not be written to standard output: {e}. Free space or choose another target."
        )),
        Ok(()) => Ok(()),
    }
}

/// Prints bytes, for pictures.
///
/// # Errors
/// The write failed.
pub(crate) fn bytes(data: &[u8]) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(data).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(format!(
            "The picture could not be written to standard output: {e}. Give a file with --out."
        )),
        Ok(()) => Ok(()),
    }
}

/// Prints one complaint on standard error. It may quote foreign text, so it is escaped; if nobody reads it, nothing is lost.
pub(crate) fn complaint(sentence: &str) {
    let lines: Vec<_> = sentence.lines().map(escape).collect();
    let _ = writeln!(
        io::stderr().lock(),
        "driftdeck: {}",
        lines.join("\n           ")
    );
}

/// Prints one line of progress on standard error when it is a terminal, in place of the last one.
pub(crate) fn progress(line: &str) {
    use std::io::IsTerminal as _;
    let mut err = io::stderr().lock();
    if err.is_terminal() {
        let _ = write!(err, "\r\u{1b}[K{}", escape(line));
        let _ = err.flush();
    }
}
