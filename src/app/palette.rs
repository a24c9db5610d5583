//! The palette: every action by name, the screens, the themes and the keymaps; typed words find them.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use tui_input::Input;

use super::action::{ACTIONS, Action};
use super::kept::View;
use crate::domain::Safe;
use crate::view::place::Place;

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// An action.
    Act(Action),
    /// A theme by name.
    Theme(String),
    /// A keymap by name.
    Keymap(String),
    /// A saved view by name.
    View(String),
}

/// One line of the palette.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it does.
    pub choice: Choice,
    /// Its name.
    pub name: Safe,
    /// What it does, in words.
    pub about: Safe,
    /// Other words that find it.
    also: &'static str,
}

/// State of the palette.
#[derive(Debug, Default)]
pub struct Palette {
    /// What was typed.
    pub input: Input,
    /// Everything that can be chosen here.
    entries: Vec<Entry>,
    /// What fits the text, best first, by number.
    found: Vec<usize>,
    /// The chosen line of what fits.
    pub cursor: usize,
}

/// Actions that make no sense as a typed command: they move within the list behind the window.
fn is_motion(action: Action) -> bool {
    let id = action.info().id;
    id.starts_with("move.")
        || id.starts_with("pane.")
        || matches!(action, Action::Palette | Action::Interrupt | Action::Back)
}

fn also(action: Action) -> &'static str {
    match action {
        Action::Quit => "q quit exit",
        Action::GoFleet => "clusters sites",
        Action::GoApps => "applications argo",
        Action::Revert => "sync reconcile restore",
        Action::Diff | Action::GoDiff => "difference",
        Action::Menu => "what now",
        Action::Explain => "why",
        Action::Yaml => "live describe",
        _ => "",
    }
}

impl Palette {
    /// The palette of a screen.
    pub fn new(place: Place, themes: &[String], keymaps: &[String]) -> Self {
        let here = ACTIONS
            .iter()
            .filter(|a| a.places.has(place) && !is_motion(a.action));
        let mut entries: Vec<Entry> = here
            .map(|a| Entry {
                choice: Choice::Act(a.action),
                name: Safe::fixed(a.id),
                about: Safe::fixed(a.sentence),
                also: also(a.action),
            })
            .collect();
        entries.extend(themes.iter().map(|name| Entry {
            choice: Choice::Theme(name.clone()),
            name: format!("theme {name}").into(),
            about: Safe::fixed("Draw with this theme"),
            also: "colours look",
        }));
        entries.extend(keymaps.iter().map(|name| Entry {
            choice: Choice::Keymap(name.clone()),
            name: format!("keymap {name}").into(),
            about: Safe::fixed("Use these keys"),
            also: "bindings",
        }));
        let mut palette = Self {
            entries,
            ..Self::default()
        };
        palette.search();
        palette
    }

    /// Adds the saved views.
    #[must_use]
    pub fn with_views(mut self, views: &[View]) -> Self {
        self.entries.extend(views.iter().map(|view| Entry {
            choice: Choice::View(view.name.clone()),
            name: format!("view {}", view.name).into(),
            about: format!("{} {}", view.screen, view.filter).into(),
            also: "saved",
        }));
        self.search();
        self
    }

    /// Finds what fits the text.
    pub fn search(&mut self) {
        self.cursor = 0;
        let text = self.input.value().trim();
        if text.is_empty() {
            self.found = (0..self.entries.len()).collect();
            return;
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
        let mut scored: Vec<(u32, usize)> = Vec::new();
        let mut buffer = Vec::new();
        for (i, entry) in self.entries.iter().enumerate() {
            let verb = entry.name.as_str().split_once('.').map(|(_, verb)| verb);
            let exact = verb == Some(text) || entry.also.split(' ').any(|word| word == text);
            // The name weighs more than the words about it.
            let name = pattern.score(
                Utf32Str::new(entry.name.as_str(), &mut buffer),
                &mut matcher,
            );
            let words = format!("{} {}", entry.about, entry.also);
            let about = pattern.score(Utf32Str::new(&words, &mut buffer), &mut matcher);
            let score = match (exact, name, about) {
                (true, ..) => u32::MAX,
                (_, Some(name), _) => name * 2,
                (_, None, Some(about)) => about,
                (_, None, None) => continue,
            };
            scored.push((score, i));
        }
        scored.sort_by_key(|(score, i)| (u32::MAX - score, *i));
        self.found = scored.into_iter().map(|(_, i)| i).collect();
    }

    /// The lines that fit, best first.
    pub fn lines(&self) -> impl Iterator<Item = &Entry> {
        self.found.iter().filter_map(|i| self.entries.get(*i))
    }

    /// How many fit.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether nothing fits.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Moves the cursor.
    pub fn step(&mut self, rows: isize) {
        let last = self.found.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(rows).min(last);
    }

    /// The chosen line.
    pub fn chosen(&self) -> Option<&Choice> {
        self.lines().nth(self.cursor).map(|entry| &entry.choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(place: Place, text: &str) -> Option<Choice> {
        let mut palette = Palette::new(
            place,
            &["dark".to_owned(), "light".to_owned()],
            &["default".to_owned()],
        );
        palette.input = Input::new(text.to_owned());
        palette.search();
        palette.chosen().cloned()
    }

    #[test]
    fn words_of_other_tools_find_the_action() {
        assert_eq!(found(Place::Fleet, "q"), Some(Choice::Act(Action::Quit)));
        assert_eq!(
            found(Place::Drift, "sync"),
            Some(Choice::Act(Action::Revert))
        );
        assert_eq!(
            found(Place::Fleet, "drift"),
            Some(Choice::Act(Action::GoDrift))
        );
        assert_eq!(
            found(Place::Fleet, "theme light"),
            Some(Choice::Theme("light".into()))
        );
    }

    #[test]
    fn an_action_of_another_screen_is_not_offered() {
        assert_eq!(found(Place::Fleet, "plan.run"), None);
        assert_eq!(
            found(Place::Plan, "plan.run"),
            Some(Choice::Act(Action::RunPlan))
        );
    }

    #[test]
    fn what_fits_nothing_finds_nothing() {
        assert_eq!(found(Place::Fleet, "zzzqqq"), None);
    }
}
