//! kstatus: the status that Flux and kpt compute for any object, from its generation, its conditions and a few kinds' own fields.
//!
//! Rules: cli-utils' `kstatus/status` package. Time comes in as an argument (a Pod has 15 seconds to be scheduled).

mod kinds;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{items, number, text};
use crate::domain::Health;

/// The computed status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The controller is not done.
    InProgress,
    /// The controller gave up or cannot go on.
    Failed,
    /// The cluster is as the object says.
    Current,
    /// It is being deleted.
    Terminating,
    /// It could not be told.
    Unknown,
}

impl Status {
    /// The word that kstatus uses.
    pub fn word(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Current => "Current",
            Self::Terminating => "Terminating",
            Self::Unknown => "Unknown",
        }
    }
}

impl Status {
    /// The same in Argo CD's words.
    pub fn health(self) -> Health {
        match self {
            Self::Current => Health::Healthy,
            Self::InProgress | Self::Terminating => Health::Progressing,
            Self::Failed => Health::Degraded,
            Self::Unknown => Health::Unknown,
        }
    }
}

/// A standard condition that the status implies: `Reconciling` or `Stalled`, always true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Implied {
    /// `Reconciling` or `Stalled`.
    pub kind: &'static str,
    /// Why, as one word.
    pub reason: String,
    /// Why, in words.
    pub message: String,
}

/// A status with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The status.
    pub status: Status,
    /// Why.
    pub message: String,
    /// The condition it implies, none for a current object.
    pub condition: Option<Implied>,
}

impl Outcome {
    fn current(message: impl Into<String>) -> Self {
        Self {
            status: Status::Current,
            message: message.into(),
            condition: None,
        }
    }

    fn in_progress(reason: &str, message: impl Into<String>) -> Self {
        Self::implied(Status::InProgress, "Reconciling", reason, message.into())
    }

    fn failed(reason: &str, message: impl Into<String>) -> Self {
        Self::implied(Status::Failed, "Stalled", reason, message.into())
    }

    fn implied(status: Status, kind: &'static str, reason: &str, message: String) -> Self {
        Self {
            status,
            message: message.clone(),
            condition: Some(Implied {
                kind,
                reason: reason.to_owned(),
                message,
            }),
        }
    }
}

/// Computes the status of a live object at a point in time.
pub fn compute(object: &Value, now: Timestamp) -> Outcome {
    if !text(object, "/metadata/deletionTimestamp").is_empty() {
        return Outcome {
            status: Status::Terminating,
            message: "Resource scheduled for deletion".to_owned(),
            condition: None,
        };
    }
    generation(object)
        .or_else(|| standard_conditions(object))
        .or_else(|| kinds::check(object, now))
        .or_else(|| ready_condition(object))
        .unwrap_or_else(|| Outcome::current("Resource is current"))
}

/// The object with the implied conditions in its status.
pub fn augment(object: &Value, now: Timestamp) -> Value {
    let mut object = object.clone();
    let Some(implied) = compute(&object, now).condition else {
        return object;
    };
    let time = now.to_string();
    let Some(conditions) = conditions_mut(&mut object) else {
        return object;
    };
    let known = conditions
        .iter_mut()
        .find(|c| text(c, "/type") == implied.kind);
    match known {
        Some(condition) => {
            if text(condition, "/status") != "True" {
                condition["lastTransitionTime"] = json!(time);
            }
            condition["status"] = json!("True");
            condition["lastUpdateTime"] = json!(time);
            condition["reason"] = json!(implied.reason);
            condition["message"] = json!(implied.message);
        }
        None => conditions.push(json!({
            "type": implied.kind, "status": "True", "reason": implied.reason, "message": implied.message,
            "lastTransitionTime": time, "lastUpdateTime": time,
        })),
    }
    object
}

fn conditions_mut(object: &mut Value) -> Option<&mut Vec<Value>> {
    let status = object
        .as_object_mut()?
        .entry("status")
        .or_insert_with(|| json!({}));
    status
        .as_object_mut()?
        .entry("conditions")
        .or_insert_with(|| json!([]))
        .as_array_mut()
}

/// A controller that has not seen the newest generation is not done.
fn generation(object: &Value) -> Option<Outcome> {
    let generation = number(object, "/metadata/generation")?;
    let observed = number(object, "/status/observedGeneration").filter(|o| *o != generation)?;
    Some(Outcome::in_progress(
        "LatestGenerationNotObserved",
        format!(
            "{} generation is {generation}, but latest observed generation is {observed}",
            text(object, "/kind")
        ),
    ))
}

fn standard_conditions(object: &Value) -> Option<Outcome> {
    items(object, "/status/conditions")
        .filter(|c| text(c, "/status") == "True")
        .find_map(|c| {
            let (reason, message) = (text(c, "/reason"), text(c, "/message"));
            match text(c, "/type") {
                "Reconciling" => Some(Outcome::in_progress(reason, message)),
                "Stalled" => Some(Outcome::failed(reason, message)),
                _ => None,
            }
        })
}

/// Kinds nobody knows: their Ready condition, when they have one.
fn ready_condition(object: &Value) -> Option<Outcome> {
    let ready = super::condition(object, "Ready")?;
    let (reason, message) = (text(ready, "/reason"), text(ready, "/message"));
    Some(match text(ready, "/status") {
        "True" => Outcome::current("Resource is Ready"),
        "False" | "Unknown" => Outcome::in_progress(reason, message),
        _ => return None,
    })
}
