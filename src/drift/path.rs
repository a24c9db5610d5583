//! The place of a field: readable for people (`spec.template.spec.containers[name=app].image`), exact for ownership.

use std::fmt;

use serde_json::Value;

use crate::domain::safe::escape;

/// One step into a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A field of an object or a key of a map.
    Field(String),
    /// The element of a keyed list with these key values.
    Key(Vec<(String, Value)>),
    /// The element of a set with this value.
    Element(Value),
    /// The element of an ordered list at this position.
    Index(usize),
}

/// A place inside an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path(Vec<Step>);

impl Path {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// A path of fields.
    pub fn of_fields(fields: &[&str]) -> Self {
        Self(
            fields
                .iter()
                .map(|f| Step::Field((*f).to_owned()))
                .collect(),
        )
    }

    /// The steps from the object down.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// One step further.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// One step back.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// A copy with one more step.
    #[must_use]
    pub fn with(&self, step: Step) -> Self {
        let mut path = self.clone();
        path.push(step);
        path
    }

    /// Whether it is below the given fields, or exactly there.
    pub fn starts_with(&self, fields: &[&str]) -> bool {
        self.0.len() >= fields.len()
            && fields
                .iter()
                .zip(&self.0)
                .all(|(want, step)| matches!(step, Step::Field(name) if name == want))
    }

    /// What stands there in an object; a keyed element is the first that agrees with every key it states.
    pub fn find_in<'v>(&self, object: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(object, |here, step| match step {
            Step::Field(name) => here.get(name),
            Step::Index(position) => here.get(position),
            Step::Element(value) => here.as_array()?.iter().find(|item| *item == value),
            Step::Key(keys) => here.as_array()?.iter().find(|item| {
                let agrees =
                    |(key, value): &(String, Value)| item.get(key).is_none_or(|own| own == value);
                keys.iter().all(agrees)
            }),
        })
    }

    /// The last field's name, when the last step is a field.
    pub fn last_field(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Field(name)) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if is_plain(name) => {
                    if index > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(name)?;
                }
                Step::Field(name) => write!(f, "[\"{}\"]", escape(name))?,
                Step::Key(keys) => write_keys(f, keys)?,
                Step::Element(value) => write!(f, "[{}]", scalar(value))?,
                Step::Index(position) => write!(f, "[{position}]")?,
            }
        }
        Ok(())
    }
}

fn write_keys(f: &mut fmt::Formatter<'_>, keys: &[(String, Value)]) -> fmt::Result {
    f.write_str("[")?;
    for (index, (key, value)) in keys.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(f, "{comma}{key}={}", scalar(value))?;
    }
    f.write_str("]")
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => escape(text).into_owned(),
        other => escape(&other.to_string()).into_owned(),
    }
}

/// Whether a name can stand behind a dot without being misread.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_read_as_people_write_them() {
        let mut path = Path::of_fields(&["spec", "template", "spec", "containers"]);
        path.push(Step::Key(vec![("name".into(), json!("app"))]));
        path.push(Step::Field("ports".into()));
        path.push(Step::Key(vec![
            ("containerPort".into(), json!(80)),
            ("protocol".into(), json!("TCP")),
        ]));
        assert_eq!(
            path.to_string(),
            "spec.template.spec.containers[name=app].ports[containerPort=80,protocol=TCP]"
        );
    }

    #[test]
    fn a_path_finds_its_value_by_fields_keys_elements_and_positions() {
        let object = json!({"ports": [{"port": 80, "name": "http"}, {"port": 53}], "set": ["a"], "list": [[1], [2]]});
        let ports = |port: u64| {
            Path::of_fields(&["ports"]).with(Step::Key(vec![
                ("port".into(), json!(port)),
                ("protocol".into(), json!("TCP")),
            ]))
        };
        assert_eq!(
            ports(80).with(Step::Field("name".into())).find_in(&object),
            Some(&json!("http"))
        );
        assert_eq!(ports(81).find_in(&object), None);
        assert_eq!(
            Path::of_fields(&["set"])
                .with(Step::Element(json!("a")))
                .find_in(&object),
            Some(&json!("a"))
        );
        assert_eq!(
            Path::of_fields(&["list"])
                .with(Step::Index(1))
                .find_in(&object),
            Some(&json!([2]))
        );
    }

    #[test]
    fn names_with_dots_and_slashes_are_quoted_and_controls_are_visible() {
        let label = Path::of_fields(&["metadata", "labels", "app.kubernetes.io/name"]);
        assert_eq!(
            label.to_string(),
            "metadata.labels[\"app.kubernetes.io/name\"]"
        );
        assert_eq!(
            Path::of_fields(&["data", "a\u{1b}[2J"]).to_string(),
            "data[\"a␛[2J\"]"
        );
        let element =
            Path::of_fields(&["metadata", "finalizers"]).with(Step::Element(json!("edge/keep")));
        assert_eq!(element.to_string(), "metadata.finalizers[edge/keep]");
        assert_eq!(
            Path::of_fields(&["args"]).with(Step::Index(2)).to_string(),
            "args[2]"
        );
    }
}
