//! A program on a pseudo terminal of its own.

use std::io::{Read as _, Write};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The near end of the terminal, and the program at the far end.
pub(crate) struct Line {
    pub(crate) child: Box<dyn Child + Send + Sync>,
    #[allow(dead_code, reason = "not every suite resizes or hangs up")]
    pub(crate) master: Option<Box<dyn MasterPty + Send>>,
    pub(crate) keys: Box<dyn Write + Send>,
}

/// Starts a program on a terminal of so many rows and columns; what it writes is handed on as it comes.
pub(crate) fn open(
    command: CommandBuilder,
    (rows, cols): (u16, u16),
    mut take: impl FnMut(&[u8]) + Send + 'static,
) -> Line {
    let pair = native_pty_system().openpty(size(rows, cols)).unwrap();
    let child = pair.slave.spawn_command(command).unwrap();
    let mut output = pair.master.try_clone_reader().unwrap();
    std::thread::spawn(move || {
        let mut chunk = vec![0; 1 << 16];
        while let Ok(n @ 1..) = output.read(&mut chunk) {
            take(&chunk[..n]);
        }
    });
    let keys = pair.master.take_writer().unwrap();
    Line {
        child,
        master: Some(pair.master),
        keys,
    }
}

/// The environment of a good terminal, and a home where nothing was kept.
pub(crate) fn furnish(command: &mut CommandBuilder, home: &std::path::Path) {
    for (name, value) in [
        ("TERM", "xterm-256color"),
        ("COLORTERM", "truecolor"),
        ("LANG", "C.UTF-8"),
    ] {
        command.env(name, value);
    }
    for name in [
        "HOME",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
    ] {
        command.env(name, home);
    }
    for name in ["NO_COLOR", "TMUX", "STY"] {
        command.env_remove(name);
    }
}

pub(crate) fn size(rows: u16, cols: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// An emulator of that size.
pub(crate) fn emulator(rows: u16, cols: u16) -> vt100::Parser {
    vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0)
}
