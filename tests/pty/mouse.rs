//! The mouse on a pseudo terminal: asked for only where somebody wants it, and given back whatever ends the console.

use super::console::Console;

const ON: &str = "\x1b[?1000h\x1b[?1006h";
const OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// A press of the left button, and letting it go again; columns and rows from 1.
fn click(console: &mut Console, column: u16, row: u16) {
    console.press(&format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
}

fn written(console: &Console) -> String {
    String::from_utf8_lossy(&console.written()).into_owned()
}

#[test]
fn without_being_asked_for_nothing_is_said_of_the_mouse() {
    let mut console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-"]);
    console.press("qy");
    console.ended();
    for mode in ["1000", "1002", "1003", "1005", "1006", "1015"] {
        assert!(
            !written(&console).contains(&format!("\x1b[?{mode}")),
            "{mode}"
        );
    }
}

#[test]
fn a_click_selects_a_second_one_opens_and_the_mouse_is_given_back_at_the_end() {
    let mut console = Console::start(&["--mouse"], 24, 80);
    console.until(&["FLEET", "edge-"]);
    assert!(written(&console).contains(ON));
    click(&mut console, 6, 5);
    click(&mut console, 6, 5);
    console.until(&["APPS  "]);
    console.press("q");
    console.until(&["FLEET  "]);
    console.press("qy");
    console.ended();
    assert!(written(&console).contains(OFF));
    console.restored();
}

#[test]
fn a_suspended_console_gives_the_mouse_back_and_takes_it_again() {
    let mut console = Console::start(&["--mouse"], 24, 80);
    console.until(&["FLEET", "edge-"]);
    let before = console.written().len();
    console.press("\x1a");
    console.wait("the mouse given back and taken again", |seen| {
        let text = String::from_utf8_lossy(&seen.bytes[before..]);
        let (_, after) = text.split_once(OFF)?;
        after.contains(ON).then_some(())
    });
}

#[test]
fn a_signal_gives_the_mouse_back() {
    let mut console = Console::start(&["--mouse"], 24, 80);
    console.until(&["FLEET", "edge-"]);
    console.signal(rustix::process::Signal::TERM);
    console.ended();
    assert!(written(&console).contains(OFF));
}
