//! A small fleet in trouble, and a console on it, for tests of what is decided and what is drawn.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::shape::Size;
use super::{Effect, Model, Msg, Start, update};
use crate::domain::event::Bodies;
use crate::domain::{
    Change, ChangeOp, ClusterMetrics, DriftState, Engine, Fact, FieldOwner, Fingerprint, Gvk,
    Health, HistoryEntry, HubCluster, Ignored, JoinCandidate, LinkState, MetricFigure, ObjectRef,
    Resource, Safe, SyncState, Verdict,
};
use crate::fleet::testkit::{app, app_ref, at, in_sync, judged, live, tell};
use crate::fleet::{Fleet, RowSeed};
use crate::keymap::Keymap;
use crate::view::layout::ByScreen;

/// When the tests look at the fleet: five minutes after it began.
pub(crate) fn now() -> Timestamp {
    at(300)
}

/// Edges with their groups; the first hold the trouble.
const EDGES: [(&str, &str); 14] = [
    ("edge-berlin-017", "eu"),
    ("edge-berlin-018", "eu"),
    ("edge-hamburg-002", "eu"),
    ("edge-lyon-001", "eu"),
    ("edge-madrid-001", "eu"),
    ("edge-madrid-002", "eu"),
    ("edge-munich-009", "eu"),
    ("edge-paris-004", "eu"),
    ("edge-paris-031", "eu"),
    ("edge-austin-001", "us"),
    ("edge-boston-001", "us"),
    ("edge-denver-001", "us"),
    ("edge-osaka-001", "ap"),
    ("edge-tokyo-001", "ap"),
];

pub(crate) fn deployment(name: &str) -> ObjectRef {
    ObjectRef::new(Gvk::new("apps", "v1", "Deployment"), "edge", name)
}

pub(crate) fn config_map(name: &str) -> ObjectRef {
    ObjectRef::new(Gvk::new("", "v1", "ConfigMap"), "edge", name)
}

fn service(name: &str) -> ObjectRef {
    ObjectRef::new(Gvk::new("", "v1", "Service"), "edge", name)
}

fn owner(manager: &'static str, before: i64) -> FieldOwner {
    FieldOwner {
        manager: Safe::fixed(manager),
        operation: Safe::fixed("Update"),
        subresource: Safe::default(),
        time: Some(at(-before)),
    }
}

/// Somebody scaled the gateway from 3 to 1.
fn scaled(app: &str) -> Resource {
    let verdict = Verdict {
        states: vec![DriftState::Edited],
        changes: vec![Change {
            path: "spec.replicas".into(),
            op: ChangeOp::Changed,
            desired: Some(3.into()),
            live: Some(1.into()),
            owner: Some(owner("kubectl-scale", 2_460)),
            owner_inferred: false,
        }],
        ignored: vec![Ignored {
            path: "spec.template.spec.terminationGracePeriodSeconds".into(),
            reason: "the server's default".into(),
            owner: Some(owner("kube-apiserver", 86_400)),
        }],
        fingerprint: Some(Fingerprint(1)),
        summary: "spec.replicas 3→1".into(),
        ..Verdict::default()
    };
    let container = json!({"name": "app", "image": "registry.example/gateway:2.4.1", "ports": [{"containerPort": 8443}]});
    let desired = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "gateway", "namespace": "edge", "labels": {"app": "gateway"}},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "gateway"}}, "template": {"spec": {"containers": [container]}}}
    });
    let mut live = desired.clone();
    live["spec"]["replicas"] = 1.into();
    live["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 30.into();
    live["metadata"]["uid"] = "5f1c".into();
    Resource {
        verdict: Arc::new(verdict),
        health: Some((Health::Progressing, "1 of 3 ready".into())),
        bodies: Some(Arc::new(Bodies {
            desired: Some(desired),
            live: Some(live),
        })),
        ..in_sync(app, deployment("gateway"))
    }
}

/// Somebody edited the log level.
fn edited(app: &str) -> Resource {
    let verdict = Verdict {
        states: vec![DriftState::Edited],
        changes: vec![Change {
            path: "data.LOG_LEVEL".into(),
            op: ChangeOp::Changed,
            desired: Some("info".into()),
            live: Some("debug".into()),
            owner: Some(owner("kubectl-edit", 7_200)),
            owner_inferred: false,
        }],
        fingerprint: Some(Fingerprint(2)),
        summary: "data.LOG_LEVEL info→debug".into(),
        ..Verdict::default()
    };
    let document = |level: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "edge-config", "namespace": "edge"}, "data": {"LOG_LEVEL": level, "REGION": "eu"}});
    Resource {
        verdict: Arc::new(verdict),
        health: None,
        bodies: Some(Arc::new(Bodies {
            desired: Some(document("info")),
            live: Some(document("debug")),
        })),
        ..in_sync(app, config_map("edge-config"))
    }
}

/// Somebody deleted the service.
fn deleted(app: &str) -> Resource {
    let desired = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gateway", "namespace": "edge"}, "spec": {"ports": [{"port": 443}]}});
    let verdict = Verdict {
        states: vec![DriftState::Missing],
        changes: vec![Change {
            path: String::new(),
            op: ChangeOp::Removed,
            desired: Some(desired.clone()),
            live: None,
            owner: None,
            owner_inferred: false,
        }],
        fingerprint: Some(Fingerprint(3)),
        summary: "missing in cluster".into(),
        ..Verdict::default()
    };
    Resource {
        verdict: Arc::new(verdict),
        health: Some((Health::Missing, "not in the cluster".into())),
        bodies: Some(Arc::new(Bodies {
            desired: Some(desired),
            live: None,
        })),
        uid: "".into(),
        resource_version: "".into(),
        ..in_sync(app, service("gateway"))
    }
}

/// One hub, fourteen edges: one degraded and drifted, some drifted alike, one stale, one dark, one that wants a login, one that has not answered.
pub(crate) fn troubled_fleet() -> Fleet {
    let seeds = std::iter::once(("hub-1", ""))
        .chain(EDGES)
        .map(|(name, group)| RowSeed {
            candidate: JoinCandidate {
                cluster: Some(name.into()),
                contexts: vec![name.into()],
                server: format!("https://{name}.example:6443").into(),
                ..JoinCandidate::default()
            },
            group: Safe::new(group),
            credential_ends: Some(at(40 * 86_400)),
            ..RowSeed::default()
        });
    let mut fleet = Fleet::new(seeds.collect(), Vec::new());
    live(&mut fleet, "hub-1", &[Engine::Argo]);
    let apps = EDGES.iter().map(|(edge, _)| {
        let mut app = app(&app_name(edge), edge);
        app.history = vec![
            HistoryEntry {
                id: 40,
                revision: "77ab0134c1f29f31c02aa04c4b7ea3a2a7a53f6f".into(),
                deployed_at: Some(at(-777_600)),
                source: None,
                sources: Vec::new(),
                revisions: Vec::new(),
                by: Safe::default(),
            },
            HistoryEntry {
                id: 41,
                revision: "9f31c02aa04c4b7ea3a2a7a53f6fcf4ad1c4c3b2".into(),
                deployed_at: Some(at(-86_400)),
                source: None,
                sources: Vec::new(),
                revisions: Vec::new(),
                by: Safe::fixed("auto-sync"),
            },
        ];
        if *edge == "edge-hamburg-002" {
            app.sync = SyncState::OutOfSync;
            app.auto_sync.enabled = true;
        }
        app
    });
    // The story's hub does not poll Git: nothing of it grows stale while the clock of a test moves on.
    let pace = crate::domain::ReconcilePace {
        timeout: jiff::SignedDuration::ZERO,
        ..crate::domain::ReconcilePace::default()
    };
    tell(&mut fleet, "hub-1", 1, Fact::Pace(pace));
    let tracking = crate::domain::Tracking {
        page: "https://argocd.example/".into(),
        ..crate::domain::Tracking::default()
    };
    tell(&mut fleet, "hub-1", 1, Fact::Tracking(tracking));
    tell(&mut fleet, "hub-1", 1, Fact::HubClusters(secrets()));
    tell(&mut fleet, "hub-1", 1, Fact::Apps(apps.collect()));
    for (edge, _) in EDGES {
        if !matches!(edge, "edge-paris-031" | "edge-lyon-001" | "edge-tokyo-001") {
            edge_speaks(&mut fleet, edge);
        }
    }
    fall_silent(&mut fleet);
    fleet
}

/// The same fleet on a hub whose application controller does not answer for two minutes.
pub(crate) fn fleet_of_a_sick_hub() -> Fleet {
    let mut fleet = troubled_fleet();
    let silent = crate::domain::ControllerReading {
        kind: crate::domain::AppKind::Application,
        silent_since: now().checked_sub(jiff::SignedDuration::from_mins(2)).ok(),
        trouble: Safe::fixed("no endpoint of it is ready (503)"),
        waiting: 0,
        waiting_since: None,
        workers: None,
        lost: Vec::new(),
    };
    let metrics = ClusterMetrics {
        controllers: vec![silent],
        ..ClusterMetrics::default()
    };
    tell(&mut fleet, "hub-1", 5, Fact::Metrics(Box::new(metrics)));
    fleet
}

/// What the hub calls its edges: every site has a tier.
fn secrets() -> Vec<HubCluster> {
    let of = |(edge, _): &(&str, &str)| HubCluster {
        name: (*edge).into(),
        server: format!("https://{edge}.example:6443").into(),
        labels: vec![(
            "tier".into(),
            if edge.ends_with('1') {
                "kiosk"
            } else {
                "store"
            }
            .into(),
        )],
        ..HubCluster::default()
    };
    EDGES.iter().map(of).collect()
}

fn app_name(edge: &str) -> String {
    format!("gateway-{}", edge.trim_start_matches("edge-"))
}

fn edge_speaks(fleet: &mut Fleet, edge: &str) {
    live(fleet, edge, &[]);
    let app = app_name(edge);
    let mut resources = vec![
        in_sync(&app, deployment("gateway")),
        in_sync(&app, config_map("edge-config")),
        in_sync(&app, service("gateway")),
    ];
    if matches!(
        edge,
        "edge-berlin-017"
            | "edge-berlin-018"
            | "edge-hamburg-002"
            | "edge-munich-009"
            | "edge-austin-001"
    ) {
        resources[0] = scaled(&app);
    }
    if edge == "edge-berlin-017" {
        resources[0].health = Some((Health::Degraded, "1 of 3 ready, CrashLoopBackOff".into()));
    }
    if matches!(edge, "edge-berlin-017" | "edge-osaka-001") {
        resources[1] = edited(&app);
    }
    if edge == "edge-boston-001" {
        resources[2] = deleted(&app);
    }
    for resource in resources {
        let gvk = resource.object.gvk.clone();
        tell(
            fleet,
            edge,
            2,
            Fact::Kind {
                gvk,
                resources: vec![resource],
            },
        );
    }
    judged(fleet, edge, &app);
    let figure = |name, value, unit, course: &[f64]| MetricFigure {
        name: Safe::fixed(name),
        value,
        unit,
        course: course.to_vec(),
    };
    let metrics = ClusterMetrics {
        figures: vec![
            figure("cpu", 34.0, "%", &[20.0, 22.0, 30.0, 31.0, 28.0, 34.0]),
            figure("req/s", 1_240.0, "/s", &[900.0, 950.0, 1_100.0, 1_240.0]),
        ],
        targets: 2,
        targets_up: 2,
        samples: 120,
        ..ClusterMetrics::default()
    };
    tell(fleet, edge, 4, Fact::Metrics(Box::new(metrics)));
}

fn fall_silent(fleet: &mut Fleet) {
    let mut link = |edge: &str, seconds, state, message: &'static str| {
        let message = Some(Safe::fixed(message));
        tell(fleet, edge, seconds, Fact::Link { state, message });
    };
    link(
        "edge-munich-009",
        60,
        LinkState::Stale,
        "No answer to three pings; the link is probably down.",
    );
    link(
        "edge-paris-031",
        30,
        LinkState::Unreachable,
        "Connection refused by 10.31.0.1:6443; check that the API server runs and the route is open.",
    );
    link(
        "edge-lyon-001",
        30,
        LinkState::Auth,
        "The credential plugin `aws` needs a login.",
    );
}

/// A console on a fleet, with the default keys.
fn grafana() -> crate::domain::link::LinkTemplate {
    let url = "https://grafana.example/d/edge?var-cluster={cluster}&var-app={app}";
    crate::domain::link::LinkTemplate::new("Grafana", url).unwrap()
}

pub(crate) fn console(fleet: Fleet, cols: u16, rows: u16, write: bool) -> Model {
    Model::new(Start {
        fleet,
        keymap: Keymap::load("default", None).unwrap(),
        write,
        themes: vec!["dark".into(), "light".into()],
        keymaps: vec!["default".into()],
        size: Size { cols, rows },
        now: now(),
        kept: super::kept::Kept::default(),
        links: vec![grafana()],
        layouts: ByScreen::default(),
    })
}

/// Presses keys as a keymap file writes them, with spaces between; returns every effect.
pub(crate) fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let events = crate::keymap::key::script(keys).unwrap();
    events
        .into_iter()
        .flat_map(|event| update(model, Msg::Key(event), now()))
        .collect()
}

/// Types text.
pub(crate) fn type_text(model: &mut Model, text: &str) -> Vec<Effect> {
    text.chars()
        .flat_map(|c| {
            press(
                model,
                if c == ' ' {
                    "space".to_owned()
                } else {
                    c.to_string()
                }
                .as_str(),
            )
        })
        .collect()
}

/// The application of the fixture on an edge.
pub(crate) fn app_on(edge: &str) -> crate::domain::AppRef {
    app_ref(&app_name(edge))
}

/// The plan that the planner would make of a wish on this fleet: one target stale and skipped, one that restarts pods.
pub(crate) fn plan_for(wish: &super::PlanWish, guardrail: bool) -> crate::ops::Plan {
    use crate::ops::{DryRun, Guardrail, Loser, Plan, PlanTarget, Route, Verb, Wave};
    let target = |(i, t): (usize, &super::WishTarget)| {
        let stale = t.cluster.as_str() == "edge-munich-009";
        PlanTarget {
            cluster: t.cluster.clone(),
            app: t.app.clone(),
            object: t.object.clone(),
            route: Route::Direct,
            link: if stale {
                LinkState::Stale
            } else {
                LinkState::Live
            },
            effect: "spec.replicas 1→3".into(),
            revision: "9f31c02aa04c4b7ea3a2a7a53f6fcf4ad1c4c3b2".into(),
            resource_version: "881204".into(),
            dry_run: if stale {
                DryRun::NotRun("The cluster does not answer.".into())
            } else {
                DryRun::Accepted("changes spec.replicas".into())
            },
            skipped: stale
                .then(|| "the cluster does not answer; what is known of it is old".into()),
            unchanged: false,
            restarts: u32::from(i == 1),
            prunes: Vec::new(),
            losers: vec![Loser {
                manager: "kubectl-scale".into(),
                operation: "Update".into(),
                time: Some(at(-2_460)),
                fields: vec!["spec.replicas".into()],
            }],
            warnings: if i == 1 {
                vec!["The image differs too: one pod restarts.".into()]
            } else {
                Vec::new()
            },
            danger: None,
            order: (!stale).then_some(i),
        }
    };
    let targets: Vec<PlanTarget> = wish.targets.iter().enumerate().map(target).collect();
    let sent: Vec<usize> = (0..targets.len())
        .filter(|i| targets[*i].order.is_some())
        .collect();
    let (first, rest) = sent.split_at(1.min(sent.len()));
    Plan {
        id: "p-20261121-0219".into(),
        verb: Verb::Revert,
        made_at: now(),
        reason: wish.reason.clone(),
        note: None,
        waves: [("1", first), ("rest", rest)]
            .into_iter()
            .map(|(size, targets)| Wave {
                size: size.into(),
                targets: targets.to_vec(),
            })
            .collect(),
        targets,
        orders: Vec::new(),
        guardrail: guardrail.then(|| Guardrail {
            name: "prod-eu".into(),
            confirm: "prod-eu".into(),
        }),
    }
}

/// Presses keys that end in a wish for a plan, and answers it.
pub(crate) fn planned(model: &mut Model, keys: &str, guardrail: bool) -> Arc<crate::ops::Plan> {
    let effects = press(model, keys);
    let Some(Effect::BuildPlan { ask, wish }) = effects.last() else {
        panic!("{keys} asked for no plan: {effects:?}");
    };
    let plan = Arc::new(plan_for(wish, guardrail));
    tell_model(
        model,
        super::Done::Planned {
            ask: *ask,
            result: Ok(Arc::clone(&plan)),
        },
    );
    plan
}

/// Lets the model hear an answer.
pub(crate) fn tell_model(model: &mut Model, done: super::Done) {
    assert!(update(model, Msg::Done(done), now()).is_empty());
}

/// Presses keys that end in a question about a cluster, and answers it: one node down, one controller too, a certificate that ends soon.
pub(crate) fn cluster_answered(model: &mut Model, keys: &str) {
    use super::inquiry::{Answer, ClusterDetail, ControllerLine, NodeLine};
    let effects = press(model, keys);
    let Some(Effect::Ask { ask, .. }) = effects.last() else {
        panic!("{keys} asked nothing: {effects:?}");
    };
    let node = |name: &'static str, ready: bool, remarks: &[&'static str]| NodeLine {
        name: Safe::fixed(name),
        ready,
        remarks: remarks.iter().map(|r| Safe::fixed(r)).collect(),
        version: Safe::fixed("v1.34.2"),
    };
    let controller = |name: &'static str, ready| ControllerLine {
        name: Safe::fixed(name),
        ready,
        wanted: 1,
        image: Safe::fixed("argocd:v3.4.1"),
    };
    let detail = ClusterDetail {
        asked_at: now(),
        credential: Safe::fixed("a client certificate"),
        certificate_ends: Some(at(12 * 86_400)),
        token_ends: None,
        insecure: false,
        skew: Some(jiff::SignedDuration::from_secs(42)),
        round_trip: jiff::SignedDuration::from_millis(84),
        connections: 2,
        nodes: Ok(vec![
            node("edge-berlin-017-a", true, &[]),
            node("edge-berlin-017-b", true, &["DiskPressure", "cordoned"]),
            node(
                "edge-berlin-017-c",
                false,
                &["Kubelet stopped posting node status."],
            ),
        ]),
        controllers: Ok(vec![
            controller("argocd/argocd-application-controller", 0),
            controller("argocd/argocd-repo-server", 1),
        ]),
    };
    let result = Ok(Answer::Cluster(Box::new(detail)));
    tell_model(model, super::Done::Answered { ask: *ask, result });
}

/// Presses keys that end in a question; its number and the question.
pub(crate) fn asked(model: &mut Model, keys: &str) -> (u64, super::inquiry::Question) {
    let effects = press(model, keys);
    match effects.last() {
        Some(Effect::Ask { ask, question }) => (*ask, question.clone()),
        _ => panic!("{keys} asked nothing: {effects:?}"),
    }
}

/// A tree of a Deployment with a pod that crashes.
fn grown(root: &ObjectRef) -> super::inquiry::ResourceTree {
    use super::inquiry::{Branch, ResourceTree};
    let branch = |depth, kind: &str, name: &str, health, fact: &'static str| Branch {
        depth,
        object: ObjectRef::new(Gvk::new("", "v1", kind), &root.namespace, name),
        health: Some((
            health,
            Safe::fixed(if health == Health::Healthy {
                ""
            } else {
                "back-off 5m0s"
            }),
        )),
        health_by: None,
        fact: Safe::fixed(fact),
        created: Some(at(-7_200)),
    };
    ResourceTree {
        branches: vec![
            Branch {
                object: root.clone(),
                ..branch(0, "Deployment", "gateway", Health::Progressing, "1/2 ready")
            },
            branch(
                1,
                "ReplicaSet",
                "gateway-6f7d9b",
                Health::Progressing,
                "1/2 ready",
            ),
            branch(
                2,
                "Pod",
                "gateway-6f7d9b-q8z1c",
                Health::Degraded,
                "0/1 ready, 31 restarts, CrashLoopBackOff",
            ),
            branch(
                2,
                "Pod",
                "gateway-6f7d9b-x4k2m",
                Health::Healthy,
                "1/1 ready",
            ),
        ],
        remarks: vec![Safe::fixed("ReplicaSets that run nothing are left out: 2.")],
    }
}

/// Presses keys that open a window, and answers its question as a cluster would.
pub(crate) fn window_answered(model: &mut Model, keys: &str) {
    let (ask, question) = asked(model, keys);
    let result = Ok(answer_to(question));
    tell_model(model, super::Done::Answered { ask, result });
}

/// Presses keys and answers every question that they lead to, as clusters and Git would.
pub(crate) fn all_answered(model: &mut Model, keys: &str) {
    for effect in press(model, keys) {
        if let Effect::Ask { ask, question } = effect {
            let result = Ok(answer_to(question));
            tell_model(model, super::Done::Answered { ask, result });
        }
    }
}

fn answer_to(question: super::inquiry::Question) -> super::inquiry::Answer {
    use crate::ops::{Opinion, ServerWord};

    use super::inquiry::{Answer, Comparison, EventLine, LogLine, Question, Variant, YamlText};
    match question {
        Question::Cluster(_) => panic!("the cluster screen has its own answer"),
        Question::Events(targets) => {
            let event =
                |seconds, warning, reason: &'static str, message: &'static str, count| EventLine {
                    cluster: targets[0].cluster.clone(),
                    last: Some(at(seconds)),
                    warning,
                    reason: Safe::fixed(reason),
                    message: Safe::fixed(message),
                    object: Safe::fixed("Pod gateway-6f7d9b-q8z1c"),
                    count,
                };
            Answer::Events(vec![
                event(-180, true, "BackOff", "restarting failed container", 31),
                event(-2_160, false, "Killing", "Stopping container app", 1),
            ])
        }
        Question::Logs(targets) => Answer::Logs(
            targets
                .iter()
                .enumerate()
                .map(|(i, target)| LogLine {
                    cluster: target.cluster.clone(),
                    pod: Safe::fixed("gateway-6f7d9b-q8z1c"),
                    at: Some(at(i64::try_from(i).unwrap())),
                    text: Safe::fixed("listening on :8443"),
                })
                .collect(),
        ),
        Question::Tree(wish) => Answer::Tree(Box::new(grown(&wish.roots[0]))),
        Question::Yaml(_) => Answer::Yaml(Box::new(YamlText {
            live: Ok(manifest(1)),
            desired: Ok(manifest(3)),
            last_applied: None,
        })),
        Question::Commits(wish) => {
            let commit = |id: &str, seconds, author, subject| crate::domain::Commit {
                id: id.into(),
                author: Safe::fixed(author),
                time: Some(at(seconds)),
                subject: Safe::fixed(subject),
            };
            Answer::Commits(vec![
                commit(&wish.revision, -90_000, "a.lee", "gateway: 3 replicas"),
                commit(
                    "1d02e4f0a04c4b7ea3a2a7a53f6fcf4ad1c4c3b2",
                    -200_000,
                    "m.ruiz",
                    "edge-config: log less",
                ),
            ])
        }
        Question::Word(targets) => {
            let opinion =
                Opinion::ChangesNothing(Safe::fixed("The server's dry run changes nothing."));
            let word = ServerWord { at: at(0), opinion };
            let said = targets.into_iter().map(|target| (target, word.clone()));
            Answer::Word(said.collect())
        }
        Question::Field { targets, .. } => {
            let value = |target: &super::WishTarget| match target.cluster.as_str() {
                "edge-berlin-017" => Ok(Some(Safe::fixed("debug"))),
                "edge-madrid-001" => Ok(None),
                "edge-austin-001" => Err(Safe::fixed("The server does not let on-call read it.")),
                _ => Ok(Some(Safe::fixed("info"))),
            };
            let read = targets.into_iter().map(|target| {
                let reading = value(&target);
                (target, reading)
            });
            Answer::Field(read.collect())
        }
        Question::Compare { clusters, .. } => {
            let (first, rest) = clusters.split_at(3);
            Answer::Compare(Box::new(Comparison {
                majority: rest.to_vec(),
                variants: vec![Variant {
                    clusters: first.to_vec(),
                    changes: vec![("spec.replicas".into(), Some("3".into()), Some("1".into()))],
                    left_out: 0,
                }],
                unread: vec![("edge-tokyo-001".into(), "No answer yet.".into())],
            }))
        }
    }
}

/// The gateway with so many replicas, as YAML.
fn manifest(replicas: u32) -> Vec<Safe> {
    let replicas = format!("  replicas: {replicas}");
    let lines = [
        "apiVersion: apps/v1",
        "kind: Deployment",
        "metadata:",
        "  name: gateway",
        "  annotations:",
        "    note: |",
        "      scaled by hand: see",
        "      the runbook",
        "spec:",
        &replicas,
        "  paused: false",
        "  template:",
        "    spec:",
        "      containers:",
        "      - name: app",
        "        image: registry.example/gateway:2.4.1",
    ];
    lines.map(Safe::new).to_vec()
}
