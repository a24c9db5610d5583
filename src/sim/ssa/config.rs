//! Whether an applied configuration fits its kind, in the words of the real server's typed objects.

use serde_json::Value;

use super::atom::{Atom, atom, element_step, shown};
use super::set::{Step, field_step};
use crate::sim::schema::{Base, Topology, Type};

/// Checks a configuration.
///
/// # Errors
/// Every field that does not fit, one sentence each.
pub(crate) fn check_config(config: &Value, ty: &Type) -> Result<(), Vec<String>> {
    let mut check = Check::default();
    check.value(config, ty);
    if check.wrong.is_empty() {
        Ok(())
    } else {
        Err(check.wrong)
    }
}

#[derive(Default)]
struct Check {
    path: Vec<Step>,
    wrong: Vec<String>,
}

impl Check {
    fn fail(&mut self, why: &str) {
        self.wrong.push(format!("{}: {why}", shown(&self.path)));
    }

    fn value(&mut self, value: &Value, ty: &Type) {
        if value.is_null() {
            return;
        }
        match (atom(ty, Some(value)), value) {
            (Atom::Map(kinds), Value::Object(map)) => {
                for (name, member) in map {
                    self.path.push(field_step(name));
                    match kinds.member(name) {
                        Some((ty, _)) => self.value(member, ty),
                        None => self.fail("field not declared in schema"),
                    }
                    self.path.pop();
                }
            }
            (Atom::List(item, topology), Value::Array(list)) => self.elements(list, item, topology),
            (Atom::Map(_), other) => self.fail(&format!("expected map, got &{{{}}}", plain(other))),
            (Atom::List(..), other) => {
                self.fail(&format!("expected list, got &{{{}}}", plain(other)));
            }
            (Atom::Scalar, other) => self.scalar(other, &ty.base),
        }
    }

    fn elements(&mut self, list: &[Value], item: &Type, topology: &Topology) {
        let mut seen: Vec<Step> = Vec::new();
        for (i, element) in list.iter().enumerate() {
            let step = match topology {
                Topology::Atomic => format!("k:{{\"\":{i}}}"),
                _ => match element_step(topology, element) {
                    Ok(step) => step,
                    Err(why) => {
                        self.fail(&format!("element {i}: {why}"));
                        continue;
                    }
                },
            };
            if *topology != Topology::Atomic && seen.contains(&step) {
                let step = shown(std::slice::from_ref(&step));
                self.fail(&format!("duplicate entries for key {step}"));
                continue;
            }
            seen.push(step.clone());
            self.path.push(step);
            self.value(element, item);
            self.path.pop();
        }
    }

    fn scalar(&mut self, value: &Value, base: &Base) {
        let composite = value.is_object() || value.is_array();
        match base {
            Base::Text | Base::Time | Base::MicroTime | Base::Bytes if !value.is_string() => {
                let why = format!(
                    "expected string, got &value.valueUnstructured{{Value:{}}}",
                    plain(value)
                );
                self.fail(&why);
            }
            Base::Int32 | Base::Int64 | Base::Number if !value.is_number() => {
                let why = format!("expected numeric (int or float), got {}", go_type(value));
                self.fail(&why);
            }
            Base::Bool if !value.is_boolean() => {
                self.fail(&format!("expected boolean, got &{{{}}}", plain(value)));
            }
            Base::Quantity | Base::IntOrText if composite => {
                self.fail(&format!("expected scalar, got {}", go_type(value)));
            }
            _ => {}
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sim::schema::of_kind;

    fn wrong(kind: &str, config: &Value) -> Vec<String> {
        check_config(config, &of_kind(kind)).unwrap_err()
    }

    #[test]
    fn a_text_where_a_number_belongs_is_named_with_its_path() {
        let config = json!({"spec": {"replicas": "five"}});
        assert_eq!(
            wrong("Deployment", &config),
            [".spec.replicas: expected numeric (int or float), got string"]
        );
    }

    #[test]
    fn an_unknown_field_of_a_container_is_named_by_the_containers_key() {
        let config = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "imagee": "x"}]}}}});
        assert_eq!(
            wrong("Deployment", &config),
            [".spec.template.spec.containers[name=\"web\"].imagee: field not declared in schema"]
        );
    }

    #[test]
    fn a_key_may_stand_only_once_in_a_keyed_list() {
        let ports = json!([{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]);
        let config = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "ports": ports}]}}}});
        assert!(
            wrong("Deployment", &config)[0]
                .contains("duplicate entries for key [containerPort=80,protocol=\"TCP\"]")
        );
    }

    #[test]
    fn a_config_map_takes_text_only() {
        let config = json!({"data": {"level": 5}});
        assert_eq!(
            wrong("ConfigMap", &config),
            [".data.level: expected string, got &value.valueUnstructured{Value:5}"]
        );
    }
}
