//! Frames one after another as a recording that terminal players show: asciicast version 2, <https://docs.asciinema.org/manual/asciicast/v2/>.

use ratatui::buffer::Buffer;
use serde_json::json;

use crate::terminal::encode::encode;

/// Seconds between two frames.
const PAUSE: f64 = 1.5;

/// The recording; nothing without a frame. Only what changes from frame to frame is in it.
pub(super) fn draw(frames: &[Buffer]) -> Result<Vec<u8>, serde_json::Error> {
    let Some(first) = frames.first() else {
        return Ok(Vec::new());
    };
    let header = json!({
        "version": 2,
        "width": first.area.width,
        "height": first.area.height,
        "env": {"TERM": "xterm-256color"},
    });
    let mut lines = vec![serde_json::to_string(&header)?];
    let mut shown = None;
    let mut time = 0.0;
    for frame in frames {
        let bytes = encode(shown, frame);
        let event = json!([time, "o", String::from_utf8_lossy(&bytes)]);
        lines.push(serde_json::to_string(&event)?);
        shown = Some(frame);
        time += PAUSE;
    }
    // The last frame stays on the screen as long as the others.
    lines.push(serde_json::to_string(&json!([time, "o", ""]))?);
    Ok((lines.join("\n") + "\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use serde_json::Value;

    use super::*;

    fn size(cells: u16) -> std::num::NonZero<u16> {
        std::num::NonZero::new(cells).unwrap()
    }

    fn frame(text: &str) -> Buffer {
        let mut frame = Buffer::empty(Rect::new(0, 0, 20, 2));
        frame.set_string(0, 0, text, ratatui::style::Style::default());
        frame
    }

    #[test]
    fn a_player_ends_with_the_last_frame_on_its_screen() {
        let recording = draw(&[frame("3 sites drifted"), frame("2 sites drifted")]).unwrap();
        let text = String::from_utf8(recording).unwrap();
        let mut lines = text
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap());
        let header = lines.next().unwrap();
        assert_eq!(
            (&header["width"], &header["height"]),
            (&json!(20), &json!(2))
        );
        let mut player = vt100::Parser::new(size(2), size(20), 0);
        let mut before = -1.0;
        for event in lines {
            let time = event[0].as_f64().unwrap();
            assert!(time > before);
            before = time;
            player.process(event[2].as_str().unwrap().as_bytes());
        }
        assert_eq!(player.screen().contents().trim_end(), "2 sites drifted");
    }

    #[test]
    fn what_did_not_change_is_not_written_again() {
        let same = [frame("calm"), frame("calm")];
        let text = String::from_utf8(draw(&same).unwrap()).unwrap();
        let second: Value = serde_json::from_str(text.lines().nth(2).unwrap()).unwrap();
        assert_eq!(second, json!([PAUSE, "o", ""]));
    }
}
