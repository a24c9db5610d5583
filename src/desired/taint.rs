//! What a Secret touched in a rendered object, sealed: found by comparing the object with the one that other values would have made.

use serde_json::Value;

use crate::drift::schema::Shape;
use crate::drift::seal::{SealKey, is_secret, is_token, seal_whole};
use crate::drift::typed::{Strictness, round_trip};

/// What an object is called is no secret: the cluster lists it.
const IDENTITY: [&str; 4] = ["apiVersion", "kind", "name", "namespace"];

/// A value of a Secret has become the name of a field, and names are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NamesAField;

/// How an object is told apart from its counterpart.
#[derive(Clone, Copy)]
pub(super) struct Taint<'t> {
    pub(super) key: &'t SealKey,
    /// Whether a field that the counterpart lacks is one that a Secret may have named.
    pub(super) names: &'t dyn Fn(&str) -> bool,
}

impl Taint<'_> {
    /// Seals what differs from the counterpart; the data of a Secret is left to those who seal it in any case.
    ///
    /// # Errors
    /// [`NamesAField`].
    pub(super) fn seal(&self, object: &mut Value, counterpart: &Value) -> Result<(), NamesAField> {
        let spelled = self.spelled(object);
        self.object(object, counterpart)?;
        respell(object, &spelled);
        Ok(())
    }

    /// Seals everything but what the object is called: nothing can be told apart.
    pub(super) fn seal_all(&self, object: &mut Value) {
        let spelled = self.spelled(object);
        let in_secret = is_secret(object);
        let Value::Object(fields) = &mut *object else {
            return;
        };
        for (name, value) in fields {
            match (name.as_str(), &mut *value) {
                ("apiVersion" | "kind", _) => {}
                ("data" | "stringData", _) if in_secret => {}
                ("metadata", Value::Object(metadata)) => metadata
                    .iter_mut()
                    .filter(|(name, _)| !IDENTITY.contains(&name.as_str()))
                    .for_each(|(_, value)| seal_whole(value, self.key)),
                (_, value) => seal_whole(value, self.key),
            }
        }
        respell(object, &spelled);
    }

    /// The object with its scalars as the API server spells them, all of them sealed: a token can only be equal or different, and `1000m` is `1`.
    fn spelled(&self, object: &Value) -> Value {
        let mut spelled = object.clone();
        if let Some(typed) = round_trip(object, Shape::of_object(object), Strictness::Lenient) {
            spell(&mut spelled, &typed);
        }
        seal_whole(&mut spelled, self.key);
        spelled
    }

    fn object(&self, object: &mut Value, counterpart: &Value) -> Result<(), NamesAField> {
        let in_secret = is_secret(object);
        let (Value::Object(fields), Value::Object(others)) = (&mut *object, counterpart) else {
            seal_whole(object, self.key);
            return Ok(());
        };
        for (name, value) in fields {
            match (name.as_str(), &mut *value, others.get(name)) {
                ("apiVersion" | "kind", ..) => {}
                ("data" | "stringData", ..) if in_secret => {}
                ("metadata", Value::Object(metadata), Some(Value::Object(others))) => {
                    for (name, value) in metadata {
                        if !IDENTITY.contains(&name.as_str()) {
                            self.field(name, value, others.get(name))?;
                        }
                    }
                }
                (name, value, other) => self.field(name, value, other)?,
            }
        }
        Ok(())
    }

    fn field(
        &self,
        name: &str,
        value: &mut Value,
        other: Option<&Value>,
    ) -> Result<(), NamesAField> {
        match other {
            Some(other) => self.value(value, other),
            None if (self.names)(name) => Err(NamesAField),
            None => {
                seal_whole(value, self.key);
                self.check_names(value)
            }
        }
    }

    fn value(&self, value: &mut Value, other: &Value) -> Result<(), NamesAField> {
        match (&mut *value, other) {
            (Value::Object(fields), Value::Object(others)) => fields
                .iter_mut()
                .try_for_each(|(name, value)| self.field(name, value, others.get(name))),
            (Value::Array(items), Value::Array(others)) if items.len() == others.len() => items
                .iter_mut()
                .zip(others)
                .try_for_each(|(item, other)| self.value(item, other)),
            (value, other) if *value == *other => Ok(()),
            (value, _) => {
                seal_whole(value, self.key);
                self.check_names(value)
            }
        }
    }

    /// Refuses names in a part that the counterpart does not have at all.
    fn check_names(&self, value: &Value) -> Result<(), NamesAField> {
        match value {
            Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
                if (self.names)(name) {
                    return Err(NamesAField);
                }
                self.check_names(value)
            }),
            Value::Array(items) => items.iter().try_for_each(|item| self.check_names(item)),
            _ => Ok(()),
        }
    }
}

fn spell(value: &mut Value, typed: &Value) {
    match (&mut *value, typed) {
        (Value::Object(fields), Value::Object(typed)) => {
            for (name, value) in fields {
                if let Some(typed) = typed.get(name) {
                    spell(value, typed);
                }
            }
        }
        (Value::Array(items), Value::Array(typed)) if items.len() == typed.len() => {
            let pairs = items.iter_mut().zip(typed);
            pairs.for_each(|(item, typed)| spell(item, typed));
        }
        (Value::Object(_) | Value::Array(_) | Value::Null, _) => {}
        (_, Value::Object(_) | Value::Array(_) | Value::Null) => {}
        (value, typed) => value.clone_from(typed),
    }
}

/// Puts in the place of each token that of the same value as it is spelled.
fn respell(sealed: &mut Value, spelled: &Value) {
    match (&mut *sealed, spelled) {
        (Value::Object(fields), Value::Object(spelled)) => {
            for (name, value) in fields {
                if let Some(spelled) = spelled.get(name) {
                    respell(value, spelled);
                }
            }
        }
        (Value::Array(items), Value::Array(spelled)) => {
            let pairs = items.iter_mut().zip(spelled);
            pairs.for_each(|(item, spelled)| respell(item, spelled));
        }
        (Value::String(token), spelled) if is_token(token) => sealed.clone_from(spelled),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sealed(object: Value, counterpart: &Value) -> Result<Value, NamesAField> {
        let key = SealKey::new([1; 32]);
        let taint = Taint {
            key: &key,
            names: &|name| name.contains("hunter"),
        };
        let mut object = object;
        taint.seal(&mut object, counterpart).map(|()| object)
    }

    fn is_sealed(object: &Value, pointer: &str) -> bool {
        let value = object.pointer(pointer).and_then(Value::as_str);
        value.is_some_and(is_token)
    }

    #[test]
    fn what_differs_is_sealed_and_what_the_counterpart_lacks_too() {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-a", "labels": {"site": "oslo"}},
            "data": {"pin": "1234", "mode": "edge", "more": "x"}});
        let mut counterpart = object.clone();
        counterpart["metadata"]["name"] = json!("web-b");
        counterpart["data"] = json!({"pin": "2345", "mode": "edge"});
        let sealed = sealed(object, &counterpart).unwrap();
        assert!(is_sealed(&sealed, "/data/pin") && is_sealed(&sealed, "/data/more"));
        assert_eq!(sealed.pointer("/data/mode"), Some(&json!("edge")));
        assert_eq!(sealed.pointer("/metadata/name"), Some(&json!("web-a")));
    }

    #[test]
    fn a_field_that_a_secret_named_is_refused_wherever_it_stands() {
        let object = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": data});
        for data in [
            json!({"hunter2": "x"}),
            json!({"a": {"hunter2": "x"}}),
            json!({"a": [{"hunter2": "x"}]}),
        ] {
            assert_eq!(sealed(object(data), &object(json!({}))), Err(NamesAField));
        }
    }

    #[test]
    fn a_sealed_value_is_spelled_as_the_server_answers_it_and_all_else_as_it_was() {
        let limits = |cpu: &str| {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
            "spec": {"containers": [{"name": "web", "resources": {"limits": {"cpu": cpu, "memory": "1024Mi"}}}]}})
        };
        let cpu = "/spec/containers/0/resources/limits/cpu";
        let thousand = sealed(limits("1000m"), &limits("2111n")).unwrap();
        let one = sealed(limits("1"), &limits("2")).unwrap();
        assert_eq!(thousand.pointer(cpu), one.pointer(cpu));
        let memory = thousand.pointer("/spec/containers/0/resources/limits/memory");
        assert_eq!(memory, Some(&json!("1024Mi")));
    }

    #[test]
    fn where_nothing_can_be_told_apart_only_the_identity_stays() {
        let key = SealKey::new([1; 32]);
        let taint = Taint {
            key: &key,
            names: &|_| true,
        };
        let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "labels": {"site": "oslo"}}, "data": {"mode": "edge"}});
        taint.seal_all(&mut object);
        assert!(is_sealed(&object, "/data/mode") && is_sealed(&object, "/metadata/labels/site"));
        assert_eq!(object.pointer("/metadata/name"), Some(&json!("web")));
    }
}
