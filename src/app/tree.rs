//! The resource tree: what an application manages, and what that owns, with verdict, health, and whose word it is. The application's screen and
//! the window over the other screens show the same nodes.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::inquiry::{Branch, ResourceTree, TreeWish};
use super::msg::WishTarget;
use super::sheet::{SheetLine, Tone};
use super::window::Leaf;
use crate::domain::{
    AppRef, ClusterId, DriftState, Gvk, Health, ManagedResource, ObjectRef, Resource, Safe,
    SyncState,
};
use crate::fleet::{AppRow, Fleet};

/// The urgency of what needs nobody.
const CALM: u8 = 4;

/// One object of a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// How many owners are above it.
    pub depth: usize,
    /// Which object.
    pub object: ObjectRef,
    /// What it is to the application.
    pub part: Part,
    /// The hub's word, where it is another than ours.
    pub hub: Option<SyncState>,
    /// Its health, and the words that come with it; none for kinds that have none, or when it was not read.
    pub health: Option<(Health, Safe)>,
    /// Which rule told the health; none for Argo CD's own checks.
    pub health_by: Option<Safe>,
    /// A few words: what is ready, what it waits for.
    pub fact: Safe,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// How many objects hang under it.
    pub below: usize,
    /// Whether these are left out.
    pub folded: bool,
    /// The branches before its name.
    pub stem: String,
    /// Whether the namespace is named: another node has the same kind and name.
    pub namespaced: bool,
}

/// What an object is to its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The application itself, and the verdict on it.
    App(SyncState),
    /// Managed and judged by us: the state that counts most, none when it is as Git wants it.
    Judged(Option<DriftState>),
    /// Managed; only the engine speaks of it.
    Named(Option<SyncState>),
    /// Made by its owner: Git does not hold it.
    Owned,
}

impl Node {
    fn new(depth: usize, object: ObjectRef, part: Part) -> Self {
        Self {
            depth,
            object,
            part,
            hub: None,
            health: None,
            health_by: None,
            fact: Safe::default(),
            created: None,
            below: 0,
            folded: false,
            stem: String::new(),
            namespaced: false,
        }
    }

    /// Kind and name, with the namespace where the name alone is not enough.
    pub fn name(&self) -> String {
        let object = &self.object;
        if self.namespaced {
            format!("{} {}/{}", object.gvk.kind, object.namespace, object.name)
        } else {
            format!("{} {}", object.gvk.kind, object.name)
        }
    }

    /// Whether somebody has to look at it.
    pub fn needs_somebody(&self) -> bool {
        self.urgency() < CALM
    }

    /// How badly it needs somebody; smaller is worse.
    fn urgency(&self) -> u8 {
        let drifted = match self.part {
            Part::Judged(state) => state.is_some_and(|s| s != DriftState::Unknown),
            Part::Named(sync) => sync == Some(SyncState::OutOfSync),
            Part::App(_) | Part::Owned => false,
        };
        match (drifted, self.health.as_ref().map(|(h, _)| *h)) {
            (_, Some(Health::Degraded)) => 0,
            (true, _) => 1,
            (_, Some(Health::Missing | Health::Unknown)) => 2,
            (_, Some(Health::Progressing)) => 3,
            _ => CALM,
        }
    }
}

/// The application as an object.
pub fn root(app: &AppRef) -> ObjectRef {
    let gvk = Gvk::new(app.kind.group(), "", app.kind.word());
    ObjectRef::new(gvk, &app.namespace, &app.name)
}

/// The application's own document, on the cluster that holds it: as an object of the application that deploys it, where that is known.
pub fn document(app: &AppRef, fleet: &Fleet) -> WishTarget {
    let own = root(app);
    let hub = fleet.cluster(&app.hub);
    let managed = hub.and_then(|hub| {
        let mut all = hub.resources.values();
        all.find(|resource| resource.object.same_object(&own))
    });
    let (by, object) = managed.map_or((app, &own), |r| (&r.app, &r.object));
    WishTarget {
        cluster: app.hub.clone(),
        app: by.clone(),
        object: object.clone(),
    }
}

/// The tree of an application: itself, what it manages with the worst first, and what of `grown` hangs under that.
pub fn of_app(row: &AppRow, fleet: &Fleet, grown: Option<&ResourceTree>) -> Vec<Node> {
    let mut trunks: Vec<Vec<Node>> = managed(row, fleet)
        .into_iter()
        .map(|node| branched(node, grown))
        .collect();
    let worst = |trunk: &Vec<Node>| trunk.iter().map(Node::urgency).min();
    trunks.sort_by(|a, b| {
        let first = |trunk: &Vec<Node>| trunk.first().map(|n| n.object.clone());
        worst(a)
            .cmp(&worst(b))
            .then_with(|| first(a).cmp(&first(b)))
    });
    let own = Node {
        health: Some((row.health, Safe::default())),
        hub: (row.app.sync != row.verdict.state).then_some(row.app.sync),
        ..Node::new(0, root(&row.app.id), Part::App(row.verdict.state))
    };
    std::iter::once(own)
        .chain(trunks.into_iter().flatten())
        .collect()
}

/// The tree of some objects, as a cluster told it, with our verdicts where there are any.
pub(super) fn of_branches(cluster: &ClusterId, grown: &ResourceTree, fleet: &Fleet) -> Vec<Node> {
    let node = |branch: &Branch| {
        let ours = fleet.resource(cluster, &branch.object);
        let part = ours.map_or(Part::Owned, |r| Part::Judged(r.verdict.main_state()));
        told(branch, Node::new(branch.depth, branch.object.clone(), part))
    };
    grown.branches.iter().map(node).collect()
}

/// What the application manages: our verdicts, and what only the engine names.
fn managed(row: &AppRow, fleet: &Fleet) -> Vec<Node> {
    let engine = &row.app.resources;
    let word = |object: &ObjectRef| engine.iter().find(|m| m.object.same_object(object));
    let ours = fleet.resources_of(&row.app.id);
    let mut nodes: Vec<Node> = ours
        .iter()
        .map(|ours| judged(ours, word(&ours.object)))
        .collect();
    let unjudged = engine
        .iter()
        .filter(|m| !ours.iter().any(|r| r.object.same_object(&m.object)));
    nodes.extend(unjudged.map(|m| Node {
        health: m.health.map(|health| (health, Safe::default())),
        fact: if m.hook {
            Safe::fixed("hook")
        } else {
            Safe::default()
        },
        ..Node::new(1, m.object.clone(), Part::Named(m.sync))
    }));
    nodes
}

fn judged(ours: &Resource, word: Option<&ManagedResource>) -> Node {
    let state = ours.verdict.main_state();
    let same = match state {
        None => SyncState::Synced,
        Some(DriftState::Unknown) => SyncState::Unknown,
        Some(_) => SyncState::OutOfSync,
    };
    Node {
        hub: word.and_then(|m| m.sync).filter(|sync| *sync != same),
        health: ours.health.clone(),
        health_by: ours.health_by.clone(),
        ..Node::new(1, ours.object.clone(), Part::Judged(state))
    }
}

/// A managed object with what hangs under it.
fn branched(node: Node, grown: Option<&ResourceTree>) -> Vec<Node> {
    let branches = grown.map_or(&[][..], |grown| &grown.branches);
    let own = |b: &Branch| b.depth == 0 && b.object.same_object(&node.object);
    let Some(at) = branches.iter().position(own) else {
        return vec![node];
    };
    let rest = branches.iter().skip(at + 1).take_while(|b| b.depth > 0);
    let below: Vec<Node> = rest
        .map(|b| told(b, Node::new(b.depth + 1, b.object.clone(), Part::Owned)))
        .collect();
    let top = branches.get(at);
    let node = Node {
        fact: top.map(|b| b.fact.clone()).unwrap_or_default(),
        created: top.and_then(|b| b.created),
        ..node
    };
    std::iter::once(node).chain(below).collect()
}

/// A node with what its cluster said of it.
fn told(branch: &Branch, node: Node) -> Node {
    Node {
        health: branch.health.clone(),
        health_by: branch.health_by.clone(),
        fact: branch.fact.clone(),
        created: branch.created,
        ..node
    }
}

/// The nodes that are seen, with their branches: without what is folded, or with nothing but what holds these words and its owners.
pub fn seen(nodes: &[Node], folded: &BTreeSet<ObjectRef>, words: &str) -> Vec<Node> {
    let mut shown = if words.trim().is_empty() {
        unfolded(nodes, folded)
    } else {
        holding(nodes, words)
    };
    distinguish(&mut shown);
    branch_out(&mut shown);
    shown
}

fn unfolded(nodes: &[Node], folded: &BTreeSet<ObjectRef>) -> Vec<Node> {
    let mut shown: Vec<Node> = Vec::new();
    let mut hidden_below = usize::MAX;
    for (i, node) in nodes.iter().enumerate() {
        if node.depth > hidden_below {
            continue;
        }
        let rest = nodes.iter().skip(i + 1);
        let below = rest.take_while(|n| n.depth > node.depth).count();
        let folded = below > 0 && folded.contains(&node.object);
        hidden_below = if folded { node.depth } else { usize::MAX };
        shown.push(Node {
            below,
            folded,
            ..node.clone()
        });
    }
    shown
}

/// The nodes whose names hold every word, and the owners above them.
fn holding(nodes: &[Node], words: &str) -> Vec<Node> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let mut shown: Vec<Node> = Vec::new();
    let mut needed = 0;
    for node in nodes.iter().rev() {
        let name = node.object.to_string().to_lowercase();
        let found = words.iter().all(|word| name.contains(word));
        if found || node.depth < needed {
            needed = node.depth;
            shown.push(node.clone());
        }
    }
    shown.reverse();
    shown
}

/// Names the namespace of nodes that are called alike.
fn distinguish(nodes: &mut [Node]) {
    let mut alike: HashMap<String, usize> = HashMap::new();
    for node in nodes.iter() {
        *alike.entry(node.name()).or_default() += 1;
    }
    for node in nodes {
        node.namespaced = alike.get(&node.name()).is_some_and(|count| *count > 1);
    }
}

/// Writes the branches of the owners above each node, and its own.
fn branch_out(nodes: &mut [Node]) {
    // For each depth whether a node of it comes before one that is less deep.
    let mut open: Vec<bool> = Vec::new();
    for node in nodes.iter_mut().rev() {
        let own = node.depth;
        open.resize(own + 1, false);
        let stem = |(depth, goes_on): (usize, &bool)| match (depth == own, goes_on) {
            (true, true) => "├ ",
            (true, false) => "└ ",
            (false, true) => "│ ",
            (false, false) => "  ",
        };
        node.stem = open.iter().enumerate().skip(1).map(stem).collect();
        if let Some(here) = open.get_mut(own) {
            *here = true;
        }
    }
}

/// The view of a tree in a window: a line for each object, its message below it, what was not looked at in the end.
pub(super) fn leaf(wish: &TreeWish, tree: &ResourceTree, fleet: &Fleet) -> Leaf {
    let mut leaf = Leaf::default();
    let nodes = of_branches(&wish.cluster, tree, fleet);
    for node in seen(&nodes, &BTreeSet::new(), "") {
        let target = WishTarget {
            cluster: wish.cluster.clone(),
            app: wish.app.clone(),
            object: node.object.clone(),
        };
        let below = node.stem.replace('├', "│").replace('└', " ");
        let message = message(&node).map(|words| format!("{below}  {words}"));
        push(&mut leaf, plain(&node), Tone::Plain);
        leaf.targets.push(Some(target));
        leaf.nodes.push(Some(node));
        if let Some(message) = message {
            push(&mut leaf, message, Tone::Dim);
            leaf.targets.push(None);
            leaf.nodes.push(None);
        }
    }
    for remark in &tree.remarks {
        push(&mut leaf, remark.to_string(), Tone::Dim);
    }
    leaf
}

fn push(leaf: &mut Leaf, text: String, tone: Tone) {
    leaf.lines.push(SheetLine {
        text: text.into(),
        tone,
        ..SheetLine::default()
    });
}

/// A node as text, to be searched and copied.
fn plain(node: &Node) -> String {
    let health = node.health.as_ref();
    let word = health.map_or(String::new(), |(health, _)| format!("  {health:?}"));
    format!("{}{}{word}  {}", node.stem, node.name(), node.fact)
}

/// The words that come with a health that is none.
fn message(node: &Node) -> Option<&Safe> {
    let (health, message) = node.health.as_ref()?;
    (*health != Health::Healthy && !message.is_empty()).then_some(message)
}

#[cfg(test)]
mod tests;
