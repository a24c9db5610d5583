//! The expressions by which Kustomizations want health told, each list compiled once.

use std::collections::HashMap;

use serde_json::Value;

use crate::domain::AppRef;
use crate::health::cel::HealthChecks;
use crate::sources::assignment::{AppAssignment, ClusterAssignments};

/// By Kustomization: what it says, and that compiled; nothing where it cannot be read.
#[derive(Default)]
pub(super) struct Expressions {
    read: HashMap<AppRef, (Value, Option<HealthChecks>)>,
    /// Those of everything that has none.
    none: HealthChecks,
}

impl Expressions {
    /// Reads what changed, and forgets what nothing is judged for any more.
    pub(super) fn take(&mut self, assigned: &ClusterAssignments) {
        let mut known = std::mem::take(&mut self.read);
        for app in &assigned.apps {
            let Some(list) = &app.health_checks else {
                continue;
            };
            let read = known.remove(&app.app).filter(|(read, _)| read == list);
            let read = read.unwrap_or_else(|| (list.clone(), compiled(app, list)));
            self.read.insert(app.app.clone(), read);
        }
    }

    /// The expressions of an application, perhaps none at all; `None` when it has some that cannot be read: they may say otherwise than any rule
    /// of Flux.
    pub(super) fn of(&self, app: &AppRef) -> Option<&HealthChecks> {
        self.read
            .get(app)
            .map_or(Some(&self.none), |(_, checks)| checks.as_ref())
    }
}

fn compiled(app: &AppAssignment, list: &Value) -> Option<HealthChecks> {
    let read = HealthChecks::read(list);
    if let Err(why) = &read {
        tracing::warn!(app = %app.app.name, why, "healthCheckExprs cannot be read; only Argo CD's rules tell the health of what it applies");
    }
    read.ok()
}
