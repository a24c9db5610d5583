//! From entries to rows: which contexts are one row, which are edges of their own, and which cannot be used.
//!
//! Contexts of the same server, CA and user are one row; the first one acts. A context's namespace confines its row only when the
//! kubeconfig itself uses namespaces to tell edges apart: when contexts of the same server and CA, whatever their users, name at least two
//! different namespaces. Otherwise the namespace is what kubectl takes it for, a default, and the row is the whole cluster.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use kube::config::{AuthInfo, Cluster, Context};

use super::entries::{Entries, Entry};
use super::{FileProblem, Hints, LoadOptions, PlanError};
use crate::connect::target::Target;
use crate::domain::join::url_key;
use crate::domain::selector::NameGlob;
use crate::domain::{ClusterId, JoinCandidate, Name, Safe};

/// The rows of a fleet, and what could not be read.
#[derive(Clone, Debug, Default)]
pub struct FleetPlan {
    /// One row a cluster and scope, in the order of the contexts.
    pub rows: Vec<RowPlan>,
    /// Files and nameless entries that could not be used.
    pub problems: Vec<FileProblem>,
}

/// One row to be: where it leads, as whom, and how far.
#[derive(Clone, Debug)]
pub struct RowPlan {
    /// The row's name.
    pub cluster: ClusterId,
    /// Its contexts, the acting one first.
    pub contexts: Vec<Name>,
    /// The server's URL as the kubeconfig writes it.
    pub server: Name,
    /// Hash of the CA bundle, empty when the system's roots are used.
    pub ca: Name,
    /// The one identity it acts with: the kubeconfig user's name, and whom that acts as.
    pub identity: Name,
    /// The namespace it is confined to, empty for the whole cluster.
    pub namespace_scope: Name,
    /// The namespace its acting context names, a default only; empty when it names none.
    pub namespace: Name,
    /// Whether the server's certificate is not checked.
    pub insecure: bool,
    /// What the kubeconfig's author says of it.
    pub hints: Hints,
    /// How to connect, or the sentence that says why that is impossible.
    pub target: Result<Arc<Target>, Safe>,
}

impl RowPlan {
    /// What destinations are matched against.
    pub fn candidate(&self) -> JoinCandidate {
        JoinCandidate {
            cluster: Some(self.cluster.clone()),
            contexts: self.contexts.clone(),
            server: self.server.clone(),
            ca: self.ca.clone(),
            namespace_scope: self.namespace_scope.clone(),
        }
    }

    /// The same cluster by the kubeconfig alone: server and CA, and what tells servers apart that share an address: the proxy in front and
    /// the name asked for in TLS.
    pub fn place(&self) -> Name {
        let way = self.target.as_ref().map(|t| t.way()).unwrap_or_default();
        [&url_key(&self.server), &*self.ca, &way].join(" ").into()
    }
}

pub(super) fn plan(entries: Entries, options: &LoadOptions) -> Result<FleetPlan, PlanError> {
    if entries.contexts.is_empty() {
        return Err(unusable(&entries));
    }
    let chosen: Vec<String> = entries
        .contexts
        .keys()
        .filter(|name| wanted(name, options))
        .cloned()
        .collect();
    if chosen.is_empty() {
        return Err(no_match(&entries, options));
    }
    let edges: Vec<Edge> = chosen
        .iter()
        .filter_map(|name| Edge::read(name, &entries, options))
        .collect();
    let rows = named(merge(edges), options);
    Ok(FleetPlan {
        rows,
        problems: entries.problems,
    })
}

fn wanted(name: &str, options: &LoadOptions) -> bool {
    let included = options.include.is_empty() || options.include.iter().any(|g| g.matches(name));
    included && !options.exclude.iter().any(|g| g.matches(name))
}

/// One context on its own, before rows are merged.
struct Edge {
    context: Name,
    namespace: Name,
    row: RowPlan,
}

impl Edge {
    fn read(name: &str, entries: &Entries, options: &LoadOptions) -> Option<Self> {
        let entry = entries.contexts.get(name)?;
        let parts = parts(name, entry, entries);
        let (context, cluster, user) = match &parts {
            Ok((context, cluster, user)) => (Some(*context), Some(*cluster), Some(*user)),
            Err(_) => (entry.value.as_ref().ok(), None, None),
        };
        let target = parts
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|(_, cluster, user)| {
                Target::new(
                    (*cluster).clone(),
                    (*user).clone(),
                    options.impersonate.as_ref(),
                )
                .map_err(|e| {
                    format!(
                        "The context `{name}` ({}) cannot be used: {e}.",
                        entry.place.text()
                    )
                })
            });
        let namespace: Name = context
            .and_then(|c| c.namespace.clone())
            .unwrap_or_default()
            .into();
        let row = RowPlan {
            cluster: ClusterId::new(name),
            contexts: vec![name.into()],
            server: cluster
                .and_then(|c| c.server.clone())
                .unwrap_or_default()
                .into(),
            ca: target
                .as_ref()
                .map_or_else(|_| "".into(), |t| t.ca().clone()),
            identity: identity(context, user, options),
            namespace_scope: "".into(),
            namespace: namespace.clone(),
            insecure: target.as_ref().is_ok_and(Target::insecure),
            hints: Hints::read(
                context.and_then(|c| c.extensions.as_deref()),
                cluster.and_then(|c| c.extensions.as_deref()),
            ),
            target: target.map(Arc::new).map_err(Safe::from),
        };
        Some(Self {
            context: name.into(),
            namespace,
            row,
        })
    }
}

type Parts<'a> = (&'a Context, &'a Cluster, &'a AuthInfo);

/// The three entries a context is made of.
fn parts<'a>(
    name: &str,
    entry: &'a Entry<Context>,
    entries: &'a Entries,
) -> Result<Parts<'a>, String> {
    let context = entry.value.as_ref().map_err(Clone::clone)?;
    let place = entry.place.text();
    let cluster = named_part("cluster", &context.cluster, &entries.clusters)
        .map_err(|e| format!("The context `{name}` ({place}) {e}"))?;
    let user = match context.user.as_deref().filter(|u| !u.is_empty()) {
        None => &NOBODY,
        Some(user) => named_part("user", user, &entries.users)
            .map_err(|e| format!("The context `{name}` ({place}) {e}"))?,
    };
    Ok((context, cluster, user))
}

static NOBODY: std::sync::LazyLock<AuthInfo> = std::sync::LazyLock::new(AuthInfo::default);

fn named_part<'a, T>(
    what: &str,
    name: &str,
    all: &'a IndexMap<String, Entry<T>>,
) -> Result<&'a T, String> {
    if name.is_empty() {
        return Err(format!("names no {what}; add `{what}:` to it."));
    }
    let entry = all.get(name).ok_or_else(|| {
        format!(
            "names the {what} `{name}`, which no file defines; add it under `{what}s:` or correct the name."
        )
    })?;
    entry
        .value
        .as_ref()
        .map_err(|e| format!("cannot be used. {e}"))
}

fn identity(context: Option<&Context>, user: Option<&AuthInfo>, options: &LoadOptions) -> Name {
    let name = context.and_then(|c| c.user.as_deref()).unwrap_or_default();
    let acts_as = options
        .impersonate
        .as_ref()
        .map(|i| i.user.as_str())
        .or_else(|| user.and_then(|u| u.impersonate.as_deref()));
    match acts_as {
        Some(other) => format!("{name} as {other}").into(),
        None => name.into(),
    }
}

/// Sets the scopes and joins contexts that are the same row.
fn merge(edges: Vec<Edge>) -> Vec<RowPlan> {
    let scoped = places_with_namespaces(&edges);
    let mut rows: IndexMap<(Name, Name), RowPlan> = IndexMap::new();
    let mut broken = Vec::new();
    for (order, mut edge) in edges.into_iter().enumerate() {
        let Ok(target) = edge.row.target.clone() else {
            broken.push((order, edge.row));
            continue;
        };
        if scoped.contains(&edge.row.place()) {
            edge.row.namespace_scope = edge.namespace;
        }
        let key = (target.key().clone(), edge.row.namespace_scope.clone());
        match rows.entry(key) {
            indexmap::map::Entry::Occupied(mut same) => same.get_mut().contexts.push(edge.context),
            indexmap::map::Entry::Vacant(free) => {
                free.insert(edge.row);
            }
        }
    }
    let mut rows: Vec<RowPlan> = rows.into_values().collect();
    for (order, row) in broken {
        rows.insert(order.min(rows.len()), row);
    }
    rows
}

/// Servers whose contexts name at least two different namespaces.
fn places_with_namespaces(edges: &[Edge]) -> HashSet<Name> {
    let mut names: HashMap<Name, HashSet<Name>> = HashMap::new();
    let usable = edges.iter().filter(|e| e.row.target.is_ok());
    for edge in usable.filter(|e| !e.namespace.is_empty()) {
        names
            .entry(edge.row.place())
            .or_default()
            .insert(edge.namespace.clone());
    }
    names
        .into_iter()
        .filter(|(_, namespaces)| namespaces.len() > 1)
        .map(|(place, _)| place)
        .collect()
}

/// Gives each row its name: the config's alias, else the kubeconfig's, else its first context; never one twice.
fn named(mut rows: Vec<RowPlan>, options: &LoadOptions) -> Vec<RowPlan> {
    let mut taken: HashSet<String> = HashSet::new();
    for row in &mut rows {
        let alias = options
            .aliases
            .iter()
            .find(|(context, _)| row.contexts.iter().any(|c| **c == **context))
            .map(|(_, alias)| alias.clone());
        let first = row.contexts.first().map(ToString::to_string);
        let wishes = [alias, row.hints.alias.clone(), first.clone()];
        let free = wishes
            .into_iter()
            .flatten()
            .find(|name| !name.is_empty() && !taken.contains(name));
        let name = free.unwrap_or_else(|| numbered(&first.unwrap_or_default(), &taken));
        taken.insert(name.clone());
        row.cluster = ClusterId::new(name);
    }
    rows
}

fn numbered(name: &str, taken: &HashSet<String>) -> String {
    (2_u32..100_000)
        .map(|n| format!("{name}-{n}"))
        .find(|candidate| !taken.contains(candidate))
        .unwrap_or_else(|| name.to_owned())
}

fn unusable(entries: &Entries) -> PlanError {
    let sentence = entries.problems.first().map_or_else(
        || {
            Safe::fixed(
                "The kubeconfig has no context; add one with `kubectl config set-context`, or try `driftdeck demo`.",
            )
        },
        |problem| problem.sentence.clone(),
    );
    PlanError::Unusable { sentence }
}

fn no_match(entries: &Entries, options: &LoadOptions) -> PlanError {
    let patterns = |globs: &[NameGlob]| -> Vec<String> {
        globs
            .iter()
            .filter_map(|g| g.pattern().map(|p| format!("`{p}`")))
            .collect()
    };
    let included = patterns(&options.include).join(", ");
    let excluded = patterns(&options.exclude).join(", ");
    let pattern = match (included.is_empty(), excluded.is_empty()) {
        (_, true) => included,
        (true, false) => format!("what is left without {excluded}"),
        (false, false) => format!("{included} without {excluded}"),
    };
    let known: Vec<&str> = entries
        .contexts
        .keys()
        .take(5)
        .map(String::as_str)
        .collect();
    let more = entries.contexts.len().saturating_sub(known.len());
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    PlanError::NoMatch {
        pattern: pattern.into(),
        known: format!("{}{more}", known.join(", ")).into(),
    }
}
