//! Structural defaulting: what the API server makes of a custom object before it stores it.
//!
//! Rules: apiextensions-apiserver `pkg/apiserver/schema/defaulting`. A field that is left out, or null where null is no value, gets its
//! default; then what is there is defaulted further down. An object that is left out and has no default of its own is not made.

use serde_json::Value;

use super::CustomSchema;

impl CustomSchema {
    /// Fills in what the server would fill in; values that are there stay.
    pub fn fill(&self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (name, field) in &self.fields {
                    let unset = map.get(name).is_none_or(|v| v.is_null() && !field.nullable);
                    if let Some(default) = field.default.as_ref().filter(|_| unset) {
                        map.insert(name.clone(), default.clone());
                    }
                }
                for (name, inner) in map.iter_mut() {
                    if let Some(field) = self.field(name) {
                        field.fill(inner);
                    }
                }
            }
            Value::Array(items) => {
                if let Some(item) = self.item() {
                    items.iter_mut().for_each(|inner| item.fill(inner));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_are_filled_in_where_the_object_around_them_is() {
        let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "mode": {"type": "string", "default": "auto"},
            "probe": {"type": "object", "properties": {"period": {"type": "integer", "default": 10}}},
            "limits": {"type": "object", "default": {}, "properties": {"burst": {"type": "integer", "default": 5}}},
            "note": {"type": "string", "nullable": true, "default": "none"},
            "sites": {"type": "object", "additionalProperties": {"type": "object", "properties": {"weight": {"type": "integer", "default": 1}}}},
            "routes": {"type": "array", "items": {"type": "object", "properties": {"port": {"type": "integer", "default": 443}}}},
        }}}}}}]}});
        let schema = CustomSchema::of_crd(&crd, "v1").unwrap();
        let mut object = json!({"spec": {"mode": null, "note": null, "sites": {"oslo": {}, "bergen": {"weight": 7}}, "routes": [{"host": "a"}]}});
        schema.fill(&mut object);
        assert_eq!(
            object,
            json!({"spec": {"mode": "auto", "note": null, "limits": {"burst": 5}, "sites": {"oslo": {"weight": 1}, "bergen": {"weight": 7}},
                "routes": [{"host": "a", "port": 443}]}})
        );
    }
}
