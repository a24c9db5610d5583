//! Colours as a person writes them, and the nearest ones of poorer terminals.

use ratatui::style::Color;

/// The sixteen names, in the order of their numbers.
pub const NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

/// What the sixteen look like in most terminals; used only to find the nearest and to draw pictures.
pub const SIXTEEN: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 49, 49),
    (13, 188, 121),
    (229, 229, 16),
    (36, 114, 200),
    (188, 63, 188),
    (17, 168, 205),
    (204, 204, 204),
    (102, 102, 102),
    (241, 76, 76),
    (35, 209, 139),
    (245, 245, 67),
    (59, 142, 234),
    (214, 112, 214),
    (41, 184, 219),
    (255, 255, 255),
];

/// Reads `#rrggbb`, one of the sixteen names, `default`, or a number from 0 to 255.
pub fn parse(text: &str) -> Option<Color> {
    if text == "default" {
        return Some(Color::Reset);
    }
    if let Some(hex) = text.strip_prefix('#') {
        return parse_hex(hex);
    }
    if let Some(index) = NAMES.iter().position(|n| *n == text) {
        return sixteen(index);
    }
    text.parse().ok().map(Color::Indexed)
}

fn parse_hex(hex: &str) -> Option<Color> {
    if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let value = u32::from_str_radix(hex, 16).ok()?;
    let [_, r, g, b] = value.to_be_bytes();
    Some(Color::Rgb(r, g, b))
}

/// The colour of one of the sixteen numbers.
pub fn sixteen(index: usize) -> Option<Color> {
    Some(match index {
        0 => Color::Black,
        1 => Color::Red,
        2 => Color::Green,
        3 => Color::Yellow,
        4 => Color::Blue,
        5 => Color::Magenta,
        6 => Color::Cyan,
        7 => Color::Gray,
        8 => Color::DarkGray,
        9 => Color::LightRed,
        10 => Color::LightGreen,
        11 => Color::LightYellow,
        12 => Color::LightBlue,
        13 => Color::LightMagenta,
        14 => Color::LightCyan,
        15 => Color::White,
        _ => return None,
    })
}

/// What a colour looks like; `None` for the terminal's own.
pub fn rgb(color: Color) -> Option<(u8, u8, u8)> {
    match color {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(n) => Some(indexed_rgb(n)),
        named => (0..16)
            .find(|i| sixteen(*i) == Some(named))
            .and_then(|i| SIXTEEN.get(i))
            .copied(),
    }
}

/// The xterm palette: sixteen, a cube of six levels, a ramp of greys.
fn indexed_rgb(n: u8) -> (u8, u8, u8) {
    match n {
        0..=15 => SIXTEEN.get(usize::from(n)).copied().unwrap_or_default(),
        16..=231 => {
            let n = n - 16;
            (level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        232..=255 => {
            let grey = 8 + (n - 232) * 10;
            (grey, grey, grey)
        }
    }
}

fn level(step: u8) -> u8 {
    if step == 0 { 0 } else { 55 + 40 * step }
}

/// The nearest of the 240 fixed colours of a 256-colour terminal.
pub fn to_256(color: Color) -> Color {
    let Color::Rgb(r, g, b) = color else {
        return color;
    };
    let nearest = (16..=255).min_by_key(|n| distance((r, g, b), indexed_rgb(*n)));
    nearest.map_or(color, Color::Indexed)
}

/// The nearest of the sixteen.
pub fn to_16(color: Color) -> Color {
    let Some(wanted) = rgb(color) else {
        return color;
    };
    let nearest = (0..16).min_by_key(|i| {
        SIXTEEN
            .get(*i)
            .map_or(u32::MAX, |known| distance(wanted, *known))
    });
    nearest.and_then(sixteen).unwrap_or(color)
}

/// A distance weighted as the eye weighs it (the usual red-mean approximation).
fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let diff = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    let red = u32::from(a.0).midpoint(u32::from(b.0));
    (((512 + red) * diff(a.0, b.0)) >> 8)
        + 4 * diff(a.1, b.1)
        + (((767 - red) * diff(a.2, b.2)) >> 8)
}

/// The contrast of two colours as WCAG 2 counts it: 1 (none) to 21.
pub fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(color: (u8, u8, u8)) -> f64 {
    let [r, g, b] = linear(color);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The light of each channel, from 0 to 1 (IEC 61966-2-1).
pub(super) fn linear((r, g, b): (u8, u8, u8)) -> [f64; 3] {
    [r, g, b].map(|c| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_colour_reads() {
        assert_eq!(parse("#0a1B2c"), Some(Color::Rgb(10, 27, 44)));
        assert_eq!(parse("bright-red"), Some(Color::LightRed));
        assert_eq!(parse("default"), Some(Color::Reset));
        assert_eq!(parse("208"), Some(Color::Indexed(208)));
        for wrong in ["#12345", "#12345g", "#ééé", "reddish", "256", ""] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn poorer_terminals_get_the_nearest() {
        assert_eq!(to_256(Color::Rgb(255, 135, 0)), Color::Indexed(208));
        assert_eq!(to_256(Color::Rgb(8, 8, 8)), Color::Indexed(232));
        assert_eq!(to_16(Color::Rgb(250, 70, 70)), Color::LightRed);
        assert_eq!(to_16(Color::Indexed(232)), Color::Black);
        assert_eq!(to_16(Color::Reset), Color::Reset);
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.01);
        assert!((contrast((119, 119, 119), (255, 255, 255)) - 4.48).abs() < 0.01);
    }
}
