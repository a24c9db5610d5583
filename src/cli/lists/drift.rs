//! `drift`: drifted objects, groups of equal changes, and what people set beside Git.

use jiff::Timestamp;

use super::{Asked, Listed, age};
use crate::cli::args::FailOn;
use crate::cli::document::{Document, exit_status};
use crate::cli::items::{DriftItem, GroupItem, ShadowItem};
use crate::cli::print::Answer;
use crate::cli::table::Table;
use crate::cli::verify::{self, WordItem};
use crate::domain::{Engine, Safe, Verdict};
use crate::fleet::DriftRow;
use crate::fleet::history::History;

/// `driftdeck drift`.
///
/// # Errors
/// A query that does not parse.
pub(crate) fn drift(asked: Asked<'_>, fail_on: &[FailOn]) -> Result<Listed, String> {
    let rows = asked.keep(verify::rows(asked))?;
    let document = Document::new("DriftList", asked.scope, drift_items(asked, &rows));
    let mut heads = vec![
        "CLUSTER", "APP", "OBJECT", "STATE", "CHANGE", "MANAGER", "SINCE",
    ];
    heads.extend(asked.words.map(|_| "SERVER"));
    let mut table = Table::new(&heads);
    for row in &rows {
        let mut cells = drift_cells(row, asked.scope.at);
        let word = |words| verify::word_of(words, row).map_or("-", |w| w.opinion.word());
        cells.extend(asked.words.map(|words| Safe::fixed(word(words))));
        table.row(cells);
    }
    let answer = Answer {
        document: &document,
        table,
        wide: None,
        names: rows
            .iter()
            .map(|r| format!("{}/{}", r.cluster, r.resource.object))
            .collect(),
        empty: "No drift.",
    };
    let degraded = asked
        .fleet()
        .cluster_rows()
        .iter()
        .any(|r| r.state.is_current() && r.health.degraded > 0);
    let fails = fail_on.contains(&FailOn::Drift) && rows.iter().any(verify::counts)
        || fail_on.contains(&FailOn::Degraded) && degraded
        || fail_on.contains(&FailOn::Unknown) && document.partial
        || fail_on.contains(&FailOn::Shadow) && has_shadow(asked);
    Ok(Listed {
        text: answer.text(asked.form)?,
        status: exit_status(fails, document.partial),
    })
}

fn has_shadow(asked: Asked<'_>) -> bool {
    let rows = asked.fleet().shadow(asked.scope.selector);
    rows.iter().any(|row| row.current)
}

/// `driftdeck drift --shadow`: what people's tools set beyond Git. Asked for, it counts.
///
/// # Errors
/// A query that does not parse.
pub(crate) fn shadow(asked: Asked<'_>) -> Result<Listed, String> {
    let rows = asked.keep(asked.fleet().shadow(asked.scope.selector))?;
    let items: Vec<ShadowItem> = rows.iter().map(ShadowItem::from).collect();
    let document = Document::new("ShadowList", asked.scope, items);
    let mut table = Table::new(&["CLUSTER", "APP", "OBJECT", "FIELD", "MANAGER", "SINCE"]);
    for row in &rows {
        for change in &row.resource.verdict.shadow {
            let manager = change.owner.as_ref().map(|o| o.manager.clone());
            table.row(vec![
                Safe::new(row.cluster.as_str()),
                Safe::new(&row.resource.app.name),
                Safe::from(row.resource.object.to_string()),
                Safe::new(&change.path),
                manager.unwrap_or(Safe::fixed("-")),
                Safe::from(age(row.first_seen, asked.scope.at)),
            ]);
        }
    }
    let names = rows
        .iter()
        .map(|r| format!("{}/{}", r.cluster, r.resource.object));
    let answer = Answer {
        document: &document,
        table,
        wide: None,
        names: names.collect(),
        empty: "No shadow drift.",
    };
    Ok(Listed {
        text: answer.text(asked.form)?,
        status: exit_status(rows.iter().any(|r| r.current), document.partial),
    })
}

/// The JSON items of drifted objects, each with the engine of its application.
pub(crate) fn drift_items(asked: Asked<'_>, rows: &[DriftRow]) -> Vec<DriftItem> {
    let fleet = asked.fleet();
    let engine = |row: &DriftRow| {
        fleet
            .app(&row.resource.app)
            .map_or(Engine::Argo, |app| app.engine)
    };
    rows.iter()
        .map(|row| {
            let mut item = DriftItem::new(row, engine(row));
            let said = asked.words.and_then(|words| verify::word_of(words, row));
            item.server = said.map(WordItem::from);
            let app = fleet.app_row(&row.resource.app);
            item.disagreement = app.and_then(|app| app.disagreement);
            item
        })
        .collect()
}

/// `edited+behind`; `synced` where a server overruled us.
pub(crate) fn state_words(verdict: &Verdict) -> String {
    if verdict.states.is_empty() {
        return "synced".to_owned();
    }
    let words: Vec<&str> = verdict.states.iter().map(|s| s.word()).collect();
    words.join("+")
}

fn drift_cells(row: &DriftRow, now: Timestamp) -> Vec<Safe> {
    let verdict = &row.resource.verdict;
    let states = state_words(verdict);
    let manager = verdict
        .changes
        .iter()
        .find_map(|c| c.owner.as_ref())
        .map(|o| o.manager.clone());
    vec![
        Safe::new(row.cluster.as_str()),
        Safe::new(&row.resource.app.name),
        Safe::from(row.resource.object.to_string()),
        Safe::from(if row.current {
            states
        } else {
            format!("{states} (old)")
        }),
        verdict.summary.clone(),
        manager.unwrap_or(Safe::fixed("-")),
        Safe::from(age(row.first_seen, now)),
    ]
}

/// `driftdeck drift --group`.
///
/// # Errors
/// A query that does not parse.
pub(crate) fn groups(asked: Asked<'_>, history: &History) -> Result<Listed, String> {
    let groups = asked.keep(asked.fleet().groups_of(asked.scope.selector))?;
    let document = Document::new(
        "DriftGroupList",
        asked.scope,
        groups
            .iter()
            .map(|group| GroupItem::new(group, history, asked.scope.at))
            .collect(),
    );
    let mut table = Table::new(&[
        "FINGERPRINT",
        "COUNT",
        "CLUSTERS",
        "OBJECT",
        "CHANGE",
        "MANAGERS",
        "SINCE",
    ]);
    for group in &groups {
        let managers: Vec<&str> = group.managers.iter().map(Safe::as_str).collect();
        table.row(vec![
            Safe::from(group.fingerprint.to_string()),
            Safe::from(group.members.len().to_string()),
            Safe::from(group.sites.to_string()),
            group.object.clone(),
            group.summary.clone(),
            Safe::from(managers.join(",")),
            Safe::from(age(group.since, asked.scope.at)),
        ]);
    }
    let answer = Answer {
        document: &document,
        table,
        wide: None,
        names: groups.iter().map(|g| g.fingerprint.to_string()).collect(),
        empty: "No drift.",
    };
    Ok(Listed {
        text: answer.text(asked.form)?,
        status: exit_status(!groups.is_empty(), document.partial),
    })
}
