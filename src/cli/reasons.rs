//! `explain` of the fleet: why each object of the selection reads as it does, in sentences.

use serde::Serialize;

use super::document::{Document, exit_status};
use super::lists::{Asked, Listed};
use super::print::Answer;
use super::table::Table;
use crate::domain::{
    AppRef, ChangeOp, ClusterId, DriftState, Health, Resource, Safe, Verdict, VerdictSource,
};

/// One item of `ExplanationList`.
#[derive(Debug, Serialize)]
struct Item {
    cluster: Safe,
    app: Safe,
    group: Safe,
    kind: Safe,
    namespace: Safe,
    name: Safe,
    /// Null for a kind that has none.
    health: Option<HealthItem>,
    sync: SyncItem,
    reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
struct HealthItem {
    status: Health,
    message: Safe,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct SyncItem {
    states: Vec<DriftState>,
    source: VerdictSource,
}

/// `driftdeck explain` without a file.
///
/// # Errors
/// A form that only pictures have.
pub(crate) fn explain(asked: Asked<'_>) -> Result<Listed, String> {
    if asked.query.is_some() {
        return Err(
            "explain takes no --where; choose with --cluster, --app, --kind, -n and --name."
                .to_owned(),
        );
    }
    let items = items(&asked);
    let drift = items.iter().any(|item| !item.sync.states.is_empty());
    let mut table = Table::new(&["CLUSTER", "OBJECT", "STATE", "HEALTH", "WHY"]);
    for item in &items {
        cells(&mut table, item);
    }
    let names = items
        .iter()
        .map(|i| format!("{}/{}", i.cluster, i.object()));
    let names = names.collect();
    let document = Document::new("ExplanationList", asked.scope, items);
    let answer = Answer {
        document: &document,
        table,
        wide: None,
        names,
        empty: "No object matches. `driftdeck apps` lists what there is.",
    };
    Ok(Listed {
        text: answer.text(asked.form)?,
        status: exit_status(drift, document.partial),
    })
}

fn items(asked: &Asked<'_>) -> Vec<Item> {
    let fleet = asked.scope.fleet;
    let mut items = Vec::new();
    for row in fleet.app_rows() {
        let id = &row.app.id;
        let Some(cluster) = &row.cluster else {
            continue;
        };
        for resource in fleet.resources_of(id) {
            if asked.scope.selector.matches(cluster, id, &resource.object) {
                items.push(Item::new(cluster, id, resource));
            }
        }
    }
    items
}

impl Item {
    fn new(cluster: &ClusterId, app: &AppRef, resource: &Resource) -> Self {
        let object = &resource.object;
        let health = resource.health.clone();
        Self {
            cluster: Safe::new(cluster.as_str()),
            app: Safe::new(&app.name),
            group: Safe::new(&object.gvk.group),
            kind: Safe::new(&object.gvk.kind),
            namespace: Safe::new(&object.namespace),
            name: Safe::new(&object.name),
            health: health.map(|(status, message)| HealthItem {
                status,
                message,
                source: "driftdeck",
            }),
            sync: SyncItem {
                states: resource.verdict.states.clone(),
                source: resource.verdict.source,
            },
            reasons: reasons(resource),
        }
    }

    fn object(&self) -> String {
        let parts = [&self.kind, &self.namespace, &self.name];
        let parts = parts.iter().filter(|p| !p.as_str().is_empty());
        parts.map(|p| p.as_str()).collect::<Vec<_>>().join("/")
    }
}

/// What was found, each difference in a sentence of its own: those that count, those of Git itself, those that do not count.
fn reasons(resource: &Resource) -> Vec<String> {
    let verdict = &*resource.verdict;
    let mut reasons = vec![judged(verdict)];
    reasons.extend(verdict.message.iter().map(Safe::to_string));
    for change in &verdict.changes {
        let who = change.owner.as_ref().map_or_else(
            || "by a manager that is not recorded".to_owned(),
            |owner| format!("by {}", owner.manager),
        );
        reasons.push(format!("{} was {} {who}", change.path, word(change.op)));
    }
    for change in &verdict.behind {
        reasons.push(format!(
            "{} is {} by a newer revision that is not deployed yet",
            change.path,
            word(change.op)
        ));
    }
    for ignored in &verdict.ignored {
        reasons.push(format!(
            "{} does not count: {}",
            ignored.path, ignored.reason
        ));
    }
    if let Some((status, message)) = &resource.health
        && !message.as_str().is_empty()
    {
        reasons.push(format!("health is {status:?}: {message}"));
    }
    reasons
}

fn word(op: ChangeOp) -> &'static str {
    match op {
        ChangeOp::Changed => "changed",
        ChangeOp::Added => "added",
        ChangeOp::Removed => "removed",
    }
}

fn judged(verdict: &Verdict) -> String {
    let who = match verdict.source {
        VerdictSource::Computed => "driftdeck compared Git with the live object",
        VerdictSource::Server => "the API server's dry run was asked",
        VerdictSource::Argo => "only Argo CD's own word is known",
        VerdictSource::Flux => "only Flux's own word is known",
        VerdictSource::ArgoApi => {
            "driftdeck compared what Argo CD's API says is wanted with the live object"
        }
        VerdictSource::LastApplied => {
            "driftdeck compared what was last applied with the live object"
        }
    };
    let states: Vec<&str> = verdict.states.iter().map(|s| s.word()).collect();
    if states.is_empty() {
        format!("{who}: nothing that counts differs")
    } else {
        format!("{who}: {}", states.join(" and "))
    }
}

fn cells(table: &mut Table, item: &Item) {
    let states: Vec<&str> = item.sync.states.iter().map(|s| s.word()).collect();
    let state = if states.is_empty() {
        "in sync".to_owned()
    } else {
        states.join("+")
    };
    let health = item.health.as_ref();
    for (line, reason) in item.reasons.iter().enumerate() {
        let first = |text: Safe| if line == 0 { text } else { Safe::default() };
        table.row(vec![
            first(item.cluster.clone()),
            first(Safe::from(item.object())),
            first(Safe::from(state.clone())),
            first(health.map_or(Safe::fixed("-"), |h| Safe::from(format!("{:?}", h.status)))),
            Safe::new(reason),
        ]);
    }
}
