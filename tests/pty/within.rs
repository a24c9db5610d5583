//! The console within what people run it in: tmux, screen and mosh, each drawing into the emulator in its turn.
//!
//! These need the programs, and so are run where CI installs them: `cargo test --test pty -- --ignored`.

use std::cell::Cell;
use std::process::Command;
use std::time::Duration;

use portable_pty::CommandBuilder;

use super::console::{Console, demo};

const DRIFTDECK: &str = env!("CARGO_BIN_EXE_driftdeck");

/// How long nothing may come before a picture counts as finished.
const REST: Duration = Duration::from_millis(700);

/// How often a picture is compared before its difference counts.
const TRIES: usize = 6;

/// A tmux of its own, which ends with the test.
struct Tmux {
    socket: String,
}

impl Tmux {
    fn new() -> Self {
        let socket = format!("driftdeck-{:x}", fastrand::u64(..));
        Self { socket }
    }

    /// The console in a new session.
    fn console(&self, rows: u16, cols: u16) -> Console {
        let program = [
            "tmux",
            "-L",
            &self.socket,
            "-f",
            "/dev/null",
            "new-session",
            "-s",
            "night",
            DRIFTDECK,
        ];
        Console::open(demo(&program, &[]), rows, cols)
    }

    fn order(&self, arguments: &[&str]) -> String {
        let out = Command::new("tmux")
            .args(["-L", &self.socket])
            .args(arguments)
            .output()
            .unwrap();
        assert!(out.status.success(), "tmux {arguments:?}: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// Another terminal that looks at the same session.
    fn attach(&self, rows: u16, cols: u16) -> Console {
        let mut command = CommandBuilder::new("tmux");
        command.args(["-L", &self.socket, "attach", "-t", "night"]);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env_remove("TMUX");
        Console::open(command, rows, cols)
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux")
            .args(["-L", &self.socket, "kill-server"])
            .output();
    }
}

/// A session of GNU screen of its own, which ends with the test.
struct Screen {
    sockets: tempfile::TempDir,
}

impl Screen {
    fn new() -> Self {
        let sockets = tempfile::tempdir().unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(sockets.path(), private).unwrap();
        Self { sockets }
    }

    fn console(&self, rows: u16, cols: u16) -> Console {
        let program = ["screen", "-c", "/dev/null", "-U", "-S", "night", DRIFTDECK];
        let mut command = demo(&program, &[]);
        command.env("SCREENDIR", self.sockets.path());
        Console::open(command, rows, cols)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = Command::new("screen")
            .args(["-S", "night", "-X", "quit"])
            .env("SCREENDIR", self.sockets.path())
            .output();
    }
}

/// A mosh server on loopback, and its client as the terminal's program.
fn mosh(rows: u16, cols: u16) -> Console {
    let server = demo(
        &[
            "mosh-server",
            "new",
            "-i",
            "127.0.0.1",
            "-l",
            "LANG=C.UTF-8",
            "--",
            DRIFTDECK,
        ],
        &[],
    );
    let mut command = Command::new("mosh-server");
    command.args(server.get_argv().iter().skip(1));
    command.envs(server.iter_full_env_as_str());
    // A server whose client is gone, as after a failed test, ends by itself.
    command.env("MOSH_SERVER_NETWORK_TMOUT", "60");
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let told = said.lines().find_map(|l| l.strip_prefix("MOSH CONNECT "));
    let (port, key) = told
        .and_then(|t| t.split_once(' '))
        .unwrap_or_else(|| panic!("{out:?}"));
    let mut client = CommandBuilder::new("mosh-client");
    client.args(["127.0.0.1", port]);
    client.env("MOSH_KEY", key.trim());
    client.env("TERM", "xterm-256color");
    client.env("LANG", "C.UTF-8");
    Console::open(client, rows, cols)
}

/// Leads through screens, scrolls to and fro, and says what is seen; whatever was drawn piece by piece must be what is drawn anew.
fn story(console: &mut Console) {
    console.until(&["FLEET", "edge-oslo-001", "ro"]);
    same_when_drawn_anew(console, |console| {
        console.press("3");
        console.until(&["APPS", "> edge-config-"]);
        console.press("jjjjGkkgg");
        console.until(&["> edge-"]);
    });
    same_when_drawn_anew(console, |console| {
        console.press("3");
        console.until(&["APPS", "> edge-config-"]);
        console.press("\r");
        console.until(&["APP  argocd/"]);
    });
    same_when_drawn_anew(console, |console| {
        console.press("3");
        console.until(&["APPS", "> edge-config-"]);
        console.press("?");
        console.until(&["Keymap default"]);
        console.press("\x1b");
        console.until_gone("Keymap default");
        console.press("1");
        console.until(&["FLEET"]);
    });
}

/// Leads to a picture and has it drawn anew. Ages and the clock step in between now and then, so it is led to again when the two differ: what
/// the clock did is not there again, what the pieces did wrong is.
fn same_when_drawn_anew(console: &mut Console, lead: impl Fn(&mut Console)) {
    let mut apart = String::new();
    for _ in 0..TRIES {
        lead(console);
        console.quiet(REST);
        let (shown, text) = (console.picture(), console.screen());
        console.press("\x0c");
        console.quiet(REST);
        let pairs = shown.into_iter().zip(console.picture());
        let cells: Vec<_> = pairs.enumerate().filter(|(_, (a, b))| a != b).collect();
        if cells.is_empty() {
            return;
        }
        let again = console.screen();
        apart = format!("drawn piece by piece:\n{text}\ndrawn anew:\n{again}\ncells: {cells:?}");
    }
    panic!("apart in each of {TRIES} comparisons, at last\n{apart}");
}

/// The window grows, each time to a size that it never had: a terminal forgets what a smaller one cut off, and what draws into it need not.
fn larger(console: &mut Console) {
    let size = Cell::new((40, 160));
    same_when_drawn_anew(console, |console| {
        let (rows, cols) = size.get();
        size.set((rows + 1, cols + 2));
        console.resize(rows, cols);
        console.until(&["server", "https://127.0.0.1"]);
    });
}

fn leave(console: &mut Console) {
    console.press("Q");
    console.until(&["Quit driftdeck?"]);
    console.press("y");
    console.ended();
}

#[test]
fn on_a_terminal_what_is_drawn_piece_by_piece_is_what_is_drawn_anew() {
    for (rows, cols) in [(24, 80), (50, 200)] {
        let mut console = Console::start(&[], rows, cols);
        story(&mut console);
        leave(&mut console);
    }
}

#[test]
#[ignore = "needs tmux"]
fn within_tmux_it_is_drawn_as_on_a_terminal_and_again_when_somebody_comes_back() {
    let tmux = Tmux::new();
    let mut console = tmux.console(25, 80);
    story(&mut console);
    let held = tmux.order(&["capture-pane", "-p", "-t", "night"]);
    let shown = console.screen();
    for (held, shown) in held.lines().zip(shown.lines()).take(24) {
        assert_eq!(held.trim_end(), shown.trim_end());
    }
    // The line to the jump host breaks; the session is come back to from a larger terminal.
    tmux.order(&["detach-client", "-s", "night"]);
    console.ended();
    let mut console = tmux.attach(51, 200);
    console.until(&["FLEET", "edge-oslo-001", "server"]);
    story(&mut console);
    leave(&mut console);
}

#[test]
#[ignore = "needs tmux"]
fn within_tmux_a_copied_name_reaches_its_buffer() {
    let tmux = Tmux::new();
    let mut console = tmux.console(25, 80);
    console.until(&["FLEET", "> edge-"]);
    tmux.order(&["set-option", "-s", "set-clipboard", "on"]);
    console.press("c");
    console.until(&["Copied "]);
    let copied = tmux.order(&["show-buffer"]);
    // Whichever cluster was first just then.
    console.until(&[&format!("Copied {copied}.")]);
    assert!(["edge-", "hub-"].iter().any(|n| copied.starts_with(n)));
    leave(&mut console);
}

#[test]
#[ignore = "needs screen"]
fn within_screen_it_is_drawn_as_on_a_terminal() {
    let screen = Screen::new();
    let mut console = screen.console(24, 80);
    story(&mut console);
    larger(&mut console);
    leave(&mut console);
}

#[test]
#[ignore = "needs mosh"]
fn over_mosh_it_is_drawn_as_on_a_terminal() {
    let mut console = mosh(24, 80);
    story(&mut console);
    larger(&mut console);
    leave(&mut console);
}
