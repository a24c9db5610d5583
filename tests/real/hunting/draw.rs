//! Draws edits: something changed, added or removed anywhere in a live object, by one of three managers, each in its own way.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::ledger::content;
use crate::openapi::{Elements, Type};
use crate::workshop::Body;

/// Who edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Editor {
    /// `kubectl edit`: the whole object, as an update.
    Person,
    /// A tool that nobody classes, by a forced server-side apply of the one field.
    Tool,
    /// A program in the cluster, by a JSON patch with positions.
    Program,
}

impl Editor {
    const ALL: [Self; 3] = [Self::Person, Self::Tool, Self::Program];

    /// The field manager.
    pub(crate) fn manager(self) -> &'static str {
        match self {
            Self::Person => "kubectl-edit",
            Self::Tool => "edge-tuner",
            Self::Program => "config-sync-operator",
        }
    }
}

/// One drawn edit, not yet sent.
pub(crate) struct Draw {
    pub(crate) editor: Editor,
    pub(crate) body: Body,
    /// The object as it is meant to become; the server may do more.
    pub(crate) meant: Value,
    /// What was meant, for messages.
    pub(crate) words: String,
}

/// One step down.
#[derive(Clone, Debug, PartialEq)]
enum Seg {
    Field(String),
    Item(usize),
}

/// A place in a live object.
struct Node<'v, 's> {
    segs: Vec<Seg>,
    value: &'v Value,
    of: Type<'s>,
    /// Whether Git sets it.
    git: bool,
}

enum Verb {
    Put(Value),
    Remove,
}

/// Draws one edit; `None` when the die fell on something impossible.
pub(crate) fn draw(rng: &mut Rng, live: &Value, desired: &Value, of: Type<'_>) -> Option<Draw> {
    let editor = Editor::ALL[rng.usize(..3)];
    let (inner, git) = (content(live), content(desired));
    let mut nodes = Vec::new();
    gather(&inner, Some(&git), of, &mut Vec::new(), &mut nodes);
    let (segs, verb) = match rng.u8(..100) {
        0..45 => change(rng, &nodes)?,
        45..75 => add(rng, &nodes)?,
        _ if editor == Editor::Tool => change(rng, &nodes)?,
        _ => remove(rng, &nodes)?,
    };
    // A person who removes something often leaves a trace elsewhere, which is all that tells who it was.
    let trace = editor == Editor::Person && matches!(verb, Verb::Remove) && rng.bool();
    let words = format!(
        "{segs:?} {}",
        match &verb {
            Verb::Put(value) => format!("= {value}"),
            Verb::Remove => format!("removed{}", if trace { ", and a note left" } else { "" }),
        }
    );
    let (meant, body) = body(editor, live, &segs, verb, of, trace)?;
    Some(Draw {
        editor,
        body,
        meant,
        words,
    })
}

/// Every place below the object, the object itself left out.
fn gather<'v, 's>(
    value: &'v Value,
    git: Option<&Value>,
    of: Type<'s>,
    segs: &mut Vec<Seg>,
    out: &mut Vec<Node<'v, 's>>,
) {
    if !segs.is_empty() {
        out.push(Node {
            segs: segs.clone(),
            value,
            of,
            git: git.is_some_and(|g| !g.is_null()),
        });
    }
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields
                .iter()
                .filter(|(name, _)| !name.starts_with("kubectl.kubernetes.io/"))
            {
                segs.push(Seg::Field(name.clone()));
                gather(
                    inner,
                    git.and_then(|g| g.get(name)),
                    of.field(name),
                    segs,
                    out,
                );
                segs.pop();
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                segs.push(Seg::Item(index));
                gather(
                    inner,
                    counterpart(git, inner, index, of),
                    of.item(),
                    segs,
                    out,
                );
                segs.pop();
            }
        }
        _ => {}
    }
}

/// Git's element for a live one.
fn counterpart<'g>(
    git: Option<&'g Value>,
    live: &Value,
    index: usize,
    of: Type<'_>,
) -> Option<&'g Value> {
    let git = git?.as_array()?;
    match of.elements() {
        Elements::Map(keys) => git.iter().find(|g| {
            keys.iter()
                .all(|k| g.get(k).is_none_or(|v| Some(v) == live.get(k)))
        }),
        Elements::Set => git.iter().find(|g| *g == live),
        Elements::Ordered => git.get(index),
    }
}

fn change(rng: &mut Rng, nodes: &[Node<'_, '_>]) -> Option<(Vec<Seg>, Verb)> {
    // Mostly what Git sets; now and then a default.
    let only_git = rng.u8(..100) < 85;
    let scalars: Vec<&Node<'_, '_>> = nodes
        .iter()
        .filter(|n| !n.value.is_object() && !n.value.is_array() && (n.git || !only_git))
        .collect();
    let node = rng.choice(scalars)?;
    Some((
        node.segs.clone(),
        Verb::Put(other(rng, node.value, node.of)?),
    ))
}

fn remove(rng: &mut Rng, nodes: &[Node<'_, '_>]) -> Option<(Vec<Seg>, Verb)> {
    let set: Vec<&Node<'_, '_>> = nodes.iter().filter(|n| n.git && n.segs.len() > 1).collect();
    Some((rng.choice(set)?.segs.clone(), Verb::Remove))
}

fn add(rng: &mut Rng, nodes: &[Node<'_, '_>]) -> Option<(Vec<Seg>, Verb)> {
    let holders: Vec<&Node<'_, '_>> = nodes
        .iter()
        .filter(|n| n.value.is_object() || n.value.is_array())
        .collect();
    let node = rng.choice(holders)?;
    let (seg, value) = match node.value {
        Value::Object(fields) => new_field(rng, fields, node.of)?,
        Value::Array(items) => (
            Seg::Item(items.len()),
            new_item(rng, items, node.of.item())?,
        ),
        _ => return None,
    };
    let mut segs = node.segs.clone();
    segs.push(seg);
    Some((segs, Verb::Put(value)))
}

fn new_field(rng: &mut Rng, fields: &Map<String, Value>, of: Type<'_>) -> Option<(Seg, Value)> {
    if let Some(values) = of.values() {
        return Some((
            Seg::Field(format!("added-{}", rng.u8(..))),
            fresh(rng, values)?,
        ));
    }
    let free: Vec<_> = of
        .fields()
        .into_iter()
        .filter(|(name, _)| !fields.contains_key(*name))
        .collect();
    if free.is_empty() {
        return Some((Seg::Field(format!("added{}", rng.u8(..))), json!("by hand")));
    }
    let (name, of) = rng.choice(free)?;
    Some((Seg::Field(name.to_owned()), fresh(rng, of)?))
}

fn new_item(rng: &mut Rng, items: &[Value], of: Type<'_>) -> Option<Value> {
    let Some(Value::Object(model)) = rng.choice(items) else {
        return fresh(rng, of);
    };
    let mut item = model.clone();
    for (name, value) in &mut item {
        if !value.is_object() && !value.is_array() && of.field(name).choices().is_empty() {
            *value = other(rng, value, of.field(name))?;
        }
    }
    Some(Value::Object(item))
}

/// A value of this type.
fn fresh(rng: &mut Rng, of: Type<'_>) -> Option<Value> {
    if let Some(choice) = rng.choice(of.choices()) {
        return Some(choice);
    }
    match of.kind() {
        "string" | "" => Some(json!(format!("added-{}", rng.u8(..)))),
        "integer" | "number" => Some(json!(rng.u8(1..100))),
        "boolean" => Some(json!(rng.bool())),
        "array" => Some(json!([fresh(rng, of.item())?])),
        "object" => of
            .values()
            .and_then(|values| Some(json!({ "added": fresh(rng, values)? }))),
        _ => None,
    }
}

/// Another value of the same sort.
fn other(rng: &mut Rng, value: &Value, of: Type<'_>) -> Option<Value> {
    let mut choices = of.choices();
    choices.retain(|c| c != value && c != "");
    if let Some(choice) = rng.choice(choices) {
        return Some(choice);
    }
    match value {
        Value::Bool(flag) => Some(json!(!flag)),
        Value::Number(number) => Some(json!(number.as_i64()? + rng.i64(1..9))),
        Value::String(text) => Some(json!(other_text(rng, text))),
        _ => None,
    }
}

fn other_text(rng: &mut Rng, text: &str) -> String {
    let number = rng.u8(2..90);
    if text.parse::<f64>().is_ok() {
        return number.to_string();
    }
    if let Some(unit) = text
        .strip_prefix(|c: char| c.is_ascii_digit())
        .map(|t| t.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'))
        && [
            "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "%", "s", "h",
        ]
        .contains(&unit)
    {
        return format!("{number}{unit}");
    }
    match text.split('.').collect::<Vec<_>>().as_slice() {
        [a, b, c, d] if text.chars().all(|c| c.is_ascii_digit() || "./".contains(c)) => {
            let (d, mask) = d
                .split_once('/')
                .map_or((*d, String::new()), |(d, m)| (d, format!("/{m}")));
            if mask.is_empty() {
                format!("{a}.{b}.{c}.{number}")
            } else {
                format!("{a}.{number}.{c}.{d}{mask}")
            }
        }
        // Base64 stays base64.
        _ if rng.bool() && text.ends_with('=') => "ZHJpZnQ=".to_owned(),
        _ if rng.bool() => format!("{text}x"),
        _ => format!("edited-{number}"),
    }
}

fn body(
    editor: Editor,
    live: &Value,
    segs: &[Seg],
    verb: Verb,
    of: Type<'_>,
    trace: bool,
) -> Option<(Value, Body)> {
    let patch = operation(live, segs, &verb);
    let mut edited = live.clone();
    edit(&mut edited, segs, verb)?;
    if trace {
        edited["metadata"]["annotations"]["edge.example/touched"] = json!("yes");
    }
    let body = match editor {
        Editor::Person => Body::Put(edited.clone()),
        Editor::Program => Body::JsonPatch(json!([patch])),
        Editor::Tool => Body::Apply(partial_object(live, &edited, segs, of).to_string()),
    };
    Some((edited, body))
}

/// What a server-side apply has to send: who the object is, and the one place.
fn partial_object(live: &Value, edited: &Value, segs: &[Seg], of: Type<'_>) -> Value {
    let mut part = partial(edited, segs, of);
    for key in ["apiVersion", "kind"] {
        part[key] = live[key].clone();
    }
    for key in ["name", "namespace"] {
        if !live["metadata"][key].is_null() {
            part["metadata"][key] = live["metadata"][key].clone();
        }
    }
    part
}

fn find<'v>(object: &'v Value, segs: &[Seg]) -> Option<&'v Value> {
    segs.iter().try_fold(object, |here, seg| match seg {
        Seg::Field(name) => here.get(name),
        Seg::Item(index) => here.get(index),
    })
}

fn edit(object: &mut Value, segs: &[Seg], verb: Verb) -> Option<()> {
    let (last, above) = segs.split_last()?;
    let holder = above.iter().try_fold(object, |here, seg| match seg {
        Seg::Field(name) => here.get_mut(name),
        Seg::Item(index) => here.get_mut(index),
    })?;
    match (last, verb) {
        (Seg::Field(name), Verb::Put(value)) => {
            drop(holder.as_object_mut()?.insert(name.clone(), value))
        }
        (Seg::Field(name), Verb::Remove) => drop(holder.as_object_mut()?.remove(name)),
        (Seg::Item(index), Verb::Put(value)) => {
            let items = holder.as_array_mut()?;
            if *index < items.len() {
                items[*index] = value
            } else {
                items.push(value)
            }
        }
        (Seg::Item(index), Verb::Remove) => drop(holder.as_array_mut()?.remove(*index)),
    }
    Some(())
}

/// The same as one operation of a JSON patch, elements named by position.
fn operation(live: &Value, segs: &[Seg], verb: &Verb) -> Value {
    let is_new = find(live, segs).is_none();
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    let pointer: String = segs
        .iter()
        .map(|seg| match seg {
            Seg::Field(name) => format!("/{}", escape(name)),
            Seg::Item(index) => format!("/{index}"),
        })
        .collect();
    match verb {
        Verb::Remove => json!({ "op": "remove", "path": pointer }),
        // `add` replaces a field that is there, but would insert an element before one that is.
        Verb::Put(value) => {
            let op = if is_new || !matches!(segs.last(), Some(Seg::Item(_))) {
                "add"
            } else {
                "replace"
            };
            json!({ "op": op, "path": pointer, "value": value })
        }
    }
}

/// The least that a server-side apply has to say to set this one place.
fn partial(edited: &Value, segs: &[Seg], of: Type<'_>) -> Value {
    let Some((seg, rest)) = segs.split_first() else {
        return edited.clone();
    };
    if of.is_atomic() {
        return edited.clone();
    }
    match seg {
        Seg::Field(name) => json!({ name: partial(&edited[name], rest, of.field(name)) }),
        Seg::Item(index) => match of.elements() {
            Elements::Ordered => edited.clone(),
            Elements::Set => json!([edited[index]]),
            Elements::Map(keys) => {
                let mut item = partial(&edited[index], rest, of.item());
                for key in keys {
                    item[key] = edited[index][key].clone();
                }
                json!([item])
            }
        },
    }
}
