//! What a target revision means in a mirror: branch, tag, commit, short commit, full reference; and a commit's history for display.

use git2::{ErrorCode, Oid, Repository};
use jiff::Timestamp;

use crate::domain::{Commit, Safe};

use super::semver::Range;

/// Where a mirror keeps the remote's `HEAD`.
pub(super) const HEAD: &str = "refs/driftdeck/head";
/// Below it a mirror keeps commits that no branch or tag reaches any more, by their own names.
pub(super) const PINNED: &str = "refs/driftdeck/pinned/";

/// Finds the commit that a revision names; `None` when the mirror does not know it.
///
/// In Argo CD's order: empty is `HEAD`; a range of versions is the newest tag in it; a full commit name; a reference by its full or short name, branches before tags; a short commit name.
pub(super) fn resolve(repo: &Repository, revision: &str) -> Result<Option<Oid>, git2::Error> {
    if revision.is_empty() || revision == "HEAD" {
        return commit_of(repo, HEAD);
    }
    if let Some(range) = Range::read(revision) {
        return newest_tag(repo, &range);
    }
    if is_commit_name(revision) && revision.len() == 40 {
        let found = found(Oid::from_str(revision).and_then(|id| repo.find_commit(id)))?;
        return Ok(found.map(|c| c.id()));
    }
    for form in ["", "refs/heads/", "refs/tags/"] {
        let name = format!("{form}{revision}");
        if !name.starts_with("refs/") || !git2::Reference::is_valid_name(&name) {
            continue;
        }
        let kept = if name.starts_with("refs/heads/") || name.starts_with("refs/tags/") {
            name
        } else {
            pin_of(&name)
        };
        if let Some(id) = commit_of(repo, &kept)? {
            return Ok(Some(id));
        }
    }
    if is_commit_name(revision) && revision.len() >= 7 {
        return Ok(found(repo.find_commit_by_prefix(revision))?.map(|c| c.id()));
    }
    Ok(None)
}

/// The newest tag in a range.
fn newest_tag(repo: &Repository, range: &Range) -> Result<Option<Oid>, git2::Error> {
    let tags = repo.tag_names(None)?;
    let names = tags.iter().filter_map(|name| name.ok().flatten());
    match range.newest(names) {
        Some(tag) => commit_of(repo, &format!("refs/tags/{tag}")),
        None => Ok(None),
    }
}

/// Whether the text can only be a commit's name, full or short.
pub(super) fn is_commit_name(revision: &str) -> bool {
    revision.len() <= 40 && revision.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// What to fetch, and to where, for a revision that branches and tags do not name; `None` when asking would be in vain.
pub(super) fn extra_refspec(revision: &str) -> Option<String> {
    let full_commit = revision.len() == 40 && is_commit_name(revision);
    let full_ref = revision.starts_with("refs/")
        && !revision.starts_with("refs/heads/")
        && !revision.starts_with("refs/tags/")
        && git2::Reference::is_valid_name(revision);
    (full_commit || full_ref).then(|| format!("+{revision}:{}", pin_of(revision)))
}

fn pin_of(revision: &str) -> String {
    format!("{PINNED}{}", revision.trim_start_matches("refs/"))
}

fn commit_of(repo: &Repository, reference: &str) -> Result<Option<Oid>, git2::Error> {
    let Some(reference) = found(repo.find_reference(reference))? else {
        return Ok(None);
    };
    Ok(found(reference.peel_to_commit())?.map(|c| c.id()))
}

/// "Not there", and "two of that short name", are answers and no failures.
fn found<T>(answer: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(e)
            if matches!(
                e.code(),
                ErrorCode::NotFound
                    | ErrorCode::Ambiguous
                    | ErrorCode::InvalidSpec
                    | ErrorCode::Peel
            ) =>
        {
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

/// The newest `count` commits from `tip` on, newest first, along the first parents.
pub(super) fn log(repo: &Repository, tip: Oid, count: usize) -> Result<Vec<Commit>, git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.simplify_first_parent()?;
    walk.push(tip)?;
    walk.take(count)
        .map(|id| Ok(describe(&repo.find_commit(id?)?)))
        .collect()
}

/// Commits between that are counted.
const COUNTED: usize = 1_000;

/// What `to` has and `from` has not: how many commits, counted to a limit, and the newest `keep` of them, newest first.
pub(super) fn between(
    repo: &Repository,
    from: Oid,
    to: Oid,
    keep: usize,
) -> Result<(usize, Vec<Commit>), git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.set_sorting(git2::Sort::TIME)?;
    walk.push(to)?;
    walk.hide(from)?;
    let ids: Vec<Oid> = walk.take(COUNTED).collect::<Result<_, _>>()?;
    let newest = ids.iter().take(keep);
    let commits = newest.map(|id| Ok(describe(&repo.find_commit(*id)?)));
    Ok((ids.len(), commits.collect::<Result<_, git2::Error>>()?))
}

fn describe(commit: &git2::Commit<'_>) -> Commit {
    let author = commit.author();
    let text = |bytes: &[u8]| -> Safe {
        let cut: String = String::from_utf8_lossy(bytes).chars().take(200).collect();
        cut.into()
    };
    Commit {
        id: commit.id().to_string().into(),
        author: text(author.name_bytes()),
        time: Timestamp::from_second(author.when().seconds()).ok(),
        subject: text(commit.summary_bytes().unwrap_or_default()),
    }
}
