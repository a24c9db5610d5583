//! Asks clusters what only a person wants to know, off the loop and on the interactive lane. Every refusal comes back as a sentence.

mod cluster;
mod compare;
mod events;
mod field;
pub mod logs;
mod objects;
mod tree;
pub(super) mod yaml;

use std::sync::Arc;

use serde_json::Value;

use crate::app::inquiry::{Answer, Question};
use crate::connect::{Connection, Fault, Lane};
use crate::domain::{ClusterId, Safe};
use crate::drift::seal::SealKey;
use crate::sources::Sources;

/// Longest answer that is read, in bytes.
const LIMIT: usize = 8 << 20;

/// Asks one question.
///
/// # Errors
/// Why there is no answer, and the next step.
pub async fn ask(
    sources: Arc<Sources>,
    question: Question,
    key: Arc<SealKey>,
) -> Result<Answer, Safe> {
    match question {
        Question::Cluster(id) => {
            let detail = cluster::detail(&sources, &id).await?;
            Ok(Answer::Cluster(Box::new(detail)))
        }
        Question::Events(targets) => events::read(&sources, &targets).await.map(Answer::Events),
        Question::Tree(wish) => {
            let tree = tree::read(&sources, &wish, &key).await?;
            Ok(Answer::Tree(Box::new(tree)))
        }
        Question::Field { targets, path } => {
            let read = field::read(&sources, targets, path.as_str(), &key).await;
            Ok(Answer::Field(read))
        }
        Question::Compare { object, clusters } => {
            let comparison = compare::read(&sources, &object, clusters, &key).await;
            Ok(Answer::Compare(Box::new(comparison)))
        }
        // Logs are followed: see `logs::follow`.
        Question::Logs(_) => Ok(Answer::Logs(Vec::new())),
        // These take the fleet and Git: see `Carrier::ask`.
        Question::Word(_) => Ok(Answer::Word(Vec::new())),
        Question::Commits(_) => Ok(Answer::Commits(Vec::new())),
        Question::Yaml(target) => {
            let wanted = Err(Safe::fixed("Git was not asked."));
            let yaml = yaml::read(&sources, &target, wanted, &key).await;
            Ok(Answer::Yaml(Box::new(yaml)))
        }
    }
}

fn connection(sources: &Sources, id: &ClusterId) -> Result<Connection, Safe> {
    sources.connection(id).cloned().ok_or_else(|| {
        Safe::from(format!(
            "{id} has no usable context; correct the kubeconfig and start again."
        ))
    })
}

/// Reads a path as JSON.
async fn json(connection: &Connection, path: &str) -> Result<Value, Fault> {
    let bytes = connection.get(Lane::Interactive, path, LIMIT).await?;
    serde_json::from_slice(&bytes).map_err(|_| {
        Fault::new(
            crate::connect::FaultKind::Garbage,
            format!(
                "{} answered with something that is no JSON.",
                connection.place()
            ),
        )
    })
}

/// The items of a list.
fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Text at a pointer, empty where there is none.
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
