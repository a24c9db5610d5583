//! JSON merge patches and strategic merge patches.

use std::collections::HashMap;

use driftdeck::drift::merge::json::{self as jsonpatch, Keep};
use driftdeck::drift::merge::{MergeError, PatchSchema, strategic};
use driftdeck::drift::schema::PatchRule;
use serde_json::{Value, json};

use crate::cases::{Case, all, read, same, score};

#[test]
fn json_merge_patch() {
    score(
        "json_merge_patch",
        "json_merge_patch_cases.jsonl",
        all,
        json_case,
    );
}

fn json_case(case: &Case) -> Result<(), String> {
    if case.text("suite") == "filter-null" {
        let document = case.get("originalObj");
        same(
            "nulls",
            &jsonpatch::keep(document, Keep::Nulls),
            case.get("expectedWithNull"),
        )?;
        return same(
            "values",
            &jsonpatch::keep(document, Keep::Values),
            case.get("expectedWithoutNull"),
        );
    }
    let patch = jsonpatch::three_way(
        &document(case, "original"),
        &document(case, "modified"),
        &document(case, "current"),
    );
    same("patch", &patch, case.get("threeWay"))?;
    same(
        "result",
        &jsonpatch::apply(&document(case, "current"), &patch),
        case.get("result"),
    )
}

/// A missing document is an empty one.
fn document(case: &Case, key: &str) -> Value {
    match case.get(key) {
        Value::Null => json!({}),
        other => other.clone(),
    }
}

#[test]
fn strategic_merge_patch() {
    let Some(text) = read("strategic_merge_schema.json") else {
        println!("strategic_merge_patch: not run (DRIFTDECK_CONFORMANCE is not set)");
        return;
    };
    let types = Types::of(&serde_json::from_str(&text).expect("the schema is JSON"));
    score(
        "strategic_merge_patch",
        "strategic_merge_patch_cases.jsonl",
        all,
        |case| strategic_case(case, types.root(case.text("merge_schema"))),
    );
}

fn strategic_case(case: &Case, schema: Schema) -> Result<(), String> {
    // Lists that merge have no order in the cases that are written as objects.
    let canonical = |value: &Value| match case.text("input_format") {
        "object" => strategic::sort_lists(value, schema).map_err(|e| e.to_string()),
        _ => Ok(value.clone()),
    };
    let agree =
        |what: &str, got: &Value, want: &Value| same(what, &canonical(got)?, &canonical(want)?);
    let (original, modified) = (document(case, "original"), document(case, "modified"));
    if case.body.get("sorted").is_some() {
        let sorted = strategic::sort_lists(&original, schema).map_err(|e| e.to_string())?;
        return same("sorted", &sorted, case.get("sorted"));
    }
    if case.body.get("expectedError").is_some() {
        let failed = strategic::apply(&original, case.get("twoWay"), schema).is_err();
        return same("is refused", &failed, &true);
    }
    let apply = |to: &Value, patch: &Value| {
        strategic::apply(to, patch, schema).map_err(|e| format!("apply: {e}"))
    };
    if case.body.get("threeWay").is_none() {
        return agree("applied", &apply(&original, case.get("twoWay"))?, &modified);
    }
    let two =
        strategic::two_way(&original, &modified, schema).map_err(|e| format!("two-way: {e}"))?;
    agree("two-way", &two, case.get("twoWay"))?;
    let brought_to = case.body.get("twoWayResult").unwrap_or(&modified);
    agree("two-way applied", &apply(&original, &two)?, brought_to)?;
    three_way(case, schema, &agree, &apply)
}

fn three_way(
    case: &Case,
    schema: Schema,
    agree: &dyn Fn(&str, &Value, &Value) -> Result<(), String>,
    apply: &dyn Fn(&Value, &Value) -> Result<Value, String>,
) -> Result<(), String> {
    let (original, modified, current) = (
        document(case, "original"),
        document(case, "modified"),
        document(case, "current"),
    );
    let strict = strategic::three_way(&original, &modified, &current, schema, false);
    if case.get("conflict_expected") == &json!(true) {
        same("conflict", &strict, &Err(MergeError::Conflict))?;
    } else if let Err(error) = strict {
        return Err(format!("three-way without overwrite: {error}"));
    }
    let patch = strategic::three_way(&original, &modified, &current, schema, true)
        .map_err(|e| format!("three-way: {e}"))?;
    agree("three-way", &patch, case.get("threeWay"))?;
    agree("result", &apply(&current, &patch)?, case.get("result"))
}

/// The types of the schema file, living as long as the test program.
struct Types(&'static HashMap<String, HashMap<String, (PatchRule, String)>>);

/// One of its types.
#[derive(Clone, Copy)]
struct Schema {
    types: &'static HashMap<String, HashMap<String, (PatchRule, String)>>,
    name: Option<&'static str>,
}

impl Types {
    fn of(schema: &Value) -> Self {
        let mut types = HashMap::new();
        for (name, fields) in schema
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "provenance")
        {
            let fields = fields.as_object().into_iter().flatten();
            types.insert(
                name.to_lowercase(),
                fields
                    .map(|(field, about)| (field.clone(), rule(about)))
                    .collect(),
            );
        }
        Self(Box::leak(Box::new(types)))
    }

    fn root(&self, name: &str) -> Schema {
        Schema {
            types: self.0,
            name: self
                .0
                .get_key_value(&name.to_lowercase())
                .map(|(name, _)| name.as_str()),
        }
    }
}

fn rule(about: &Value) -> (PatchRule, String) {
    let has = |strategy: &str| {
        about["patchStrategy"]
            .as_array()
            .is_some_and(|all| all.iter().any(|s| s == strategy))
    };
    let rule = PatchRule {
        merge: has("merge"),
        retain_keys: has("retainKeys"),
        replace: has("replace"),
        merge_key: about["patchMergeKey"]
            .as_str()
            .map(|key| &*key.to_owned().leak()),
    };
    let type_name = about["go_type"].as_str().unwrap_or_default();
    (
        rule,
        type_name
            .trim_start_matches("[]")
            .trim_start_matches('*')
            .to_lowercase(),
    )
}

impl PatchSchema for Schema {
    fn lookup(self, field: &str) -> Option<(PatchRule, Self)> {
        let (rule, below) = self.types.get(self.name?)?.get(field)?;
        let name = self
            .types
            .get_key_value(below)
            .map(|(name, _)| name.as_str());
        Some((*rule, Self { name, ..self }))
    }
}
