//! `diff` of the fleet: every drifted object of the selection, field by field and as text.

use std::fmt::Write as _;

use super::args::Form;
use super::document::{Document, exit_status};
use super::items::DriftItem;
use super::lists::{Asked, Listed, drift_items, state_words};
use super::{print, verify};
use crate::domain::{Change, DriftState, Engine, FieldOwner, Handling, Safe};
use crate::drift::diff_text;
use crate::fleet::DriftRow;

/// Desired against live of every drifted object in the selection; of one that is `named`, drifted or not.
///
/// # Errors
/// A query that does not parse, a form that only pictures have, or no object of that name.
pub(crate) fn diff(asked: Asked<'_>, named: bool) -> Result<Listed, String> {
    let mut rows = verify::rows(asked);
    if named && rows.is_empty() {
        rows = asked.scope.fleet.objects(asked.scope.selector);
        if rows.is_empty() {
            return Err(
                "No such object is managed there. `driftdeck explain` lists what there is."
                    .to_owned(),
            );
        }
    }
    let rows = asked.keep(rows)?;
    let mut items: Vec<DriftItem> = drift_items(asked, &rows);
    for (item, row) in items.iter_mut().zip(&rows) {
        item.unified = unified(row);
    }
    let document = Document::new("Diff", asked.scope, items);
    let text = match asked.form {
        Form::Json => print::json(&document)?,
        Form::Yaml => print::yaml(&document)?,
        Form::Table | Form::Wide | Form::Text => {
            let body: String = rows.iter().map(|row| describe(row, asked)).collect();
            let body = if rows.is_empty() {
                "No difference.\n".to_owned()
            } else {
                body
            };
            body + &document.footnotes()
        }
        Form::Name => rows
            .iter()
            .map(|r| {
                format!(
                    "{}/{}\n",
                    Safe::new(r.cluster.as_str()),
                    Safe::from(r.resource.object.to_string())
                )
            })
            .collect(),
        _ => return Err("A diff has no such form; use -o table, json, yaml or name.".to_owned()),
    };
    Ok(Listed {
        text,
        status: exit_status(rows.iter().any(verify::counts), document.partial),
    })
}

/// The documents of a drifted object as unified text, Git first.
pub(crate) fn unified(row: &DriftRow) -> Option<String> {
    let bodies = row.resource.bodies.as_deref()?;
    Some(diff_text::unified(
        bodies.desired.as_ref(),
        bodies.live.as_ref(),
    ))
}

fn describe(row: &DriftRow, asked: Asked<'_>) -> String {
    let resource = &row.resource;
    let verdict = &resource.verdict;
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}  {}  {}  app {}{}",
        Safe::new(row.cluster.as_str()),
        Safe::from(resource.object.to_string()),
        state_words(verdict),
        Safe::new(&resource.app.name),
        if row.current {
            ""
        } else {
            "  (old: the cluster does not answer)"
        }
    );
    let _ = writeln!(
        out,
        "  {}",
        handling(&verdict.handling, resource.app.kind.engine())
    );
    if let Some(message) = &verdict.message {
        let _ = writeln!(out, "  {message}");
    }
    if let Some(said) = asked.words.and_then(|words| verify::word_of(words, row)) {
        let _ = writeln!(out, "  server: {}", said.opinion.message());
    }
    for change in &verdict.changes {
        let _ = writeln!(out, "  {}", line(change, "git", "live"));
    }
    if verdict.states.contains(&DriftState::Behind) {
        for change in &verdict.behind {
            let _ = writeln!(out, "  behind: {}", line(change, "target", "deployed"));
        }
    }
    for ignored in &verdict.ignored {
        let by = ignored
            .owner
            .as_ref()
            .map(|o| format!(" ({})", o.manager))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "  ignored: {}{by}: {}",
            Safe::new(&ignored.path),
            Safe::new(&ignored.reason)
        );
    }
    for text in unified(row).iter().flat_map(|t| t.lines()) {
        let _ = writeln!(out, "    {}", Safe::new(text));
    }
    out.push('\n');
    out
}

/// `compared three-way by Argo CD  wave 3  hook PreSync  options Prune=false`
fn handling(handling: &Handling, engine: Engine) -> String {
    let by = match engine {
        Engine::Argo => "Argo CD",
        Engine::Flux => "Flux",
    };
    let mut out = format!("compared {} by {by}", handling.mode.word());
    if handling.wave != 0 {
        let _ = write!(out, "  wave {}", handling.wave);
    }
    if !handling.hooks.is_empty() {
        let _ = write!(out, "  hook {}", handling.hooks.join(","));
    }
    let options: Vec<&str> = handling.options.iter().map(Safe::as_str).collect();
    if !options.is_empty() {
        let _ = write!(out, "  options {}", options.join(","));
    }
    out
}

fn line(change: &Change, wanted: &str, found: &str) -> String {
    let value = |v: &Option<serde_json::Value>| {
        v.as_ref().map_or("absent".to_owned(), |v| {
            Safe::from(v.to_string()).to_string()
        })
    };
    let by = change
        .owner
        .as_ref()
        .map(|o| owner(o, change.owner_inferred))
        .unwrap_or_default();
    format!(
        "{}  {wanted} {}  {found} {}{by}",
        Safe::new(&change.path),
        value(&change.desired),
        value(&change.live)
    )
}

fn owner(owner: &FieldOwner, inferred: bool) -> String {
    let when = owner
        .time
        .map(|t| format!(" {}", t.strftime("%Y-%m-%dT%H:%M:%SZ")))
        .unwrap_or_default();
    let word = if inferred { "likely by" } else { "by" };
    format!("  {word} {}{when}", owner.manager)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::document::Scope;
    use crate::domain::Selector;
    use crate::fleet::testkit::{at, deployment, in_sync, one_edge, scaled};

    fn listed(replicas: Option<i64>, form: Form) -> Listed {
        let object = deployment("edge-microservice");
        let fleet = one_edge(match replicas {
            Some(live) => scaled("edge-microservice", object, live, "kubectl-edit"),
            None => in_sync("edge-microservice", object),
        });
        let selector = Selector::default();
        diff(
            Asked {
                scope: Scope {
                    fleet: &fleet,
                    selector: &selector,
                    at: at(60),
                },
                query: None,
                form,
                words: None,
            },
            false,
        )
        .unwrap()
    }

    #[test]
    fn a_named_object_is_told_even_when_it_has_not_drifted() {
        let fleet = one_edge(in_sync(
            "edge-microservice",
            deployment("edge-microservice"),
        ));
        let named = |text: &str| {
            let selector = crate::cli::args::one_object(text)?;
            let scope = Scope {
                fleet: &fleet,
                selector: &selector,
                at: at(60),
            };
            let asked = Asked {
                scope,
                query: None,
                form: Form::Json,
                words: None,
            };
            let listed = diff(asked, true)?;
            let json: serde_json::Value = serde_json::from_str(&listed.text).unwrap();
            Ok::<_, String>((json["items"][0].clone(), listed.status))
        };
        let namespace = deployment("edge-microservice").namespace;
        let (item, status) = named(&format!(
            "edge-oslo-001/deployment/{namespace}/edge-microservice"
        ))
        .unwrap();
        assert_eq!((&item["state"], status), (&"synced".into(), 0));
        assert_eq!(item["handling"]["mode"], "three-way");
        assert!(item["ignored"].is_array());
        assert!(named("edge-oslo-001/deployment/edge-microservice").is_err());
        assert!(
            named("edge-microservice")
                .unwrap_err()
                .contains("CLUSTER/KIND")
        );
    }

    #[test]
    fn a_change_is_told_with_both_values_and_its_manager() {
        let found = listed(Some(5), Form::Table);
        assert!(
            found
                .text
                .contains("spec.replicas  git 2  live 5  by kubectl-edit"),
            "{}",
            found.text
        );
        assert_eq!(found.status, 1);
    }

    #[test]
    fn no_difference_is_said_and_exits_zero() {
        let found = listed(None, Form::Table);
        assert_eq!((found.text.as_str(), found.status), ("No difference.\n", 0));
    }

    #[test]
    fn the_document_is_a_diff() {
        assert!(
            listed(Some(5), Form::Json)
                .text
                .contains("\"kind\": \"Diff\"")
        );
    }
}
