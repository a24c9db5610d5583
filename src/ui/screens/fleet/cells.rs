//! Cells of columns that stand in the fleet once somebody chooses them.

use jiff::Timestamp;

use crate::app::screens::Ctx;
use crate::domain::{ClusterId, Role, Safe};
use crate::fleet::ClusterRow;
use crate::ui::paint::{Canvas, Piece, sentence};
use crate::ui::signs;
use crate::view::columns::label_of;

/// Days before the end of a credential from which on somebody should look.
const SOON: i64 = 14;

/// The cell of a column by its name.
pub(super) fn extra(
    canvas: &Canvas<'_>,
    name: &str,
    row: &ClusterRow,
    ctx: &Ctx<'_>,
) -> Vec<Piece> {
    let dim = |text: Safe| vec![canvas.piece("text.dim", text)];
    match name {
        "cpu" | "mem" => figure(canvas, row, name),
        "cert" => ends(canvas, row.credential_ends, ctx.now),
        "region" => dim(row.region().clone()),
        "hub" => dim(hubs(&row.hubs)),
        "role" => dim(roles(&row.roles)),
        "server" => dim(row.server.clone()),
        "message" => match &row.message {
            Some(words) => sentence(canvas.piece("text.dim", words.clone())),
            None => Vec::new(),
        },
        _ => label(canvas, name, row),
    }
}

/// A figure without its course; what is old is not shown as if it were current.
fn figure(canvas: &Canvas<'_>, row: &ClusterRow, name: &str) -> Vec<Piece> {
    let metrics = row.metrics.as_ref().filter(|_| row.state.is_current());
    let figures = metrics.map_or(&[][..], |metrics| metrics.figures.as_slice());
    match figures.iter().find(|figure| figure.name.as_str() == name) {
        Some(figure) => vec![canvas.piece("text", signs::figure(figure))],
        None => vec![canvas.fixed("text.dim", "-")],
    }
}

/// The days that a credential still holds.
fn ends(canvas: &Canvas<'_>, ends: Option<Timestamp>, now: Timestamp) -> Vec<Piece> {
    let Some(ends) = ends else {
        return vec![canvas.fixed("text.dim", "-")];
    };
    let days = ends.duration_since(now).as_secs().div_euclid(86_400);
    let scope = match days {
        ..0 => "notice.error",
        0..SOON => "notice.warning",
        _ => "text.dim",
    };
    if days < 0 {
        return vec![canvas.fixed(scope, "ended")];
    }
    vec![canvas.piece(scope, format!("{days}d"))]
}

fn hubs(hubs: &[ClusterId]) -> Safe {
    let names: Vec<&str> = hubs.iter().map(ClusterId::as_str).collect();
    names.join("+").into()
}

fn roles(roles: &[Role]) -> Safe {
    let words = roles.iter().map(|role| match role {
        Role::Hub => "hub",
        Role::Edge => "edge",
    });
    words.collect::<Vec<_>>().join("+").into()
}

fn label(canvas: &Canvas<'_>, name: &str, row: &ClusterRow) -> Vec<Piece> {
    let value = label_of(name).and_then(|label| row.labels.get(&Safe::new(label)));
    let value = value.map(|value| canvas.piece("text.dim", value.clone()));
    value.into_iter().collect()
}
