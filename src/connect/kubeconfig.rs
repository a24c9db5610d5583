//! The kubeconfig as a plan of rows: every context of every file, merged; whatever is broken costs only itself.

mod entries;
mod extension;
mod file;
mod plan;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::domain::Safe;
use crate::domain::selector::NameGlob;

pub use extension::Hints;
pub(super) use extension::address;
pub use plan::{FleetPlan, RowPlan};

/// Which files are read and which contexts become rows.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Files in order of precedence; empty reads `KUBECONFIG`, else `~/.kube/config`.
    pub paths: Vec<PathBuf>,
    /// Contexts to take; empty takes all.
    pub include: Vec<NameGlob>,
    /// Contexts to leave out, after `include`.
    pub exclude: Vec<NameGlob>,
    /// Row names by context, from the config; they win over the kubeconfig's own hints.
    pub aliases: Vec<(String, String)>,
    /// `--as`: every row acts as this user.
    pub impersonate: Option<Impersonate>,
}

/// Whom every row acts as, instead of the kubeconfig's user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Impersonate {
    /// `--as`.
    pub user: String,
    /// `--as-group`, repeated.
    pub groups: Vec<String>,
}

/// Something in a file that could not be used, while the rest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1, when it is known.
    pub line: Option<u64>,
    /// What, where and the next step, in one sentence.
    pub sentence: Safe,
}

/// Why there is nothing to connect to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlanError {
    /// No file to read.
    #[error(
        "No kubeconfig was found: {looked_at} does not exist. Name one with --kubeconfig or the variable KUBECONFIG, or try `driftdeck demo`."
    )]
    NoFile {
        /// Where one was looked for.
        looked_at: Safe,
    },
    /// Files were read, but no context came out of them.
    #[error("{sentence}")]
    Unusable {
        /// The first problem found.
        sentence: Safe,
    },
    /// Contexts exist, but the patterns leave none.
    #[error(
        "No context matches {pattern}; the kubeconfig has {known}. Correct the pattern, or list them with `kubectl config get-contexts`."
    )]
    NoMatch {
        /// The patterns.
        pattern: Safe,
        /// Some of the contexts there are.
        known: Safe,
    },
}

/// Reads the kubeconfig and plans one row a cluster and scope.
///
/// Blocking: it reads files, also the certificates they name. Nothing is executed and nobody is asked over the network.
///
/// # Errors
/// [`PlanError`], when not one context can be used; anything less is told in [`FleetPlan::problems`] or in the row itself.
pub fn load(options: &LoadOptions) -> Result<FleetPlan, PlanError> {
    let paths = paths(options)?;
    let mut merged = entries::Entries::default();
    for path in &paths {
        file::read_into(path, &mut merged);
    }
    plan::plan(merged, options)
}

fn paths(options: &LoadOptions) -> Result<Vec<PathBuf>, PlanError> {
    if !options.paths.is_empty() {
        return Ok(options.paths.clone());
    }
    let listed: Vec<PathBuf> = std::env::var_os("KUBECONFIG")
        .map(|list| std::env::split_paths(&list).collect())
        .unwrap_or_default();
    let listed: Vec<PathBuf> = listed
        .into_iter()
        .filter(|p| !p.as_os_str().is_empty())
        .collect();
    let usual = || {
        std::env::home_dir()
            .map(|home| home.join(".kube").join("config"))
            .into_iter()
            .collect()
    };
    let wanted: Vec<PathBuf> = if listed.is_empty() { usual() } else { listed };
    let there: Vec<PathBuf> = wanted.iter().filter(|p| p.exists()).cloned().collect();
    if there.is_empty() {
        return Err(PlanError::NoFile {
            looked_at: names(&wanted),
        });
    }
    Ok(there)
}

fn names(paths: &[PathBuf]) -> Safe {
    let names: Vec<String> = paths.iter().map(|p| shown(p)).collect();
    if names.is_empty() {
        return Safe::fixed("~/.kube/config");
    }
    names.join(", ").into()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
