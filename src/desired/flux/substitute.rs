//! What becomes of one built object: its variables replaced in its text, as Flux does after the build, and what a Secret gave sealed.
//!
//! Source of the rules: fluxcd/pkg `kustomize` (variable substitution). The text is what kustomize prints, and is read again afterwards: a
//! number in a variable becomes a number, whatever quotes stood in Git.

use std::collections::BTreeMap;

use serde_json::Value;

use super::envsubst::{MARK, evaluate, marked};
use super::given::{Given, GivenText};
use super::settings::PostBuild;
use crate::desired::taint::{NamesAField, Taint};
use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};
use crate::drift::seal::SealKey;
use crate::drift::yaml::{self, Limits};

/// The label or annotation that keeps an object from it.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// The variables of one Kustomization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Variables(BTreeMap<String, GivenText>);

impl Variables {
    /// Those that are given, under those of the Kustomization itself. Line breaks fall out of all of them.
    ///
    /// # Errors
    /// `RenderFailed` for a name that Flux refuses too.
    pub(super) fn of(own: &PostBuild, given: &Given) -> Result<Self, Unjudged> {
        let mut all = given.variables.clone();
        all.extend(own.substitute.iter().map(|(name, text)| {
            let text = GivenText {
                text: text.clone(),
                secret: false,
            };
            (name.clone(), text)
        }));
        for (name, value) in &mut all {
            if !is_name(name) {
                return Err(unjudged(
                    UnjudgedReason::RenderFailed,
                    format!(
                        "The variable `{name}` of `spec.postBuild` has a name that Flux refuses; use letters, digits and underscores."
                    ),
                ));
            }
            value.text.retain(|c| c != '\n');
        }
        Ok(Self(all))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &GivenText)> {
        self.0.iter()
    }

    fn value(&self, name: &str) -> String {
        self.0.get(name).map(|v| v.text.clone()).unwrap_or_default()
    }

    fn is_secret(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|v| v.secret)
    }

    /// The object that a text means, with its variables replaced; with a key, what Secrets gave is sealed.
    ///
    /// # Errors
    /// `RenderFailed` for a text that Flux could not evaluate or read either; `BadManifest` when a Secret's value names a field.
    pub(super) fn object(
        &self,
        file: &str,
        built: Value,
        text: &str,
        key: Option<&SealKey>,
    ) -> Result<Value, Unjudged> {
        if self.is_empty() || !text.contains('$') || is_switched_off(&built) {
            return Ok(built);
        }
        let failed = |why: String| {
            unjudged(
                UnjudgedReason::RenderFailed,
                format!(
                    "The variables of {} in `{file}` cannot be replaced: {why}; Flux fails on it too. Correct it and push it.",
                    named(&built)
                ),
            )
        };
        let value = |name: &str| self.value(name);
        let plain = evaluate(text, &value).map_err(|e| failed(e.to_string()))?;
        let mut object = one(&plain).map_err(failed)?;
        if let Some(key) = key.filter(|_| self.0.values().any(|v| v.secret)) {
            let marks = marked(text, &value, &|name| self.is_secret(name));
            let marks = marks.map_err(|e| failed(e.to_string()))?;
            let taint = Taint {
                key,
                // Nothing but a Secret's value makes one field out of another.
                names: &|_| true,
            };
            match one(&marks) {
                _ if !marks.contains(MARK) => {}
                Ok(marks) => {
                    let sealed = taint.seal(&mut object, &marks);
                    sealed.map_err(|NamesAField| names_a_field(file))?;
                }
                // With marks it does not read: then nothing can be told apart.
                Err(_) => taint.seal_all(&mut object),
            }
        }
        Ok(object)
    }
}

fn names_a_field(file: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::BadManifest,
        format!(
            "A value of a Secret becomes the name of a field in `{file}`, and nothing of a Secret is shown; put the name into a ConfigMap."
        ),
    )
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first == '_' || first.is_ascii_alphabetic())
        && letters.all(|c| c == '_' || c.is_ascii_alphanumeric())
}

fn is_switched_off(object: &Value) -> bool {
    ["labels", "annotations"].iter().any(|place| {
        let value = object
            .get("metadata")
            .and_then(|m| m.get(place)?.get(SWITCH)?.as_str());
        value == Some("disabled")
    })
}

fn named(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind").unwrap_or("an object");
    format!("{kind} {}", text("/metadata/name").unwrap_or_default())
}

fn one(text: &str) -> Result<Value, String> {
    let limits = Limits {
        documents: 1,
        ..Limits::default()
    };
    let mut values = yaml::parse_values(text.as_bytes(), &limits).map_err(|e| e.to_string())?;
    values.pop().ok_or_else(|| "nothing is left".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::drift::seal::is_token;

    fn variables(own: &[(&str, &str)], secret: &[(&str, &str)]) -> Variables {
        let own = PostBuild {
            substitute: own
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
        };
        let given = |(name, text): &(&str, &str)| {
            let text = GivenText {
                text: (*text).to_owned(),
                secret: true,
            };
            ((*name).to_owned(), text)
        };
        let given = Given {
            variables: secret.iter().map(given).collect(),
            ..Given::default()
        };
        Variables::of(&own, &given).unwrap()
    }

    fn object(variables: &Variables, text: &str) -> Result<Value, String> {
        let key = SealKey::new([1; 32]);
        let built = one(text).unwrap();
        let made = variables.object("web.yaml", built, text, Some(&key));
        made.map_err(|e| e.message.to_string())
    }

    const MAP: &str = "apiVersion: v1\ndata:\n  a: ${n}\n  b: x${site}\nkind: ConfigMap\nmetadata:\n  name: web-${site}\n";

    #[test]
    fn a_number_becomes_a_number_and_own_variables_win() {
        let variables = variables(&[("n", "3"), ("site", "os\nlo")], &[("n", "4")]);
        assert_eq!(
            object(&variables, MAP).unwrap(),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-oslo"}, "data": {"a": 3, "b": "xoslo"}})
        );
    }

    #[test]
    fn an_object_may_keep_out_and_without_variables_nothing_is_replaced() {
        let off = MAP.replace(
            "metadata:\n",
            "metadata:\n  annotations:\n    kustomize.toolkit.fluxcd.io/substitute: disabled\n",
        );
        let kept = object(&variables(&[("n", "3")], &[]), &off).unwrap();
        assert_eq!(kept.pointer("/data/a"), Some(&json!("${n}")));
        let kept = object(&Variables::default(), MAP).unwrap();
        assert_eq!(kept.pointer("/data/a"), Some(&json!("${n}")));
    }

    #[test]
    fn what_a_secret_touches_is_sealed_and_the_rest_is_not() {
        let variables = variables(&[("site", "oslo")], &[("n", "[hunter2, hunter3]")]);
        let sealed = object(&variables, MAP).unwrap();
        assert!(
            sealed
                .pointer("/data/a/0")
                .unwrap()
                .as_str()
                .is_some_and(is_token)
        );
        assert_eq!(sealed.pointer("/data/b"), Some(&json!("xoslo")));
        assert!(!sealed.to_string().contains("hunter"));
        let inside = object(&variables, &MAP.replace("a: ${n}", "a:\n  - x\n  - ${n}")).unwrap();
        assert!(!inside.to_string().contains("hunter"), "{inside}");
        let named = object(&variables, &MAP.replace("a: ${n}", "\"${n}\": 1"));
        assert!(named.unwrap_err().contains("name of a field"));
    }

    #[test]
    fn a_name_made_from_a_secret_still_names_the_object() {
        let variables = variables(&[], &[("site", "oslo"), ("n", "3")]);
        let sealed = object(&variables, MAP).unwrap();
        assert_eq!(sealed.pointer("/metadata/name"), Some(&json!("web-oslo")));
        assert!(sealed.pointer("/data/a").unwrap().is_string());
    }

    #[test]
    fn what_flux_cannot_evaluate_is_named_with_its_object() {
        let variables = variables(&[("n", "3")], &[]);
        let why = object(&variables, &MAP.replace("${n}", "${n!}")).unwrap_err();
        assert!(
            why.contains("ConfigMap web-${site}") && why.contains("`web.yaml`"),
            "{why}"
        );
        let own = PostBuild {
            substitute: [("a-b".to_owned(), String::new())].into(),
        };
        assert!(Variables::of(&own, &Given::default()).is_err());
    }
}
