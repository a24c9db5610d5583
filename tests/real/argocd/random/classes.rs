//! Why both may say different things of an object: each reason is read off the edits and the object, never off a list.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Flavour;
use super::edits::Sort;
use super::piece::Piece;
use crate::hunting::draw::Editor;
use crate::hunting::ledger::{Entry, Standing};

/// What driftdeck says of the objects of one Application, by title.
pub(super) struct Ours {
    drifted: BTreeMap<String, Value>,
    shadow: BTreeMap<String, Value>,
}

/// A reason to differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// An element that a person added to a list of Git's is drift here; Argo CD's merge by key leaves it.
    AddedByHand,
    /// What a program fills in beside what Git says inside of one indivisible value is no drift here; a server-side apply takes it out.
    AddedByProgram,
    /// What somebody's `kubectl apply` set beyond Git stands in the last-applied manifest, and Argo CD's next apply takes it out; here it is
    /// shadow drift, which is listed and does not count.
    AppliedByHand,
    /// In a list of a custom kind a field that Git leaves out cannot be told from a default of the kind's schema.
    NoSchema,
    /// Argo CD marks an object that is to be ignored as extra, and calls the Application Synced; here it is no drift.
    IgnoreExtraneous,
}

impl Ours {
    /// Of the items of `driftdeck drift`, and those of `driftdeck drift --shadow`.
    pub(super) fn of(drift: &[Value], shadow: &[Value], app: &str) -> Self {
        let own = |items: &[Value]| {
            let text = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
            let own = items.iter().filter(|item| item["app"]["name"] == app);
            own.map(|item| {
                (
                    format!("{}/{}", text(item, "kind"), text(item, "name")),
                    item.clone(),
                )
            })
            .collect()
        };
        Self {
            drifted: own(drift),
            shadow: own(shadow),
        }
    }

    /// What it says of this object, if it is drifted.
    pub(super) fn drifted(&self, title: &str) -> Option<&Value> {
        self.drifted.get(title)
    }

    /// The titles of all that are drifted.
    pub(super) fn titles(&self) -> impl Iterator<Item = &String> {
        self.drifted.keys()
    }

    /// Why Argo CD says the opposite of this object, if there is a reason.
    pub(super) fn class(
        &self,
        piece: &Piece,
        flavour: Flavour,
        entries: &[Entry],
    ) -> Option<Class> {
        if let Some(item) = self.drifted(&piece.title) {
            return is_added_by_hand(item, entries).then_some(Class::AddedByHand);
        }
        if !piece.is_of_git() {
            let ignored =
                piece.annotations["argocd.argoproj.io/compare-options"] == "IgnoreExtraneous";
            return ignored.then_some(Class::IgnoreExtraneous);
        }
        if entries.iter().any(|e| e.standing == Standing::Set) {
            return None;
        }
        if entries.iter().any(|e| e.standing == Standing::Inside) {
            let program = piece
                .edits
                .iter()
                .any(|e| e.manager == Editor::Program.manager());
            let server_side = flavour.automated || flavour.server_side_diff;
            return (program && server_side).then_some(Class::AddedByProgram);
        }
        if flavour.automated || flavour.server_side_diff {
            let in_a_list = entries.iter().any(|e| e.path.contains('['));
            return (piece.is_custom() && in_a_list).then_some(Class::NoSchema);
        }
        let applied = piece.edits.iter().any(|e| e.sort == Sort::Applied);
        (applied && self.shadow.contains_key(&piece.title)).then_some(Class::AppliedByHand)
    }
}

/// Whether all that driftdeck names are elements added to lists of Git's.
fn is_added_by_hand(item: &Value, entries: &[Entry]) -> bool {
    let changes = item["changes"].as_array();
    let added = |change: &Value| {
        entries.iter().any(|e| {
            change["op"] == "added"
                && change["path"] == e.path.as_str()
                && e.standing == Standing::Inside
        })
    };
    item["state"] == "edited" && changes.is_some_and(|all| !all.is_empty() && all.iter().all(added))
}
