//! The whole program on a pseudo terminal, seen through a terminal emulator: first screen, keys, and every way it can end.
//!
//! Each wait is woken by what comes, with a deadline; nothing sleeps for a guessed time.
#![cfg(all(feature = "demo", unix))]
#![allow(clippy::unwrap_used, clippy::panic)]

mod console;
mod line;
mod mouse;
mod within;

use std::time::Duration;

use console::{Console, PATIENCE};

#[test]
fn the_demo_opens_the_console_and_keys_lead_through_it() {
    let mut console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-", "ro"]);
    console.press("2");
    console.until(&["DRIFT"]);
    console.press("3");
    console.until(&["APPS", "> edge-config-"]);
    console.press("\r");
    console.until(&["APP  argocd/"]);
    console.press("?");
    console.until(&["keys", "Keymap default"]);
    console.press("\x1b");
    console.until_gone("Keymap default");
    for title in [" APPS  ", " DRIFT  ", " FLEET  "] {
        console.press("q");
        console.until(&[title]);
    }
    console.press("q");
    console.until(&["Quit driftdeck?"]);
    console.press("y");
    let (_, status) = console.ended();
    assert_eq!(status, 0);
    console.restored();
}

#[test]
fn a_signal_ends_it_within_a_second_and_the_terminal_is_given_back() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let mut console = Console::start(&[], 24, 80);
        console.until(&["FLEET", "edge-"]);
        console.signal(signal);
        let (after, _) = console.ended();
        assert!(after < Duration::from_secs(2), "{signal:?}: {after:?}");
        console.restored();
    }
}

#[test]
fn a_terminal_that_goes_away_ends_it_within_a_second() {
    let mut console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-"]);
    console.line.keys = Box::new(std::io::sink());
    // The reader's copy of the master is closed by the end of the child only, so the hang-up is sent as the kernel would send it.
    drop(console.line.master.take());
    console.signal(rustix::process::Signal::HUP);
    let (after, _) = console.ended();
    assert!(after < Duration::from_secs(2), "{after:?}");
}

#[test]
fn a_resize_is_drawn_at_the_new_size() {
    let console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-"]);
    console.resize(40, 160);
    console.until(&["server", "https://127.0.0.1"]);
}

#[test]
fn without_a_terminal_the_console_says_what_to_use_instead() {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_driftdeck"));
    let home = tempfile::tempdir().unwrap();
    let assert = command
        .args(["demo", "--clusters", "1", "--scenario", "calm"])
        .env("HOME", home.path())
        .timeout(PATIENCE)
        .assert()
        .failure();
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(
        said.contains("needs a terminal") && said.contains("snapshot"),
        "{said}"
    );
}

#[test]
fn plain_is_read_out_line_by_line_and_sets_nothing_of_the_terminal() {
    let dumb = [("TERM", "dumb"), ("COLORTERM", "")];
    for (environment, arguments) in [(&[][..], &["--plain"][..]), (&dumb[..], &[][..])] {
        let mut console = Console::start_on(environment, arguments, 24, 200);
        console.until_said("edge-paris-001");
        console.press("j");
        console.until_said("HEALTH");
        console.press("2");
        console.until_said("DRIFT");
        console.press("q");
        console.press("q");
        console.until_said("Quit driftdeck?");
        console.press("y");
        let (_, status) = console.ended();
        assert_eq!(status, 0);
        let written = console.written();
        assert!(
            !written.contains(&0x1b),
            "{:?}",
            String::from_utf8_lossy(&written)
        );
        assert!(written.is_ascii());
    }
}

#[test]
fn poor_terminals_get_what_they_can_show() {
    let c = ("LANG", "C");
    for (term, colours) in [("vt100", false), ("linux", true), ("screen", true)] {
        let environment = [("TERM", term), ("COLORTERM", ""), c];
        let console = Console::start_on(&environment, &[], 24, 80);
        console.until(&["FLEET", "edge-"]);
        let written = console.written();
        assert!(written.is_ascii(), "{term}: {:?}", console.screen());
        let text = String::from_utf8_lossy(&written).into_owned();
        // Neither has a palette of 256, let alone 24 bits.
        assert!(!text.contains("38;") && !text.contains("48;"), "{term}");
        let coloured = ["\x1b[3", ";3", "\x1b[9", ";9"];
        let coloured = coloured.iter().any(|start| {
            text.split(start).skip(1).any(|rest| {
                rest.starts_with(|c: char| c.is_ascii_digit() && c != '9')
                    && rest[1..].starts_with(['m', ';'])
            })
        });
        assert_eq!(coloured, colours, "{term}");
    }
}

#[test]
fn a_storm_of_resizes_ends_at_the_last_size() {
    let console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-"]);
    for step in 0..60 {
        console.resize(20 + step % 41, 60 + step * 7 % 150);
    }
    console.resize(40, 160);
    console.until(&["server", "https://127.0.0.1"]);
}

#[test]
fn stopping_gives_the_terminal_back_and_continuing_draws_everything_again() {
    let mut console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-"]);
    let before = console.written().len();
    console.press("\x1a");
    // Nobody controls jobs here, so that the stop ends at once.
    console.wait("the screen drawn again", |seen| {
        let text = String::from_utf8_lossy(&seen.bytes[before..]);
        let (_, after) = text.split_once("\x1b[?1049l")?;
        let (_, entered) = after.split_once("\x1b[?1049h")?;
        entered.contains("FLEET").then_some(())
    });
}

#[test]
fn an_idle_fleet_writes_nothing_and_a_key_is_answered_in_one_write() {
    let mut console = Console::start(&["--low-bandwidth"], 24, 80);
    console.until(&["FLEET", "edge-"]);
    let mut answers = Vec::new();
    // The clock and figures step whenever they like; a second write for a key is there each time.
    for key in ["j", "k", "j", "k", "j", "k"] {
        let before = console.quiet(Duration::from_secs(3));
        console.press(key);
        console.wait("an answer", |seen| {
            (seen.bytes.len() > before).then_some(())
        });
        let after = console.quiet(Duration::from_secs(3));
        let written = console.written();
        let text = String::from_utf8_lossy(&written[before..after]).into_owned();
        if text.matches("\x1b[?2026h").count() == 1 {
            return;
        }
        answers.push(text);
    }
    panic!("each key was answered in several writes: {answers:?}");
}

/// Frames on the terminal, and write calls of the thread that paints.
#[cfg(target_os = "linux")]
fn painted(console: &Console) -> (usize, usize) {
    let id = console.process();
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let mut tasks = tasks.map(|task| task.unwrap().path());
    let is_painter = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path.join("comm")).unwrap() == "painter\n"
    };
    let painter = tasks.find(is_painter).unwrap();
    let io = std::fs::read_to_string(painter.join("io")).unwrap();
    let calls = io.lines().find_map(|line| line.strip_prefix("syscw: "));
    let written = console.written();
    let begins = written.windows(8).filter(|w| w == b"\x1b[?2026h");
    (begins.count(), calls.unwrap().parse().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_frame_is_one_write_whatever_moves_in_it() {
    let mut console = Console::start(&[], 20, 80);
    console.until(&["FLEET", "edge-"]);
    // Text moves up and down by itself, with line feeds; a page is drawn anew.
    let keys = ["?", "j", "j", "\x1b[6~", "k", "k", "?", "2", "1"];
    for key in keys {
        console.press(key);
        console.quiet(Duration::from_millis(300));
    }
    let written = console.written();
    assert!(written.contains(&b'\n'), "nothing moved by itself");
    // A frame may come while one counts; a second write of each is there each time.
    let counts: Vec<(usize, usize)> = (0..6)
        .map(|_| {
            console.quiet(Duration::from_millis(300));
            painted(&console)
        })
        .take_while(|(frames, writes)| frames != writes)
        .collect();
    assert!(counts.len() < 6, "frames and writes: {counts:?}");
}

#[test]
fn a_light_terminal_is_drawn_with_the_light_theme_unless_a_theme_is_named() {
    const WHITE: &str = "\x1b]10;rgb:0000/0000/0000\x1b\\\x1b]11;rgb:ffff/ffff/ffff\x1b\\";
    const BLACK: &str = "\x1b]10;rgb:ffff/ffff/ffff\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\";
    let drawn = |ground: &str| {
        let mut console = Console::start(&[], 24, 80);
        console.until_written(b"\x1b]11;?");
        console.press(&format!("{ground}\x1b[?62;c"));
        console.until(&["FLEET"]);
        console.ground()
    };
    let named = |theme: &str| {
        let console = Console::start(&["--theme", theme], 24, 80);
        console.until(&["FLEET"]);
        assert!(!console.written().windows(5).any(|w| w == b"\x1b]11;"));
        console.ground()
    };
    let (light, dark) = (named("light"), named("dark"));
    assert_ne!(light, dark);
    assert_eq!((drawn(WHITE), drawn(BLACK)), (light, dark));
}
