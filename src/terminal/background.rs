//! Whether the terminal is light or dark: asked once, before anything is drawn, and never for long.

use std::io::IsTerminal as _;
use std::time::Duration;

use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};

/// How long an answer may take. An answer that comes later would be read as keys, so this is longer than the round trip of a slow line;
/// a terminal that knows no such question answers the one behind it (primary device attributes) at once.
const LIMIT: Duration = Duration::from_secs(1);

/// Whether the terminal's background is light; `None` when it does not say.
pub fn is_light() -> Option<bool> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let mut options = QueryOptions::default();
    options.timeout = LIMIT;
    theme_mode(options)
        .ok()
        .map(|mode| mode == ThemeMode::Light)
}
