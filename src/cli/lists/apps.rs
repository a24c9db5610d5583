//! `apps`: one row an application, with the engine's word and ours.

use super::{Asked, Listed};
use crate::cli::document::{Document, exit_status};
use crate::cli::items::AppItem;
use crate::cli::print::Answer;
use crate::cli::table::Table;
use crate::domain::{Application, Engine, Safe, SyncState, VerdictSource, Warning};
use crate::fleet::{AppRow, Warner};

/// `driftdeck apps`.
///
/// # Errors
/// A query that does not parse.
pub(crate) fn apps(asked: Asked<'_>) -> Result<Listed, String> {
    let mut rows: Vec<AppRow> = asked.fleet().app_rows();
    rows.retain(|row| {
        asked
            .scope
            .selector
            .matches_app(row.cluster.as_ref(), &row.app.id)
    });
    let rows = asked.keep(rows)?;
    let warner = asked.fleet().warner(asked.scope.at);
    let document = Document::new(
        "AppList",
        asked.scope,
        rows.iter().map(|row| AppItem::new(row, &warner)).collect(),
    );
    let mut table = Table::new(&[
        "HUB",
        "CLUSTER",
        "NAMESPACE",
        "NAME",
        "SYNC",
        "HEALTH",
        "REVISION",
        "AUTO",
        "VERDICT",
        "BY",
        "MESSAGE",
    ]);
    let mut wide = Table::new(&[
        "HUB",
        "CLUSTER",
        "ENGINE",
        "KIND",
        "NAMESPACE",
        "NAME",
        "PROJECT",
        "SYNC",
        "HEALTH",
        "REVISION",
        "AUTO",
        "VERDICT",
        "BY",
        "DEPLOYED-BY",
        "MESSAGE",
    ]);
    for row in &rows {
        table.row(app_cells(row, &warner));
        wide.row(wide_app(row, &warner));
    }
    let answer = Answer {
        document: &document,
        table,
        wide: Some(wide),
        names: rows.iter().map(|r| r.app.id.to_string()).collect(),
        empty: "No application matches. Check the hub's link with `driftdeck status`.",
    };
    let drift = rows.iter().any(|r| r.current && r.drift > 0);
    Ok(Listed {
        text: answer.text(asked.form)?,
        status: exit_status(drift, document.partial),
    })
}

/// Everything there is to say, the disagreement first.
fn sentences(row: &AppRow, warner: &Warner<'_>) -> Vec<Safe> {
    let warnings = warner.of(&row.app.id);
    let said = |words: &Safe| {
        warnings
            .iter()
            .any(|w| w.text.as_str().contains(words.as_str()))
    };
    let words = row.app.message.clone().filter(|words| !said(words));
    let first = row.disagreement.clone().into_iter();
    let rest = words.into_iter().chain(row.unjudged.clone());
    first
        .chain(warnings.iter().map(Warning::sentence))
        .chain(rest)
        .collect()
}

fn wide_app(row: &AppRow, warner: &Warner<'_>) -> Vec<Safe> {
    let app = &row.app;
    let by = warner.deployed_by(&app.id);
    let said: Vec<String> = sentences(row, warner)
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut cells = app_cells(row, warner);
    cells.pop();
    cells.splice(
        2..2,
        [
            Safe::fixed(if app.engine == Engine::Argo {
                "argo"
            } else {
                "flux"
            }),
            Safe::fixed(app.id.kind.word()),
        ],
    );
    if let Some(name) = cells.get_mut(5) {
        *name = Safe::new(&app.id.name);
    }
    cells.insert(6, Safe::new(&app.project));
    cells.push(by.map_or(Safe::fixed("-"), |by| {
        Safe::from(format!("{} {}/{}", by.kind.word(), by.namespace, by.name))
    }));
    cells.push(Safe::from(said.join(" · ")));
    cells
}

/// The name, with the kind before it where it is no Application.
fn shown_name(app: &Application) -> Safe {
    if app.id.kind.is_application() {
        Safe::new(&app.id.name)
    } else {
        Safe::from(format!("{}/{}", app.id.kind.word(), app.id.name))
    }
}

fn app_cells(row: &AppRow, warner: &Warner<'_>) -> Vec<Safe> {
    let app = &row.app;
    vec![
        Safe::new(app.id.hub.as_str()),
        row.cluster
            .as_ref()
            .map_or(Safe::fixed("(unmatched)"), |c| Safe::new(c.as_str())),
        Safe::new(&app.id.namespace),
        shown_name(app),
        Safe::fixed(sync_word(app.sync)),
        Safe::from(format!("{:?}", row.health)),
        Safe::from(short(app.deployed_revision().map_or("-", |h| &h.revision))),
        Safe::fixed(if app.auto_sync.enabled {
            "auto"
        } else {
            "manual"
        }),
        Safe::fixed(sync_word(row.verdict.state)),
        Safe::fixed(source_word(row.verdict.source)),
        sentences(row, warner)
            .into_iter()
            .next()
            .unwrap_or_default(),
    ]
}

fn sync_word(state: SyncState) -> &'static str {
    match state {
        SyncState::Synced => "Synced",
        SyncState::OutOfSync => "OutOfSync",
        SyncState::Unknown => "Unknown",
    }
}

fn source_word(source: VerdictSource) -> &'static str {
    match source {
        VerdictSource::Computed => "driftdeck",
        VerdictSource::Server => "server",
        VerdictSource::Argo => "argo",
        VerdictSource::Flux => "flux",
        VerdictSource::ArgoApi => "argo-api",
        VerdictSource::LastApplied => "last-applied",
    }
}

/// The first seven characters of a commit.
fn short(revision: &str) -> String {
    revision.chars().take(7).collect()
}
