//! The help page of a screen, made from the keymap and the registry.

use super::action::{ACTIONS, Danger};
use crate::domain::Safe;
use crate::keymap::Keymap;
use crate::view::place::Place;

/// One line of the help page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpLine {
    /// The keys, `,` between alternatives.
    pub keys: Safe,
    /// The action's name, for the palette and for keymap files.
    pub id: &'static str,
    /// What it does.
    pub sentence: Safe,
}

/// Every action that works on a screen with its keys: the screen's own first.
pub fn lines(keymap: &Keymap, place: Place) -> Vec<HelpLine> {
    let mut rows: Vec<_> = ACTIONS.iter().filter(|a| a.places.has(place)).collect();
    rows.sort_by_key(|a| a.places == crate::view::place::Places::ALL);
    rows.into_iter()
        .filter_map(|row| {
            let bound: Vec<_> = keymap
                .bindings(place)
                .iter()
                .filter(|b| b.action == row.action)
                .collect();
            let keys: Vec<String> = bound
                .iter()
                .map(|b| crate::keymap::key::show_chord(&b.chord))
                .collect();
            if keys.is_empty() {
                return None;
            }
            let own = bound.iter().find_map(|b| b.desc.clone());
            let sentence = own.unwrap_or_else(|| match row.danger {
                Danger::Runs => format!("{} (asks first)", row.sentence).into(),
                Danger::Looks | Danger::Plans => Safe::fixed(row.sentence),
            });
            Some(HelpLine {
                keys: keys.join(", ").into(),
                id: row.id,
                sentence,
            })
        })
        .collect()
}

/// The keys that matter most on a screen, in the order of the footer.
pub fn hints(place: Place) -> &'static [super::Action] {
    use super::Action as A;
    match place {
        Place::Fleet => &[
            A::Open,
            A::Diff,
            A::Revert,
            A::GoDrift,
            A::GoApps,
            A::Filter,
            A::Problems,
            A::Help,
            A::Palette,
        ],
        Place::Drift => &[
            A::Open,
            A::Diff,
            A::Revert,
            A::Mark,
            A::NextPane,
            A::GoApp,
            A::Filter,
            A::Help,
            A::Back,
        ],
        Place::Apps => &[
            A::Open,
            A::Diff,
            A::Revert,
            A::Filter,
            A::Problems,
            A::Sort,
            A::Help,
            A::Back,
        ],
        Place::App => &[
            A::Open,
            A::NextTab,
            A::NextPane,
            A::Diff,
            A::Revert,
            A::Logs,
            A::Events,
            A::Filter,
            A::Help,
            A::Back,
        ],
        Place::Diff => &[
            A::NextHunk,
            A::PreviousHunk,
            A::Revert,
            A::Noise,
            A::Split,
            A::MoreContext,
            A::Help,
            A::Back,
        ],
        Place::Plan => &[
            A::RunPlan,
            A::Toggle,
            A::Route,
            A::Note,
            A::CopyCommands,
            A::Rebuild,
            A::Help,
            A::Back,
        ],
        Place::Matrix => &[
            A::Open,
            A::CellValue,
            A::NextOdd,
            A::Right,
            A::Diff,
            A::Revert,
            A::Filter,
            A::Help,
            A::Back,
        ],
        Place::Activity => &[
            A::Open,
            A::Diff,
            A::Follow,
            A::Filter,
            A::Problems,
            A::GoCluster,
            A::Help,
            A::Back,
        ],
        Place::Cluster => &[
            A::Open,
            A::Diff,
            A::Retry,
            A::Login,
            A::Revert,
            A::Help,
            A::Back,
        ],
        Place::Run => &[A::Stop, A::GoDiff, A::Help, A::Back],
    }
}
