//! What many objects have at one path.

use futures::StreamExt as _;
use serde_json::Value;

use super::{connection, objects};
use crate::app::inquiry::FieldReading;
use crate::app::msg::WishTarget;
use crate::domain::Safe;
use crate::drift::seal::SealKey;
use crate::sources::Sources;

/// Objects read at a time.
const AT_ONCE: usize = 16;
/// Characters of a value that are kept.
const KEPT: usize = 200;

/// Reads every object and takes the value out of it.
pub(super) async fn read(
    sources: &Sources,
    targets: Vec<WishTarget>,
    path: &str,
    key: &SealKey,
) -> Vec<(WishTarget, FieldReading)> {
    futures::stream::iter(targets)
        .map(|target| async move {
            let reading = one(sources, &target, path, key).await;
            (target, reading)
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

async fn one(sources: &Sources, target: &WishTarget, path: &str, key: &SealKey) -> FieldReading {
    if &*target.object.gvk.kind == "Secret" {
        return Err(Safe::fixed("Values of Secrets are never shown."));
    }
    let connection = connection(sources, &target.cluster)?;
    let live = objects::read(&connection, &target.object, key).await?;
    Ok(value_at(&live, path).map(|value| words(&value)))
}

/// The value at a path. `env.NAME` is that variable of the first container that has it.
fn value_at(live: &Value, path: &str) -> Option<Value> {
    if let Some(name) = path.strip_prefix("env.") {
        let own = descend(live, path).cloned();
        return own.or_else(|| environment(live, name));
    }
    descend(live, path).cloned()
}

/// Goes down a path. Keys may hold dots: the longest one that is there counts.
fn descend<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if path.is_empty() {
        return Some(value);
    }
    if let Some(rest) = path.strip_prefix('[') {
        let (element, rest) = rest.split_once(']')?;
        let found = item(value.as_array()?, element)?;
        return descend(found, rest.strip_prefix('.').unwrap_or(rest));
    }
    let keys = value.as_object()?;
    let ends = path.char_indices().filter(|(_, c)| matches!(c, '.' | '['));
    let ends = ends.map(|(i, _)| i).chain([path.len()]);
    ends.collect::<Vec<_>>().into_iter().rev().find_map(|end| {
        let (key, rest) = path.split_at_checked(end)?;
        descend(keys.get(key)?, rest.strip_prefix('.').unwrap_or(rest))
    })
}

/// An element by its number or by its `name`.
fn item<'v>(list: &'v [Value], element: &str) -> Option<&'v Value> {
    let by_number = element.parse::<usize>().ok().and_then(|i| list.get(i));
    let named = |item: &&Value| item.get("name").and_then(Value::as_str) == Some(element);
    by_number.or_else(|| list.iter().find(named))
}

fn environment(live: &Value, name: &str) -> Option<Value> {
    let template = live.pointer("/spec/template/spec/containers");
    let pod = || live.pointer("/spec/containers");
    let job = || live.pointer("/spec/jobTemplate/spec/template/spec/containers");
    let containers = template.or_else(pod).or_else(job)?.as_array()?;
    let variables = containers.iter().filter_map(|c| c.get("env")?.as_array());
    let variable = variables
        .flatten()
        .find(|v| v.get("name").and_then(Value::as_str) == Some(name))?;
    if let Some(value) = variable.get("value") {
        return Some(value.clone());
    }
    let from = variable.get("valueFrom")?.as_object()?.keys().next()?;
    Some(Value::String(format!("from {from}")))
}

fn words(value: &Value) -> Safe {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let short: String = text.chars().take(KEPT).collect();
    if short.len() < text.len() {
        return format!("{short}…").into();
    }
    short.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_goes_through_keys_with_dots_and_through_lists() {
        let live = json!({
            "data": {"LOG_LEVEL": "info", "app.properties": "a=1"},
            "spec": {"containers": [{"name": "app", "image": "gateway:2.4.1"}]},
        });
        let at = |path: &str| value_at(&live, path).map(|v| words(&v).to_string());
        assert_eq!(at("data.LOG_LEVEL").as_deref(), Some("info"));
        assert_eq!(at("data.app.properties").as_deref(), Some("a=1"));
        assert_eq!(
            at("spec.containers[0].image").as_deref(),
            Some("gateway:2.4.1")
        );
        assert_eq!(
            at("spec.containers[app].image").as_deref(),
            Some("gateway:2.4.1")
        );
        assert_eq!(at("data.GONE"), None);
        assert_eq!(at("spec.containers[9].image"), None);
        assert_eq!(at("spec.containers[app"), None);
    }

    #[test]
    fn a_variable_is_found_in_whichever_container_has_it_and_a_reference_says_what_it_is() {
        let live = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "env": [{"name": "MODE", "value": "edge"}]},
            {"name": "side", "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "db", "key": "k"}}}]},
        ]}}}});
        let at = |path: &str| value_at(&live, path).map(|v| words(&v).to_string());
        assert_eq!(at("env.MODE").as_deref(), Some("edge"));
        assert_eq!(at("env.KEY").as_deref(), Some("from secretKeyRef"));
        assert_eq!(at("env.NONE"), None);
    }
}
