//! Reading a document the way the server does: unknown fields dropped and reported, wrong types refused, empty parts written out, quantities made canonical.

use serde_json::{Map, Value};

use super::{ANY, Absent, Base, Field, Struct, Type, quantity, structure};

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wrong {
    /// Path with list indexes: `spec.ports[0].port`.
    pub(crate) path: String,
    /// The struct the field belongs to.
    pub(crate) owner: String,
    /// What is wrong.
    pub(crate) fault: Fault,
}

/// What can be wrong with a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// It has another type: found, wanted (in JSON's words), wanted (in the server's words).
    Type(&'static str, &'static str, String),
    /// It is none of these.
    Choice(Value, Vec<String>),
    /// It must be there.
    Missing,
    /// It is no quantity.
    Quantity,
    /// It is no base64 text, from this byte on.
    Base64(usize),
    /// It is no time.
    Time(String),
}

/// A document as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) document: Value,
    /// Paths of the fields that were dropped.
    pub(crate) unknown: Vec<String>,
    pub(crate) wrong: Vec<Wrong>,
}

/// Reads a document of a type. Custom kinds get their declared defaults and are checked for what they require; built-in ones get their empty parts.
pub(crate) fn decode(document: Value, ty: &Type, custom: bool) -> Decoded {
    let mut reader = Reader {
        custom,
        path: Vec::new(),
        owner: String::new(),
        unknown: Vec::new(),
        wrong: Vec::new(),
    };
    let document = reader.read(document, ty).unwrap_or_default();
    Decoded {
        document,
        unknown: reader.unknown,
        wrong: reader.wrong,
    }
}

struct Reader {
    custom: bool,
    path: Vec<String>,
    owner: String,
    unknown: Vec<String>,
    wrong: Vec<Wrong>,
}

impl Reader {
    fn read(&mut self, value: Value, ty: &Type) -> Option<Value> {
        match (&ty.base, value) {
            (_, Value::Null) => None,
            (Base::Struct(id), Value::Object(map)) => Some(self.read_struct(map, structure(*id))),
            (Base::Map(item), Value::Object(map)) => {
                let read = map.into_iter().filter_map(|(name, value)| {
                    let value = self.at(format!(".{name}"), |r| r.read(value, item));
                    value.map(|v| (name, v))
                });
                Some(Value::Object(read.collect()))
            }
            (Base::List(item, _), Value::Array(list)) => {
                let read = list.into_iter().enumerate();
                let read = read.filter_map(|(i, v)| self.at(format!("[{i}]"), |r| r.read(v, item)));
                Some(Value::Array(read.collect()))
            }
            (Base::Quantity, value) => Some(self.quantity(value)),
            (Base::Bytes, Value::String(text)) => {
                if let Some(at) = not_base64(&text) {
                    self.fail(Fault::Base64(at));
                }
                Some(text.into())
            }
            (Base::Time | Base::MicroTime, Value::String(text)) => {
                if text.parse::<jiff::Timestamp>().is_err() {
                    self.fail(Fault::Time(text.clone()));
                }
                Some(text.into())
            }
            (base, value) if fits(base, &value) => Some(value),
            (base, value) => {
                let (json, own) = words(base);
                self.fail(Fault::Type(word(&value), json, own));
                Some(value)
            }
        }
    }

    fn read_struct(&mut self, map: Map<String, Value>, known: &Struct) -> Value {
        let mut read = Map::new();
        let outer = std::mem::replace(&mut self.owner, known.name.clone());
        for (name, value) in map {
            let step = format!(".{name}");
            match known.fields.get(&name) {
                Some(field) => {
                    if let Some(value) = self.at(step, |r| r.read_field(value, field)) {
                        read.insert(name, value);
                    }
                }
                None if known.open => {
                    read.extend(self.at(step, |r| r.read(value, &ANY)).map(|v| (name, v)));
                }
                None => {
                    let path = self.at(step, |r| r.shown());
                    self.unknown.push(path);
                }
            }
        }
        for field in known.fields.values().filter(|f| !is_envelope(f)) {
            if !read.contains_key(&field.name) {
                let absent = self.at(format!(".{}", field.name), |r| r.absent(field));
                read.extend(absent.map(|v| (field.name.clone(), v)));
            }
        }
        self.owner = outer;
        Value::Object(read)
    }

    fn read_field(&mut self, value: Value, field: &Field) -> Option<Value> {
        let value = self.read(value, &field.ty)?;
        let choices = &field.choices;
        if !choices.is_empty()
            && value
                .as_str()
                .is_some_and(|v| !choices.iter().any(|c| c == v))
        {
            self.fail(Fault::Choice(value.clone(), choices.clone()));
        }
        Some(value)
    }

    /// What stands where a field is absent.
    fn absent(&mut self, field: &Field) -> Option<Value> {
        if let Some(default) = &field.default {
            return Some(default.clone());
        }
        if self.custom {
            if field.required {
                self.fail(Fault::Missing);
            }
            return None;
        }
        match (field.absent, &field.ty.base) {
            (Absent::Left, _) => None,
            (Absent::Empty, Base::Struct(_)) => self.read(Value::Object(Map::new()), &field.ty),
            (Absent::Empty, Base::Text | Base::Quantity) => Some(zero_text(&field.ty.base)),
            (Absent::Empty, Base::Bool) => Some(false.into()),
            (Absent::Empty, Base::Int32 | Base::Int64 | Base::IntOrText) => Some(0.into()),
            _ => Some(Value::Null),
        }
    }

    fn quantity(&mut self, value: Value) -> Value {
        if let Some(text) = quantity::canonical(&value) {
            return text.into();
        }
        self.fail(Fault::Quantity);
        value
    }

    fn at<T>(&mut self, step: String, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = read(self);
        self.path.pop();
        result
    }

    fn shown(&self) -> String {
        self.path.concat().trim_start_matches('.').to_owned()
    }

    fn fail(&mut self, fault: Fault) {
        let wrong = Wrong {
            path: self.shown(),
            owner: self.owner.clone(),
            fault,
        };
        self.wrong.push(wrong);
    }
}

/// The first byte that makes a text no base64.
fn not_base64(text: &str) -> Option<usize> {
    let bad = |c: u8| !(c.is_ascii_alphanumeric() || b"+/=\r\n".contains(&c));
    let length = text.bytes().filter(|c| !b"\r\n".contains(c)).count();
    let position = text.bytes().position(bad);
    position.or_else(|| (length % 4 != 0).then_some(text.len()))
}

fn zero_text(base: &Base) -> Value {
    if *base == Base::Quantity { "0" } else { "" }.into()
}

fn is_envelope(field: &Field) -> bool {
    matches!(field.name.as_str(), "apiVersion" | "kind")
}

fn fits(base: &Base, value: &Value) -> bool {
    match base {
        Base::Text | Base::Time | Base::MicroTime | Base::Bytes => value.is_string(),
        Base::Int32 => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        Base::Int64 => value.is_i64(),
        Base::Number => value.is_number(),
        Base::Bool => value.is_boolean(),
        Base::IntOrText => value.is_string() || value.is_i64(),
        Base::Any => true,
        Base::Quantity | Base::Struct(_) | Base::Map(_) | Base::List(..) => false,
    }
}

/// JSON's word for a value.
fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// JSON's and the server's words for a type.
fn words(base: &Base) -> (&'static str, String) {
    let (json, own) = match base {
        Base::Text => ("string", "string"),
        Base::Bytes => ("string", "[]uint8"),
        Base::Time => ("string", "v1.Time"),
        Base::MicroTime => ("string", "v1.MicroTime"),
        Base::Int32 => ("integer", "int32"),
        Base::Int64 => ("integer", "int64"),
        Base::Number => ("number", "float64"),
        Base::Bool => ("boolean", "bool"),
        Base::IntOrText => ("string", "intstr.IntOrString"),
        Base::Quantity => ("string", "resource.Quantity"),
        Base::Any => ("object", "runtime.RawExtension"),
        Base::Struct(id) => return ("object", format!("v1.{}", structure(*id).name)),
        Base::Map(item) => return ("object", format!("map[string]{}", words(&item.base).1)),
        Base::List(item, _) => return ("array", format!("[]{}", words(&item.base).1)),
    };
    (json, own.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::of_kind;
    use super::*;

    fn deployment(spec: &Value) -> Decoded {
        let document = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec});
        decode(document, &of_kind("Deployment"), false)
    }

    #[test]
    fn an_unknown_field_is_dropped_and_its_path_reported() {
        let decoded = deployment(
            &json!({"template": {"spec": {"containers": [{"name": "web", "imagee": "x"}]}}}),
        );
        assert_eq!(decoded.unknown, ["spec.template.spec.containers[0].imagee"]);
        assert!(!decoded.document.to_string().contains("imagee"));
    }

    #[test]
    fn a_wrong_type_is_reported_with_its_struct() {
        let decoded = deployment(&json!({"replicas": "five"}));
        let wrong = &decoded.wrong[0];
        assert_eq!(
            (&*wrong.path, &*wrong.owner),
            ("spec.replicas", "DeploymentSpec")
        );
        assert_eq!(
            wrong.fault,
            Fault::Type("string", "integer", "int32".into())
        );
    }

    #[test]
    fn empty_parts_are_written_out_as_the_server_does() {
        let decoded = deployment(&json!({"template": {"spec": {"containers": [{"name": "web"}]}}}));
        let container = &decoded.document["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["resources"], json!({}));
        assert_eq!(decoded.document["status"], json!({}));
        assert_eq!(decoded.document["spec"]["strategy"], json!({}));
    }

    #[test]
    fn quantities_of_limits_become_canonical() {
        let resources = json!({"limits": {"cpu": "1000m", "memory": "1024Mi"}});
        let decoded = deployment(
            &json!({"template": {"spec": {"containers": [{"name": "web", "resources": resources}]}}}),
        );
        let limits =
            &decoded.document["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"];
        assert_eq!(limits, &json!({"cpu": "1", "memory": "1Gi"}));
    }

    #[test]
    fn a_custom_kind_names_what_it_misses() {
        let document = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "spec": {"project": "default"}});
        let decoded = decode(document, &of_kind("Application"), true);
        let missing: Vec<_> = decoded.wrong.iter().map(|w| (&*w.path, &w.fault)).collect();
        assert_eq!(missing, [("spec.destination", &Fault::Missing)]);
    }
}
