//! Small builders for tests and measurements of everything that reads a fleet.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "what it builds is fixed"
)]

use std::sync::Arc;

use jiff::Timestamp;

use super::{Fleet, RowSeed};
use crate::domain::{
    AppRef, Application, AutoSync, Change, ChangeOp, ClusterEvent, ClusterId, ConnectionFacts,
    Destination, DriftState, Engine, Fact, FieldOwner, Fingerprint, Gvk, Health, JoinCandidate,
    LinkState, ObjectRef, Resource, Safe, Source, SyncState, Verdict,
};

/// 2026-11-21T02:14:00Z plus seconds.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_227_240 + seconds).unwrap()
}

/// A fleet with rows of these names, all connecting.
pub fn fleet(names: &[&str]) -> Fleet {
    let seeds = names
        .iter()
        .map(|name| RowSeed {
            candidate: JoinCandidate {
                cluster: Some((*name).into()),
                contexts: vec![(*name).into()],
                server: format!("https://{name}.example:6443").into(),
                ..JoinCandidate::default()
            },
            ..RowSeed::default()
        })
        .collect();
    Fleet::new(seeds, Vec::new())
}

/// Folds one fact of generation 1.
pub fn tell(fleet: &mut Fleet, cluster: &str, seconds: i64, fact: Fact) -> super::Changes {
    fleet.fold(ClusterEvent {
        cluster: cluster.into(),
        generation: 1,
        at: at(seconds),
        fact,
    })
}

/// Makes a row live with its static facts.
pub fn live(fleet: &mut Fleet, cluster: &str, engines: &[Engine]) {
    tell(
        fleet,
        cluster,
        0,
        Fact::Link {
            state: LinkState::Live,
            message: None,
        },
    );
    let facts = ConnectionFacts {
        server: Safe::from(format!("https://{cluster}.example:6443")),
        ca: Safe::default(),
        version: Safe::fixed("v1.34.2"),
        uid: Safe::from(format!("uid-{cluster}")),
        identity: Safe::fixed("on-call"),
        contexts: vec![Safe::new(cluster)],
        namespace_scope: Safe::default(),
        engines: engines.to_vec(),
    };
    tell(fleet, cluster, 0, Fact::Facts(Box::new(facts)));
}

/// An application on `hub-1` that deploys to a row.
pub fn app(name: &str, edge: &str) -> Application {
    Application {
        id: app_ref(name),
        engine: Engine::Argo,
        uid: "7c1d".into(),
        resource_version: "100".into(),
        created: Some(at(-86_400)),
        project: "default".into(),
        destination: Destination {
            server: format!("https://{edge}.example:6443").into(),
            namespace: "edge-microservice-namespace".into(),
            ..Destination::default()
        },
        sources: vec![Source {
            repo_url: "https://git.example/fleet.git".into(),
            path: "microserviceA".into(),
            ..Source::default()
        }],
        sync: SyncState::Synced,
        compared_revision: "9f31c02aa".into(),
        health: Health::Healthy,
        message: None,
        history: Vec::new(),
        auto_sync: AutoSync::default(),
        sync_options: Vec::new(),
        retry: None,
        ignore_differences: None,
        compare_options: "".into(),
        resources: Vec::new(),
        operation: None,
        operation_requested: false,
        skip_reconcile: false,
        owned_by_set: false,
        deleting: false,
        reconciled_at: Some(at(-60)),
        controller_namespace: "argocd".into(),
        images: Vec::new(),
        labels: Vec::new(),
        report: crate::domain::EngineReport::default(),
    }
}

/// The name of an application on `hub-1`.
pub fn app_ref(name: &str) -> AppRef {
    AppRef {
        kind: crate::domain::AppKind::Application,
        hub: "hub-1".into(),
        namespace: "argocd".into(),
        name: name.into(),
    }
}

/// A Deployment of the usual namespace.
pub fn deployment(name: &str) -> ObjectRef {
    ObjectRef::new(
        Gvk::new("apps", "v1", "Deployment"),
        "edge-microservice-namespace",
        name,
    )
}

/// An object that is as Git wants it.
pub fn in_sync(app: &str, object: ObjectRef) -> Resource {
    Resource {
        object,
        app: app_ref(app),
        uid: "u1".into(),
        resource_version: "881204".into(),
        verdict: Arc::new(Verdict::default()),
        health: Some((Health::Healthy, Safe::default())),
        desired: (
            "https://git.example/fleet.git".into(),
            "9f31c02aa".into(),
            "microserviceA/deploy.yaml".into(),
        ),
        health_apart: false,
        health_by: None,
        bodies: None,
    }
}

/// An object whose replicas somebody changed from 2 to `live`.
pub fn scaled(app: &str, object: ObjectRef, live: i64, manager: &str) -> Resource {
    let change = Change {
        path: "spec.replicas".into(),
        op: ChangeOp::Changed,
        desired: Some(2.into()),
        live: Some(live.into()),
        owner: Some(FieldOwner {
            manager: Safe::new(manager),
            operation: Safe::fixed("Update"),
            subresource: Safe::default(),
            time: Some(at(-2460)),
        }),
        owner_inferred: false,
    };
    let verdict = Verdict {
        states: vec![DriftState::Edited],
        changes: vec![change],
        fingerprint: Some(Fingerprint(live.unsigned_abs())),
        summary: Safe::from(format!("spec.replicas 2→{live}")),
        ..Verdict::default()
    };
    Resource {
        verdict: Arc::new(verdict),
        ..in_sync(app, object)
    }
}

/// Hub with one application on one edge, everything judged; the resource is what the caller says.
pub fn one_edge(resource: Resource) -> Fleet {
    let mut fleet = fleet(&["hub-1", "edge-oslo-001"]);
    live(&mut fleet, "hub-1", &[Engine::Argo]);
    live(&mut fleet, "edge-oslo-001", &[]);
    tell(
        &mut fleet,
        "hub-1",
        1,
        Fact::Apps(vec![app("edge-microservice", "edge-oslo-001")]),
    );
    let gvk = resource.object.gvk.clone();
    tell(
        &mut fleet,
        "edge-oslo-001",
        2,
        Fact::Kind {
            gvk,
            resources: vec![resource],
        },
    );
    judged(&mut fleet, "edge-oslo-001", "edge-microservice");
    fleet
}

/// Tells that an application was judged.
pub fn judged(fleet: &mut Fleet, cluster: &str, app: &str) {
    let fact = Fact::AppJudged {
        app: app_ref(app),
        deployed: "9f31c02aa".into(),
        target: "9f31c02aa".into(),
        hindered: None,
    };
    tell(fleet, cluster, 3, fact);
}

/// The id of a row.
pub fn id(name: &str) -> ClusterId {
    name.into()
}
