//! Everything a person can ask for: one row an action, which feeds keys, help, hints, palette and the docs.

use crate::view::place::{Place, Places};

/// What an action can lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Only looks.
    Looks,
    /// Opens a plan; changes nothing by itself.
    Plans,
    /// Carries out a plan that was shown; asks first.
    Runs,
}

/// One row of the registry.
#[derive(Clone, Copy, Debug)]
pub struct ActionInfo {
    /// The action.
    pub action: Action,
    /// Its name in keymap files and in the palette: `area.verb`.
    pub id: &'static str,
    /// One or two words for the footer.
    pub hint: &'static str,
    /// What it does, a sentence without the period.
    pub sentence: &'static str,
    /// What it can lead to.
    pub danger: Danger,
    /// The screens it works on.
    pub places: Places,
}

macro_rules! actions {
    ($( $(#[doc = $sentence:literal])+ $variant:ident = $id:literal, $hint:literal, $danger:ident, $places:expr; )+) => {
        /// A wish of the operator. What it means is decided in `app::update`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $( $(#[doc = $sentence])+ $variant, )+ }

        /// Every action, in the order of the help page.
        pub const ACTIONS: &[ActionInfo] = &[ $( ActionInfo {
            action: Action::$variant,
            id: $id,
            hint: $hint,
            sentence: concat!($($sentence),+).trim_ascii(),
            danger: Danger::$danger,
            places: $places,
        }, )+ ];
    };
}

const ALL: Places = Places::ALL;
const LISTS: Places = Places::of(&[
    Place::Fleet,
    Place::Drift,
    Place::Apps,
    Place::App,
    Place::Matrix,
    Place::Activity,
    Place::Cluster,
]);
const ROWS: Places = Places::of(&[Place::Fleet, Place::Drift, Place::Apps]);
const LINKS: Places = Places::of(&[Place::Fleet, Place::Cluster]);
const OBJECTS: Places = Places::of(&[Place::Drift, Place::App, Place::Diff, Place::Activity]);
const APPS: Places = OBJECTS.and(Places::of(&[Place::Apps, Place::Matrix]));
const EXPLAINED: Places = APPS.and(Places::of(&[Place::Fleet, Place::Cluster]));
const DRIFT: Places = Places::of(&[Place::Drift]);
const VIEWED: Places = ROWS.and(ACTIVITY);
const MATRIX: Places = Places::of(&[Place::Matrix]);
const ACTIVITY: Places = Places::of(&[Place::Activity]);
const LOOKED: Places = Places::of(&[Place::App, Place::Matrix, Place::Activity, Place::Cluster]);
const APP: Places = Places::of(&[Place::App]);
const DIFF: Places = Places::of(&[Place::Diff]);
const DIFFED: Places = DIFF.and(APP);
const PLAN: Places = Places::of(&[Place::Plan]);
const RUN: Places = Places::of(&[Place::Run]);
const TABLED: Places = Places::of(&[
    Place::Apps,
    Place::App,
    Place::Drift,
    Place::Fleet,
    Place::Matrix,
    Place::Activity,
    Place::Diff,
]);
const REVERTABLE: Places = Places::of(&[
    Place::Fleet,
    Place::Drift,
    Place::Apps,
    Place::App,
    Place::Diff,
    Place::Matrix,
    Place::Cluster,
]);

actions! {
    /// Move down one row
    Down = "move.down", "down", Looks, ALL;
    /// Move up one row
    Up = "move.up", "up", Looks, ALL;
    /// Move to the first row
    Top = "move.top", "top", Looks, ALL;
    /// Move to the last row
    Bottom = "move.bottom", "bottom", Looks, ALL;
    /// Move down a page
    PageDown = "move.page_down", "page", Looks, ALL;
    /// Move up a page
    PageUp = "move.page_up", "page up", Looks, ALL;
    /// Move down half a page
    HalfDown = "move.half_down", "half page", Looks, ALL;
    /// Move up half a page
    HalfUp = "move.half_up", "half page up", Looks, ALL;
    /// Scroll left, or fold
    Left = "move.left", "left", Looks, ALL;
    /// Scroll right, or unfold
    Right = "move.right", "right", Looks, ALL;
    /// Go to the next pane
    NextPane = "pane.next", "pane", Looks, ALL;
    /// Go to the previous pane
    PreviousPane = "pane.previous", "pane back", Looks, ALL;
    /// Turn to the next tab of the detail
    NextTab = "tab.next", "next tab", Looks, APP;
    /// Turn to the previous tab of the detail
    PreviousTab = "tab.previous", "tab back", Looks, APP;
    /// Open the selected row
    Open = "nav.open", "open", Looks, LISTS;
    /// Go back: close the popup, clear the filter, clear the marks, leave the screen
    Back = "nav.back", "back", Looks, ALL;
    /// Leave the screen; on the first screen ask whether to quit
    Leave = "nav.leave", "leave", Looks, ALL;
    /// Show the fleet: one row a cluster
    GoFleet = "go.fleet", "fleet", Looks, ALL;
    /// Show the drift inbox: equal changes as one row
    GoDrift = "go.drift", "drift", Looks, ALL;
    /// Show the applications
    GoApps = "go.apps", "apps", Looks, ALL;
    /// Show the application of the selected row
    GoApp = "go.app", "app", Looks, ALL;
    /// Show the difference of the selected object
    GoDiff = "go.diff", "diff", Looks, ALL;
    /// Show the last plan or run
    GoPlan = "go.plan", "plan", Looks, ALL;
    /// Show every application beside every group of clusters
    GoMatrix = "go.matrix", "matrix", Looks, ALL;
    /// Show what happened, the newest first
    GoActivity = "go.activity", "activity", Looks, ALL;
    /// Show the cluster of the selected row: link, credentials, nodes, controllers
    GoCluster = "go.cluster", "cluster", Looks, ALL;
    /// Show only rows that need somebody
    Problems = "view.problems", "problems", Looks, ROWS.and(ACTIVITY);
    /// Sort by the next column
    Sort = "view.sort", "sort", Looks, ROWS;
    /// Choose the columns of this list and their order
    Columns = "view.columns", "columns", Looks, ROWS;
    /// Group the rows of this list: by site, label, hub, version, kind, who wrote it and more
    GroupBy = "view.group", "group by", Looks, ROWS;
    /// Fold every group of this list, or unfold them
    FoldAll = "view.fold", "fold all", Looks, ROWS;
    /// Filter the list, or search the difference: words, or key=value such as region=eu, drift>0, state=stale
    Filter = "show.filter", "filter", Looks, TABLED;
    /// Show every key of this screen
    Help = "show.help", "help", Looks, ALL;
    /// Show every action by name, run one
    Palette = "show.palette", "actions", Looks, ALL;
    /// Show what can be done with the selected row, and why the rest cannot
    Menu = "show.actions", "what now", Looks, ALL;
    /// Explain why the selected row is as it is
    Explain = "show.explain", "why", Looks, EXPLAINED;
    /// Show the events of the selected object and of what it owns
    Events = "show.events", "events", Looks, OBJECTS;
    /// Show what the selected object owns, down to the pods, with health; from there events, logs and YAML
    Tree = "show.tree", "tree", Looks, APPS;
    /// Show the history of the selected application
    History = "show.history", "history", Looks, APPS;
    /// Follow the logs of the selected workload, on all its clusters when a group is selected
    Logs = "show.logs", "logs", Looks, APPS;
    /// Show the selected object as YAML: live and last applied
    Yaml = "show.yaml", "yaml", Looks, APPS;
    /// Compare the selected object on all clusters with the majority
    Compare = "show.compare", "compare", Looks, OBJECTS;
    /// Ask the server for its own word on the selected object, or on every object of the selected groups: a dry run, which changes nothing
    Word = "show.word", "server says", Looks, OBJECTS;
    /// Take on the selected groups with a note and until when, or give one back
    Ack = "triage.ack", "acknowledge", Looks, DRIFT;
    /// Ring the bell when a site goes dark or equal drift spreads, or stop doing so
    Alerts = "triage.bell", "bell", Looks, ALL;
    /// Go to the newest change
    Newest = "go.newest", "newest", Looks, ALL;
    /// Go forward again, to the screen that was left
    Forward = "nav.forward", "forward", Looks, ALL;
    /// Keep filter and sort of this screen under a name; the palette opens it again
    SaveView = "view.save", "save view", Looks, VIEWED;
    /// Show the pages about the selected row, to copy one: its Git commit, Argo CD's own, those of the configuration
    CopyLink = "copy.link", "links", Looks, EXPLAINED;
    /// Mark every row that a filter finds
    MarkBy = "mark.filter", "mark by", Looks, ROWS;
    /// Mark the row
    Mark = "mark.toggle", "mark", Looks, ROWS;
    /// Mark from the last mark to here
    MarkRange = "mark.range", "mark range", Looks, ROWS;
    /// Mark what is not marked, of the rows shown
    MarkInvert = "mark.invert", "invert marks", Looks, ROWS;
    /// Clear the marks
    MarkClear = "mark.clear", "clear marks", Looks, ROWS;
    /// Show the difference between Git and the cluster
    Diff = "drift.diff", "diff", Looks, ROWS.and(LOOKED);
    /// Put back what Git says: opens the plan
    Revert = "drift.revert", "revert…", Plans, REVERTABLE;
    /// Connect again now; on a cluster that answers, read it again
    Retry = "link.retry", "reconnect", Looks, LINKS;
    /// Log in to the cluster: runs its credential plugin on this terminal
    Login = "link.login", "log in", Looks, LINKS;
    /// Show another value in the cells: state, revision, image, health, age, Kubernetes version, a configuration value
    CellValue = "matrix.value", "value", Looks, MATRIX;
    /// Choose the field of configuration that the cells show, such as ConfigMap/edge-config data.LOG_LEVEL
    CellField = "matrix.field", "field", Looks, MATRIX;
    /// Read the configuration values again
    CellAgain = "matrix.again", "read again", Looks, MATRIX;
    /// Go to the next cell that differs from the rest of its row
    NextOdd = "matrix.odd", "odd one", Looks, MATRIX;
    /// Stay on the newest event, or stop doing so
    Follow = "activity.follow", "follow", Looks, ACTIVITY;
    /// Show only what came since everything was seen
    Unseen = "activity.unseen", "new only", Looks, ACTIVITY;
    /// Say that everything was seen
    Seen = "activity.seen", "all seen", Looks, ACTIVITY;
    /// Copy the name of the selected row to the clipboard
    Copy = "copy.name", "copy", Looks, ALL;
    /// Go to the next change, or to the next match of a search
    NextHunk = "diff.next", "next change", Looks, DIFFED;
    /// Go to the previous change, or to the previous match
    PreviousHunk = "diff.previous", "previous change", Looks, DIFFED;
    /// Side by side, or one above the other
    Split = "diff.split", "split", Looks, DIFF;
    /// Show or hide what differs and does not count
    Noise = "diff.noise", "ignored", Looks, DIFFED;
    /// Show or hide who owns each field
    Owners = "diff.owners", "owners", Looks, DIFFED;
    /// More lines around each change; of YAML, more levels
    MoreContext = "diff.more", "more context", Looks, DIFFED;
    /// Fewer lines around each change; of YAML, fewer levels
    LessContext = "diff.less", "less context", Looks, DIFFED;
    /// Include or leave out the target
    Toggle = "plan.toggle", "include", Looks, PLAN;
    /// Include every target that can be reverted, or none
    ToggleAll = "plan.all", "all/none", Looks, PLAN;
    /// Change the route: through Argo CD, or directly on the cluster
    Route = "plan.route", "route", Looks, PLAN;
    /// Allow or forbid deleting what Git does not have
    Prune = "plan.prune", "prune", Looks, PLAN;
    /// Write a note for the journal
    Note = "plan.note", "note", Looks, PLAN;
    /// Build the plan again from what is known now
    Rebuild = "plan.rebuild", "rebuild", Looks, PLAN;
    /// Carry out exactly the plan shown, after a confirmation
    RunPlan = "plan.run", "run…", Runs, PLAN;
    /// Copy the plan as driftdeck commands
    CopyCommands = "plan.copy", "copy as commands", Looks, PLAN;
    /// Stop the run after the targets in flight
    Stop = "run.stop", "stop", Looks, RUN;
    /// Give the terminal back to the shell until `fg`
    Suspend = "app.suspend", "suspend", Looks, ALL;
    /// Draw the whole screen again
    Redraw = "app.redraw", "redraw", Looks, ALL;
    /// Interrupt: close what is open; twice in a row quits
    Interrupt = "app.interrupt", "interrupt", Looks, ALL;
    /// Quit
    Quit = "app.quit", "quit", Looks, ALL;
}

impl Action {
    /// Its row in the registry.
    pub fn info(self) -> &'static ActionInfo {
        // The table is made by the macro in the order of the variants, so the index exists.
        &ACTIONS[self as usize]
    }

    /// The action of this name.
    pub fn by_id(id: &str) -> Option<Self> {
        ACTIONS.iter().find(|a| a.id == id).map(|a| a.action)
    }
}

/// The names of all actions, for complaints and completion.
pub fn action_ids() -> Vec<&'static str> {
    ACTIONS.iter().map(|a| a.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_and_by_its_action() {
        for row in ACTIONS {
            assert_eq!(Action::by_id(row.id), Some(row.action), "{}", row.id);
            assert_eq!(row.action.info().id, row.id);
        }
    }

    #[test]
    fn names_are_area_dot_verb_and_sentences_are_plain() {
        for row in ACTIONS {
            let (area, verb) = row.id.split_once('.').unwrap();
            assert!(!area.is_empty() && !verb.is_empty() && row.id.is_ascii());
            let sentence = row.sentence.trim();
            assert!(
                !sentence.ends_with('.') && !sentence.is_empty(),
                "{}",
                row.id
            );
        }
    }

    #[test]
    fn only_running_a_plan_runs() {
        let runs: Vec<_> = ACTIONS
            .iter()
            .filter(|a| a.danger == Danger::Runs)
            .map(|a| a.id)
            .collect();
        assert_eq!(runs, ["plan.run"]);
    }
}
