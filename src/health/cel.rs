//! Health by the CEL expressions of a Kustomization's `spec.healthCheckExprs`, as Flux evaluates them.
//!
//! A generation that the controller has not seen is in progress, whatever the expressions say; then in progress, failed and current are asked
//! in this order. When none holds the object is in progress.

use std::sync::Arc;

use cel::{Context, Env, ExecutionError, Value as CelValue};
use serde_json::Value;

use super::kstatus::Status;

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

/// The status of an object.
///
/// # Errors
/// An expression does not parse or cannot be evaluated; the text names it.
pub fn status(object: &Value, expressions: &Expressions) -> Result<Status, String> {
    if is_unseen(object) {
        return Ok(Status::InProgress);
    }
    let env = Arc::new(Env::stdlib());
    let asked = [
        (expressions.in_progress.as_deref(), Status::InProgress),
        (expressions.failed.as_deref(), Status::Failed),
        (Some(expressions.current.as_str()), Status::Current),
    ];
    for (expression, status) in asked {
        if let Some(expression) = expression.filter(|e| !e.is_empty())
            && holds(&env, expression, object)?
        {
            return Ok(status);
        }
    }
    Ok(Status::InProgress)
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

fn holds(env: &Arc<Env>, expression: &str, object: &Value) -> Result<bool, String> {
    let failed =
        |why: String| format!("failed to evaluate the CEL expression '{expression}': {why}");
    let program = env
        .compile(expression)
        .map_err(|e| format!("failed to parse the CEL expression '{expression}': {e}"))?;
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
