//! ApplicationSets and AppProjects: what holds applications back, and what made them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Heard, Hub, follow_first};
use crate::domain::{AppKind, Application, Fact, Name, Project};
use crate::sources::engine::argo;
use crate::sources::engine::document::text;
use crate::sources::watch::{Step, WatchSpec};

const BASE: &str = "/apis/argoproj.io/v1alpha1";

/// Follows the ApplicationSets until dropped.
pub(super) async fn sets(hub: &Hub, heard: &Heard) {
    let read = |object: &Value| argo::set(object, hub.teller.cluster());
    follow_map(
        hub,
        "applicationsets",
        heard,
        read,
        |sets: Vec<Application>| Fact::AppsOf {
            kind: AppKind::ApplicationSet,
            apps: sets,
        },
    )
    .await;
}

/// Follows the AppProjects until dropped.
pub(super) async fn projects(hub: &Hub, heard: &Heard) {
    let tell = |projects: Vec<Project>| Fact::Projects(projects);
    follow_map(hub, "appprojects", heard, argo::project, tell).await;
}

/// Follows a small collection and tells all of it whenever it changes.
async fn follow_map<T: Clone>(
    hub: &Hub,
    plural: &str,
    heard: &Heard,
    read: impl Fn(&Value) -> T,
    fact: impl Fn(Vec<T>) -> Fact,
) {
    let specs = hub.paths(BASE, plural);
    let specs = specs.into_iter().map(WatchSpec::all).collect();
    let mut done = false;
    let mut known: BTreeMap<(Name, Name), T> = BTreeMap::new();
    follow_first::<Value>(hub, specs, |step| {
        match step {
            Step::Listed(all) => known = all.iter().map(|o| (key(o), read(o))).collect(),
            Step::Changed(one) => drop(known.insert(key(&one), read(&one))),
            Step::Gone(one) => drop(known.remove(&key(&one))),
            Step::Trouble(_) => return heard.one(&mut done),
        }
        hub.teller.tell(fact(known.values().cloned().collect()));
        heard.one(&mut done);
    })
    .await;
    heard.one(&mut done);
}

fn key(object: &Value) -> (Name, Name) {
    let at = |pointer| text(object, pointer).into();
    (at("/metadata/namespace"), at("/metadata/name"))
}
