//! Equal drift on many clusters, found: a number that is equal for equal changes, and the one line that tells them.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::{Change, ChangeOp, DriftState, Fingerprint, ObjectRef, Safe, Verdict};

/// The longest summary, in characters.
const WIDTH: usize = 60;

/// The fingerprint of a verdict: kind, name pattern, states, paths and the class of each value. The same on every cluster and in every run.
pub fn of(object: &ObjectRef, verdict: &Verdict) -> Fingerprint {
    let mut hash = Sha256::new();
    let mut feed = |part: &str| {
        hash.update(part.as_bytes());
        hash.update([0]);
    };
    feed(&object.gvk.group);
    feed(&object.gvk.kind);
    feed(&pattern(&object.namespace));
    feed(&pattern(&object.name));
    for state in &verdict.states {
        feed(state.word());
    }
    for (side, changes) in [("edited", &verdict.changes), ("behind", &verdict.behind)] {
        for change in changes {
            feed(side);
            feed(&change.path);
            feed(op_word(change.op));
            feed(&value_class(change.desired.as_ref()));
            feed(&value_class(change.live.as_ref()));
        }
    }
    let bytes = hash.finalize();
    Fingerprint(
        bytes
            .iter()
            .take(8)
            .fold(0, |n, b| (n << 8) | u64::from(*b)),
    )
}

fn op_word(op: ChangeOp) -> &'static str {
    match op {
        ChangeOp::Changed => "changed",
        ChangeOp::Added => "added",
        ChangeOp::Removed => "removed",
    }
}

/// A name without what tells clusters apart: numbers, and the hash that kustomize appends.
fn pattern(name: &str) -> String {
    let stem = match name.rsplit_once('-') {
        Some((stem, tail)) if is_hash(tail) => format!("{stem}-*"),
        _ => name.to_owned(),
    };
    let mut out = String::with_capacity(stem.len());
    for c in stem.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !out.ends_with('#') {
            out.push('#');
        }
    }
    out
}

/// Ten letters and digits with both among them, as kustomize makes them.
fn is_hash(tail: &str) -> bool {
    tail.len() == 10
        && tail
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && tail.bytes().any(|b| b.is_ascii_digit())
        && tail.bytes().any(|b| b.is_ascii_lowercase())
}

/// What a value is for grouping: small ones are themselves, marks are only "secret", everything else is its canonical text.
fn value_class(value: Option<&Value>) -> String {
    match value {
        None => "-".to_owned(),
        Some(Value::String(text)) if text.starts_with("•••") => "secret".to_owned(),
        Some(other) => without_marks(other).to_string(),
    }
}

fn without_marks(value: &Value) -> Value {
    match value {
        Value::String(text) if text.starts_with("•••") => Value::String("secret".to_owned()),
        Value::Array(items) => items.iter().map(without_marks).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| (key.clone(), without_marks(inner)))
            .collect(),
        other => other.clone(),
    }
}

/// One line of at most about sixty characters: `spec.replicas 3→1`, `image v1.8.1→v1.8.0 +2 more`, `missing in cluster`.
pub fn summary(verdict: &Verdict) -> Safe {
    let has = |state| verdict.states.contains(&state);
    let text = if let Some(line) = of_changes(&verdict.changes, false) {
        line
    } else if has(DriftState::Missing) {
        "missing in cluster".to_owned()
    } else if has(DriftState::Extra) {
        "in cluster, not in Git".to_owned()
    } else if let Some(line) = of_changes(&verdict.behind, true) {
        format!("behind: {line}")
    } else if has(DriftState::Behind) {
        "Git moved on".to_owned()
    } else {
        String::new()
    };
    Safe::new(&text)
}

/// The most telling change and how many more there are. `behind` reads from the deployed value to the target's.
fn of_changes(changes: &[Change], behind: bool) -> Option<String> {
    let first = changes.iter().min_by_key(|c| rank(c))?;
    let more = match changes.len() {
        1 => String::new(),
        count => format!(" +{} more", count - 1),
    };
    let line = one(first, behind);
    let room = WIDTH.saturating_sub(more.chars().count());
    Some(format!("{}{more}", cut(&line, room)))
}

/// What people ask first: images and replicas, then the rest of the spec, then metadata.
fn rank(change: &Change) -> u8 {
    if change.path.ends_with(".image") {
        0
    } else if change.path == "spec.replicas" {
        1
    } else {
        2 + u8::from(change.path.starts_with("metadata"))
    }
}

fn one(change: &Change, behind: bool) -> String {
    let (from, to) = if behind {
        (change.live.as_ref(), change.desired.as_ref())
    } else {
        (change.desired.as_ref(), change.live.as_ref())
    };
    if let Some(tags) = image(change, from, to) {
        return format!("image {tags}");
    }
    let path = short(&change.path);
    match (from, to) {
        (Some(from), Some(to)) if is_secret(from) || is_secret(to) => format!("{path} changed"),
        (Some(Value::String(from)), Some(Value::String(to)))
            if from.contains('\n') || to.contains('\n') =>
        {
            format!("{path} {}", lines(from, to))
        }
        (Some(from), Some(to)) => match (inline(from), inline(to)) {
            (Some(a), Some(b)) => format!("{path} {a}→{b}"),
            _ => format!("{path} changed"),
        },
        (None, _) => format!("{path} added"),
        (_, None) => format!("{path} removed"),
    }
}

/// Two texts of several lines: the first line that differs, numbered, and how the text grew when lines were only added or taken away.
fn lines(from: &str, to: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let number = same + 1;
    match (old.get(same), new.get(same)) {
        (Some(a), Some(b)) => format!("line {number} {}→{}", cut(a.trim(), 20), cut(b.trim(), 20)),
        (None, Some(b)) => format!("line {number} added {}", cut(b.trim(), 30)),
        (Some(a), None) => format!("line {number} removed {}", cut(a.trim(), 30)),
        (None, None) => "differs in its last line break".to_owned(),
    }
}

fn is_secret(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("•••"))
}

/// Two images of one repository differ by tag or digest; others by their last part.
fn image(change: &Change, from: Option<&Value>, to: Option<&Value>) -> Option<String> {
    if !change.path.ends_with(".image") {
        return None;
    }
    let (from, to) = (from?.as_str()?, to?.as_str()?);
    let name = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
    let (from, to) = (name(from), name(to));
    match (from.split_once([':', '@']), to.split_once([':', '@'])) {
        (Some((a, old)), Some((b, new))) if a == b => {
            Some(format!("{}→{}", cut(old, 20), cut(new, 20)))
        }
        _ => Some(format!("{from}→{to}")),
    }
}

/// The end of a long path: `containers[name=app].env[name=DEBUG]`.
fn short(path: &str) -> String {
    let path = path
        .strip_prefix("spec.template.spec.")
        .or_else(|| path.strip_prefix("spec.jobTemplate.spec.template.spec."))
        .unwrap_or(path);
    if path.chars().count() <= 40 {
        return path.to_owned();
    }
    let tail: Vec<char> = path.chars().rev().take(38).collect();
    format!("…{}", tail.into_iter().rev().collect::<String>())
}

fn inline(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => Some("\"\"".to_owned()),
        Value::String(text) => Some(cut(text.lines().next().unwrap_or_default(), 20)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Gvk;
    use serde_json::json;

    fn change(path: &str, desired: Value, live: Value) -> Change {
        let value = |v: Value| (!v.is_null()).then_some(v);
        Change {
            path: path.to_owned(),
            op: ChangeOp::Changed,
            desired: value(desired),
            live: value(live),
            owner: None,
            owner_inferred: false,
        }
    }

    fn verdict(changes: Vec<Change>) -> Verdict {
        Verdict {
            states: vec![DriftState::Edited],
            changes,
            ..Verdict::default()
        }
    }

    fn named(name: &str) -> ObjectRef {
        ObjectRef::new(Gvk::new("apps", "v1", "Deployment"), "edge", name)
    }

    #[test]
    fn equal_changes_have_equal_fingerprints_on_numbered_names() {
        let scaled = verdict(vec![change("spec.replicas", json!(3), json!(1))]);
        assert_eq!(
            of(&named("edge-003-web"), &scaled),
            of(&named("edge-117-web"), &scaled)
        );
        assert_ne!(
            of(&named("edge-003-web"), &scaled),
            of(&named("edge-003-api"), &scaled)
        );
        let other = verdict(vec![change("spec.replicas", json!(3), json!(2))]);
        assert_ne!(of(&named("web"), &scaled), of(&named("web"), &other));
    }

    #[test]
    fn fingerprints_are_the_same_in_every_run() {
        let scaled = verdict(vec![change("spec.replicas", json!(3), json!(1))]);
        assert_eq!(
            of(&named("edge-microservice"), &scaled).to_string(),
            "62ca80a630eb4ea6"
        );
    }

    #[test]
    fn secret_values_add_only_that_they_changed() {
        let a = verdict(vec![change(
            "data.password",
            json!("••• 1"),
            json!("••• 2"),
        )]);
        let b = verdict(vec![change(
            "data.password",
            json!("••• 4"),
            json!("••• 9"),
        )]);
        assert_eq!(of(&named("s"), &a), of(&named("s"), &b));
        assert_eq!(summary(&a).as_str(), "data.password changed");
    }

    #[test]
    fn kustomize_hashes_and_numbers_are_no_part_of_a_name() {
        assert_eq!(pattern("settings-h7g6f5d4k2"), "settings-*");
        assert_eq!(pattern("edge-oslo-003-cache"), "edge-oslo-#-cache");
        assert_eq!(pattern("kubernetes"), "kubernetes");
    }

    #[test]
    fn summaries_tell_the_first_thing_people_ask() {
        let replicas = change("spec.replicas", json!(3), json!(1));
        let picture = change(
            "spec.template.spec.containers[name=app].image",
            json!("registry.edge.example:5000/edge-microservice:v1.8.1"),
            json!("registry.edge.example:5000/edge-microservice:v1.8.0"),
        );
        assert_eq!(
            summary(&verdict(vec![replicas.clone()])).as_str(),
            "spec.replicas 3→1"
        );
        assert_eq!(
            summary(&verdict(vec![replicas.clone(), picture.clone()])).as_str(),
            "image v1.8.1→v1.8.0 +1 more"
        );
        let removed = change(
            "metadata.labels[\"app.kubernetes.io/part-of\"]",
            json!("edge"),
            Value::Null,
        );
        assert_eq!(
            summary(&verdict(vec![removed, replicas.clone(), picture])).as_str(),
            "image v1.8.1→v1.8.0 +2 more"
        );
        let missing = Verdict {
            states: vec![DriftState::Missing],
            ..Verdict::default()
        };
        assert_eq!(summary(&missing).as_str(), "missing in cluster");
        let behind = Verdict {
            states: vec![DriftState::Behind],
            behind: vec![change("spec.replicas", json!(5), json!(3))],
            ..Verdict::default()
        };
        assert_eq!(summary(&behind).as_str(), "behind: spec.replicas 3→5");
    }

    #[test]
    fn texts_of_several_lines_are_told_by_the_first_line_that_differs() {
        let told = |from: &str, to: &str| {
            let change = change("data[\"collector.yaml\"]", json!(from), json!(to));
            summary(&verdict(vec![change])).as_str().to_owned()
        };
        let config = "receivers:\n  otlp:\n    endpoint: 0.0.0.0:4317\n";
        assert_eq!(
            told(config, "receivers:\n  otlp:\n    endpoint: 0.0.0.0:9\n"),
            "data[\"collector.yaml\"] line 3 endpoint: 0.0.0.0:4…→endpoint…"
        );
        assert_eq!(
            told("a: 1\n", "a: 1\nb: 2\n"),
            "data[\"collector.yaml\"] line 2 added b: 2"
        );
        assert_eq!(
            told("a: 1\n", "a: 1"),
            "data[\"collector.yaml\"] differs in its last line break"
        );
    }

    #[test]
    fn summaries_stay_short_and_cannot_act_on_a_terminal() {
        let long = change(
            &format!("data[\"{}\"]", "x".repeat(300)),
            json!("a\u{1b}[2J".repeat(50)),
            json!("b\nc"),
        );
        let line = summary(&verdict(vec![long.clone(), long]));
        assert!(line.as_str().chars().count() <= 80, "{line}");
        assert!(!line.as_str().contains('\u{1b}'));
    }
}
