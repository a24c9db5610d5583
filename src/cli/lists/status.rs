//! `status`: one row a cluster.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Asked, Listed, age};
use crate::cli::document::{Document, exit_status};
use crate::cli::items::StatusItem;
use crate::cli::print::Answer;
use crate::cli::table::Table;
use crate::domain::{ClusterId, Engine, Safe};
use crate::fleet::ClusterRow;

/// `driftdeck status`.
///
/// # Errors
/// A query that does not parse.
pub(crate) fn status(asked: Asked<'_>) -> Result<Listed, String> {
    let mut rows: Vec<ClusterRow> = asked.fleet().cluster_rows();
    rows.retain(|row| asked.scope.selector.cluster.matches(row.id.as_str()));
    let warner = asked.fleet().warner(asked.scope.at);
    for row in &mut rows {
        row.warning = warner.of_hub(&row.id);
    }
    rows.sort_by(|a, b| a.urgency().cmp(&b.urgency()));
    let rows = asked.keep(rows)?;
    let disagreements = disagreements(asked);
    let document = Document::new(
        "StatusList",
        asked.scope,
        rows.iter()
            .map(|row| StatusItem::new(row, disagreements.get(&row.id).map_or(&[], Vec::as_slice)))
            .collect(),
    );
    let mut table = Table::new(&[
        "CLUSTER", "STATE", "APPS", "DRIFT", "HEALTH", "VERSION", "MESSAGE",
    ]);
    let mut wide = Table::new(&[
        "CLUSTER", "GROUP", "STATE", "SEEN", "APPS", "DRIFT", "HEALTH", "VERSION", "ENGINES",
        "SERVER", "CONTEXTS", "MESSAGE",
    ]);
    for row in &rows {
        table.row(vec![
            Safe::new(row.id.as_str()),
            Safe::fixed(row.state.word()),
            apps_cell(row),
            drift_cell(row),
            health_cell(row),
            row.version.clone(),
            row.words().unwrap_or_default(),
        ]);
        wide.row(wide_status(row, asked.scope.at));
    }
    let answer = Answer {
        document: &document,
        table,
        wide: Some(wide),
        names: rows.iter().map(|r| r.id.to_string()).collect(),
        empty: "No cluster matches. Check --context, --cluster and --where.",
    };
    Ok(Listed {
        text: answer.text(asked.form)?,
        status: exit_status(asked.drifted(), document.partial),
    })
}

/// What hubs and edges contradict each other in, by edge.
fn disagreements(asked: Asked<'_>) -> HashMap<ClusterId, Vec<Safe>> {
    let mut found: HashMap<ClusterId, Vec<Safe>> = HashMap::new();
    for row in asked.fleet().app_rows() {
        if let (Some(cluster), Some(words)) = (row.cluster, row.disagreement) {
            let sentence = Safe::from(format!("{}: {words}", row.app.id.name));
            found.entry(cluster).or_default().push(sentence);
        }
    }
    found
}

fn wide_status(row: &ClusterRow, now: Timestamp) -> Vec<Safe> {
    let engines: Vec<&str> = row
        .engines
        .iter()
        .map(|e| if *e == Engine::Argo { "argo" } else { "flux" })
        .collect();
    let contexts: Vec<&str> = row.contexts.iter().map(Safe::as_str).collect();
    vec![
        Safe::new(row.id.as_str()),
        row.group.clone(),
        Safe::fixed(row.state.word()),
        row.seen_at
            .map_or(Safe::fixed("never"), |at| Safe::from(age(at, now))),
        apps_cell(row),
        drift_cell(row),
        health_cell(row),
        row.version.clone(),
        Safe::from(engines.join(",")),
        row.server.clone(),
        Safe::from(contexts.join(",")),
        row.words().unwrap_or_default(),
    ]
}

/// Synced of all; a row that is not current has no known number.
fn apps_cell(row: &ClusterRow) -> Safe {
    if row.state.is_current() {
        Safe::from(format!("{}/{}", row.synced, row.apps))
    } else {
        Safe::from(format!("?/{}", row.apps))
    }
}

fn drift_cell(row: &ClusterRow) -> Safe {
    if row.state.is_current() {
        Safe::from(row.drift.to_string())
    } else {
        Safe::fixed("?")
    }
}

fn health_cell(row: &ClusterRow) -> Safe {
    match row.health.worst() {
        Some(health) if row.state.is_current() => Safe::from(format!("{health:?}")),
        _ => Safe::fixed("-"),
    }
}
