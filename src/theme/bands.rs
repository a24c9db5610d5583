//! The colours that a person gave to groups of clusters, and how a group's name is written on its colour.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

use super::color::{contrast, rgb, to_16, to_256};
use super::depth::Depth;

const BLACK: (u8, u8, u8) = (0, 0, 0);
const WHITE: (u8, u8, u8) = (255, 255, 255);

/// Colours of groups, by the groups' names.
#[derive(Clone, Debug, Default)]
pub struct Bands(BTreeMap<String, Color>);

impl Bands {
    /// These colours.
    pub fn new(colors: impl IntoIterator<Item = (String, Color)>) -> Self {
        Self(colors.into_iter().collect())
    }

    /// How the name of a group is written: on its colour, in black or white, whichever is read more easily. Nothing for a group without a colour,
    /// and where there are no colours.
    pub(super) fn style(&self, group: &str, depth: Depth) -> Option<Style> {
        let wanted = *self.0.get(group)?;
        let ground = match depth {
            Depth::True => wanted,
            Depth::Indexed => to_256(wanted),
            Depth::Sixteen => to_16(wanted),
            Depth::None => return None,
        };
        let seen = rgb(ground)?;
        let light = contrast(seen, WHITE) > contrast(seen, BLACK);
        let text = match (depth, light) {
            (Depth::True, true) => Color::Rgb(255, 255, 255),
            (Depth::True, false) => Color::Rgb(0, 0, 0),
            (Depth::Indexed, true) => Color::Indexed(231),
            (Depth::Indexed, false) => Color::Indexed(16),
            (_, true) => Color::White,
            (_, false) => Color::Black,
        };
        let style = Style::new().bg(ground).fg(text);
        Some(style.add_modifier(Modifier::BOLD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bands() -> Bands {
        let colors = [("prod-eu", Color::Rgb(180, 20, 20)), ("lab", Color::Yellow)];
        Bands::new(colors.map(|(name, color)| (name.to_owned(), color)))
    }

    #[test]
    fn a_name_can_be_read_on_every_colour_at_every_depth() {
        for number in 0..=255 {
            let bands = Bands::new([("lab".to_owned(), Color::Indexed(number))]);
            for depth in [Depth::True, Depth::Indexed, Depth::Sixteen] {
                let style = bands.style("lab", depth).unwrap();
                let (text, ground) = (rgb(style.fg.unwrap()), rgb(style.bg.unwrap()));
                let found = contrast(text.unwrap(), ground.unwrap());
                assert!(found >= 4.5, "{number} {depth:?}: {found}");
            }
        }
    }

    #[test]
    fn a_group_without_a_colour_and_a_terminal_without_colours_have_no_band() {
        assert!(bands().style("prod-eu", Depth::True).is_some());
        assert_eq!(bands().style("prod-us", Depth::True), None);
        assert_eq!(bands().style("prod-eu", Depth::None), None);
    }
}
