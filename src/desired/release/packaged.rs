//! The commit that Flux packaged a chart of a Git repository from, where it tells the chart's version only.
//!
//! With `reconcileStrategy: ChartVersion`, the default, a chart is packaged anew when its version moves, and not when its files do. A chart whose
//! files moved under one version was packaged from one of them, and nobody tells from which.

use git2::{Oid, Repository};

use crate::desired::links::{self, Target};
use crate::desired::tree::{self, broken, join};
use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};
use crate::drift::yaml::{Limits, parse_values};

/// Commits that are looked through.
const COMMITS: usize = 500;

/// The newest commit, from one on backwards along first parents, at which the chart in a folder has the version.
///
/// # Errors
/// `NotFound` when none has it, and when the chart's files moved under the version.
pub(in crate::desired) fn commit_of(
    repo: &Repository,
    from: Oid,
    path: &str,
    version: &str,
) -> Result<Oid, Unjudged> {
    let mut found: Option<(Oid, Oid)> = None;
    let mut next = Some(from);
    for _ in 0..COMMITS {
        let Some(commit) = next else { break };
        let commit = repo.find_commit(commit).map_err(|e| broken(&e))?;
        next = commit.parent_id(0).ok();
        let chart = chart(repo, commit.id(), path)?;
        match (&found, chart) {
            (None, Some((tree, own))) if own == version => found = Some((commit.id(), tree)),
            (None, _) => {}
            (Some((_, tree)), Some((other, own))) if own == version => {
                if other != *tree {
                    return Err(moved(path, version));
                }
            }
            // An earlier version: whatever stood there before was packaged as that.
            (Some(_), _) => break,
        }
    }
    found.map(|(commit, _)| commit).ok_or_else(|| {
        unjudged(
            UnjudgedReason::NotFound,
            format!(
                "The chart in `{path}` has the deployed version `{version}` at none of the last {COMMITS} commits that its source had; see what the source follows."
            ),
        )
    })
}

/// The chart's tree and version at a commit; `None` where there is none.
fn chart(repo: &Repository, commit: Oid, path: &str) -> Result<Option<(Oid, String)>, Unjudged> {
    let root = tree::root(repo, commit)?;
    let Target::Folder(folder, real) = links::resolve(repo, root, path)? else {
        return Ok(None);
    };
    let Target::File(blob, _) = links::resolve(repo, root, &join(&real, "Chart.yaml"))? else {
        return Ok(None);
    };
    let blob = repo.find_blob(blob).map_err(|e| broken(&e))?;
    let documents = parse_values(blob.content(), &Limits::default()).unwrap_or_default();
    let version = documents.first().and_then(|d| d.get("version")?.as_str());
    Ok(version.map(|version| (folder, version.to_owned())))
}

fn moved(path: &str, version: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::NotFound,
        format!(
            "The files of the chart in `{path}` changed and its version {version} did not, and Flux does not tell which of them it packaged; raise the version in Chart.yaml, or set reconcileStrategy: Revision."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::testing::{FILE, Origin};

    fn chart(version: &str, image: &str) -> String {
        format!("apiVersion: v2\nname: web\nversion: {version}\n# {image}\n")
    }

    fn commit(origin: &Origin, text: &str, beside: &str) -> Oid {
        let tree = origin.tree(&[
            ("charts/web/Chart.yaml", FILE, origin.blob(text.as_bytes())),
            ("README.md", FILE, origin.blob(beside.as_bytes())),
        ]);
        origin.commit_tree("main", tree)
    }

    #[test]
    fn the_newest_commit_of_a_version_is_found_behind_newer_ones() {
        let origin = Origin::new();
        commit(&origin, &chart("1.0.0", "a"), "one");
        let wanted = commit(&origin, &chart("1.1.0", "b"), "two");
        let beside = commit(&origin, &chart("1.1.0", "b"), "three");
        let newest = commit(&origin, &chart("1.2.0", "c"), "four");
        let of = |version| commit_of(&origin.repo, newest, "charts/web", version);
        assert_eq!(of("1.1.0").unwrap(), beside);
        assert_ne!(wanted, beside);
        assert_eq!(of("1.2.0").unwrap(), newest);
        assert_eq!(of("3.0.0").unwrap_err().reason, UnjudgedReason::NotFound);
    }

    #[test]
    fn a_chart_that_moved_under_its_version_is_not_guessed() {
        let origin = Origin::new();
        commit(&origin, &chart("1.0.0", "a"), "one");
        let newest = commit(&origin, &chart("1.0.0", "b"), "two");
        let why = commit_of(&origin.repo, newest, "charts/web", "1.0.0").unwrap_err();
        assert!(why.message.to_string().contains("raise the version"));
    }
}
