//! Cells of columns that stand beside the applications once somebody chooses them.

use crate::app::screens::Ctx;
use crate::domain::{Application, Safe};
use crate::fleet::AppRow;
use crate::ui::paint::{Canvas, Piece, sentence};
use crate::view::columns::label_of;

/// The cell of a column by its name.
pub(super) fn extra(canvas: &Canvas<'_>, name: &str, row: &AppRow, ctx: &Ctx<'_>) -> Vec<Piece> {
    let app = &row.app;
    let dim = |text: Safe| vec![canvas.piece("text.dim", text)];
    match name {
        "kind" => dim(Safe::fixed(app.id.kind.word())),
        "namespace" => dim(Safe::new(&app.id.namespace)),
        "project" => dim(Safe::new(&app.project)),
        "site" => dim(site(row, ctx)),
        "behind" => behind(canvas, row),
        "target" => dim(target(app)),
        "path" => dim(path(app)),
        "objects" => dim(row.resources.to_string().into()),
        "message" => match &app.message {
            Some(words) => sentence(canvas.piece("text.dim", words.clone())),
            None => Vec::new(),
        },
        _ => label(canvas, name, app),
    }
}

fn site(row: &AppRow, ctx: &Ctx<'_>) -> Safe {
    let cluster = row.cluster.as_ref().and_then(|id| ctx.rows.cluster(id));
    cluster.map(|c| c.group.clone()).unwrap_or_default()
}

/// Commits that are not deployed; nothing while that is not known.
fn behind(canvas: &Canvas<'_>, row: &AppRow) -> Vec<Piece> {
    match row.newest.as_deref() {
        None => vec![canvas.fixed("text.dim", "-")],
        Some(newest) if !newest.is_behind() => vec![canvas.fixed("text.dim", "0")],
        // Of a chart only the versions are known, not how many lie between.
        Some(newest) if newest.count == 0 => vec![canvas.fixed("drift.behind", "yes")],
        Some(newest) => vec![canvas.piece("drift.behind", newest.count.to_string())],
    }
}

fn target(app: &Application) -> Safe {
    match app.sources.first().map(|s| &*s.target_revision) {
        None => Safe::default(),
        Some("") => Safe::fixed("HEAD"),
        Some(revision) => Safe::new(revision),
    }
}

fn path(app: &Application) -> Safe {
    let source = app.sources.first();
    let named = source.map(|s| {
        if s.chart.is_empty() {
            &s.path
        } else {
            &s.chart
        }
    });
    named.map(|path| Safe::new(path)).unwrap_or_default()
}

fn label(canvas: &Canvas<'_>, name: &str, app: &Application) -> Vec<Piece> {
    let wanted = label_of(name).unwrap_or_default();
    let found = app
        .labels
        .iter()
        .find(|(label, _)| Safe::new(label).as_str() == wanted);
    let value = found.map(|(_, value)| canvas.piece("text.dim", Safe::new(value)));
    value.into_iter().collect()
}
