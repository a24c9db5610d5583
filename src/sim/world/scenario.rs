//! Scenarios: what a fleet is like and what happens to it, as files under `scenarios/` known by their names.

use include_dir::{Dir, include_dir};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// The scenario of a demo that names none.
pub const DEFAULT: &str = "shift";

/// Why a scenario cannot be played.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// No file of that name.
    #[error("There is no scenario `{name}`{nearest}. The scenarios are: {known}.")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name, as a clause, or nothing.
        nearest: String,
        /// All names.
        known: String,
    },
    /// The file does not say what a scenario can say.
    #[error(
        "The scenario `{name}` does not read: {message} See scenarios/README.md for what a scenario can say."
    )]
    Malformed {
        /// Whose file.
        name: String,
        /// What is wrong, with its line.
        message: String,
    },
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name: the file's.
    #[serde(skip)]
    pub name: String,
    /// What it shows, in one sentence.
    pub summary: String,
    /// What the fleet is like.
    pub fleet: FleetShape,
    /// How the hubs' application controllers are; without it nobody scrapes them.
    pub controller: Option<ControllerCourse>,
    /// What happens, in any order.
    #[serde(default, rename = "event")]
    pub events: Vec<ScenarioEvent>,
}

/// What the fleet is like before anything happens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FleetShape {
    /// Edge clusters, unless the command says otherwise.
    pub clusters: usize,
    /// Applications an edge, unless the command says otherwise.
    pub apps: usize,
    /// Share of the edges that also run Flux.
    #[serde(default)]
    pub flux: f64,
    /// Share of the applications with auto-sync.
    #[serde(default)]
    pub auto_sync: f64,
    /// Share of the applications with auto-sync that also heal themselves.
    #[serde(default)]
    pub self_heal: f64,
    /// How often Argo CD looks at Git by itself; never when absent.
    pub poll: Option<SignedDuration>,
    /// Whether the metrics move.
    #[serde(default)]
    pub metrics: MetricCourse,
    /// Edges that never answer, unless the command says otherwise.
    #[serde(default)]
    pub silent: usize,
}

/// How the application controller of every hub is, as its metrics tell it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ControllerCourse {
    /// Applications that always wait to be compared.
    #[serde(default)]
    pub queue: u32,
    /// When its last pod stops being ready, counted from the start; never when absent.
    pub down_at: Option<SignedDuration>,
}

impl ControllerCourse {
    /// Whether none of its pods is ready after so long.
    pub fn is_down(&self, elapsed: SignedDuration) -> bool {
        self.down_at.is_some_and(|at| elapsed >= at)
    }
}

/// Whether metrics move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricCourse {
    /// As those of a working site.
    #[default]
    Moving,
    /// Every value stays as it is.
    Constant,
}

/// One thing that happens, to one or more edges.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "EventText")]
pub struct ScenarioEvent {
    /// When, counted from the start.
    pub at: SignedDuration,
    /// The edges follow each other over this time.
    pub spread: SignedDuration,
    /// The application it is about, by its short name; the edges without it are left out.
    pub app: String,
    /// Which edges.
    pub on: Targets,
    /// What happens.
    pub action: Action,
}

/// An event as it is written: the action's words stand beside the others.
#[derive(Deserialize)]
struct EventText {
    at: SignedDuration,
    #[serde(default)]
    spread: SignedDuration,
    #[serde(default)]
    app: String,
    #[serde(default)]
    on: Targets,
    #[serde(flatten)]
    action: toml::Table,
}

impl TryFrom<EventText> for ScenarioEvent {
    type Error = toml::de::Error;

    fn try_from(text: EventText) -> Result<Self, Self::Error> {
        Ok(Self {
            at: text.at,
            spread: text.spread,
            app: text.app,
            on: text.on,
            action: text.action.try_into()?,
        })
    }
}

/// Which edges an event is about: those that pass every filter, then as many as asked for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Targets {
    /// Edges by name; `*` stands for anything at the end.
    #[serde(default)]
    pub edges: Vec<String>,
    /// Edges of one region.
    pub region: Option<String>,
    /// Edges where the application heals itself, or where it does not.
    pub self_heal: Option<bool>,
    /// Edges that run Flux, or that do not.
    pub flux: Option<bool>,
    /// Edges an earlier event of the file remembered.
    pub was: Option<String>,
    /// Without the edges earlier events remembered under these names.
    #[serde(default)]
    pub not: Vec<String>,
    /// At most so many of them, by chance.
    pub count: Option<usize>,
    /// At most this share of the whole fleet, by chance.
    pub share: Option<f64>,
    /// Remembers the edges under a name.
    #[serde(rename = "as")]
    pub remember: Option<String>,
}

/// What happens to an edge (or, for a commit, to the repository).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    tag = "do",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Action {
    /// Somebody changes an object: a merge patch, members to remove (JSON pointers), or both.
    Edit {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// Its namespace; the application's when absent.
        namespace: Option<String>,
        /// The tool that writes.
        #[serde(default = "kubectl_edit")]
        manager: String,
        /// What it sets. Lists with keys merge by them.
        #[serde(default)]
        set: Option<Value>,
        /// What it takes away.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// Somebody scales a Deployment.
    Scale {
        /// Its name.
        name: String,
        /// To so many.
        replicas: u32,
        /// The tool that writes.
        #[serde(default = "kubectl_scale")]
        manager: String,
    },
    /// Somebody deletes an object.
    Delete {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The pods of a Deployment begin to fail.
    Crash {
        /// Its name.
        name: String,
    },
    /// The pods of a Deployment work again.
    Recover {
        /// Its name.
        name: String,
    },
    /// The site's link fails.
    Dark {
        /// How.
        #[serde(default)]
        how: Outage,
    },
    /// The site's link works again.
    Return,
    /// Somebody commits to the repository; it happens once, whatever the targets.
    Commit {
        /// Author, as the history names them.
        author: String,
        /// Commit message.
        message: String,
        /// The file.
        file: String,
        /// Text that is in it.
        before: String,
        /// Text that replaces it.
        after: String,
    },
}

/// How a site is out of reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outage {
    /// Nothing comes back.
    #[default]
    BlackHole,
    /// Nothing listens.
    Refused,
    /// The API server answers 503.
    Unavailable,
    /// The token is no longer accepted.
    Unauthorized,
}

fn kubectl_edit() -> String {
    "kubectl-edit".to_owned()
}

fn kubectl_scale() -> String {
    "kubectl-scale".to_owned()
}

/// The names of all scenarios, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = FILES
        .files()
        .filter(|f| f.path().extension().is_some_and(|e| e == "toml"))
        .filter_map(|f| f.path().file_stem()?.to_str())
        .collect();
    names.sort_unstable();
    names
}

/// A file below `scenarios/`, by its path there.
pub(crate) fn file(path: &str) -> Option<&'static str> {
    FILES.get_file(path)?.contents_utf8()
}

/// The folder below `scenarios/` that holds the repository's newest state.
pub(crate) fn fleet_files() -> Vec<(&'static str, &'static str)> {
    fn walk(dir: &Dir<'static>, out: &mut Vec<(&'static str, &'static str)>) {
        for file in dir.files() {
            let path = file.path().strip_prefix("fleet").ok();
            if let (Some(path), Some(text)) = (path.and_then(|p| p.to_str()), file.contents_utf8())
            {
                out.push((path, text));
            }
        }
        for dir in dir.dirs() {
            walk(dir, out);
        }
    }
    let mut out = Vec::new();
    if let Some(dir) = FILES.get_dir("fleet") {
        walk(dir, &mut out);
    }
    out.retain(|(path, _)| *path != "history.toml");
    out.sort_unstable();
    out
}

impl Scenario {
    /// The scenario of a name.
    ///
    /// # Errors
    /// When there is none, or its file is wrong.
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        match names()
            .contains(&name)
            .then(|| file(&format!("{name}.toml")))
        {
            Some(Some(text)) => Self::parse(name, text),
            _ => Err(unknown(name)),
        }
    }

    /// Reads a scenario.
    ///
    /// # Errors
    /// When the text does not say what a scenario can say.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let mut scenario: Self = toml::from_str(text).map_err(|e| ScenarioError::Malformed {
            name: name.to_owned(),
            message: e.to_string(),
        })?;
        name.clone_into(&mut scenario.name);
        Ok(scenario)
    }
}

fn unknown(name: &str) -> ScenarioError {
    let known = names();
    let nearest = known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(k, name), *k))
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map_or_else(String::new, |(_, k)| format!("; the nearest is `{k}`"));
    ScenarioError::Unknown {
        name: name.to_owned(),
        nearest,
        known: known.join(", "),
    }
}

#[cfg(test)]
mod tests;
