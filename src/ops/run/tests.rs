//! Runs against fake servers: what is sent, how often, what is on disk when, and how each target ends.

mod argo;
mod direct;
mod disk;
mod flux;
mod secrets;
mod trouble;
mod waves;

use std::path::Path;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::ops::fake::{FakeFleet, FakeServer, Fault};
use crate::ops::fixtures::*;
use crate::ops::journal::{self, Line, Record};
use crate::ops::{Confirmation, RevertRequest, Route, WriteMode, approve, exit_status, plan};

/// A fleet, a state folder and everything a run needs.
struct Bench {
    edge: FakeServer,
    hub: FakeServer,
    fleet: FakeFleet,
    state: tempfile::TempDir,
    context: RunContext,
    events: UnboundedReceiver<RunEvent>,
}

fn bench() -> Bench {
    let (edge, hub, fleet) = fleet();
    let state = tempfile::tempdir().unwrap();
    let (sender, events) = unbounded_channel();
    let context = RunContext {
        clusters: Arc::new(fleet.clone()),
        journal: Arc::new(Journal::open(state.path(), |key| key.fill(7)).unwrap()),
        operator: "alice@jumphost".into(),
        clock: Arc::new(|| "2026-11-21T02:14:09Z".parse().unwrap()),
        max_in_flight: 5,
        stop_after: None,
        patience: Patience::default(),
        cancel: CancellationToken::new(),
        events: sender,
    };
    Bench {
        edge,
        hub,
        fleet,
        state,
        context,
        events,
    }
}

fn direct(targets: Vec<crate::ops::RevertTarget>) -> RevertRequest {
    RevertRequest {
        via: Some(Route::Direct),
        ..request(targets)
    }
}

impl Bench {
    async fn approved(&self, request: &RevertRequest) -> ApprovedPlan {
        let plan = plan(request, &self.fleet, &crate::ops::fixtures::context()).await;
        let yes = Confirmation::of(&plan, plan.guardrail.as_ref().map(|g| g.confirm.as_str()));
        approve(
            plan,
            Some(&yes),
            WriteMode::Write,
            &self.fleet,
            Duration::from_secs(5),
        )
        .await
        .unwrap()
    }

    async fn run(&self, request: &RevertRequest) -> Run {
        let approved = self.approved(request).await;
        run(approved, self.context.clone()).await
    }

    /// Runs a direct revert of the one Deployment; `between` happens after the plan was approved.
    async fn run_direct(&self, between: impl FnOnce(&Self)) -> Run {
        let approved = self.approved(&direct(vec![target()])).await;
        between(self);
        run(approved, self.context.clone()).await
    }

    fn lines(&self) -> Vec<Line> {
        let read = journal::read(self.state.path()).unwrap();
        assert_eq!(read.tampered, None);
        read.lines
    }

    /// Everything below the state folder, as text.
    fn on_disk(&self) -> String {
        fn walk(folder: &Path, out: &mut String) {
            for entry in std::fs::read_dir(folder)
                .unwrap()
                .map(|e| e.unwrap().path())
            {
                if entry.is_dir() {
                    walk(&entry, out);
                } else {
                    out.push_str(&String::from_utf8_lossy(&std::fs::read(&entry).unwrap()));
                }
            }
        }
        let mut out = String::new();
        walk(self.state.path(), &mut out);
        out
    }
}

fn only(run: &Run) -> (Outcome, &str) {
    assert_eq!(run.outcomes.len(), 1);
    (run.outcomes[0].outcome, run.outcomes[0].message.as_str())
}

fn is_patch(path: &'static str) -> impl Fn(&crate::ops::fake::Seen) -> bool + Send + 'static {
    move |r| r.is_write() && r.method == http::Method::PATCH && r.path == path
}

fn edit(object: &mut Value, manager: &str, replicas: u32, version: &str) {
    object["spec"]["replicas"] = json!(replicas);
    object["metadata"]["resourceVersion"] = json!(version);
    object["metadata"]["managedFields"] = json!([{"manager": manager, "operation": "Update", "time": "2026-11-21T02:14:08Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
}
