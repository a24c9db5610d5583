//! What the answers of driftdeck are read for.

use serde_json::{Value, json};

use crate::argo::Controller;
use crate::program::Answer;
use crate::story::{PASSWORD, Team};

/// The base64 text and the clear text of what the operator wrote into the Secret.
pub(crate) const INTRUDER: [&str; 2] = ["c3RvbGVuLWFuZC1zb2xk", "stolen-and-sold"];

pub(crate) fn select(team: &Team) -> String {
    format!("--app {}-* --wait 40s -o json", team.name)
}

pub(crate) fn on_edge(team: &Team, app: &Controller) -> String {
    format!(
        "--app {} --cluster {} --wait 40s -o json",
        app.app, app.edge.name
    )
    .replace("{}", &team.name)
}

/// The one item of this kind and name.
pub(crate) fn item<'a>(items: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found: Vec<&Value> = items
        .iter()
        .filter(|i| i["kind"] == kind && i["name"] == name)
        .collect();
    assert_eq!(found.len(), 1, "{kind} {name} in {items:#?}");
    found[0]
}

/// Path, operation, desired, live and manager of each change, ordered by path.
pub(crate) fn changes(item: &Value) -> Vec<(String, String, Value, Value, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<_> = item["changes"]
        .as_array()
        .unwrap_or_else(|| panic!("no changes in {item:#}"))
        .iter()
        .map(|c| {
            (
                text(&c["path"]),
                text(&c["op"]),
                c["desired"].clone(),
                c["live"].clone(),
                text(&c["manager"]),
            )
        })
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

pub(crate) fn assert_no_secret(what: &str, text: &str) {
    for value in PASSWORD.iter().chain(&INTRUDER) {
        assert!(
            !text.contains(value),
            "{what} holds the value of a Secret: {value}"
        );
    }
}

pub(crate) fn assert_clean(answer: &Answer) {
    assert_eq!(answer.items(), Vec::<Value>::new());
    assert_eq!(answer.json()["unjudged"], json!([]));
    assert_eq!(answer.json()["unreachable"], json!([]));
    assert_eq!(answer.status, 0, "{answer:#?}");
}
