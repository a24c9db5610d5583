//! How a value of a type is taken apart: a scalar, a list or a map; and how list elements are told apart.

use serde_json::{Map, Value};

use super::set::Step;
use crate::sim::schema::{ANY, Base, Struct, Topology, Type, structure};

/// What kind of thing a value is to field management.
pub(crate) enum Atom<'a> {
    /// One value.
    Scalar,
    /// Elements of a type.
    List(&'a Type, &'a Topology),
    /// Members.
    Map(Members<'a>),
}

/// The members of a map or struct.
pub(crate) enum Members<'a> {
    /// Known fields.
    Fields(&'a Struct),
    /// Any name, one type.
    Each(&'a Type),
}

impl<'a> Members<'a> {
    /// The type of a member and whether it is a named field; `None` for a field the struct does not have.
    pub(crate) fn member(&self, name: &str) -> Option<(&'a Type, bool)> {
        match self {
            Self::Each(ty) => Some((ty, false)),
            Self::Fields(known) => match known.fields.get(name) {
                Some(field) => Some((&field.ty, true)),
                None => known.open.then_some((&ANY, false)),
            },
        }
    }

    /// The type of a member; anything for an unknown one.
    pub(crate) fn ty(&self, name: &str) -> &'a Type {
        self.member(name).map_or(&ANY, |(ty, _)| ty)
    }
}

/// Resolves a type; a value decides where the type leaves it open.
pub(crate) fn atom<'a>(ty: &'a Type, value: Option<&Value>) -> Atom<'a> {
    match &ty.base {
        Base::Struct(id) => Atom::Map(Members::Fields(structure(*id))),
        Base::Map(item) => Atom::Map(Members::Each(item)),
        Base::List(item, topology) => Atom::List(item, topology),
        Base::Any => match value {
            Some(Value::Array(_)) => Atom::List(&ANY, &Topology::Atomic),
            Some(Value::Object(_) | Value::Null) | None => Atom::Map(Members::Each(&ANY)),
            Some(_) => Atom::Scalar,
        },
        _ => Atom::Scalar,
    }
}

/// Whether the value is owned as a whole.
pub(crate) fn is_atomic(ty: &Type) -> bool {
    ty.atomic || matches!(&ty.base, Base::List(_, Topology::Atomic))
}

/// Members of a value; empty for null and everything else.
pub(crate) fn members(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object).filter(|m| !m.is_empty())
}

/// Elements of a value; `None` for null, an empty list and everything else.
pub(crate) fn elements(value: Option<&Value>) -> Option<&Vec<Value>> {
    value.and_then(Value::as_array).filter(|l| !l.is_empty())
}

/// The step to an element of a set or keyed list.
///
/// # Errors
/// Why the element cannot be told apart.
pub(crate) fn element_step(topology: &Topology, element: &Value) -> Result<Step, String> {
    match (topology, element) {
        (Topology::Set, Value::Null | Value::Object(_) | Value::Array(_)) => {
            Err("associative list without keys has an element that is no plain value".to_owned())
        }
        (Topology::Set, plain) => Ok(format!("v:{plain}")),
        (Topology::Keyed(keys), Value::Object(map)) => {
            let mut key = Map::new();
            for (name, default) in keys {
                if let Some(value) = map.get(name).or(default.as_ref()) {
                    key.insert(name.clone(), value.clone());
                }
            }
            if key.is_empty() {
                let names: Vec<String> = keys.iter().map(|(n, _)| format!("\"{n}\"")).collect();
                return Err(format!(
                    "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
                    names.join(" ")
                ));
            }
            Ok(format!("k:{}", Value::Object(key)))
        }
        (Topology::Keyed(_), Value::Null) => {
            Err("associative list with keys may not have a null element".to_owned())
        }
        (Topology::Keyed(_), _) => {
            Err("associative list with keys may not have non-map elements".to_owned())
        }
        (Topology::Atomic, _) => Err("invalid indexing of non-associative list".to_owned()),
    }
}

/// A path as messages show it: `.spec.template.spec.containers[name="web"].image`.
pub(crate) fn shown(path: &[Step]) -> String {
    path.iter().map(|step| shown_step(step)).collect()
}

fn shown_step(step: &str) -> String {
    if let Some(name) = step.strip_prefix("f:") {
        return format!(".{name}");
    }
    if let Some(value) = step.strip_prefix("v:") {
        return format!("[={value}]");
    }
    let key = step.strip_prefix("k:").unwrap_or(step);
    let parsed: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
    let parts: Vec<String> = parsed.iter().map(|(k, v)| format!("{k}={v}")).collect();
    format!("[{}]", parts.join(","))
}
