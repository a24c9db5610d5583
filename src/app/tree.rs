//! A resource tree as lines: branches, health, what there is to say of each object.

use jiff::Timestamp;

use super::age::age;
use super::inquiry::{Branch, ResourceTree, TreeWish};
use super::msg::WishTarget;
use super::sheet::{SheetLine, Tone};
use super::window::Leaf;
use crate::domain::{Health, Safe};

/// Columns that stay for health and facts beside the names.
const BESIDE: usize = 34;
/// Longest health word.
const WORD: usize = 11;

/// The view of a tree: a line for each object, its message below it, what was not looked at in the end.
pub(super) fn leaf(wish: &TreeWish, tree: &ResourceTree, width: usize, now: Timestamp) -> Leaf {
    let stems = stems(&tree.branches);
    let names: Vec<String> = tree.branches.iter().zip(&stems).map(named).collect();
    let longest = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
    let column = longest.min(width.saturating_sub(BESIDE).max(20));
    let mut leaf = Leaf::default();
    for ((branch, name), stem) in tree.branches.iter().zip(&names).zip(&stems) {
        let target = WishTarget {
            cluster: wish.cluster.clone(),
            app: wish.app.clone(),
            object: branch.object.clone(),
        };
        push(
            &mut leaf,
            Some(target),
            said(branch, name, column, now),
            tone(branch),
        );
        if let Some(message) = message(branch) {
            let below = stem.replace('├', "│").replace('└', " ");
            push(&mut leaf, None, format!("{below}  {message}"), Tone::Dim);
        }
    }
    for remark in &tree.remarks {
        push(&mut leaf, None, remark.to_string(), Tone::Dim);
    }
    leaf
}

fn push(leaf: &mut Leaf, target: Option<WishTarget>, text: String, tone: Tone) {
    leaf.targets.push(target);
    leaf.lines.push(SheetLine {
        text: text.into(),
        tone,
        ..SheetLine::default()
    });
}

/// What stands before each name: the branches of the owners above it, and its own.
fn stems(branches: &[Branch]) -> Vec<String> {
    let goes_on = |from: usize, depth: usize| {
        let later = branches.iter().skip(from + 1);
        later
            .map(|b| b.depth)
            .find(|other| *other <= depth)
            .is_some_and(|other| other == depth)
    };
    let stem = |(i, branch): (usize, &Branch)| {
        let own = branch.depth;
        (1..=own)
            .map(|depth| match (depth == own, goes_on(i, depth)) {
                (true, true) => "├ ",
                (true, false) => "└ ",
                (false, true) => "│ ",
                (false, false) => "  ",
            })
            .collect()
    };
    branches.iter().enumerate().map(stem).collect()
}

fn named((branch, stem): (&Branch, &String)) -> String {
    format!("{stem}{} {}", branch.object.gvk.kind, branch.object.name)
}

/// `├ Pod gateway-6f7d9b-q8z1c   Degraded     0/1 ready, 31 restarts  3m`
fn said(branch: &Branch, name: &str, column: usize, now: Timestamp) -> String {
    let word = branch
        .health
        .as_ref()
        .map_or(String::new(), |(health, _)| format!("{health:?}"));
    let age = branch.created.and_then(|then| age(now, then));
    let rest = [branch.fact.as_str(), age.as_ref().map_or("", Safe::as_str)];
    let rest: Vec<&str> = rest.into_iter().filter(|words| !words.is_empty()).collect();
    let name = shortened(name, column);
    let line = format!("{name:<column$}  {word:<WORD$} {}", rest.join("  "));
    line.trim_end().to_owned()
}

/// A name of at most this many characters; what tells it from its sisters stands at its end and stays.
fn shortened(name: &str, column: usize) -> String {
    let length = name.chars().count();
    if length <= column {
        return name.to_owned();
    }
    let tail = column / 2;
    let head = column.saturating_sub(tail + 1);
    let before: String = name.chars().take(head).collect();
    let after: String = name.chars().skip(length - tail).collect();
    format!("{before}…{after}")
}

/// The words that come with a health that is none.
fn message(branch: &Branch) -> Option<&Safe> {
    let (health, message) = branch.health.as_ref()?;
    (*health != Health::Healthy && !message.is_empty()).then_some(message)
}

fn tone(branch: &Branch) -> Tone {
    match branch.health.as_ref().map(|(health, _)| *health) {
        Some(Health::Degraded) => Tone::Bad,
        Some(Health::Missing | Health::Progressing | Health::Unknown) => Tone::Warn,
        Some(Health::Healthy | Health::Suspended) | None => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AppKind, AppRef, Gvk, ObjectRef};

    fn branch(depth: usize, kind: &str, name: &str, health: Option<(Health, &str)>) -> Branch {
        Branch {
            depth,
            object: ObjectRef::new(Gvk::new("", "v1", kind), "edge", name),
            health: health.map(|(health, message)| (health, Safe::new(message))),
            fact: Safe::fixed("1/1 ready"),
            created: "2026-11-21T02:00:00Z".parse().ok(),
        }
    }

    fn gateway() -> ResourceTree {
        let healthy = Some((Health::Healthy, ""));
        let crashing = Some((Health::Degraded, "back-off restarting failed container"));
        ResourceTree {
            branches: vec![
                branch(
                    0,
                    "Deployment",
                    "gateway",
                    Some((Health::Progressing, "waiting")),
                ),
                branch(1, "ReplicaSet", "gateway-6f7d9b", healthy),
                branch(2, "Pod", "gateway-6f7d9b-q8z1c", crashing),
                branch(2, "Pod", "gateway-6f7d9b-x4k2m", healthy),
                branch(1, "ReplicaSet", "gateway-7c11aa", healthy),
                branch(2, "Pod", "gateway-7c11aa-11111", None),
            ],
            remarks: vec![Safe::fixed("ReplicaSets that run nothing are left out: 3.")],
        }
    }

    fn wish() -> TreeWish {
        TreeWish {
            cluster: "edge-oslo-003".into(),
            app: AppRef {
                hub: "hub-1".into(),
                kind: AppKind::Application,
                namespace: "argocd".into(),
                name: "gateway".into(),
            },
            roots: Vec::new(),
            namespaces: Vec::new(),
        }
    }

    #[test]
    fn branches_health_and_facts_stand_in_columns() {
        let now = "2026-11-21T02:30:00Z".parse().unwrap();
        let leaf = leaf(&wish(), &gateway(), 100, now);
        let shown: Vec<&str> = leaf.lines.iter().map(|l| l.text.as_str()).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        Deployment gateway            Progressing 1/1 ready  30m
          waiting
        ├ ReplicaSet gateway-6f7d9b   Healthy     1/1 ready  30m
        │ ├ Pod gateway-6f7d9b-q8z1c  Degraded    1/1 ready  30m
        │ │   back-off restarting failed container
        │ └ Pod gateway-6f7d9b-x4k2m  Healthy     1/1 ready  30m
        └ ReplicaSet gateway-7c11aa   Healthy     1/1 ready  30m
          └ Pod gateway-7c11aa-11111              1/1 ready  30m
        ReplicaSets that run nothing are left out: 3.
        ");
        let targets = leaf.targets.iter().flatten().count();
        assert_eq!(targets, 6, "messages and remarks stand for no object");
    }

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(shortened("Pod gateway-6f7d9b-q8z1c", 15), "Pod gat…b-q8z1c");
        assert_eq!(shortened("Pod web", 15), "Pod web");
    }
}
