//! `status`, `apps` and `drift`: the lists of the fleet, printed.

use jiff::Timestamp;

use super::args::{FailOn, Form};
use super::document::{Document, Scope, exit_status};
use super::items::{AppItem, DriftItem, GroupItem, ShadowItem, StatusItem};
use super::print::Answer;
use super::table::Table;
use super::verify::{self, WordItem, Words};
use crate::domain::{Application, Engine, Safe, SyncState, Verdict, VerdictSource, Warning};
use crate::fleet::history::History;
use crate::fleet::query::{Query, Queryable};
use crate::fleet::{AppRow, ClusterRow, DriftRow, Fleet, Warner};

/// What a list is made from.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// What it covers.
    pub(crate) scope: Scope<'a>,
    /// The `--where` query, as typed.
    pub(crate) query: Option<&'a str>,
    /// Its form.
    pub(crate) form: Form,
    /// The servers' words, when they were asked for.
    pub(crate) words: Option<&'a Words>,
}

/// A printed list and its exit status.
pub(crate) struct Listed {
    /// The text for standard output.
    pub(crate) text: String,
    /// 0, 1 or 3 as the contract says.
    pub(crate) status: u8,
}

impl Asked<'_> {
    pub(crate) fn keep<R: Queryable>(&self, rows: Vec<R>) -> Result<Vec<R>, String> {
        let query = Query::parse::<R>(self.query.unwrap_or_default())?;
        Ok(rows.into_iter().filter(|row| query.matches(row)).collect())
    }

    fn fleet(&self) -> &Fleet {
        self.scope.fleet
    }

    fn drifted(&self) -> bool {
        self.fleet()
            .drift(self.scope.selector)
            .iter()
            .any(|row| row.current)
    }
}

/// `driftdeck status`.
///
/// # Errors
/// A query that does not parse.
pub(crate) fn status(asked: Asked<'_>) -> Result<Listed, String> {
    let mut rows: Vec<ClusterRow> = asked.fleet().cluster_rows();
    rows.retain(|row| asked.scope.selector.cluster.matches(row.id.as_str()));
    let warner = asked.fleet().warner(asked.scope.at);
    for row in &mut rows {
        if row.message.is_none() {
            row.message = warner.of_hub(&row.id).map(|w| w.sentence());
        }
    }
    rows.sort_by(|a, b| a.urgency().cmp(&b.urgency()));
    let rows = asked.keep(rows)?;
    let document = Document::new(
        "StatusList",
        asked.scope,
        rows.iter().map(StatusItem::from).collect(),
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
            row.why_not_current().unwrap_or_default(),
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
        row.why_not_current().unwrap_or_default(),
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
            Safe::from(group.clusters().len().to_string()),
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
    }
}

/// The first seven characters of a commit.
fn short(revision: &str) -> String {
    revision.chars().take(7).collect()
}

/// How long ago, in one unit: `40s`, `12m`, `3h`, `9d`. A time in the future reads as `0s`.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fact, LinkState, Selector};
    use crate::fleet::testkit::{at, deployment, in_sync, one_edge, scaled, tell};

    fn asked<'a>(
        fleet: &'a Fleet,
        selector: &'a Selector,
        query: Option<&'a str>,
        form: Form,
    ) -> Asked<'a> {
        Asked {
            scope: Scope {
                fleet,
                selector,
                at: at(60),
            },
            query,
            form,
            words: None,
        }
    }

    #[test]
    fn a_clean_fleet_exits_zero_and_says_no_drift() {
        let fleet = one_edge(in_sync(
            "edge-microservice",
            deployment("edge-microservice"),
        ));
        let selector = Selector::default();
        let listed = drift(
            asked(&fleet, &selector, None, Form::Table),
            &[FailOn::Drift],
        )
        .unwrap();
        assert_eq!((listed.text.as_str(), listed.status), ("No drift.\n", 0));
    }

    #[test]
    fn drift_exits_one_and_names_field_and_manager() {
        let fleet = one_edge(scaled(
            "edge-microservice",
            deployment("edge-microservice"),
            5,
            "kubectl-edit",
        ));
        let selector = Selector::default();
        let listed = drift(
            asked(&fleet, &selector, None, Form::Table),
            &[FailOn::Drift],
        )
        .unwrap();
        assert_eq!(listed.status, 1);
        assert!(
            listed.text.contains("spec.replicas 2→5  kubectl-edit"),
            "{}",
            listed.text
        );
    }

    #[test]
    fn old_drift_of_a_stale_cluster_is_partial_and_not_counted() {
        let mut fleet = one_edge(scaled(
            "edge-microservice",
            deployment("edge-microservice"),
            5,
            "kubectl-edit",
        ));
        tell(
            &mut fleet,
            "edge-oslo-001",
            60,
            Fact::Link {
                state: LinkState::Stale,
                message: None,
            },
        );
        let selector = Selector::default();
        let listed = drift(
            asked(&fleet, &selector, None, Form::Table),
            &[FailOn::Drift],
        )
        .unwrap();
        assert_eq!(listed.status, 3);
        assert!(listed.text.contains("edited (old)"));
    }

    #[test]
    fn status_never_shows_numbers_for_a_dark_cluster() {
        let mut fleet = one_edge(in_sync(
            "edge-microservice",
            deployment("edge-microservice"),
        ));
        tell(
            &mut fleet,
            "edge-oslo-001",
            60,
            Fact::Link {
                state: LinkState::Unreachable,
                message: Some("No route to host.".into()),
            },
        );
        let selector = Selector::default();
        let listed = status(asked(
            &fleet,
            &selector,
            Some("state=unreachable"),
            Form::Csv,
        ))
        .unwrap();
        assert!(
            listed
                .text
                .contains("edge-oslo-001,unreachable,?/1,?,-,v1.34.2,No route to host."),
            "{}",
            listed.text
        );
        assert_eq!(listed.status, 3);
    }

    #[test]
    fn a_query_narrows_and_a_wrong_one_is_refused() {
        let fleet = one_edge(scaled(
            "edge-microservice",
            deployment("edge-microservice"),
            5,
            "kubectl-edit",
        ));
        let selector = Selector::default();
        let names = status(asked(&fleet, &selector, Some("drift>0"), Form::Name)).unwrap();
        assert_eq!(names.text, "edge-oslo-001\n");
        assert!(status(asked(&fleet, &selector, Some("drifft>0"), Form::Name)).is_err());
    }

    #[test]
    fn groups_carry_their_fingerprint_as_a_name() {
        let fleet = one_edge(scaled(
            "edge-microservice",
            deployment("edge-microservice"),
            5,
            "kubectl-edit",
        ));
        let selector = Selector::default();
        let listed = groups(asked(&fleet, &selector, None, Form::Name), &History::new()).unwrap();
        assert_eq!(listed.text, "0000000000000005\n");
        assert_eq!(listed.status, 1);
    }

    #[test]
    fn applications_show_both_words() {
        let fleet = one_edge(scaled(
            "edge-microservice",
            deployment("edge-microservice"),
            5,
            "kubectl-edit",
        ));
        let selector = Selector::default();
        let text = apps(asked(&fleet, &selector, None, Form::Table))
            .unwrap()
            .text;
        assert!(
            text.contains("Synced") && text.contains("OutOfSync") && text.contains("driftdeck")
        );
    }

    #[test]
    fn ages_are_one_unit() {
        assert_eq!(
            [
                age(at(0), at(59)),
                age(at(0), at(3_599)),
                age(at(0), at(86_399)),
                age(at(0), at(864_000)),
                age(at(9), at(0))
            ],
            ["59s", "59m", "23h", "10d", "0s"]
        );
    }
}
