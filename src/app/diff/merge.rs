//! Walks two documents at once, so that a field stands beside the same field whatever moved around it.

use serde_json::{Map, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{Mark, Row, Whose};
use crate::domain::Safe;

/// Fields that stand first in a map, in this order.
const FIRST: [&str; 4] = ["apiVersion", "kind", "metadata", "name"];

/// Fields that name an item of a list.
const ITEM_NAMES: [&str; 7] = [
    "name",
    "containerPort",
    "mountPath",
    "devicePath",
    "key",
    "ip",
    "type",
];

/// One place in both documents.
#[derive(Clone, Debug, Default)]
struct At {
    depth: u16,
    left: String,
    right: String,
    /// `key: ` or `- `, what stands before the value on its first line.
    lead: String,
}

impl At {
    fn key(&self, key: &str) -> Self {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        Self {
            depth: self.depth,
            left: format!("{}/{escaped}", self.left),
            right: format!("{}/{escaped}", self.right),
            lead: format!("{}:", shown(key)),
        }
    }

    fn item(&self, left: usize, right: usize) -> Self {
        Self {
            depth: self.depth,
            left: format!("{}/{left}", self.left),
            right: format!("{}/{right}", self.right),
            lead: "-".to_owned(),
        }
    }

    fn deeper(mut self) -> Self {
        self.depth += 1;
        self
    }
}

/// The rows of two documents; either may be absent.
pub fn merge(desired: Option<&Value>, live: Option<&Value>) -> Vec<Row> {
    let mut rows = Vec::new();
    let (at, none) = (At::default(), Map::new());
    let map = |side: Option<&Value>| match side {
        Some(Value::Object(map)) => Some(map.clone()),
        None => Some(none.clone()),
        Some(_) => None,
    };
    match (map(desired), map(live), desired, live) {
        (Some(left), Some(right), _, _) => maps(&mut rows, &at, &left, &right),
        (_, _, Some(left), Some(right)) => both(&mut rows, &at, left, right),
        (_, _, Some(left), None) => one(&mut rows, &at, left, Mark::Removed),
        (_, _, None, Some(right)) => one(&mut rows, &at, right, Mark::Added),
        (_, _, None, None) => {}
    }
    rows
}

fn both(rows: &mut Vec<Row>, at: &At, left: &Value, right: &Value) {
    match (left, right) {
        (Value::Object(l), Value::Object(r)) if !l.is_empty() && !r.is_empty() => {
            same(rows, at, &at.lead);
            maps(rows, &at.clone().deeper(), l, r);
        }
        (Value::Array(l), Value::Array(r)) if !l.is_empty() && !r.is_empty() => {
            same(rows, at, &at.lead);
            lists(rows, &at.clone().deeper(), l, r);
        }
        (Value::String(l), Value::String(r)) if l.contains('\n') && r.contains('\n') => {
            same(rows, at, &format!("{} |", at.lead));
            texts(rows, &at.clone().deeper(), l, r);
        }
        (l, r) if l == r => one(rows, at, l, Mark::Same),
        (l, r) => unequal(rows, at, l, r),
    }
}

/// Two values that differ: beside each other when both stand on one line, else one after the other.
fn unequal(rows: &mut Vec<Row>, at: &At, left: &Value, right: &Value) {
    if let (Some(l), Some(r)) = (leaf(left), leaf(right)) {
        let (l, r) = (format!("{} {l}", at.lead), format!("{} {r}", at.lead));
        rows.push(row(at, Some(&l), Some(&r), Mark::Changed));
        return;
    }
    one(rows, at, left, Mark::Removed);
    one(rows, at, right, Mark::Added);
}

fn maps(rows: &mut Vec<Row>, at: &At, left: &Map<String, Value>, right: &Map<String, Value>) {
    for key in keys(left, right) {
        let place = at.key(key);
        match (left.get(key), right.get(key)) {
            (Some(l), Some(r)) => both(rows, &place, l, r),
            (Some(l), None) => one(rows, &place, l, Mark::Removed),
            (None, Some(r)) => one(rows, &place, r, Mark::Added),
            (None, None) => {}
        }
    }
}

/// The keys of both maps: identity first, then by name.
fn keys<'v>(left: &'v Map<String, Value>, right: &'v Map<String, Value>) -> Vec<&'v str> {
    let mut keys: Vec<&str> = left
        .keys()
        .chain(right.keys())
        .map(String::as_str)
        .collect();
    keys.sort_by_key(|k| (FIRST.iter().position(|f| f == k).unwrap_or(FIRST.len()), *k));
    keys.dedup();
    keys
}

/// Items that carry a name are paired by it; others are aligned like the lines of a text.
fn lists(rows: &mut Vec<Row>, at: &At, left: &[Value], right: &[Value]) {
    let identity = ITEM_NAMES
        .into_iter()
        .find(|key| names(left, key).is_some() && names(right, key).is_some());
    let (l, r) = match identity.and_then(|key| names(left, key).zip(names(right, key))) {
        Some(names) => names,
        None => (left.to_vec(), right.to_vec()),
    };
    for op in capture_diff_slices(Algorithm::Myers, &texts_of(&l), &texts_of(&r)) {
        let (_, from, to) = op.as_tag_tuple();
        let paired = match op {
            DiffOp::Equal { len, .. } => len,
            // Replaced items without a name still stand side by side, as far as they go.
            DiffOp::Replace {
                old_len, new_len, ..
            } if identity.is_none() => old_len.min(new_len),
            _ => 0,
        };
        for i in 0..paired {
            let (i, j) = (from.start + i, to.start + i);
            if let (Some(l), Some(r)) = (left.get(i), right.get(j)) {
                item(rows, &at.item(i, j), Some(l), Some(r));
            }
        }
        for i in from.start + paired..from.end {
            item(rows, &at.item(i, to.start), left.get(i), None);
        }
        for j in to.start + paired..to.end {
            item(rows, &at.item(from.start, j), None, right.get(j));
        }
    }
}

fn texts_of(values: &[Value]) -> Vec<String> {
    values.iter().map(Value::to_string).collect()
}

/// The value of the naming field of every item, when all have it and no two share it.
fn names(list: &[Value], key: &str) -> Option<Vec<Value>> {
    let names: Vec<Value> = list
        .iter()
        .map(|item| item.get(key).cloned())
        .collect::<Option<_>>()?;
    let unique = names
        .iter()
        .enumerate()
        .all(|(i, n)| !names.iter().take(i).any(|m| m == n));
    unique.then_some(names)
}

/// An item: its first line carries the dash.
fn item(rows: &mut Vec<Row>, at: &At, left: Option<&Value>, right: Option<&Value>) {
    let from = rows.len();
    let inner = At {
        lead: String::new(),
        depth: at.depth + 1,
        ..at.clone()
    };
    match (left, right) {
        (Some(Value::Object(l)), Some(Value::Object(r))) if !l.is_empty() && !r.is_empty() => {
            maps(rows, &inner, l, r);
        }
        (Some(l), Some(r)) => return both(rows, at, l, r),
        (Some(Value::Object(l)), None) if !l.is_empty() => maps(rows, &inner, l, &Map::new()),
        (None, Some(Value::Object(r))) if !r.is_empty() => maps(rows, &inner, &Map::new(), r),
        (Some(l), None) => return one(rows, at, l, Mark::Removed),
        (None, Some(r)) => return one(rows, at, r, Mark::Added),
        (None, None) => {}
    }
    if let Some(first) = rows.get_mut(from) {
        first.depth = at.depth;
        first.left = first.left.take().map(|text| dashed(&text));
        first.right = first.right.take().map(|text| dashed(&text));
    }
}

fn dashed(text: &Safe) -> Safe {
    Safe::from(format!("- {text}"))
}

/// Everything below one place, all on the same side or equal on both.
fn one(rows: &mut Vec<Row>, at: &At, value: &Value, mark: Mark) {
    let (left, right) = (mark != Mark::Added, mark != Mark::Removed);
    let mut push =
        |text: &str| rows.push(row(at, left.then_some(text), right.then_some(text), mark));
    match value {
        Value::Object(map) if !map.is_empty() => {
            push(&at.lead);
            let empty = Map::new();
            let (l, r) = (
                if left { map } else { &empty },
                if right { map } else { &empty },
            );
            maps(rows, &at.clone().deeper(), l, r);
        }
        Value::Array(list) if !list.is_empty() => {
            push(&at.lead);
            let deeper = at.clone().deeper();
            for (i, value) in list.iter().enumerate() {
                item(
                    rows,
                    &deeper.item(i, i),
                    left.then_some(value),
                    right.then_some(value),
                );
            }
        }
        Value::String(text) if text.contains('\n') => {
            push(&format!("{} |", at.lead));
            for line in text.lines() {
                let place = At {
                    lead: String::new(),
                    ..at.clone().deeper()
                };
                rows.push(row(
                    &place,
                    left.then_some(line),
                    right.then_some(line),
                    mark,
                ));
            }
        }
        scalar => push(&format!("{} {}", at.lead, leaf(scalar).unwrap_or_default())),
    }
}

/// Texts of several lines, line by line.
fn texts(rows: &mut Vec<Row>, at: &At, left: &str, right: &str) {
    let (l, r): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    for op in capture_diff_slices(Algorithm::Myers, &l, &r) {
        let (_, from, to) = op.as_tag_tuple();
        let mark = if matches!(op, DiffOp::Equal { .. }) {
            Mark::Same
        } else {
            Mark::Changed
        };
        for i in 0..from.len().max(to.len()) {
            let (l, r) = (
                l.get(from.start + i).filter(|_| i < from.len()),
                r.get(to.start + i).filter(|_| i < to.len()),
            );
            let mark = match (l, r) {
                (Some(_), None) => Mark::Removed,
                (None, _) => Mark::Added,
                _ => mark,
            };
            rows.push(row(at, l.copied(), r.copied(), mark));
        }
    }
}

fn same(rows: &mut Vec<Row>, at: &At, text: &str) {
    rows.push(row(at, Some(text), Some(text), Mark::Same));
}

fn row(at: &At, left: Option<&str>, right: Option<&str>, mark: Mark) -> Row {
    Row {
        depth: at.depth,
        left: left.map(|t| Safe::new(t.trim_start_matches(' '))),
        right: right.map(|t| Safe::new(t.trim_start_matches(' '))),
        mark,
        whose: if mark == Mark::Same {
            Whose::Equal
        } else {
            Whose::Unset
        },
        left_at: left.map(|_| at.left.clone()),
        right_at: right.map(|_| at.right.clone()),
    }
}

/// A value that stands on one line.
fn leaf(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(text) if text.contains('\n') => return None,
        Value::String(text) => shown(text),
        Value::Array(list) if list.is_empty() => "[]".to_owned(),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Text as YAML would need it written to stay text: quoted only where it must be.
fn shown(text: &str) -> String {
    let starts_plain = text.starts_with(|c: char| c.is_alphanumeric() || "/._•".contains(c));
    let reads_as_else = text.parse::<f64>().is_ok()
        || matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
        );
    let breaks = text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']);
    if starts_plain && !reads_as_else && !breaks {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drawn(desired: &Value, live: &Value) -> Vec<String> {
        merge(Some(desired), Some(live)).iter().map(draw).collect()
    }

    fn draw(row: &Row) -> String {
        let side = |s: &Option<Safe>| s.as_ref().map_or("", |t| t.as_str()).to_owned();
        let pad = "  ".repeat(usize::from(row.depth));
        match row.mark {
            Mark::Same => format!("  {pad}{}", side(&row.left)),
            Mark::Changed => format!("~ {pad}{} | {}", side(&row.left), side(&row.right)),
            Mark::Added => format!("+ {pad}{}", side(&row.right)),
            Mark::Removed => format!("- {pad}{}", side(&row.left)),
        }
    }

    #[test]
    fn a_changed_field_stands_in_one_row_under_its_parents() {
        let desired = json!({"kind": "Deployment", "spec": {"replicas": 3, "paused": false}});
        let live = json!({"kind": "Deployment", "spec": {"replicas": 1, "paused": false}});
        assert_eq!(
            drawn(&desired, &live),
            [
                "  kind: Deployment",
                "  spec:",
                "    paused: false",
                "~   replicas: 3 | replicas: 1"
            ]
        );
    }

    #[test]
    fn named_items_are_paired_by_name_wherever_they_stand() {
        let desired = json!({"containers": [{"name": "app", "image": "a:1"}, {"name": "log", "image": "l:1"}]});
        let live = json!({"containers": [{"name": "sidecar"}, {"name": "app", "image": "a:2"}, {"name": "log", "image": "l:1"}]});
        assert_eq!(
            drawn(&desired, &live),
            [
                "  containers:",
                "+   - name: sidecar",
                "    - name: app",
                "~     image: a:1 | image: a:2",
                "    - name: log",
                "      image: l:1",
            ]
        );
    }

    #[test]
    fn a_whole_subtree_on_one_side_is_on_that_side_only() {
        let desired = json!({"spec": {}});
        let live =
            json!({"spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        assert_eq!(
            drawn(&desired, &live),
            [
                "  spec: {}",
                "+ status:",
                "+   conditions:",
                "+     - status: \"True\"",
                "+       type: Ready"
            ]
        );
    }

    #[test]
    fn texts_of_several_lines_are_compared_line_by_line() {
        let desired = json!({"data": {"edge.conf": "level=info\nport=1\n"}});
        let live = json!({"data": {"edge.conf": "level=debug\nport=1\n"}});
        assert_eq!(
            drawn(&desired, &live),
            [
                "  data:",
                "    edge.conf: |",
                "~     level=info | level=debug",
                "      port=1"
            ]
        );
    }

    #[test]
    fn a_scalar_that_became_a_map_is_removed_and_added() {
        assert_eq!(
            drawn(&json!({"a": 1}), &json!({"a": {"b": 2}})),
            ["- a: 1", "+ a:", "+   b: 2"]
        );
    }

    #[test]
    fn unnamed_items_align_like_lines() {
        assert_eq!(
            drawn(
                &json!({"args": ["-v", "--port=1"]}),
                &json!({"args": ["-v", "--port=2", "--x"]})
            ),
            [
                "  args:",
                "    - \"-v\"",
                "~   - \"--port=1\" | - \"--port=2\"",
                "+   - \"--x\""
            ]
        );
    }

    #[test]
    fn pointers_lead_to_the_values_on_both_sides() {
        let desired = json!({"c": [{"name": "b", "v": 1}]});
        let live = json!({"c": [{"name": "a"}, {"name": "b", "v": 2}]});
        let rows = merge(Some(&desired), Some(&live));
        let changed = rows.iter().find(|r| r.mark == Mark::Changed).unwrap();
        assert_eq!(changed.left_at.as_deref(), Some("/c/0/v"));
        assert_eq!(changed.right_at.as_deref(), Some("/c/1/v"));
        assert_eq!(live.pointer("/c/1/v"), Some(&json!(2)));
    }

    #[test]
    fn text_that_would_read_as_something_else_is_quoted() {
        for (text, written) in [
            ("1", "\"1\""),
            ("yes", "\"yes\""),
            ("a: b", "\"a: b\""),
            ("web", "web"),
            ("", "\"\""),
        ] {
            assert_eq!(shown(text), written);
        }
    }

    #[test]
    fn control_characters_are_visible_and_different() {
        let rows = drawn(&json!({"a": "x"}), &json!({"a": "x\u{1b}"}));
        assert!(
            rows[0].contains('~') && !rows[0].contains('\u{1b}'),
            "{rows:?}"
        );
    }
}
