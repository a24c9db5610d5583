//! The colours of YAML: keys, numbers and switches, texts.

use super::paint::{Canvas, Piece};

/// One line of the YAML that we write: indentation, dashes, a key, a value.
pub(super) fn pieces(canvas: &Canvas<'_>, line: &str) -> Vec<Piece> {
    let body = line.trim_start_matches(' ');
    let dashes = body.len() - body.trim_start_matches("- ").len();
    let lead = line.len() - body.len() + dashes;
    let (lead, rest) = line.split_at(lead);
    let mut pieces = vec![canvas.piece("text.dim", lead)];
    match key_end(rest) {
        Some(end) => {
            let (key, value) = rest.split_at(end);
            pieces.push(canvas.piece("yaml.key", key));
            pieces.extend(after_key(canvas, value));
        }
        None => pieces.push(value(canvas, rest)),
    }
    pieces
}

/// `: value`
fn after_key(canvas: &Canvas<'_>, rest: &str) -> Vec<Piece> {
    let colon = rest.len() - rest.trim_start_matches([':', ' ']).len();
    let (colon, text) = rest.split_at(colon);
    vec![canvas.piece("text.dim", colon), value(canvas, text)]
}

/// Where the key of a line ends; none where there is no key. A quoted key ends behind its second quotation mark.
fn key_end(text: &str) -> Option<usize> {
    let from = match text.strip_prefix('"') {
        Some(rest) => rest.find("\":")? + 2,
        None => 0,
    };
    let rest = text.get(from..)?;
    let end = from + rest.find(':')?;
    let after = text.get(end + 1..)?;
    (after.is_empty() || after.starts_with(' ')).then_some(end)
}

fn value(canvas: &Canvas<'_>, text: &str) -> Piece {
    let scope = match text {
        "true" | "false" | "null" | "{}" | "[]" => "yaml.number",
        _ if text.parse::<f64>().is_ok() => "yaml.number",
        _ => "text",
    };
    canvas.piece(scope, text)
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use rstest::rstest;

    use super::*;
    use crate::theme::{Depth, theme_for_tests};

    #[rstest]
    #[case("spec:", &["", "spec", ":", ""])]
    #[case("  replicas: 3", &["  ", "replicas", ": ", "3"])]
    #[case("  - name: app", &["  - ", "name", ": ", "app"])]
    #[case("  - - deep", &["  - - ", "deep"])]
    #[case("    image: registry.example:5000/web:2.4.1", &["    ", "image", ": ", "registry.example:5000/web:2.4.1"])]
    #[case("  \"a: b\": c", &["  ", "\"a: b\"", ": ", "c"])]
    #[case("  - https://git.example/fleet.git", &["  - ", "https://git.example/fleet.git"])]
    #[case("", &["", ""])]
    fn lines_fall_into_indentation_key_and_value(#[case] line: &str, #[case] parts: &[&str]) {
        let theme = theme_for_tests("dark", Depth::True, false);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        let canvas = Canvas::new(&mut buffer, &theme);
        let pieces = pieces(&canvas, line);
        let texts: Vec<&str> = pieces.iter().map(|p| p.text.as_str()).collect();
        assert_eq!(texts, parts);
    }

    #[test]
    fn numbers_and_switches_look_unlike_texts() {
        let theme = theme_for_tests("dark", Depth::True, false);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        let canvas = Canvas::new(&mut buffer, &theme);
        let number = theme.get("yaml.number");
        for (text, is_number) in [("3", true), ("false", true), ("8443/tcp", false)] {
            assert_eq!(value(&canvas, text).style == number, is_number, "{text}");
        }
    }
}
