//! How many colours a terminal has, and what a style becomes on it.

use ratatui::style::{Color, Style};

use super::color;
use super::scope::ScopeRow;

/// Colours of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The xterm palette of 256.
    Indexed,
    /// The sixteen.
    Sixteen,
    /// None: bold, dim, reverse and underline only.
    None,
}

impl Depth {
    /// Reads it from the environment: `NO_COLOR` first, then `COLORTERM`, then `TERM`.
    ///
    /// Within GNU screen `COLORTERM` is that of the terminal around it: screen itself takes 24-bit colours apart into other attributes
    /// (its version 5 knows them only when configured so), so there `TERM` alone counts.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        if env("NO_COLOR").is_some_and(|v| !v.is_empty()) {
            return Self::None;
        }
        let term = env("TERM").unwrap_or_default();
        if matches!(term.as_str(), "" | "dumb") || term.starts_with("vt") {
            return Self::None;
        }
        let within_screen = env("STY").is_some() && env("TMUX").is_none();
        let colorterm = env("COLORTERM").filter(|_| !within_screen);
        let colorterm = colorterm.unwrap_or_default();
        if matches!(colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
            return Self::True;
        }
        let rich = ["kitty", "alacritty", "ghostty", "wezterm", "foot"];
        if rich.iter().any(|t| term.contains(t)) {
            return Self::True;
        }
        if term.contains("256color") {
            return Self::Indexed;
        }
        Self::Sixteen
    }
}

/// Whether the environment asks for plain ASCII: a locale that is not UTF-8, or a terminal that has few glyphs.
pub fn wants_ascii(env: impl Fn(&str) -> Option<String>) -> bool {
    let term = env("TERM").unwrap_or_default();
    if matches!(term.as_str(), "linux" | "dumb") || term.starts_with("vt") {
        return true;
    }
    let set = |name: &str| env(name).filter(|v| !v.is_empty());
    let locale = set("LC_ALL")
        .or_else(|| set("LC_CTYPE"))
        .or_else(|| set("LANG"));
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    !(locale.contains("utf-8") || locale.contains("utf8"))
}

/// Reduces a style to what the terminal can show, so that what must stand out still does.
pub(super) fn reduce(style: Style, row: &ScopeRow, depth: Depth) -> Style {
    match depth {
        Depth::True => style,
        Depth::Indexed => recolor(style, color::to_256),
        Depth::Sixteen => {
            let mut poor = recolor(style, color::to_16);
            // A dark grey bar becomes black, and a selected row would be lost.
            let lost = matches!(poor.bg, Some(Color::Black | Color::White));
            if lost && row.mono.contains(ratatui::style::Modifier::REVERSED) {
                // Colours of single words would make patches of the reversed bar.
                poor.bg = Some(Color::Reset);
                poor.fg = Some(Color::Reset);
                poor = poor.add_modifier(row.mono);
            }
            poor
        }
        Depth::None => Style::new().add_modifier(row.mono),
    }
}

fn recolor(style: Style, to: fn(Color) -> Color) -> Style {
    Style {
        fg: style.fg.map(to),
        bg: style.bg.map(to),
        ..style
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn env<'a>(vars: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let found = vars.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        }
    }

    #[rstest]
    #[case(&[("TERM", "xterm-256color")], Depth::Indexed)]
    #[case(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Depth::True)]
    #[case(&[("TERM", "screen.xterm-256color"), ("COLORTERM", "truecolor"), ("STY", "1.night")], Depth::Indexed)]
    #[case(&[("TERM", "screen"), ("COLORTERM", "truecolor"), ("STY", "1.night")], Depth::Sixteen)]
    #[case(&[("TERM", "screen"), ("COLORTERM", "truecolor"), ("STY", "1.night"), ("TMUX", "/tmp/t,1,0")], Depth::True)]
    #[case(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")], Depth::None)]
    #[case(&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Depth::Indexed)]
    #[case(&[("TERM", "xterm-kitty")], Depth::True)]
    #[case(&[("TERM", "linux")], Depth::Sixteen)]
    #[case(&[("TERM", "vt100")], Depth::None)]
    #[case(&[], Depth::None)]
    fn colours_are_read_from_the_environment(#[case] vars: &[(&str, &str)], #[case] depth: Depth) {
        assert_eq!(Depth::detect(env(vars)), depth);
    }

    #[rstest]
    #[case(&[("TERM", "xterm"), ("LANG", "de_DE.UTF-8")], false)]
    #[case(&[("TERM", "xterm"), ("LANG", "C")], true)]
    #[case(&[("TERM", "xterm"), ("LC_ALL", "C.utf8"), ("LANG", "C")], false)]
    #[case(&[("TERM", "linux"), ("LANG", "de_DE.UTF-8")], true)]
    #[case(&[("TERM", "xterm")], true)]
    fn ascii_is_chosen_where_glyphs_would_break(
        #[case] vars: &[(&str, &str)],
        #[case] ascii: bool,
    ) {
        assert_eq!(wants_ascii(env(vars)), ascii);
    }
}
