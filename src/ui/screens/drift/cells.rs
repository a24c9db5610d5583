//! Cells of columns that stand in the drift inbox once somebody chooses them.

use std::collections::BTreeSet;

use crate::app::screens::Ctx;
use crate::domain::{AppRef, Safe};
use crate::fleet::DriftGroup;
use crate::ui::paint::{Canvas, Piece};

/// The cell of a column by its name.
pub(super) fn extra(
    canvas: &Canvas<'_>,
    name: &str,
    group: &DriftGroup,
    ctx: &Ctx<'_>,
) -> Vec<Piece> {
    let dim = |text: Safe| vec![canvas.piece("text.dim", text)];
    match name {
        "objects" => dim(group.members.len().to_string().into()),
        "old" => old(canvas, group),
        "kind" => dim(Safe::new(&group.gvk.kind)),
        "namespace" => dim(several(
            group.members.iter().map(|m| &*m.resource.object.namespace),
        )),
        "app" => dim(several(group.members.iter().map(|m| &*m.resource.app.name))),
        "auto" => dim(auto(group, ctx)),
        "groups" => {
            let clusters = group.members.iter();
            let rows = clusters.filter_map(|m| ctx.rows.cluster(&m.cluster));
            dim(several(rows.map(|row| row.group.as_str())))
        }
        _ => Vec::new(),
    }
}

/// Members of which nobody knows whether they still are so.
fn old(canvas: &Canvas<'_>, group: &DriftGroup) -> Vec<Piece> {
    match group.members.iter().filter(|m| !m.current).count() {
        0 => Vec::new(),
        old => vec![canvas.piece("stale", old.to_string())],
    }
}

/// The first of what there is, and how many others.
fn several<'w>(words: impl Iterator<Item = &'w str>) -> Safe {
    let all: BTreeSet<&str> = words.filter(|word| !word.is_empty()).collect();
    match all.first() {
        None => Safe::default(),
        Some(one) if all.len() == 1 => Safe::new(one),
        Some(first) => format!("{first} +{}", all.len() - 1).into(),
    }
}

/// Who puts it back: the engine of all members, of some, or nobody.
fn auto(group: &DriftGroup, ctx: &Ctx<'_>) -> Safe {
    let apps: BTreeSet<&AppRef> = group.members.iter().map(|m| &m.resource.app).collect();
    let heals = |id: &&&AppRef| {
        let app = ctx.fleet.app(id);
        app.is_some_and(|app| app.auto_sync.enabled && app.auto_sync.self_heal)
    };
    let healed = apps.iter().filter(heals).count();
    if healed == 0 {
        Safe::fixed("manual")
    } else if healed == apps.len() {
        Safe::fixed("heal")
    } else {
        Safe::fixed("some")
    }
}
