//! Health by the CEL expressions of a Kustomization's `spec.healthCheckExprs`, as Flux evaluates them.
//!
//! A generation that the controller has not seen is in progress, whatever the expressions say; then in progress, failed and current are asked
//! in this order. When none holds the object is in progress.

use std::fmt;
use std::sync::Arc;

use cel::{Context, Env, ExecutionError, Program, Value as CelValue};
use serde_json::Value;

use super::kstatus::Status;
use super::text;

/// The expressions of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Expressions {
    /// Holds while the object is being brought to what is wanted.
    pub in_progress: Option<String>,
    /// Holds when it cannot be.
    pub failed: Option<String>,
    /// Holds when it is as wanted.
    pub current: String,
}

/// `spec.healthCheckExprs` of a Kustomization, compiled.
#[derive(Debug, Default)]
pub struct HealthChecks(Vec<HealthCheck>);

/// The expressions of one kind, compiled.
#[derive(Debug)]
struct HealthCheck {
    api_version: String,
    kind: String,
    compiled: Compiled,
}

/// One entry as it is written.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct HealthCheckText {
    api_version: String,
    kind: String,
    #[serde(flatten)]
    expressions: Expressions,
}

impl HealthChecks {
    /// Reads the list and compiles every expression once; one that does not parse is told when it is needed.
    ///
    /// # Errors
    /// The list is none, or an entry lacks its kind.
    pub fn read(list: &Value) -> Result<Self, String> {
        let texts: Vec<HealthCheckText> =
            serde::Deserialize::deserialize(list).map_err(|e: serde_json::Error| e.to_string())?;
        let env = Arc::new(Env::stdlib());
        let compiled = texts.into_iter().map(|text| HealthCheck {
            compiled: Compiled::of(&text.expressions, &env),
            api_version: text.api_version,
            kind: text.kind,
        });
        Ok(Self(compiled.collect()))
    }

    /// The status of an object; `None` when no entry is about its kind.
    pub fn status(&self, object: &Value) -> Option<Result<Status, String>> {
        let (version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
        let mut named = self.0.iter();
        let check = named.find(|check| check.api_version == version && check.kind == kind)?;
        Some(check.compiled.status(object))
    }
}

/// The expressions of one kind in the order in which they are asked; the first that holds tells the status.
struct Compiled {
    env: Arc<Env>,
    asked: Vec<(Expression, Status)>,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.asked).finish()
    }
}

impl Compiled {
    fn of(expressions: &Expressions, env: &Arc<Env>) -> Self {
        let asked = [
            (expressions.in_progress.as_deref(), Status::InProgress),
            (expressions.failed.as_deref(), Status::Failed),
            (Some(expressions.current.as_str()), Status::Current),
        ];
        let written = asked.into_iter().filter_map(|(text, status)| {
            let text = text.filter(|text| !text.is_empty())?;
            Some((Expression::of(text, env), status))
        });
        Self {
            env: Arc::clone(env),
            asked: written.collect(),
        }
    }

    fn status(&self, object: &Value) -> Result<Status, String> {
        if is_unseen(object) {
            return Ok(Status::InProgress);
        }
        for (expression, status) in &self.asked {
            if expression.holds(&self.env, object)? {
                return Ok(*status);
            }
        }
        Ok(Status::InProgress)
    }
}

/// The status of one object by expressions that are compiled for it alone.
///
/// # Errors
/// An expression does not parse or cannot be evaluated; the text names it.
pub fn status(object: &Value, expressions: &Expressions) -> Result<Status, String> {
    Compiled::of(expressions, &Arc::new(Env::stdlib())).status(object)
}

/// Both generations are numbers and differ; anything else is left to the expressions.
fn is_unseen(object: &Value) -> bool {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    match (
        number("/metadata/generation"),
        number("/status/observedGeneration"),
    ) {
        (Some(wanted), Some(seen)) => wanted != seen,
        _ => false,
    }
}

/// One expression, and its program when it parses.
#[derive(Debug)]
struct Expression {
    text: String,
    program: Result<Program, String>,
}

impl Expression {
    fn of(text: &str, env: &Env) -> Self {
        let program = env.compile(text);
        Self {
            text: text.to_owned(),
            program: program.map_err(|e| e.to_string()),
        }
    }

    fn holds(&self, env: &Arc<Env>, object: &Value) -> Result<bool, String> {
        let named = |doing: &str, why: &str| {
            format!(
                "failed to {doing} the CEL expression '{}': {why}",
                self.text
            )
        };
        let program = self.program.as_ref().map_err(|why| named("parse", why))?;
        let failed = |why: String| named("evaluate", &why);
        let mut context = Context::with_env(Arc::clone(env));
        for (name, value) in object.as_object().into_iter().flatten() {
            context
                .add_variable(name.as_str(), value)
                .map_err(|e| failed(e.to_string()))?;
        }
        match program.execute(&context) {
            Ok(CelValue::Bool(holds)) => Ok(holds),
            Ok(_) => Err(failed("the result is not a bool".to_owned())),
            Err(error) => Err(failed(words(&error))),
        }
    }
}

/// The two errors that an object's shape brings about, in the words that Flux's users know.
fn words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::UndeclaredReference(name) => format!("no such attribute(s): {name}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn expressions(in_progress: Option<&str>, failed: Option<&str>, current: &str) -> Expressions {
        Expressions {
            in_progress: in_progress.map(str::to_owned),
            failed: failed.map(str::to_owned),
            current: current.to_owned(),
        }
    }

    #[test]
    fn in_progress_comes_before_failed_and_failed_before_current() {
        let object = json!({"status": {"phase": "Running", "ready": true}});
        let asked = |p, f| status(&object, &expressions(p, f, "status.ready"));
        assert_eq!(asked(None, None), Ok(Status::Current));
        assert_eq!(
            asked(None, Some("status.phase == 'Running'")),
            Ok(Status::Failed)
        );
        assert_eq!(
            asked(Some("status.ready"), Some("true")),
            Ok(Status::InProgress)
        );
        let none = status(&object, &expressions(None, None, "status.phase == 'Gone'"));
        assert_eq!(none, Ok(Status::InProgress));
    }

    #[test]
    fn a_list_speaks_about_the_kinds_it_names_only() {
        let checks = HealthChecks::read(&json!([
            {"apiVersion": "edge.example/v1", "kind": "Site", "failed": "status.phase == 'Broken'", "current": "status.phase == 'Up'"},
            {"apiVersion": "edge.example/v1", "kind": "Gate", "current": "status.("},
        ]))
        .unwrap();
        let asked = |version: &str, kind: &str, phase: &str| {
            checks.status(&json!({"apiVersion": version, "kind": kind, "status": {"phase": phase}}))
        };
        assert_eq!(
            asked("edge.example/v1", "Site", "Up"),
            Some(Ok(Status::Current))
        );
        assert_eq!(
            asked("edge.example/v1", "Site", "Broken"),
            Some(Ok(Status::Failed))
        );
        assert_eq!(asked("edge.example/v2", "Site", "Up"), None);
        let unparsed = asked("edge.example/v1", "Gate", "Up").unwrap().unwrap_err();
        assert!(unparsed.contains("failed to parse"), "{unparsed}");
        assert!(HealthChecks::read(&json!([{"kind": "Site"}])).is_err());
        assert!(HealthChecks::read(&json!("Site")).is_err());
    }

    #[test]
    fn an_unseen_generation_is_in_progress_and_errors_name_the_expression() {
        let object = json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1}});
        assert_eq!(
            status(&object, &expressions(None, None, "true")),
            Ok(Status::InProgress)
        );
        let seen = json!({"status": {}});
        let error = status(&seen, &expressions(None, None, "status.ready")).unwrap_err();
        assert_eq!(
            error,
            "failed to evaluate the CEL expression 'status.ready': no such key: ready"
        );
        assert!(
            status(&seen, &expressions(None, None, "status.("))
                .unwrap_err()
                .contains("failed to parse")
        );
        assert!(
            status(&seen, &expressions(None, None, "1"))
                .unwrap_err()
                .contains("not a bool")
        );
    }
}
