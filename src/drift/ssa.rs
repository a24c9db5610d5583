//! Server-side apply without a server: what a configuration would make of a live object, given who owns which field.
//!
//! The rules are those of structured-merge-diff, which the API server uses: the configuration is merged into the live object; a field
//! that the applying manager owned, that its new configuration leaves out and that nobody else owns is removed; lists are matched by
//! their keys, as sets, or replaced whole.

mod documents;
mod schema;
mod set;

use serde_json::Value;

use super::merge::MergeError;
use super::schema::Shape;
pub use documents::{fields_of, merge, without};
pub use schema::Schema;
pub use set::FieldSet;

/// What came of an apply.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// The live object has everything already, and nothing more of this manager's.
    Unchanged,
    /// The live object after the apply.
    Changed(Value),
}

/// Applies a configuration as `manager`, overriding every other manager's word.
///
/// # Errors
/// A field that the schema lacks, a list element without its keys, or two elements with the same keys: the server would refuse it too.
pub fn apply(
    config: &Value,
    live: &Value,
    schema: Schema<'_>,
    manager: &str,
) -> Result<Applied, MergeError> {
    let set = fields_of(config, schema)?;
    let before = fields_of(live, schema)?;
    let merged = merge(live, config, schema)?;
    let version = config.get("apiVersion").and_then(Value::as_str);
    let owned = Managers::of(live, manager, version.unwrap_or_default());
    let applied = owned.prune(merged, &set, schema)?;
    let after = fields_of(&applied, schema)?;
    if before == after && documents::changed(live, &applied, schema, &before).is_empty() {
        return Ok(Applied::Unchanged);
    }
    Ok(Applied::Changed(applied))
}

/// The fields whose values differ between two objects that both have them.
///
/// # Errors
/// As [`apply`].
pub fn modified(a: &Value, b: &Value, schema: Schema<'_>) -> Result<FieldSet, MergeError> {
    let both = fields_of(a, schema)?.intersection(&fields_of(b, schema)?);
    Ok(documents::changed(a, b, schema, &both))
}

/// The field sets of one live object.
struct Managers {
    /// What the applying manager applied last.
    last: FieldSet,
    /// What all others own.
    others: FieldSet,
}

impl Managers {
    fn of(live: &Value, manager: &str, version: &str) -> Self {
        let mut own = Self {
            last: FieldSet::default(),
            others: FieldSet::default(),
        };
        for entry in entries(live) {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            let mut set = set_of(entry);
            if text("apiVersion") != version {
                set = across_versions(set, entry);
            }
            let applied = text("operation") == "Apply" && text("subresource").is_empty();
            if applied && text("manager") == manager {
                own.last = own.last.union(&set);
            } else {
                own.others = own.others.union(&set);
            }
        }
        own
    }

    /// Removes what the manager owned and now leaves out, unless somebody else owns it.
    fn prune(
        &self,
        merged: Value,
        set: &FieldSet,
        schema: Schema<'_>,
    ) -> Result<Value, MergeError> {
        if self.last.is_empty() {
            return Ok(merged);
        }
        let kept = self.others.union(set).with_named_parents(schema);
        let last = self.last.with_named_parents(schema);
        let present = fields_of(&merged, schema)?.with_named_parents(schema);
        let dropped = present.intersection(&last).difference(&kept);
        Ok(without(&merged, &dropped, schema))
    }
}

/// The entries of an object's managedFields.
pub fn entries(object: &Value) -> impl Iterator<Item = &Value> {
    let entries = object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    entries.into_iter().flatten()
}

/// The field set of one entry.
pub fn set_of(entry: &Value) -> FieldSet {
    let fields = entry.get("fieldsV1").and_then(Value::as_object);
    fields.map(FieldSet::of_fields_v1).unwrap_or_default()
}

/// Paths mean the same in every version of a kind, but for the autoscaler's: its first version had one field where others have a list.
fn across_versions(set: FieldSet, entry: &Value) -> FieldSet {
    let version = entry.get("apiVersion").and_then(Value::as_str);
    if version != Some("autoscaling/v1") {
        return set;
    }
    let path = |field: &str| ["f:spec".to_owned(), format!("f:{field}")];
    let mut set = set;
    if set.contains(&path("targetCPUUtilizationPercentage")) {
        set.insert(&path("metrics"));
    }
    set
}

/// The schema of an object: the API's own for built-in kinds, the one given for custom kinds, else what the values show.
pub fn schema_of<'s>(
    object: &Value,
    custom: Option<&'s super::openapi::CustomSchema>,
) -> Schema<'s> {
    let shape = Shape::of_object(object);
    if shape.is_known() {
        return Schema::Known(shape);
    }
    custom.map_or(Schema::Deduced { root: true }, |schema| Schema::Custom {
        schema,
        root: true,
    })
}

#[cfg(test)]
mod tests;
