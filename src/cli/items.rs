//! The items of the JSON documents: the stable contract, made from the fleet's rows.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::verify::WordItem;
use crate::domain::{
    AppKind, AppRef, Change, ChangeOp, ClusterMetrics, Commit, DriftState, Engine, FieldOwner,
    Fingerprint, Handling, Health, Ignored, Newest, Operation, Role, Safe, SyncState,
    VerdictSource, Warning,
};
use crate::fleet::history::{GroupHistory, History};
use crate::fleet::{AppRow, ClusterRow, DriftGroup, DriftRow, HealthTally, Warner};

/// One row of `StatusList`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusItem {
    pub(crate) cluster: Safe,
    contexts: Vec<Safe>,
    server: Safe,
    state: &'static str,
    seen_at: Option<Timestamp>,
    version: Safe,
    roles: Vec<Role>,
    engines: Vec<Engine>,
    apps: AppsCount,
    drift: DriftCount,
    /// Where the hub says Synced and the edge differs, or the other way round: one sentence an application, with both times.
    disagreements: Vec<Safe>,
    health: HealthTally,
    metrics: Option<ClusterMetrics>,
    message: Option<Safe>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AppsCount {
    total: usize,
    synced: usize,
    out_of_sync: usize,
    unknown: usize,
}

#[derive(Debug, Serialize)]
struct DriftCount {
    resources: usize,
}

impl StatusItem {
    /// The item of a cluster, with what hubs and this edge contradict each other in.
    pub(crate) fn new(row: &ClusterRow, disagreements: &[Safe]) -> Self {
        Self {
            cluster: Safe::new(row.id.as_str()),
            contexts: row.contexts.clone(),
            server: row.server.clone(),
            state: row.state.word(),
            seen_at: row.seen_at,
            version: row.version.clone(),
            roles: row.roles.clone(),
            engines: row.engines.clone(),
            apps: AppsCount {
                total: row.apps,
                synced: row.synced,
                out_of_sync: row.out_of_sync,
                unknown: row.unknown,
            },
            drift: DriftCount {
                resources: row.drift,
            },
            disagreements: disagreements.to_vec(),
            health: row.health,
            metrics: row.metrics.as_deref().cloned(),
            message: row.words(),
        }
    }
}

/// One row of `AppList`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppItem {
    engine: Engine,
    kind: AppKind,
    hub: Safe,
    cluster: Option<Safe>,
    namespace: Safe,
    name: Safe,
    project: Safe,
    sync: SyncState,
    health: Health,
    /// Whose word `seenHealth` is.
    health_source: &'static str,
    /// The health that counts: ours where we see the objects, else the engine's.
    seen_health: Health,
    revision: Safe,
    target_revision: Safe,
    /// What the target revision means now; null while that is not known.
    newest: Option<NewestItem>,
    auto_sync: bool,
    paused: Option<Paused>,
    operation: Option<OperationItem>,
    compared_at: Option<Timestamp>,
    verdict: VerdictItem,
    disagreement: Option<Safe>,
    warnings: Vec<Warning>,
    deployed_by: Option<Safe>,
    message: Option<Safe>,
}

#[derive(Debug, Serialize)]
struct Paused {
    by: Option<Safe>,
    reason: Safe,
    until: Option<Timestamp>,
}

/// The newest revision, and the commits that it has and the deployed one has not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewestItem {
    revision: Safe,
    /// Whether what is deployed is another.
    behind: bool,
    /// How many commits lie between; counted to a thousand.
    count: usize,
    /// The newest of them, newest first.
    commits: Vec<CommitItem>,
}

#[derive(Debug, Serialize)]
struct CommitItem {
    id: Safe,
    author: Safe,
    time: Option<Timestamp>,
    subject: Safe,
}

impl NewestItem {
    fn of(newest: &Newest) -> Self {
        let commit = |c: &Commit| CommitItem {
            id: Safe::new(&c.id),
            author: c.author.clone(),
            time: c.time,
            subject: c.subject.clone(),
        };
        Self {
            revision: Safe::new(&newest.revision),
            behind: newest.is_behind(),
            count: newest.count,
            commits: newest.commits.iter().map(commit).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationItem {
    phase: crate::domain::OperationPhase,
    message: Safe,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct VerdictItem {
    source: VerdictSource,
    state: SyncState,
    at: Option<Timestamp>,
}

impl AppItem {
    /// The item of one application, with what `warner` knows of it.
    pub(crate) fn new(row: &AppRow, warner: &Warner<'_>) -> Self {
        let app = &row.app;
        let operation = |o: &Operation| OperationItem {
            phase: o.phase,
            message: o.message.clone(),
            started_at: o.started_at,
            finished_at: o.finished_at,
        };
        let target = app.sources.first().map_or("", |s| &s.target_revision);
        Self {
            engine: app.engine,
            kind: app.id.kind,
            hub: Safe::new(app.id.hub.as_str()),
            cluster: row.cluster.as_ref().map(|c| Safe::new(c.as_str())),
            namespace: Safe::new(&app.id.namespace),
            name: Safe::new(&app.id.name),
            project: Safe::new(&app.project),
            sync: app.sync,
            health: app.health,
            health_source: match (row.health_is_ours, app.engine) {
                (true, _) => "computed",
                (false, Engine::Argo) => "argo",
                (false, Engine::Flux) => "flux",
            },
            seen_health: row.health,
            revision: Safe::new(app.deployed_revision().map_or("", |h| &h.revision)),
            target_revision: Safe::new(if target.is_empty() { "HEAD" } else { target }),
            newest: row.newest.as_deref().map(NewestItem::of),
            auto_sync: app.auto_sync.enabled,
            paused: warner.paused(&app.id).map(|pause| Paused {
                by: pause.by,
                reason: pause.reason,
                until: pause.until,
            }),
            operation: app.operation.as_ref().map(operation),
            compared_at: app.reconciled_at,
            verdict: VerdictItem {
                source: row.verdict.source,
                state: row.verdict.state,
                at: row.verdict.at,
            },
            disagreement: row.disagreement.clone(),
            warnings: warner.of(&app.id),
            deployed_by: warner
                .deployed_by(&app.id)
                .map(|by| Safe::from(format!("{} {}/{}", by.kind.word(), by.namespace, by.name))),
            message: app.message.clone().or_else(|| row.unjudged.clone()),
        }
    }
}

/// One row of `DriftList`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriftItem {
    cluster: Safe,
    engine: Engine,
    app: AppName,
    group: Safe,
    version: Safe,
    kind: Safe,
    namespace: Safe,
    name: Safe,
    state: &'static str,
    states: Vec<DriftState>,
    source: VerdictSource,
    desired: DesiredItem,
    first_seen: Timestamp,
    resource_version: Safe,
    fingerprint: Option<Fingerprint>,
    current: bool,
    changes: Vec<ChangeItem>,
    ignored: Vec<IgnoredItem>,
    /// How Argo CD treats the object: wave, hooks, options, way of comparing.
    handling: Handling,
    /// What else must be said of the verdict, such as why it was made without the kind's type.
    message: Option<Safe>,
    /// Where hub and edge say different things of the application, with both times.
    pub(crate) disagreement: Option<Safe>,
    /// Only with `--verify`: what the server's dry run says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<WordItem>,
    /// What Git does not set and a person's tool did; it is among `ignored` too.
    shadow: Vec<ChangeItem>,
    /// Only in `Diff`: the documents as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unified: Option<String>,
}

#[derive(Debug, Serialize)]
struct AppName {
    hub: Safe,
    namespace: Safe,
    name: Safe,
}

impl From<&AppRef> for AppName {
    fn from(app: &AppRef) -> Self {
        Self {
            hub: Safe::new(app.hub.as_str()),
            namespace: Safe::new(&app.namespace),
            name: Safe::new(&app.name),
        }
    }
}

#[derive(Debug, Serialize)]
struct DesiredItem {
    repo: Safe,
    revision: Safe,
    path: Safe,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChangeItem {
    pub(crate) path: Safe,
    op: ChangeOp,
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Value>,
    manager: Option<Safe>,
    operation: Option<Safe>,
    /// Through which subresource it was set; left out for the object itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    subresource: Option<Safe>,
    time: Option<Timestamp>,
    /// Whether the manager is inferred and not of record.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    inferred: bool,
}

impl From<&Change> for ChangeItem {
    fn from(change: &Change) -> Self {
        let owner = change.owner.as_ref();
        Self {
            path: Safe::new(&change.path),
            op: change.op,
            desired: change.desired.clone(),
            live: change.live.clone(),
            manager: owner.map(|o| o.manager.clone()),
            operation: owner.map(|o| o.operation.clone()),
            subresource: owner
                .map(|o| o.subresource.clone())
                .filter(|s| !s.is_empty()),
            time: owner.and_then(|o| o.time),
            inferred: change.owner_inferred,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct IgnoredItem {
    path: Safe,
    reason: Safe,
    manager: Option<Safe>,
    operation: Option<Safe>,
    time: Option<Timestamp>,
}

impl From<&Ignored> for IgnoredItem {
    fn from(ignored: &Ignored) -> Self {
        let owner: Option<&FieldOwner> = ignored.owner.as_ref();
        Self {
            path: Safe::new(&ignored.path),
            reason: Safe::new(&ignored.reason),
            manager: owner.map(|o| o.manager.clone()),
            operation: owner.map(|o| o.operation.clone()),
            time: owner.and_then(|o| o.time),
        }
    }
}

impl DriftItem {
    /// The item of one drifted object; `engine` is that of its application.
    pub(crate) fn new(row: &DriftRow, engine: Engine) -> Self {
        let resource = &row.resource;
        let verdict = &resource.verdict;
        let main = verdict.main_state();
        let (repo, revision, path) = &resource.desired;
        let changes = if main == Some(DriftState::Behind) {
            &verdict.behind
        } else {
            &verdict.changes
        };
        Self {
            cluster: Safe::new(row.cluster.as_str()),
            engine,
            app: AppName::from(&resource.app),
            group: Safe::new(&resource.object.gvk.group),
            version: Safe::new(&resource.object.gvk.version),
            kind: Safe::new(&resource.object.gvk.kind),
            namespace: Safe::new(&resource.object.namespace),
            name: Safe::new(&resource.object.name),
            // Nothing is left of a verdict that the server overruled.
            state: main.map_or("synced", DriftState::word),
            states: verdict.states.clone(),
            source: verdict.source,
            desired: DesiredItem {
                repo: Safe::new(repo),
                revision: Safe::new(revision),
                path: Safe::new(path),
            },
            first_seen: row.first_seen,
            resource_version: Safe::new(&resource.resource_version),
            fingerprint: verdict.fingerprint,
            current: row.current,
            changes: changes.iter().map(ChangeItem::from).collect(),
            ignored: verdict.ignored.iter().map(IgnoredItem::from).collect(),
            handling: verdict.handling.clone(),
            message: verdict.message.clone(),
            disagreement: None,
            server: None,
            shadow: verdict.shadow.iter().map(ChangeItem::from).collect(),
            unified: None,
        }
    }
}

/// One row of `ShadowList`: an object, drifted or not, with what a person's tool set beyond Git.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShadowItem {
    cluster: Safe,
    app: AppName,
    group: Safe,
    kind: Safe,
    namespace: Safe,
    name: Safe,
    since: Timestamp,
    current: bool,
    shadow: Vec<ChangeItem>,
}

impl From<&DriftRow> for ShadowItem {
    fn from(row: &DriftRow) -> Self {
        let object = &row.resource.object;
        let shadow = &row.resource.verdict.shadow;
        Self {
            cluster: Safe::new(row.cluster.as_str()),
            app: AppName::from(&row.resource.app),
            group: Safe::new(&object.gvk.group),
            kind: Safe::new(&object.gvk.kind),
            namespace: Safe::new(&object.namespace),
            name: Safe::new(&object.name),
            since: row.first_seen,
            current: row.current,
            shadow: shadow.iter().map(ChangeItem::from).collect(),
        }
    }
}

/// One row of `DriftGroupList`.
#[derive(Debug, Serialize)]
pub(crate) struct GroupItem {
    fingerprint: Fingerprint,
    summary: Safe,
    kind: Safe,
    object: Safe,
    clusters: Vec<Safe>,
    count: usize,
    since: Timestamp,
    /// When it was first and last seen anywhere, across restarts.
    first_seen: Timestamp,
    last_seen: Timestamp,
    /// How often an object came to drift so, how often it came back after healing, and what share healed.
    seen: u64,
    recurred: u64,
    heal_rate: f64,
    managers: Vec<Safe>,
}

impl GroupItem {
    /// A group with what is remembered of it; without a memory it is as old as its oldest member.
    pub(crate) fn new(group: &DriftGroup, history: &History, now: Timestamp) -> Self {
        let known = history.group(group.fingerprint);
        Self {
            fingerprint: group.fingerprint,
            summary: group.summary.clone(),
            kind: Safe::new(&group.gvk.kind),
            object: group.object.clone(),
            clusters: group
                .clusters()
                .iter()
                .map(|c| Safe::new(c.as_str()))
                .collect(),
            count: group.members.len(),
            since: group.since,
            first_seen: known.map_or(group.since, |k| k.first_seen.min(group.since)),
            last_seen: known.map_or(now, |k| k.last_seen),
            seen: known.map_or(group.members.len() as u64, |k| k.seen),
            recurred: known.map_or(0, |k| k.recurred),
            heal_rate: known.map_or(0.0, GroupHistory::heal_rate),
            managers: group.managers.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Selector;
    use crate::fleet::testkit::{app_ref, deployment, one_edge, scaled};

    #[test]
    fn drift_values_keep_their_json_types_and_missing_ones_are_absent() {
        let fleet = one_edge(scaled(
            "edge-microservice",
            deployment("edge-microservice"),
            5,
            "kubectl-edit",
        ));
        let row = &fleet.drift(&Selector::default())[0];
        let json = serde_json::to_value(DriftItem::new(row, Engine::Argo)).unwrap();
        assert_eq!(json["changes"][0]["desired"], 2);
        assert_eq!(json["changes"][0]["live"], 5);
        assert_eq!(json["changes"][0]["manager"], "kubectl-edit");
        assert_eq!(json["changes"][0]["path"], "spec.replicas");
        assert_eq!(json["state"], "edited");
        assert_eq!(json["app"]["name"], "edge-microservice");
        assert!(json.get("unified").is_none());
    }

    #[test]
    fn an_application_item_names_hub_verdict_and_disagreement() {
        let fleet = one_edge(scaled(
            "edge-microservice",
            deployment("edge-microservice"),
            5,
            "kubectl-edit",
        ));
        let json = serde_json::to_value(AppItem::new(
            &fleet.app_row(&app_ref("edge-microservice")).unwrap(),
            &fleet.warner(crate::fleet::testkit::at(60)),
        ))
        .unwrap();
        assert_eq!(json["hub"], "hub-1");
        assert_eq!(json["cluster"], "edge-oslo-001");
        assert_eq!(json["verdict"]["source"], "computed");
        assert_eq!(json["verdict"]["state"], "OutOfSync");
        assert_eq!(json["targetRevision"], "HEAD");
        assert!(
            json["disagreement"]
                .as_str()
                .unwrap()
                .contains("hub says Synced")
        );
        assert!(json["paused"].is_null());
    }

    #[test]
    fn a_status_item_counts_applications_by_our_verdict() {
        let fleet = one_edge(scaled(
            "edge-microservice",
            deployment("edge-microservice"),
            5,
            "kubectl-edit",
        ));
        let rows = fleet.cluster_rows();
        let edge = rows
            .iter()
            .find(|r| r.id.as_str() == "edge-oslo-001")
            .unwrap();
        let json = serde_json::to_value(StatusItem::new(edge, &[])).unwrap();
        assert_eq!(
            json["apps"],
            serde_json::json!({"total": 1, "synced": 0, "outOfSync": 1, "unknown": 0})
        );
        assert_eq!(json["drift"]["resources"], 1);
        assert_eq!(json["state"], "live");
        assert_eq!(json["roles"], serde_json::json!(["edge"]));
    }
}
