//! The answers about files as text for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::DiffItem;
use super::explain::ExplanationItem;
use crate::domain::Safe;

/// Every object with what differs; nothing but its name when nothing does.
pub(super) fn diff(items: &[DiffItem]) -> String {
    let mut out = String::new();
    for item in items {
        one(&mut out, item);
    }
    if items.is_empty() {
        out.push_str("There are no objects in the files.\n");
    }
    out
}

fn one(out: &mut String, item: &DiffItem) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}  {}",
        title(&item.kind, &item.namespace, &item.name),
        state(item)
    );
    let argo = match item.modified {
        Some(true) => "Argo CD: OutOfSync",
        Some(false) => "Argo CD: Synced",
        None => "Argo CD: comparison error",
    };
    let _ = writeln!(out, "  {argo}");
    if let Some(message) = &item.message {
        let _ = writeln!(out, "  {message}");
    }
    for change in &item.changes {
        let _ = writeln!(out, "  {}", fields(change));
    }
    for ignored in &item.ignored {
        let _ = writeln!(out, "  ignored: {}", fields(ignored));
    }
    if item.drifts() {
        for line in item.unified.lines() {
            let _ = writeln!(out, "    {}", Safe::new(line));
        }
    }
}

fn state(item: &DiffItem) -> String {
    if item.states.is_empty() {
        return "as desired".to_owned();
    }
    let words: Vec<&str> = item.states.iter().map(|s| s.word()).collect();
    format!("{}  {}", words.join("+"), item.summary)
}

fn title(kind: &Safe, namespace: &Safe, name: &Safe) -> String {
    if namespace.is_empty() {
        format!("{kind} {name}")
    } else {
        format!("{kind} {namespace}/{name}")
    }
}

/// A change or an ignored difference in one line, from its stable form.
fn fields<T: serde::Serialize>(item: &T) -> String {
    let value = serde_json::to_value(item).unwrap_or_default();
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut line = text("path").to_owned();
    for (key, label) in [("desired", "git"), ("live", "live")] {
        if let Some(side) = value.get(key) {
            let _ = write!(line, "  {label} {side}");
        }
    }
    if !text("reason").is_empty() {
        let _ = write!(line, ": {}", text("reason"));
    } else if !text("manager").is_empty() {
        let likely = if value.get("inferred").is_some() {
            "likely "
        } else {
            ""
        };
        let _ = write!(line, "  {likely}by {} {}", text("manager"), text("time"));
    }
    Safe::new(line.trim_end()).to_string()
}

/// Every object with its health and the reasons.
pub(super) fn explanations(items: &[ExplanationItem]) -> String {
    let mut out = String::new();
    for item in items {
        let _ = writeln!(
            out,
            "{}  {}",
            title(&item.kind, &item.namespace, &item.name),
            item.health_word()
        );
        for reason in &item.reasons {
            let _ = writeln!(out, "  {}", Safe::new(reason));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_is_one_line_with_both_values_and_who() {
        let change = json!({"path": "spec.replicas", "desired": 3, "live": 1, "manager": "kubectl-edit", "time": "2026-11-20T09:30:00Z"});
        assert_eq!(
            fields(&change),
            "spec.replicas  git 3  live 1  by kubectl-edit 2026-11-20T09:30:00Z"
        );
        let ignored = json!({"path": "status", "reason": "status is a report", "manager": null});
        assert_eq!(fields(&ignored), "status: status is a report");
    }
}
